"""Delimited text of any dialect as records. Compression, encoding, separator and decimal mark are detected."""

import codecs
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from retainstream.engine.tables.numbers import Decimal, Marks, votes
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.spelling import cleaned

type Record = list[str]

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 1 << 18
_SAMPLED_RECORDS = 200
_VOTING_LINES = 5_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip or Excel",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "Excel",
}
_UNDECODED = re.compile("[\udc80-\udcff]")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_CLEARLY_COMMA = re.compile(r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+)")
_CLEARLY_POINT = re.compile(r"[-+]?(?:\d*\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+)")
_EITHER_COMMA = re.compile(r"[-+]?\d{1,3},\d{3}")


@dataclass
class Layout:
    """The layout of a table: header, last line of the header, separator, decimal mark and encoding.

    named_mark: the decimal mark that a person named. marks: what the cells of the first records say, by column.
    """

    source: str
    header: list[str]
    header_line: int
    delimiter: str
    decimal: Decimal
    encoding: str
    named_mark: Decimal | None = field(default=None, kw_only=True)
    marks: list[Marks] = field(default_factory=list, kw_only=True)

    @property
    def commas_separate(self) -> bool:
        """Whether commas separate the fields."""
        return self.delimiter == ","

    def marks_of(self, place: int) -> Marks:
        """What the cells of a column say, by its place in the header."""
        return self.marks[place] if place < len(self.marks) else Marks()

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


@dataclass
class DelimitedTable(Layout):
    """An open table with its header; its records can be read once. Use it as a context manager."""

    _lines: Iterator[str]
    _stream: IO[Any]
    misencoded: Counter[int] = field(default_factory=Counter)

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
                    raise UnreadableTable(self.source, [TableProblem(misfit, line=line)])
                yield line, record[:width]
        except csv.Error as error:
            raise UnreadableTable(self.source, [TableProblem(quoting_problem(error), line=first)]) from error
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise UnreadableTable(self.source, [TableProblem("the file ends too early or is damaged", line=first)]) from error

    @property
    def notes(self) -> list[str]:
        """Notes on how the file was read; complete after the last record."""
        if not self.misencoded:
            return []
        lines = sorted(self.misencoded)
        shown = ", ".join(str(line) for line in lines[:5]) + (f" and {len(lines) - 5:,} more" if len(lines) > 5 else "")
        return [f"some text is not UTF-8 and was read as Windows-1252 (line{'s' if len(lines) > 1 else ''} {shown})"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()


def open_table(
    source: Path | str | IO[bytes],
    *,
    decimal: Decimal | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    name: str = "",
) -> DelimitedTable:
    """Opens a file, or a binary stream, and reads its header.

    Args:
        decimal: the decimal mark; detected from the first records when absent.
        encoding: the name of the encoding; detected when absent.
        sheet: the sheet of an Excel file; the first one when absent.
        name: the name of a stream in messages.

    Raises:
        UnreadableTable: it cannot be opened, is not text, is empty, or its header repeats a column.
    """
    label = name or (str(source) if isinstance(source, Path | str) else "the file")
    stream = _binary(source, label)
    if sheet:
        stream.close()
        raise UnreadableTable(label, [TableProblem("is not an Excel file, so it has no sheets")])
    try:
        return _table(stream, label, decimal, _codec(encoding, label))
    except BaseException:
        stream.close()
        raise


def _binary(source: Path | str | IO[bytes], label: str) -> IO[bytes]:
    try:
        raw = Path(source).open("rb") if isinstance(source, Path | str) else source  # noqa: SIM115 — the table closes it
        buffered = io.BufferedReader(raw, _SAMPLE) if isinstance(raw, io.RawIOBase) else raw
        start = _peek(buffered)
    except OSError as error:
        raise UnreadableTable(label, [TableProblem(f"cannot be read: {(error.strerror or 'unknown reason').lower()}")]) from error
    kind = next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)
    if kind is None:
        return buffered
    if kind == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered), _SAMPLE)
    raise UnreadableTable(label, [TableProblem(f"looks like {kind}; save it as CSV (gzip is fine)")])


def _peek(stream: IO[bytes]) -> bytes:
    if isinstance(stream, io.BufferedReader):
        return stream.peek(16)[:16]
    start = stream.read(16)
    stream.seek(0)
    return start


def _codec(encoding: str | None, label: str) -> str | None:
    try:
        return codecs.lookup(encoding).name if encoding else None
    except LookupError as error:
        raise UnreadableTable(
            label, [TableProblem(f"{encoding} is not the name of an encoding, such as utf-8, cp1252 or cp932")]
        ) from error


