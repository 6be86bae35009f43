"""JSON without ambiguity."""

import json
from typing import Any, NoReturn


class RepeatedName(ValueError):
    """An object has two members of the same name. Readers differ in which of the two they take."""


def strict_json(text: str) -> Any:
    """The value of a JSON text (RFC 8259), in which every name of an object is unique.

    Raises:
        RepeatedName: an object names a member twice.
        ValueError, RecursionError: the text is not JSON, or nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(members)
    if len(value) < len(members):
        raise RepeatedName
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
