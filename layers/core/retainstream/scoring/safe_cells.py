"""Cells of CSV files that people open in a spreadsheet."""

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(cell: Any) -> Any:
    """The cell, with an apostrophe before text that a spreadsheet might take for a formula. Numbers are left as they
    are; true and false are written as in JSON."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA) else cell
