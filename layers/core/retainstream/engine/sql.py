"""Names and texts as they stand in an SQL statement."""

from collections.abc import Iterable


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Quoted names, separated by commas."""
    return ", ".join(quoted(name) for name in names)
