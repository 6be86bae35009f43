"""Rows to correct: as they came, with a column that says what is wrong, so that the file can be corrected and imported."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain, count

from retainstream.customers.intake import OF_THE_SAME_DAY, REPEATED, UNKNOWN
from retainstream.engine.tables import TableProblem
from retainstream.engine.tables.delimited import Layout
from retainstream.engine.tables.numbers import number_in
from retainstream.engine.tables.problems import MOST_OF_A_CELL, UnreadCell
from retainstream.engine.tables.safe_cells import safe_cell, unguarded
from retainstream.engine.tables.spelling import Spellings
from retainstream.engine.tables.unread import RARER, sentence_of
from retainstream.runs.imports.view import RejectedRow

ERROR = "error"
"""The column that says what is wrong."""
BOM = b"\xef\xbb\xbf"
MOST_FAULTS = 10
"""Faults that are listed of one row."""
_SHOWN = 60
_OF_EACH_ROW = frozenset({UNKNOWN, REPEATED, REPEATED + OF_THE_SAME_DAY})
_MOST_KINDS = 2_000


class RowsToCorrect:
    """Lines of a file with the column `error`. A record with a quote that is not closed is read as well as it can be.

    A text that a spreadsheet takes for a formula gets an apostrophe, which an import of the corrected file takes away. Such a file has the
    column already: its texts are replaced.
    """

    def __init__(self, layout: Layout, ignored: Iterable[str], *, guarded: bool = False) -> None:
        """`ignored` are the headers that the schema does not have. `guarded`: the file is one of rows to correct that was sent again."""
        self._layout, self._width, self._guarded = layout, len(layout.header), guarded
        self._spellings = Spellings(layout.header)
        read = {*layout.header} - {*ignored}
        names = chain([ERROR], (f"{ERROR} {number}" for number in count(2)))
        self._column = next(name for name in names if name not in read)
        self._place = layout.header.index(self._column) if self._column in layout.header else None

    @property
    def header(self) -> bytes:
        """The first line, with a byte order mark for spreadsheets."""
        names = self._layout.header if self._place is not None else [*self._layout.header, self._column]
        return BOM + self._written(names)

    def row(self, text: str, error: str) -> bytes:
        """A row, by its text in the file."""
        text = text.rstrip("\r\n")
        record = self._record(text)
        as_it_came = self._place is None and (record is not None or text.count('"') % 2 == 0)
        record = self._read_leniently(text) if record is None else record
        if as_it_came and all(_guarded(cell) == cell for cell in record):
            blank = self._layout.delimiter * max(0, self._width - len(record))
            return f"{text}{blank}{self._layout.delimiter}".encode("utf-8", "replace") + self._written([error])
        return self.row_of(record, error)

    def row_of(self, record: Sequence[str], error: str) -> bytes:
        """A row, by its cells."""
        record = [*record, *[""] * (self._width - len(record))]
        if self._place is None:
            record.append(error)
        else:
            moved = len(record) > self._width == self._place + 1  # by fields too many before it
            record[-1 if moved else self._place] = error
        return self._written(record)

    def value(self, text: str, fault: TableProblem) -> str:
        """The text of the cell at fault; empty where it differs from row to row, or where there is none."""
        return self.value_in(self._record(text.rstrip("\r\n")) or (), fault)

    def value_in(self, record: Sequence[str], fault: TableProblem) -> str:
        """The same, by the cells of the row."""
        header = self._spellings.name_of(fault.column) if fault.column and fault.detail not in _OF_EACH_ROW else None
        place = len(record) if header is None else self._layout.header.index(header)
        return record[place].strip()[:MOST_OF_A_CELL] if place < len(record) else ""

    def _record(self, text: str) -> list[str] | None:
        try:
            records = list(self._layout.reader(io.StringIO(text, newline="")))
        except csv.Error:
            return None
        if len(records) != 1:
            return None
        return [unguarded(cell) for cell in records[0]] if self._guarded else records[0]

    def _read_leniently(self, text: str) -> list[str]:
        try:
            return [cell for record in csv.reader(io.StringIO(text, newline=""), delimiter=self._layout.delimiter) for cell in record]
        except csv.Error:
            return [text]

    def _written(self, record: Sequence[str]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self._layout.delimiter, lineterminator="\r\n").writerow(map(_guarded, record))
        return text.getvalue().encode("utf-8", "replace")


def _guarded(cell: str) -> str:
    """The cell as a safe cell. A number with a plain sign is no formula."""
    safe = str(safe_cell(cell))
    signed = safe != cell and cell[0] in "+-"
    return cell if signed and (number_in(cell) is not None or number_in(cell, ",") is not None) else safe


def error_of(faults: Sequence[TableProblem]) -> str:
    """The faults of one row, as a cell."""
    said = [f"{fault.column}: {fault.detail}" if fault.column else fault.detail for fault in faults[:MOST_FAULTS]]
    return "; ".join([*said, *(["more columns of this row are at fault"] if len(faults) > MOST_FAULTS else [])])


def error_of_unread(cells: Iterable[UnreadCell]) -> str:
    """The cells of one accepted row that count as missing, as a cell."""
    return "; ".join(
        f'{cell.column}: "{_short(cell.text)}" {cell.reason}' if cell.text else f"{cell.column}: {cell.reason}" for cell in cells
    )


class Kinds:
    """Faults by column, reason and value, with the first line and the number of rows of each, in bounded memory: where there are too many
    values, the rarer ones of a column and reason are counted together, as RARER."""

    def __init__(self, kinds: Iterable[RejectedRow] = ()) -> None:
        self._kinds: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.merge(kinds)

    def add(self, column: str, reason: str, value: str, line: int, rows: int = 1) -> None:
        """Counts rows of which `line` is the first."""
        first, before = self._kinds.get((column, reason, value), (line, 0))
        self._kinds[column, reason, value] = (min(first, line), before + rows)
        if len(self._kinds) > _MOST_KINDS:
            kept = self.listed(_MOST_KINDS // 2)
            self._kinds = {}
            self.merge(kept)

    def merge(self, kinds: Iterable[RejectedRow]) -> None:
        """Adds what was counted elsewhere, such as in another part of the file."""
        for kind in kinds:
            self.add(kind["column"], kind["reason"], kind.get("value", ""), kind["line"], kind.get("rows", 1))

    def listed(self, most: int | None = None) -> list[RejectedRow]:
        """The kinds, most frequent first, at most about `most`: all others are counted together, as RARER."""
        kinds = [
            RejectedRow(line=line, column=column, reason=reason, value=value, rows=rows)
            for (column, reason, value), (line, rows) in self._kinds.items()
        ]
        kinds.sort(key=lambda kind: (kind["value"] == RARER, -kind["rows"], kind["line"], kind["column"]))
        if most is None or len(kinds) <= most:
            return kinds
        rarer: dict[tuple[str, str], RejectedRow] = {}
        for kind in kinds[most:]:
            same = rarer.setdefault((kind["column"], kind["reason"]), {**kind, "value": RARER, "rows": 0})
            same["rows"] += kind["rows"]
            same["line"] = min(same["line"], kind["line"])
        return [*kinds[:most], *list(rarer.values())[:most]]


def reject_sentence(kind: RejectedRow) -> str:
    """A kind of fault in words: `3 × customer_id: is missing (first in line 12)`."""
    rows, column, value = kind.get("rows", 1), kind["column"], kind.get("value", "")
    said = (
        sentence_of({"column": column, "value": value, "reason": kind["reason"], "rows": rows})
        if column
        else f"{rows:,} × {kind['reason']}"
    )
    return f"{said} ({'line' if rows == 1 else 'first in line'} {kind['line']})"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
