"""A part of a table, from one record to another: read by the layout found out from the beginning of the file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retainstream.engine.tables.delimited import Layout, Record, is_misencoded, mended, quoting_problem
from retainstream.engine.tables.splitting import Place, Readable, Splitter


@dataclass(frozen=True)
class BrokenRecord:
    """A record that cannot be read, and why."""

    detail: str


@dataclass
class TablePart(Layout):
    """Records from `splitter.place` to the end of its stream, which is in UTF-8 or Windows-1252."""

    splitter: Splitter
    misencoded: int = 0

    @property
    def notes(self) -> list[str]:
        """What a person should know about how the part was read; complete after the last record."""
        return [misencoding_note(self.misencoded)] if self.misencoded else []

    def records(self) -> Iterator[tuple[int, Record | BrokenRecord]]:
        """(number of the line it begins on, fields or what is wrong) for each record that is not blank.

        When one is given, `splitter.place` is where the next begins.
        """
        feed = _Feed()
        reader = self.reader(feed)
        width = len(self.header)
        for span in self.splitter.spans():
            line = span.place.line
            if span.fault:
                yield line, BrokenRecord(span.fault)
                continue
            text = span.content.decode("utf-8", "surrogateescape")
            if is_misencoded(text):
                self.misencoded += 1
                text = mended(text)
            feed.put(text)
            try:
                record: Record = next(reader)
            except csv.Error as error:
                yield line, BrokenRecord(quoting_problem(error))
                continue
            if not any(cell.strip() for cell in record):
                continue
            if len(record) != width and (misfit := self.misfit(record)):
                yield line, BrokenRecord(misfit)
            else:
                yield line, record[:width]


def part_of(layout: dict[str, Any], stream: Readable, place: Place) -> TablePart:
    """A part by a layout as `layout_document` gives it."""
    return TablePart(**layout, splitter=Splitter(stream, layout["delimiter"], place))


def layout_document(layout: Layout) -> dict[str, Any]:
    """A layout as JSON carries it."""
    return {name: getattr(layout, name) for name in Layout.__dataclass_fields__}


def misencoding_note(rows: int) -> str:
    """What to tell of rows that are not UTF-8."""
    return f"{rows:,} rows are not UTF-8 and were read as Windows-1252"


class _Feed(Iterator[str]):
    """What is put in, once; it goes on after its end when more is put in."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def put(self, text: str) -> None:
        self._texts.append(text)

    def __next__(self) -> str:
        if not self._texts:
            raise StopIteration
        return self._texts.pop()
