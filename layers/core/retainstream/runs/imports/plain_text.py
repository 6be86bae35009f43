"""An uploaded file as plain comma-separated text in UTF-8: unpacked, and rewritten where it is a workbook or has another code page."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from retainstream.engine.tables import DelimitedTable, open_table
from retainstream.engine.tables.opening import text_lines
from retainstream.engine.tables.parts import LayoutDocument
from retainstream.engine.tables.workbook import ENCODING as WORKBOOK
from retainstream.engine.tables.workbook import MAGIC, Sheet
from retainstream.runs.imports.view import Asked
from retainstream.runs.imports.work import ImportFailed
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import StoredFile, in_blocks

GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_HEAD = 4 << 20
_PIECE = 1 << 20
_LINES_AT_ONCE = 20_000


def open_upload(stores: Stores, file: StoredFile, asked: Asked) -> tuple[DelimitedTable, bool]:
    """The head of a file as an open table, of which only the layout can be used, and whether the file has to be unpacked.

    Raises:
        UnreadableTable: it is no table.
        ImportFailed: it is compressed otherwise than announced, or damaged.
    """
    magic = stores.uploads.read(file, 0, min(4, file.size))
    zipped = magic.startswith(GZIP)
    if asked.get("gzip") is not None and asked["gzip"] != zipped:
        raise ImportFailed(f"The file is {'' if zipped else 'not '}compressed with gzip, other than announced.")
    if magic == _PARQUET:
        raise ImportFailed("The file is Parquet. retainstream import uploads it as CSV; or save it as CSV or as an Excel workbook.")
    if magic == MAGIC:
        head: IO[bytes] = stores.uploads.open(file)
    else:
        head = io.BytesIO(next(in_blocks(_unzipped(stores, file), _HEAD), b""))
    table = open_table(
        head, decimal=asked.get("decimal"), encoding=asked.get("encoding"), sheet=asked.get("sheet"), name=asked["file_name"]
    )
    return table, zipped or not table.is_plain


def plain_text(stores: Stores, file: StoredFile, layout: LayoutDocument) -> Iterator[bytes]:
    """The text of a file, in pieces, with a line for each of its lines or rows.

    Raises:
        ImportFailed, UnreadableTable: the file is damaged.
    """
    if layout["encoding"] == WORKBOOK:
        yield from Sheet(stores.uploads.open(file), layout["source"], layout.get("sheet")).pieces()
    else:
        yield from _in_utf_8(_unzipped(stores, file), layout)


def plain_content(content: bytes, layout: LayoutDocument) -> bytes:
    """The same of a file in memory, which is not compressed.

    Raises:
        UnreadableTable: the file is damaged.
    """
    if layout["encoding"] == WORKBOOK:
        return b"".join(Sheet(io.BytesIO(content), layout["source"], layout.get("sheet")).pieces())
    return b"".join(_in_utf_8([content], layout))


def _in_utf_8(pieces: Iterable[bytes], layout: LayoutDocument) -> Iterator[bytes]:
    encoding, by_line, escaped = layout["encoding"], layout.get("by_line", False), layout.get("escaped", False)
    in_utf_8 = encoding.startswith("utf-8")
    if in_utf_8 and not by_line and not escaped:
        yield from pieces
        return
    lines = text_lines(io.BufferedReader(_Pieces(pieces), _PIECE), encoding, by_line=by_line, escaped=escaped)
    while several := list(islice(lines, _LINES_AT_ONCE)):
        yield "".join(several).encode("utf-8", "surrogateescape" if in_utf_8 else "replace")


def _unzipped(stores: Stores, file: StoredFile) -> Iterator[bytes]:
    stream = stores.uploads.open(file)
    source = gzip.GzipFile(fileobj=stream) if stores.uploads.read(file, 0, min(2, file.size)) == GZIP else stream
    try:
        while piece := source.read(_PIECE):
            yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportFailed("The compressed file is damaged, or ends too early.") from error


class _Pieces(io.RawIOBase):
    """A stream of pieces of bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size
