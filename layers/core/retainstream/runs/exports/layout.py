"""How a file of predictions is written: for a spreadsheet in the words of the schema, or for a program."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from retainstream.engine.tables.safe_cells import safe_cell

type Separator = Literal["comma", "semicolon", "tab"]
type Mark = Literal["point", "comma"]
type Cell = str | bool | float | int | None

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_BOM = "\ufeff".encode()


@dataclass(frozen=True)
class FileLayout:
    """separator: between fields. decimal: the decimal mark of numbers. data: headers are the names of fields and columns, for programs;
    otherwise they are words, and a byte order mark at the beginning tells a spreadsheet that the text is UTF-8."""

    separator: Separator = "comma"
    decimal: Mark = "point"
    data: bool = False

    def header(self, names: Sequence[str]) -> bytes:
        """The first line, in UTF-8."""
        return (b"" if self.data else _BOM) + self.lines([names])

    def lines(self, rows: Iterable[Sequence[Cell]]) -> bytes:
        """Rows as lines, in UTF-8; no cell is a formula to a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=_SEPARATORS[self.separator], lineterminator="\r\n")
        writer.writerows([self._cell(cell) for cell in row] for row in rows)
        return text.getvalue().encode()

    def _cell(self, cell: Cell) -> str | float | None:
        if isinstance(cell, float):
            return repr(cell).replace(".", ",") if self.decimal == "comma" else cell
        if isinstance(cell, bool) and not self.data:
            return "yes" if cell else "no"
        safe: str | float | None = safe_cell(cell)
        return safe
