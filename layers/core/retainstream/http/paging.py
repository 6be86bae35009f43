"""Cursors: opaque to the client, useless when changed or moved to another list."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping

_DIGEST_BYTES = 12
_LONGEST = 2000


class BadCursor(ValueError):
    """The text is not a cursor of this list."""


def encode_cursor(position: Mapping[str, str], *, scope: str, key: str) -> str:
    """A cursor for `position` in the list `scope` (its route and filters), sealed with `key`."""
    payload = json.dumps(dict(position), separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_digest(payload, scope, key) + payload).decode().rstrip("=")


def decode_cursor(cursor: str, *, scope: str, key: str) -> dict[str, str]:
    """The position of a cursor.

    Raises:
        BadCursor: the cursor was changed or forged, or belongs to another list.
    """
    if len(cursor) > _LONGEST:
        raise BadCursor
    try:
        sealed = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise BadCursor from error
    digest, payload = sealed[:_DIGEST_BYTES], sealed[_DIGEST_BYTES:]
    if not hmac.compare_digest(digest, _digest(payload, scope, key)):
        raise BadCursor
    position: dict[str, str] = json.loads(payload)
    return position


def _digest(payload: bytes, scope: str, key: str) -> bytes:
    sealing_key = hashlib.blake2b(key.encode()).digest()
    return hashlib.blake2b(payload + b"\x00" + scope.encode(), digest_size=_DIGEST_BYTES, key=sealing_key).digest()