def _table(stream: IO[bytes], label: str, decimal: Decimal | None, stated: str | None) -> DelimitedTable:
    try:
        sample = stream.read(_SAMPLE)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise UnreadableTable(label, [TableProblem("the compressed file is damaged")]) from error
    encoding = stated or next((name for bom, name in _BOMS if sample.startswith(bom)), "utf-8")
    if not stated and encoding != "utf-16" and b"\x00" in sample:
        raise UnreadableTable(label, [TableProblem("is not text in UTF-8 or Windows-1252 (it holds zero bytes); save it as UTF-8 CSV")])
    misencoded: Counter[int] = Counter()
    text = io.TextIOWrapper(
        io.BufferedReader(_Rejoined(sample, stream), _SAMPLE),
        encoding,
        errors="surrogateescape" if encoding.startswith("utf-8") else "replace",
        newline="",
    )
    lines = _mended(text, misencoded)
    first: list[str] = []
    size = 0
    for line in lines:
        first.append(line)
        size += len(line)
        if len(first) >= _VOTING_LINES or size > _SAMPLE // 2:
            break
    skipped = 0
    while skipped < len(first) and not first[skipped].strip():
        skipped += 1
    separator_line = _SEPARATOR_LINE.fullmatch(first[skipped].strip('\r\n"')) if skipped < len(first) else None
    skipped += 1 if separator_line else 0
    if skipped >= len(first):
        raise UnreadableTable(label, [TableProblem("is empty; the first line must name the columns")])
    delimiter = separator_line.group(1) if separator_line else _delimiter_of(first[skipped : skipped + _SAMPLED_RECORDS])
    rest = _Chained(first[skipped:], lines)
    header, used = _header(rest, delimiter, label, skipped + 1)
    return DelimitedTable(
        source=label,
        header=header,
        header_line=skipped + used,
        delimiter=delimiter,
        decimal=decimal or decimal_of(_cells(first[skipped + used :], delimiter), commas_separate=delimiter == ","),
        encoding=encoding,
        _lines=rest,
        _stream=stream,
        misencoded=misencoded,
        named_mark=decimal,
        marks=_marks(first[skipped + used :], delimiter, len(header)),
    )


class _Rejoined(io.RawIOBase):
    """A stream with the sample that was read from it in front again."""

    def __init__(self, sample: bytes, stream: IO[bytes]) -> None:
        self._sample, self._stream = io.BytesIO(sample), stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._sample.read(len(buffer)) or self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Chained(Iterator[str]):
    def __init__(self, first: Iterable[str], rest: Iterator[str]) -> None:
        self._parts = iter([iter(first), rest])
        self._part = next(self._parts)

    def __next__(self) -> str:
        while True:
            for line in self._part:
                return line
            self._part = next(self._parts)


def _mended(lines: Iterable[str], misencoded: Counter[int]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if is_misencoded(line):
            misencoded[number] += 1
            line = mended(line)
        yield line


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


def _header(lines: Iterator[str], delimiter: str, label: str, line: int) -> tuple[list[str], int]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter == ",")
    try:
        names = [cleaned(name) for name in next(reader)]
    except (csv.Error, StopIteration) as error:
        raise UnreadableTable(label, [TableProblem("the header is not valid: a quote is not closed", line=line)]) from error
    names = [name or f"column_{place}" for place, name in enumerate(names, start=1)]
    while len(names) > 1 and delimiter != "," and names[-1] == f"column_{len(names)}":
        names.pop()
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names, start=1):
        places.setdefault(name, []).append(place)
    repeated = [
        TableProblem(
            f"the header names it {len(repeats)} times (columns {', '.join(map(str, repeats))}); rename or remove all but one",
            line=line,
            column=name,
        )
        for name, repeats in places.items()
        if len(repeats) > 1
    ]
    if repeated:
        raise UnreadableTable(label, repeated)
    return names, reader.line_num


def _delimiter_of(lines: list[str]) -> str:
    """The separator with which most lines have as many fields as the header; among equals, the one with most fields."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(record) for record in csv.reader(lines, delimiter=delimiter) if record]
        except csv.Error:
            return (0.0, 0)
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (round(widths.count(widths[0]) / len(widths), 1), widths[0])

    best = max(DELIMITERS, key=fit)
    return best if fit(best)[1] else ","


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


def _cells(lines: list[str], delimiter: str) -> Iterator[str]:
    for record in csv.reader(lines, delimiter=delimiter):
        yield from (cell.strip() for cell in record)


def _marks(lines: list[str], delimiter: str, width: int) -> list[Marks]:
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
    if "end of data" in reason or "field larger" in reason:
        return "a quote is opened and never closed"
    if "NUL" in reason:
        return "holds a zero byte"
    return "a quoted value continues after its closing quote; double the quotes inside it"


def _spoken(delimiter: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(delimiter, delimiter)
