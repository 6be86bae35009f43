"""Lets everybody in whose token does not say no, and counts how often it is asked."""

from itertools import count
from typing import Any

_calls = count(1)


def handler(event: dict[str, Any], _context: Any) -> Any:
    [token] = event["identitySource"]
    if token == "crash":
        raise RuntimeError("down")
    if token == "nonsense":
        return "yes"
    return {"isAuthorized": token != "no", "context": {"userId": token, "call": next(_calls)}}
