"""Reading a request's body: strict JSON of bounded size and depth."""

import base64
import json
import re
from email.message import Message
from typing import Any

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from retainstream.http.problems import Problem
from retainstream.strict_json import RepeatedName, strict_json

LARGEST_BODY = 1_000_000
DEEPEST_BODY = 32

_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")  # JSON can spell code points that text cannot contain


def read_json(event: BaseProxyEvent, largest: int = LARGEST_BODY) -> Any:
    """The body as JSON in UTF-8, of up to `largest` bytes. The content type must be JSON: pages of other origins can send other types
    without a preflight.

    Raises:
        Problem: unsupported-media-type, too-large, or malformed-request.
    """
    if not _is_json(event.headers.get("content-type") or ""):
        raise Problem("unsupported-media-type", "This interface reads JSON in UTF-8: set Content-Type to application/json.")
    sent = _bytes(event)
    if len(sent) > largest:
        raise Problem("too-large", f"A body may have at most {largest} bytes.")
    try:
        text = sent.decode() or "null"
        value = strict_json(text)
        if _HALF_A_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise Problem("malformed-request", "The body is not UTF-8 text.") from error
    except RepeatedName as error:
        raise Problem("malformed-request", "An object of the body names a field twice.") from error
    except (ValueError, RecursionError) as error:
        raise Problem("malformed-request", "The body is not valid JSON.") from error
    if _deeper_than(value, DEEPEST_BODY):
        raise Problem("malformed-request", f"The body is nested more than {DEEPEST_BODY} deep.")
    return value


def _is_json(content_type: str) -> bool:
    header = Message()
    header["Content-Type"] = content_type
    charset = header.get_param("charset", "utf-8")
    return header.get_content_type() == "application/json" and isinstance(charset, str) and charset.lower() in ("utf-8", "utf8")


def _bytes(event: BaseProxyEvent) -> bytes:
    body = event.body or ""
    return base64.b64decode(body) if event.is_base64_encoded else body.encode("utf-8", "surrogatepass")


def _deeper_than(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
