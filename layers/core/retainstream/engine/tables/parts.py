"""A part of a table, from one record to another, read by the layout that was detected at the beginning of the file."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NotRequired, TypedDict

from retainstream.engine.tables.delimited import END_OF_FILE, Layout, Record, is_misencoded, mended, quoting_problem
from retainstream.engine.tables.no_customers import no_customer
from retainstream.engine.tables.numbers import Decimal, Marks
from retainstream.engine.tables.safe_cells import unguarded
from retainstream.engine.tables.splitting import Place, Readable, Splitter


@dataclass(frozen=True)
class BrokenRecord:
    """A record that cannot be read, with the reason."""

    detail: str


@dataclass(kw_only=True)
class TablePart(Layout):
    """Records from `splitter.place` to the end of its stream, which is in UTF-8 or Windows-1252.

    guarded: its cells are safe cells, since the product has written it. last: the first line of the last record, and its text as it came;
    the text of a record that is too long is empty.
    """

    splitter: Splitter
    guarded: bool = False
    misencoded: int = 0
    last: tuple[int, str] = (0, "")

    @property
    def notes(self) -> list[str]:
        """Notes on how the part was read; complete after the last record."""
        return [*self.remarks, *([misencoding_note(self.misencoded)] if self.misencoded else [])]

    def records(self) -> Iterator[tuple[int, Record | BrokenRecord]]:
        """(first line, fields or the fault) of each record that is not blank.

        After each record, `splitter.place` is the beginning of the next one.
        """
        feed = _Feed()
        reader = self.reader(feed)
        width = len(self.header)
        for span in self.splitter.spans():
            line, text = span.place.line, span.content.decode("utf-8", "surrogateescape")
            if is_misencoded(text):
                self.misencoded += not span.fault
                text = mended(text)
            self.last = (line, text)
            if span.fault:
                yield line, BrokenRecord(span.fault)
                continue
            feed.put(text.replace(END_OF_FILE, ""))
            try:
                record: Record = next(reader)
            except csv.Error as error:
                yield line, BrokenRecord(quoting_problem(error))
                continue
            if not any(cell.strip() for cell in record):
                continue
            if self.guarded:
                record = [unguarded(cell) for cell in record]
            if len(record) != width and (misfit := self.misfit(record)):
                yield line, BrokenRecord(no_customer(record, self.header) or misfit)
            else:
                yield line, record[:width]


class LayoutDocument(TypedDict):
    """A `Layout` as JSON. Earlier versions stored less."""

    source: str
    header: list[str]
    header_line: int
    delimiter: str
    decimal: Decimal
    encoding: str
    named_mark: NotRequired[Decimal | None]
    marks: NotRequired[list[dict[str, Any]]]
    by_line: NotRequired[bool]
    escaped: NotRequired[bool]
    sheet: NotRequired[str | None]
    remarks: NotRequired[list[str]]
    guarded: NotRequired[bool]


def part_of(layout: LayoutDocument, stream: Readable, place: Place) -> TablePart:
    """A part of a table with this layout."""
    return part_by(layout, Splitter(stream, layout["delimiter"], place))


def part_by(layout: LayoutDocument, splitter: Splitter) -> TablePart:
    """The part of a table with this layout that a splitter divides into records."""
    return TablePart(
        source=layout["source"],
        header=layout["header"],
        header_line=layout["header_line"],
        delimiter=layout["delimiter"],
        decimal=layout["decimal"],
        encoding=layout["encoding"],
        guarded=layout.get("guarded", False),
        remarks=layout.get("remarks", []),
        named_mark=layout.get("named_mark"),
        marks=[Marks(**column) for column in layout.get("marks", [])],
        splitter=splitter,
    )


def layout_document(layout: Layout) -> LayoutDocument:
    """A layout as JSON."""
    return {
        "source": layout.source,
        "header": layout.header,
        "header_line": layout.header_line,
        "delimiter": layout.delimiter,
        "decimal": layout.decimal,
        "encoding": layout.encoding,
        "named_mark": layout.named_mark,
        "marks": [asdict(column) for column in layout.marks],
        "by_line": layout.by_line,
        "escaped": layout.escaped,
        "sheet": layout.sheet,
        "remarks": layout.remarks,
    }


def misencoding_note(rows: int) -> str:
    """The note on rows that are not UTF-8."""
    return f"{rows:,} rows are not UTF-8 and were read as Windows-1252"


class _Feed(Iterator[str]):
    """An iterator over the texts that are put in; it continues after its end when more texts are put in."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def put(self, text: str) -> None:
        self._texts.append(text)

    def __next__(self) -> str:
        if not self._texts:
            raise StopIteration
        return self._texts.pop()
