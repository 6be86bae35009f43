"""Safe cells for CSV files that people open in a spreadsheet."""

from itertools import takewhile
from typing import Any
from unicodedata import category, normalize

_BEGINS_A_FORMULA = frozenset("=+-@−")
_BREAKS = frozenset("\t\r\n")
_QUOTES = frozenset("\"'`´‘’‚“”„«»")
_UNSEEN = frozenset({"Cc", "Cf"})


def safe_cell(cell: Any) -> Any:
    """The cell, with an apostrophe before text that a spreadsheet might read as a formula.

    Such text starts with =, +, -, @ (also full-width), a tab or a line end, possibly after spaces, quotes and invisible characters.
    Numbers do not change; booleans are written as true and false.
    """
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str) or not cell or cell[0].isalnum():
        return cell
    lead = "".join(takewhile(_says_nothing, cell))
    first = normalize("NFKC", cell[len(lead) : len(lead) + 1])[:1]
    return f"'{cell}" if first in _BEGINS_A_FORMULA or not _BREAKS.isdisjoint(lead) else cell


def unguarded(cell: str) -> str:
    """The text of a safe cell without its apostrophe."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


def _says_nothing(character: str) -> bool:
    return character.isspace() or character in _QUOTES or category(character) in _UNSEEN
