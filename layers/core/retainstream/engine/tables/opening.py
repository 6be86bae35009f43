"""Opening a file of delimited text, or a workbook. Compression, encoding, separator, quotes, titles and decimal mark are detected."""

import codecs
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from retainstream.engine.tables.delimited import PLAIN, DelimitedTable, cells_of, decimal_of, marks_of, mended_lines
from retainstream.engine.tables.encodings import encoding_of, name_of, wide_encoding_of
from retainstream.engine.tables.head import doubled, head_of, is_escaped, is_quoted_by_line, looks_like_data, unquoted
from retainstream.engine.tables.numbers import Decimal, mark_of_file
from retainstream.engine.tables.parquet import ENCODING as PARQUET
from retainstream.engine.tables.parquet import is_parquet, parquet_pieces
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.spelling import cleaned
from retainstream.engine.tables.workbook import ENCODING as WORKBOOK
from retainstream.engine.tables.workbook import Sheet, is_workbook

_SAMPLE = 1 << 18
_LARGEST_SAMPLE = 1 << 22
"""Bytes that are read in search of a character that is not ASCII."""
_SAMPLED_RECORDS = 200
_VOTING_LINES = 5_000
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}
_NO_TABLES = (
    (re.compile(rb"\s*<\?xml", re.IGNORECASE), "is XML, not a table; save it as CSV"),
    (
        re.compile(rb"\s*<(?:!doctype|html|head|body|table|div|p|script)\b", re.IGNORECASE),
        "is a web page (HTML), not a table: a download may have ended at a page to sign in, or at an error; save the table as CSV",
    ),
    (re.compile(rb"\s*(?:\{\s*\"|\[\s*(?:\{|\[|\"))"), "is JSON, not a table; save it as CSV"),
)
_DOUBLE_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")
_SHOWN_TITLES = 3


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
    if isinstance(source, Path | str) and is_parquet(Path(source)):
        pieces = parquet_pieces(Path(source))
        return _table(_Source(io.BytesIO(), label, PARQUET, _lines_of(pieces), Counter(), []), ".", delimiter=",")
    stream, raw = _binary(source, label)
    try:
        if raw is None:
            if sheet:
                raise UnreadableTable(label, [TableProblem("is no Excel workbook, so it has no sheets")])
            return _text_table(stream, label, decimal, _codec(encoding, label))
        opened = Sheet(raw, label, sheet)
        lines = _lines_of(opened.pieces())
        return _table(_Source(stream, label, WORKBOOK, lines, Counter(), opened.notes, sheet), decimal, delimiter=",")
    except BaseException:
        stream.close()
        raise


def text_lines(stream: IO[bytes], encoding: str, *, by_line: bool = False, escaped: bool = False) -> Iterator[str]:
    """The lines of a stream as those of a plain CSV file; in UTF-8, bytes that are none are lone surrogates."""
    errors = "surrogateescape" if encoding in PLAIN else "replace"
    lines: Iterator[str] = io.TextIOWrapper(stream, encoding, errors=errors, newline="")
    lines = map(unquoted, lines) if by_line else lines
    return map(doubled, lines) if escaped else lines


def _binary(source: Path | str | IO[bytes], label: str) -> tuple[IO[bytes], IO[bytes] | None]:
    """The stream of a text, and None; or of a workbook, twice."""
    try:
        raw = Path(source).open("rb") if isinstance(source, Path | str) else source  # noqa: SIM115 — the table closes it
        buffered = io.BufferedReader(raw, _SAMPLE) if isinstance(raw, io.RawIOBase) else raw
        start = _peek(buffered)
    except OSError as error:
        raise UnreadableTable(label, [TableProblem(f"cannot be read: {(error.strerror or 'unknown reason').lower()}")]) from error
    if is_workbook(start):
        return buffered, buffered
    kind = next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)
    if kind is None:
        return buffered, None
    if kind == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered), _SAMPLE), None
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


@dataclass
class _Source:
    """A file that is being opened: its lines, and what is known of it."""

    stream: IO[bytes]
    label: str
    encoding: str
    lines: Iterator[str]
    misencoded: Counter[int]
    remarks: list[str]
    sheet: str | None = None
    hint: str = ""


