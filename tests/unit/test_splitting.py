"""Files cut into records and parts: the same records whichever way a file is cut, and never more than one record in memory."""

import csv
import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from retainstream.engine.tables import UnreadableTable, open_table, splitting
from retainstream.engine.tables.parts import BrokenRecord, layout_document, part_of
from retainstream.engine.tables.splitting import Place, Splitter

CELLS = st.sampled_from(["", "a", " b ", "1.5", 'say ""hi""', "ü", "two\nlines", "cr\rlf", "win\r\ndows", 'stray"quote', "x" * 40])
TEXTS = st.lists(st.sampled_from([*'",;\n\r ab', '""', "\r\n", "é", '","', '"\n"', "\xff"]), max_size=80).map("".join)
FILES = TEXTS.map(lambda text: text.encode("latin-1") if "\xff" in text else text.encode())


def as_file(rows: list[list[tuple[str, bool]]], end: str, *, last: bool, bom: bool) -> bytes:
    lines = [",".join(f'"{cell}"' if quoted else cell.replace("\n", "").replace("\r", "") for cell, quoted in row) for row in rows]
    return (b"\xef\xbb\xbf" if bom else b"") + (end.join(["a,b,c", *lines]) + (end if last else "")).encode()


class Trickle(io.RawIOBase):
    """A stream that gives few bytes at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        self._content, self._most = io.BytesIO(content), most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(min(self._most, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def spans(content: bytes, delimiter: str = ",", most: int = 1 << 20) -> list[splitting.Span]:
    return list(Splitter(Trickle(content, most), delimiter, Place(0, 1)).spans())


def lenient(content: bytes) -> Iterator[list[str] | None]:
    """What Python's csv module makes of it record by record, going on in the next line after an error; blank records left out."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), "latin-1", newline=""), strict=True, skipinitialspace=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        if record:
            yield record


def read(span: splitting.Span) -> list[str] | None:
    return None if span.fault else next(csv.reader([span.content.decode("latin-1")], strict=True, skipinitialspace=True))


@given(FILES, st.integers(1, 7))
@example(b'a,"b\r', 1)
@example(b'"a"x\r\n\n', 1)
@example(b' "a\r\n",b\r\n"', 2)
def test_records_are_those_of_the_csv_module(content: bytes, most: int) -> None:
    found = [read(span) for span in spans(content, most=most)]
    assert [record for record in found if record != []] == list(lenient(content))


@given(FILES, st.integers(1, 7))
def test_nothing_of_a_file_is_lost_or_double_and_lines_are_counted_right(content: bytes, most: int) -> None:
    found = spans(content, most=most)
    assert b"".join(span.content for span in found).rstrip(b"\r\n") == content.rstrip(b"\r\n")
    text = content.decode("latin-1")
    for span in found:
        before = io.TextIOWrapper(io.BytesIO(content[: span.place.offset]), "latin-1", newline="")
        assert span.place.line == 1 + sum(1 for _ in before), text


@given(FILES, st.integers(1, 30), st.integers(1, 7))
@example(b'a\r\n"b"\r\n', 2, 1)
def test_a_part_begins_where_a_record_does(content: bytes, least: int, most: int) -> None:
    begins = [span.place for span in spans(content)]
    splitter = Splitter(Trickle(content, most), ",", Place(0, 1))
    before = 0
    while splitter.skip_records(least):
        assert splitter.place == next(place for place in begins if place.offset >= before + least)
        before = splitter.place.offset
    assert not [place for place in begins if place.offset >= before + least]


@given(FILES, st.integers(1, 30), st.integers(1, 5), st.integers(3, 9))
def test_a_record_that_is_too_long_is_one_fault_in_the_whole_and_in_parts(content: bytes, least: int, most: int, longest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "LONGEST_RECORD", longest)
        patch.setattr(splitting, "BLOCK", 4)
        whole = spans(content, most=most)
        assert all(len(span.content) <= longest + 1 for span in whole)
        splitter = Splitter(Trickle(content, most), ",", Place(0, 1))
        cuts = [Place(0, 1)]
        while splitter.skip_records(least):
            cuts.append(splitter.place)
        ends = [*(cut.offset for cut in cuts[1:]), len(content)]
        parts = [Splitter(Trickle(content[cut.offset : end], most), ",", cut).spans() for cut, end in zip(cuts, ends, strict=True)]
        assert [span for part in parts for span in part] == whole


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.tuples(CELLS, st.booleans()), min_size=2, max_size=4), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 60),
)
def test_a_file_read_in_parts_gives_the_records_of_the_whole(
    rows: list[list[tuple[str, bool]]], end: str, last: bool, bom: bool, least: int
) -> None:
    content = as_file(rows, end, last=last, bom=bom)
    table = open_table(io.BytesIO(content))
    assume(table.header == ["a", "b", "c"])
    layout = layout_document(table)
    splitter = Splitter(io.BytesIO(content), table.delimiter, Place(0, 1))
    splitter.skip_lines(table.header_line)
    cuts = [splitter.place]
    while splitter.skip_records(least):
        cuts.append(splitter.place)
    ends = [*(cut.offset for cut in cuts[1:]), len(content)]
    found = [
        row for cut, stop in zip(cuts, ends, strict=True) for row in part_of(layout, io.BytesIO(content[cut.offset : stop]), cut).records()
    ]
    broken = [line for line, record in found if isinstance(record, BrokenRecord)]
    if broken:
        with pytest.raises(UnreadableTable) as refused:
            list(table.records())
        assert refused.value.problems[0].line == broken[0]
    else:
        assert found == list(table.records())
    assert all(one < other for (one, _), (other, _) in pairwise(found))


def test_a_line_of_200_megabytes_is_one_fault_and_is_never_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        left = 200_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            size = min(len(buffer), self.left)
            buffer[:size] = b"x" * size
            self.left -= size
            return size

    long, after = Endless(), io.BytesIO(b"\na,b\n")

    class Both(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return long.readinto(buffer) or after.readinto(buffer)

    splitter = Splitter(Both(), ",", Place(0, 1))
    first, second = splitter.spans()
    assert (first.content, first.fault) == (b"", splitting.TOO_LONG)
    assert (second.place, second.content) == (Place(200_000_001, 2), b"a,b\n")


def test_a_quote_that_never_closes_costs_no_more_than_the_longest_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "LONGEST_RECORD", 40)
    content = b'1,"open\n' + b"2,fine\n" * 20
    found = spans(content)
    assert [span.fault != "" for span in found].count(True) == 1
    assert len(found) == 1 + 20 - 5
