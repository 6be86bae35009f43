"""Problems of a file, worded so that a person can correct them."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 10

MOST_OF_A_CELL = 200
"""Characters of a cell's text that are kept to be shown."""


@dataclass(frozen=True)
class TableProblem:
    """A problem: its first line (0 for the complete file), the column's header, and the number of rows with it."""

    detail: str
    line: int = 0
    column: str = ""
    rows: int = 1

    def __str__(self) -> str:
        place = ", ".join(
            part for part in (f"line {self.line}" if self.line else "", f"column {self.column}" if self.column else "") if part
        )
        more = f" ({self.rows:,} rows)" if self.rows > 1 else ""
        return f"{place}: {self.detail}{more}" if place else f"{self.detail}{more}"


@dataclass(frozen=True)
class UnreadCell:
    """A cell that counts as missing since it could not be read: the column's name, the text as it came (cut to MOST_OF_A_CELL characters),
    and a short reason that goes on after the text: "is new", "is not a number"."""

    column: str
    text: str
    reason: str


class UnreadableTable(ValueError):
    """The file cannot be read as a table."""

    def __init__(self, source: str, problems: Sequence[TableProblem]) -> None:
        self.source = source
        self.problems = list(problems)
        shown = [str(problem) for problem in self.problems[:_SHOWN]]
        more = len(self.problems) - _SHOWN
        super().__init__(f"{source}: {'; '.join(shown)}{f'; and {more} more' if more > 0 else ''}")

    @property
    def first_problems(self) -> list[str]:
        """The first problems in words, without the name of the file."""
        return [str(problem) for problem in self.problems[:_SHOWN]]


class UndecidedTable(UnreadableTable):
    """The file can be read in more than one way, and a person has to say in which; the message shows the ways."""
