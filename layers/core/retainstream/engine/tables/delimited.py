"""Delimited text of any dialect as records."""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self

from retainstream.engine.tables.no_customers import no_customer
from retainstream.engine.tables.numbers import Decimal, Marks, votes
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.splitting import LONGEST_RECORD, TOO_LONG, UNCLOSED

type Record = list[str]

csv.field_size_limit(LONGEST_RECORD)

PLAIN = frozenset({"utf-8", "utf-8-sig"})
_UNDECODED = re.compile("[\udc80-\udcff]")
END_OF_FILE = "\x1a"
_CLEARLY_COMMA = re.compile(r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+)")
_CLEARLY_POINT = re.compile(r"[-+]?(?:\d*\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+)")
_EITHER_COMMA = re.compile(r"[-+]?\d{1,3},\d{3}")


KINDS = frozenset({"Excel", "Parquet"})
"""What is said in place of an encoding of files whose cells have kinds."""


@dataclass(kw_only=True)
class Layout:
    """The layout of a table: header, last line of the header, separator, decimal mark and encoding.

    named_mark: the decimal mark that a person named. marks: what the cells of the first records say, by column.
    by_line: each line is quoted as a whole. escaped: quotes inside values are escaped by a backslash. sheet: that of a workbook, where
    somebody named it. remarks: what a person should know of how the file is read. hint: why its names may look wrong.
    """

    source: str
    header: list[str]
    header_line: int
    delimiter: str
    decimal: Decimal
    encoding: str
    named_mark: Decimal | None = None
    marks: list[Marks] = field(default_factory=list)
    by_line: bool = False
    escaped: bool = False
    sheet: str | None = None
    remarks: list[str] = field(default_factory=list)
    hint: str = ""

    @property
    def has_kinds(self) -> bool:
        """Whether the file stores numbers as numbers, without a decimal mark: a workbook or Parquet."""
        return self.encoding in KINDS

    @property
    def commas_separate(self) -> bool:
        """Whether commas separate the fields."""
        return self.delimiter == ","

    def marks_of(self, place: int) -> Marks:
        """What the cells of a column say, by its place in the header."""
        return self.marks[place] if place < len(self.marks) else Marks()

    @property
    def is_plain(self) -> bool:
        """Whether the bytes of the file are those of a CSV file in UTF-8, apart from single lines."""
        return self.encoding in PLAIN and not self.by_line and not self.escaped

    def reader(self, lines: Iterable[str]) -> Any:
        """A csv reader of this dialect."""
        return csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=self.delimiter == ",")

    def misfit(self, record: Record) -> str:
        """The fault of a record with another number of fields than the header, or "". Extra empty fields are no fault."""
        width = len(self.header)
        if len(record) == width or (len(record) > width and not any(cell.strip() for cell in record[width:])):
            return ""
        detail = f"has {len(record)} fields where the header has {width}"
        return f"{detail}; put quotes around values that contain {_spoken(self.delimiter)}" if len(record) > width else detail


@dataclass(kw_only=True)
class DelimitedTable(Layout):
    """An open table with its header; its records can be read once. Use it as a context manager. last: the last record."""

    _lines: Iterator[str]
    _stream: IO[Any]
    misencoded: Counter[int] = field(default_factory=Counter)
    lines_of_header: int = 1
    last: Record = field(default_factory=list)
    _passed_over: list[str] = field(default_factory=list)

    def records(self) -> Iterator[tuple[int, Record]]:
        """(first line, fields) of each record that is not blank; as many fields as the header has.

        Raises:
            UnreadableTable: unclosed quotes, more or fewer fields than the header, a damaged compressed file.
        """
        reader = self.reader(self._lines)
        width, first = len(self.header), self.header_line + 1
        try:
            for record in reader:
                line, first = first, self.header_line + reader.line_num + 1
                if not any(cell.strip() for cell in record):
                    continue
                if len(record) != width and (misfit := self.misfit(record)):
                    if not (remark := no_customer(record, self.header)):
                        raise UnreadableTable(self.source, [TableProblem(misfit, line=line)])
                    self._passed_over.append(f"line {line:,} {remark}")
                    continue
                self.last = record[:width]
                yield line, self.last
        except csv.Error as error:
            raise UnreadableTable(self.source, [TableProblem(quoting_problem(error), line=first)]) from error
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise UnreadableTable(self.source, [TableProblem("the file ends too early or is damaged", line=first)]) from error

    @property
    def notes(self) -> list[str]:
        """Notes on how the file was read; complete after the last record."""
        notes = [*self.remarks, *some_lines(self._passed_over)]
        if self.misencoded:
            lines = sorted(self.misencoded)
            shown = ", ".join(str(line) for line in lines[:5]) + (f" and {len(lines) - 5:,} more" if len(lines) > 5 else "")
            notes.append(f"some text is not UTF-8 and was read as Windows-1252 (line{'s' if len(lines) > 1 else ''} {shown})")
        return notes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()


def mended_lines(lines: Iterable[str], misencoded: Counter[int]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if is_misencoded(line):
            misencoded[number] += 1
            line = mended(line)
        yield line if END_OF_FILE not in line else line.replace(END_OF_FILE, "")


def some_lines(remarks: list[str], most: int = 3) -> list[str]:
    """The first remarks on single lines, and the number of the others."""
    return [*remarks[:most], *([f"and {len(remarks) - most:,} more such lines"] if len(remarks) > most else [])]


def is_misencoded(text: str) -> bool:
    """Whether a text, decoded with surrogateescape, has bytes that are not UTF-8."""
    return not text.isascii() and _UNDECODED.search(text) is not None


def mended(text: str) -> str:
    """The text, with bytes that are not UTF-8 read as Windows-1252."""
    return _UNDECODED.sub(_windows_1252, text)


def _windows_1252(match: re.Match[str]) -> str:
    byte = bytes([ord(match[0]) - 0xDC00])
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return byte.decode("latin-1")


def decimal_of(cells: Iterable[str], *, commas_separate: bool) -> Decimal:
    """The decimal mark that more cells require. An ambiguous comma is decimal if commas do not separate fields and no cell has a decimal
    point."""
    comma = point = either = 0
    try:
        for cell in cells:
            comma += bool(_CLEARLY_COMMA.fullmatch(cell))
            point += bool(_CLEARLY_POINT.fullmatch(cell))
            either += bool(_EITHER_COMMA.fullmatch(cell))
    except csv.Error:
        return "."
    if comma != point:
        return "," if comma > point else "."
    return "," if either and not point and not commas_separate else "."


def cells_of(lines: list[str], delimiter: str) -> Iterator[str]:
    for record in csv.reader(lines, delimiter=delimiter):
        yield from (cell.strip() for cell in record)


def marks_of(lines: list[str], delimiter: str, width: int) -> list[Marks]:
    """What the cells of these lines say about the numbers of each column."""
    counted: list[Counter[str]] = [Counter() for _ in range(width)]
    try:
        for record in csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == ","):
            if len(record) >= width:
                for counts, cell in zip(counted, record, strict=False):
                    counts[cell.strip()] += 1
    except csv.Error:
        pass  # the reader of the records says where
    return [votes(counts.keys(), counts.values()) for counts in counted]


def quoting_problem(error: csv.Error) -> str:
    """A csv error in words."""
    reason = str(error)
    if "end of data" in reason:
        return UNCLOSED
    if "field larger" in reason:
        return TOO_LONG
    if "NUL" in reason:
        return "holds a zero byte"
    return "a quoted value continues after its closing quote; double the quotes inside it"


def _spoken(delimiter: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(delimiter, delimiter)
