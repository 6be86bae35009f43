"""Lines above the header, quotes of other writers, marks at the ends, and files that are no tables."""

import io
from collections.abc import Callable

import pytest

from retainstream.engine.tables import UnreadableTable, open_table
from tests.spreadsheets.files import churn_lines

LINES = churn_lines()
GERMAN = [line.replace(".", ",") for line in churn_lines(separator=";")]


def content_of(lines: list[str], end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def read(content: bytes) -> tuple[list[str], list[list[str]], list[str]]:
    with open_table(io.BytesIO(content), name="file") as table:
        records = [record for _, record in table.records()]
        return table.header, records, table.notes


def by_line(line: str) -> str:
    return '"' + line.replace('"', '""') + '"'


WRITTEN: dict[str, Callable[[], bytes]] = {
    "a title": lambda: content_of(["Customer report", "Generated 2026-01-31", "", *LINES]),
    "a padded title": lambda: content_of(["Customer report,,,,,", "Generated 2026-01-31,,,,,", *LINES]),
    "names and values": lambda: content_of(["Report,Churn", "From,2026-01-01", "To,2026-01-31", "", *LINES]),
    "a row of groups": lambda: content_of([",,Contract,,Outcome,", *LINES]),
    "lines quoted as a whole": lambda: content_of(list(map(by_line, LINES))),
    "lines quoted as a whole, with separators behind": lambda: content_of([f"{by_line(line)};;;" for line in LINES]),
    "an end-of-file mark": lambda: content_of(LINES) + b"\x1a",
    "an end-of-file mark in the last line": lambda: "\n".join(LINES).encode() + b"\x1a",
    "two byte order marks": lambda: b"\xef\xbb\xbf\xef\xbb\xbf" + content_of(LINES),
    "a byte order mark that was read as Windows-1252": lambda: "\ufeffï»¿".encode() + content_of(LINES),
    "a count at the end": lambda: content_of([*LINES, "", "(300 rows affected)"]),
    "a remark at the end": lambda: content_of([*LINES, "Source: warehouse"]),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_table_is_read_whatever_its_writer_did(written: str) -> None:
    header, records, _ = read(WRITTEN[written]())
    assert [header, *records] == [line.split(",") for line in LINES]


def test_titles_of_a_german_file_do_not_decide_its_separator() -> None:
    for title in ("Kundenbericht", "Kundenbericht, Januar 2026"):
        header, records, notes = read(content_of([title, *GERMAN], "\r\n"))
        assert [header, *records] == [line.split(";") for line in GERMAN]
        assert any("lines above the header are not read" in note for note in notes)


def test_a_list_of_tags_is_no_other_separator() -> None:
    rows = ["id,tags,left", *(f"K{number},a;b;c;d,no" for number in range(50))]
    assert read(content_of(rows))[0] == ["id", "tags", "left"]


def test_escaped_quotes_are_doubled() -> None:
    lines = ["id,screen,left", *(f'K{number},"{number}\\" wide, \\\\home",no' for number in range(50))]
    _, records, _ = read(content_of(lines))
    assert records[7] == ["K7", '7" wide, \\home', "no"]


def test_a_value_of_140_000_characters_is_a_value() -> None:
    _, records, _ = read(content_of([*LINES[:5], f"K9,Basic,{'x' * 140_000},1,1,no"]))
    assert len(records[-1][2]) == 140_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>Your session has expired</body></html>", "is a web page (HTML)"),
        (b"\n<!DOCTYPE html>\n<p>", "is a web page (HTML)"),
        (b'[{"id":1,"left":"yes"}]', "is JSON"),
        (b'{"rows": []}', "is JSON"),
        (b"<?xml version='1.0'?><Workbook/>", "is XML"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableTable) as caught:
        read(content)
    assert said in str(caught.value)


def test_a_first_line_of_values_is_no_header_and_no_title() -> None:
    with open_table(io.BytesIO(content_of(LINES[1:]))) as table:
        assert "looks like a row of data" in table.hint
        assert table.header == LINES[1].split(",")
    with open_table(io.BytesIO(content_of(LINES))) as table:
        assert not table.hint
