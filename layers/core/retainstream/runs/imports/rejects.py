"""The file of rejected rows: line, column, reason."""

import csv
import io
from collections.abc import Iterable

from retainstream.engine.tables import TableProblem
from retainstream.engine.tables.safe_cells import safe_cell

MOST_FAULTS = 10
"""Faults that are listed of one row."""

HEADER = b"\xef\xbb\xbfline,column,reason\r\n"


class Rejects:
    """Faults of rejected rows, in order; of each row the first MOST_FAULTS."""

    def __init__(self) -> None:
        self.listed: list[TableProblem] = []
        self._line, self._faults = 0, 0

    def add(self, problem: TableProblem) -> None:
        """Another fault of the row at hand, or the first of the next one."""
        self._faults = self._faults + 1 if problem.line == self._line else 1
        self._line = problem.line
        if self._faults <= MOST_FAULTS:
            self.listed.append(problem)
        elif self._faults == MOST_FAULTS + 1:
            self.listed.append(TableProblem("more columns of this row are at fault", problem.line))


def as_csv(problems: Iterable[TableProblem]) -> bytes:
    """Rows of the file, without its header; nothing in them is a formula to a spreadsheet."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [problem.line, safe_cell(problem.column), safe_cell(problem.detail)] for problem in problems
    )
    return text.getvalue().encode("utf-8", "replace")
