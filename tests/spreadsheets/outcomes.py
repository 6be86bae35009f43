"""Tables whose outcomes are said in some words: 600 customers, of whom every tenth row is of another word where there is one."""

from collections.abc import Sequence

from retainstream.engine.tables.columnar import TextTable
from tests.made_tables import as_table

ROWS = 600
LEFT = 179


def table(header: str, left: Sequence[str], stayed: Sequence[str], others: Sequence[str] = ()) -> TextTable:
    """Customers with a plan, a fee and an outcome: 179 have the words of `left`, in turn, and the rest those of `stayed`. Then come ten
    rows of each other word."""
    outcomes = [left[place % len(left)] for place in range(LEFT)] + [stayed[place % len(stayed)] for place in range(ROWS - LEFT)]
    outcomes += [other for other in others for _ in range(10)]
    return as_table(
        {
            "id": [f"K-{number:05}" for number in range(len(outcomes))],
            "plan": [("Basic", "Plus", "Pro")[number % 3] for number in range(len(outcomes))],
            "fee": [str(10 + number * 7 % 97) for number in range(len(outcomes))],
            header: outcomes,
        }
    )
