"""A sheet of an Excel workbook as comma-separated text, a line a row, so that it is read by the same rules as a CSV file."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Protocol

from retainstream.engine.tables.problems import TableProblem, UnreadableTable

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook as Opened

MAGIC = b"PK\x03\x04"
ENCODING = "Excel"
"""Stands for the encoding of a workbook."""

_ROWS_AT_ONCE = 1000
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, SyntaxError, LookupError, ValueError, TypeError, AttributeError, RuntimeError)
"""What openpyxl raises over a damaged file, whatever part of it."""
_LARGEST_TEXTS = 1 << 28
"""Bytes of a workbook's shared texts, unpacked: they are held in memory."""
_LEADING_ZEROS = re.compile(r"0{2,}")
_NO_RESULT = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>|<f[^<>]*/>(?:<v\s*/>|<v></v>)?</c>")
_SHEET = "xl/workbook.xml"
_OTHER_KINDS = (
    ("xl/workbook.bin", "is an Excel binary workbook (.xlsb); save it as .xlsx or CSV"),
    ("content.xml", "is an OpenDocument sheet; save it as .xlsx or CSV"),
    ("word/document.xml", "is a Word document; save the table as .xlsx or CSV"),
)


class _Cell(Protocol):
    value: object
    number_format: str


class Sheet:
    """A sheet of a workbook.

    notes: what a person should know of how it was read; complete after the last row.
    """

    def __init__(self, stream: IO[bytes], label: str, name: str | None = None) -> None:
        """Opens the sheet of a name, or the first one. The stream must allow seeking.

        Raises:
            UnreadableTable: the file is no workbook, is damaged, or has no such sheet.
        """
        self._label = label
        _require_workbook(stream, label)
        self._book = _opened(stream, label)
        names = [sheet.title for sheet in self._book.worksheets]
        if not names:
            raise UnreadableTable(label, [TableProblem("the workbook has no sheet with cells")])
        if name is not None and name not in names:
            raise UnreadableTable(label, [TableProblem(f"there is no sheet {name}; the workbook has {', '.join(names)}")])
        self._name = name or names[0]
        self.notes: list[str] = []
        if others := [other for other in names if other != self._name]:
            said = "" if name else "; state the sheet (--sheet) to read another one"
            self.notes.append(f"read the sheet {self._name}, and not {', '.join(others)}{said}")
        if empty := _formulas_without_result(stream, self._book, names.index(self._name)):
            self.notes.append(
                f"{empty:,} formulas of the sheet have no stored result and are read as blank; open the file in Excel and save it"
            )

    def pieces(self) -> Iterator[bytes]:
        """The sheet as text in UTF-8, a line a row.

        Raises:
            UnreadableTable: the file is damaged.
        """
        text, width = io.StringIO(), 0
        writer = csv.writer(text, lineterminator="\n")
        try:
            for number, row in enumerate(self._rows(), start=1):
                cells = [_text_of(cell) for cell in row]
                while cells and not cells[-1] and len(cells) > width:
                    cells.pop()
                if any(cells):
                    width = max(width, len(cells))
                    writer.writerow(cells + [""] * (width - len(cells)))
                else:
                    text.write("\n")
                if number % _ROWS_AT_ONCE == 0:
                    yield text.getvalue().encode("utf-8", "replace")
                    text.seek(0)
                    text.truncate()
        except _DAMAGED as error:
            raise UnreadableTable(self._label, [TableProblem("the workbook is damaged, or ends too early")]) from error
        yield text.getvalue().encode("utf-8", "replace")

    def _rows(self) -> Iterator[Sequence[_Cell]]:
        sheet = self._book[self._name]
        sheet.reset_dimensions()  # some writers state a range that is too small
        return sheet.iter_rows()  # type: ignore[return-value]


def is_workbook(start: bytes) -> bool:
    """Whether a file begins as a workbook does."""
    return start.startswith(MAGIC)


def _require_workbook(stream: IO[bytes], label: str) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = {part.filename: part.file_size for part in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise UnreadableTable(label, [TableProblem("the zip archive or workbook is damaged, or ends too early")]) from error
    if _SHEET not in parts:
        other = next((words for part, words in _OTHER_KINDS if part in parts), "is a zip archive; unpack it first (gzip is fine)")
        raise UnreadableTable(label, [TableProblem(other)])
    if parts.get("xl/sharedStrings.xml", 0) > _LARGEST_TEXTS:
        raise UnreadableTable(label, [TableProblem("the workbook holds too many texts to be read; save the sheet as CSV")])


def _opened(stream: IO[bytes], label: str) -> "Opened":
    import warnings

    from openpyxl import load_workbook

    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions and styles, which are not read
            return load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except _DAMAGED as error:
        raise UnreadableTable(label, [TableProblem("the workbook is damaged, or ends too early")]) from error


def _formulas_without_result(stream: IO[bytes], book: "Opened", place: int) -> int:
    """The number of formulas whose result the file does not hold: it was written by a program that calculates nothing."""
    path = getattr(book.worksheets[place], "_worksheet_path", "")
    count, rest = 0, b""
    with zipfile.ZipFile(stream) as archive:
        if path not in archive.namelist():
            return 0
        with archive.open(path) as part:
            while block := part.read(1 << 20):
                block = rest + block
                count += len(_NO_RESULT.findall(block))
                end = block.rfind(b"</c>") + 4
                rest = block[end:] if end > 3 else block[-4096:]
    return count


def _text_of(cell: _Cell) -> str:
    """The text of a cell as a CSV file would hold it: numbers with a decimal point, days as 2026-01-31, booleans as TRUE and FALSE."""
    value = cell.value
    match value:
        case None:
            return ""
        case str():
            return " ".join(value.split("\n")).replace("\r", " ") if "\n" in value or "\r" in value else value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value, cell.number_format)
        case datetime():
            return (value.date() if value.time() == time() else value.replace(microsecond=0)).isoformat()
        case date() | time():
            return value.isoformat()
    return str(value)


def _number(value: float, form: str) -> str:
    text = str(value) if isinstance(value, int) else f"{value:.15g}"
    if _LEADING_ZEROS.fullmatch(form) and text.isdigit():
        return text.zfill(len(form))
    _, point, digits = text.partition(".")
    return f"{text}0" if point and len(digits) == 3 and digits.isdigit() else text  # three digits could be thousands