def _text_table(stream: IO[bytes], label: str, decimal: Decimal | None, stated: str | None) -> DelimitedTable:
    try:
        sample = stream.read(_SAMPLE)
        while sample.isascii() and len(sample) < _LARGEST_SAMPLE and (more := stream.read(_SAMPLE)):
            sample += more
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise UnreadableTable(label, [TableProblem("the compressed file is damaged")]) from error
    if is_workbook(sample):
        raise UnreadableTable(label, [TableProblem("is a workbook inside gzip; unpack it first")])
    if fault := next((words for pattern, words in _NO_TABLES if pattern.match(sample.removeprefix(codecs.BOM_UTF8))), ""):
        raise UnreadableTable(label, [TableProblem(fault)])
    encoding = stated or _encoding(sample, label)
    remarks, hint = [], ""
    if not encoding:
        encoding, hint = "utf-8", "the encoding of the file is not recognised; state it (--encoding), or save the file as CSV UTF-8"
        remarks = [hint]
    elif not stated and encoding not in PLAIN and encoding != "utf-16":
        remarks = [f"the file is not UTF-8; it was read as {name_of(encoding)}"]
        hint = f"{remarks[0]}. If names look wrong, state the encoding (--encoding), or save the file as CSV UTF-8"
    misencoded: Counter[int] = Counter()
    bytes_again = io.BufferedReader(_Rejoined(sample, stream), _SAMPLE)
    lines = mended_lines(text_lines(bytes_again, encoding), misencoded)
    return _table(_Source(stream, label, encoding, lines, misencoded, remarks, None, hint), decimal)


def _encoding(sample: bytes, label: str) -> str:
    """The encoding of a sample, empty where it is not recognised. Windows-1252 is read as UTF-8 with other lines in it."""
    if named := next((name for bom, name in _BOMS if sample.startswith(bom)), ""):
        return named
    if b"\x00" in sample:
        if wide := wide_encoding_of(sample):
            return wide
        raise UnreadableTable(label, [TableProblem("is not text in UTF-8 or Windows-1252 (it holds zero bytes); save it as UTF-8 CSV")])
    whole_lines = sample[: sample.rfind(b"\n") + 1] or sample
    encoding = encoding_of(whole_lines)
    return "utf-8" if encoding == "cp1252" else encoding


def _table(source: _Source, decimal: Decimal | None, delimiter: str | None = None) -> DelimitedTable:
    label, lines = source.label, source.lines
    first: list[str] = []
    size = 0
    for line in lines:
        first.append(line)
        size += len(line)
        if len(first) >= _VOTING_LINES or size > _SAMPLE // 2:
            break
    if first:
        first[0] = _without_marks(first[0])
    if by_line := delimiter is None and is_quoted_by_line(first[:_SAMPLED_RECORDS]):
        first, lines = list(map(unquoted, first)), map(unquoted, lines)
    head = head_of(first[:_SAMPLED_RECORDS], delimiter)
    if head.skipped >= len(first):
        raise UnreadableTable(label, [TableProblem("is empty; the first line must name the columns")])
    if escaped := delimiter is None and is_escaped(first[head.skipped : _SAMPLED_RECORDS], head.delimiter):
        first, lines = list(map(doubled, first)), map(doubled, lines)
    if head.titles:
        more = f" and {len(head.titles) - _SHOWN_TITLES} more" if len(head.titles) > _SHOWN_TITLES else ""
        shown = "; ".join(title[:80] for title in head.titles[:_SHOWN_TITLES])
        source.remarks.append(f"lines above the header are not read: {shown}{more}")
    rest = _Chained(first[head.skipped :], lines)
    header, used = _header(rest, head.delimiter, label, head.skipped + 1)
    cells = cells_of(first[head.skipped + used :], head.delimiter)
    data = "the first line looks like a row of data, not like the names of the columns" if looks_like_data(header) else ""
    misread = "" if not source.misencoded else "the file is not UTF-8; if names look wrong, state its encoding (--encoding)"
    marks = marks_of(first[head.skipped + used :], head.delimiter, len(header))
    if source.encoding == WORKBOOK and mark_of_file(marks) != ",":
        decimal = decimal or "."  # a number of a workbook is no text, and has no mark of its own
    return DelimitedTable(
        source=label,
        header=header,
        header_line=head.skipped + used,
        delimiter=head.delimiter,
        decimal=decimal or decimal_of(cells, commas_separate=head.delimiter == ","),
        encoding=source.encoding,
        by_line=by_line,
        escaped=escaped,
        sheet=source.sheet,
        remarks=source.remarks,
        hint="; ".join(filter(None, (data, source.hint or misread))),
        lines_of_header=used,
        _lines=rest,
        _stream=source.stream,
        misencoded=source.misencoded,
        named_mark=decimal,
        marks=marks,
    )


def _without_marks(line: str) -> str:
    """A first line without byte order marks, of which some programs write two."""
    while line.startswith(_DOUBLE_MARKS):
        line = line.removeprefix(_DOUBLE_MARKS[0]).removeprefix(_DOUBLE_MARKS[1])
    return line


def _lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.decode().splitlines(keepends=True) if piece.isascii() else re.findall("[^\n]*\n", piece.decode())


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
