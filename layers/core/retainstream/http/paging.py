"""Cursors: opaque to the client, useless when changed or moved to another list."""

import base64
import binascii
import hashlib
import hmac
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from retainstream.storage.stores import Stores

_DIGEST_BYTES = 12
_LONGEST = 2000


class BadCursor(ValueError):
    """The text is not a cursor of this list."""


class Cursors[Position]:
    """The cursors of lists whose positions have one shape: a type that pydantic reads from JSON.

    A key of the stack's sealing secret seals them. `scope` is the list: its route and filters. Every method raises StorageUnavailable
    when the secret is read for the first time and Secrets Manager does not answer.
    """

    def __init__(self, shape: Any, stores: Stores) -> None:
        self._shape = shape
        self._stores = stores

    def write(self, position: Position | None, *, scope: str) -> str | None:
        """A cursor for a position; None for None, the end of a list."""
        if position is None:
            return None
        payload = self._adapter.dump_json(position)
        return base64.urlsafe_b64encode(self._digest(payload, scope) + payload).decode().rstrip("=")

    def read(self, cursor: str | None, *, scope: str) -> Position | None:
        """The position of a cursor; None for None, the beginning of a list.

        Raises:
            BadCursor: the cursor was changed or made up, belongs to another list, or holds a position of another shape.
        """
        if cursor is None:
            return None
        if len(cursor) > _LONGEST:
            raise BadCursor
        try:
            sealed = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error) as error:
            raise BadCursor from error
        digest, payload = sealed[:_DIGEST_BYTES], sealed[_DIGEST_BYTES:]
        if not hmac.compare_digest(digest, self._digest(payload, scope)):
            raise BadCursor
        try:
            return self._adapter.validate_json(payload)
        except ValidationError as error:
            raise BadCursor from error

    @cached_property
    def _adapter(self) -> TypeAdapter[Position]:
        return TypeAdapter(self._shape)

    def _digest(self, payload: bytes, scope: str) -> bytes:
        key = self._stores.sealing.key("cursors")
        return hashlib.blake2b(payload + b"\x00" + scope.encode(), digest_size=_DIGEST_BYTES, key=key).digest()
