"""What stopped an import, as a sentence for its record."""

import json
from collections.abc import Mapping
from typing import Any

from retainstream.runs.failure import reason_of

AGAIN = "Ask for a new import of the same file: rows that are stored already count as unchanged."


def reason_of_import(error: Mapping[str, Any]) -> str:
    """An error a state machine caught ({"Error", "Cause"}) as a sentence that names the part of the file at work."""
    name = str(error.get("Error", "")).rsplit(".", 1)[-1]
    told = _told(error.get("Cause"))
    if name == "StorageUnavailable" and "storage did not answer" in told:
        return f"{told} {AGAIN}"
    return reason_of(error, frozenset({"ImportFailed", "UnusableSchema"}), work="imports")


def _told(cause: Any) -> str:
    try:
        return str(json.loads(cause)["errorMessage"])
    except (TypeError, ValueError, KeyError):
        return ""
