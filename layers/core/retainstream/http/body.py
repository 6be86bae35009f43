"""Reading a request's body: JSON, of bounded size, with nothing JSON does not have."""

import json
import re
from typing import Any, NoReturn

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from retainstream.http.problems import Problem

LARGEST_BODY = 1_000_000

_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")  # JSON can spell code points that no text has
_FORM = "application/x-www-form-urlencoded"  # what curl -d sends when it is not told otherwise
_ACCEPTED = ("", "application/json", _FORM)


def read_json(event: BaseProxyEvent) -> Any:
    """The body as JSON.

    Raises:
        Problem: unsupported-media-type, too-large, or malformed-request.
    """
    content_type = (event.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if content_type not in _ACCEPTED:
        raise Problem("unsupported-media-type", "This interface reads JSON: set Content-Type to application/json.")
    if len(event.body or "") > LARGEST_BODY:
        raise Problem("too-large", f"A body may have at most {LARGEST_BODY} bytes.")
    try:
        text = event.decoded_body or "null"
        value = json.loads(text, parse_constant=_refuse)
        if _HALF_A_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeError as error:
        raise Problem("malformed-request", "The body is not UTF-8 text.") from error
    except (ValueError, RecursionError) as error:
        raise Problem("malformed-request", "The body is not valid JSON.") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
