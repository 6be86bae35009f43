"""Imports of workbooks, code pages and what editors do to a CSV file: the same customers as from the plain file."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from retainstream.engine.schema import default_schema
from retainstream.runs.imports import survey
from retainstream.runs.imports.preview import ImportPreviewRequest, preview
from retainstream.runs.imports.work import ImportFailed
from retainstream.storage.customers import Customers
from tests.importing import Steps, as_file, asked_for, imported, line
from tests.spreadsheets.files import workbook

pytestmark = pytest.mark.usefixtures("aws")

TOWNS = ("Łódź", "Kraków", "Gdańsk", "Częstochowa")
IDS = [f"{town} {number}" for number in range(5) for town in TOWNS]
PLAIN = as_file([line(customer_id) for customer_id in IDS])
ROWS = [text.split(",") for text in PLAIN.decode().splitlines()]


def typed(text: str) -> object:
    return float(text) if text.replace(".", "").isdigit() else text


def features() -> dict[str, Any]:
    return {item["customer_id"]: item["features"] for page in Customers().segment_pages() for item in page}


def by_line(content: bytes) -> bytes:
    return b"".join(b'"' + text + b'"\r\n' for text in content.splitlines())


FILES: dict[str, Callable[[], bytes]] = {
    "a workbook": lambda: workbook([ROWS[0], *([typed(text) for text in row] for row in ROWS[1:])]),
    "a workbook with a title": lambda: workbook([["Customers of May"], [], *ROWS]),
    "Windows-1250": lambda: PLAIN.decode().encode("cp1250"),
    "UTF-16 without a mark": lambda: PLAIN.decode().encode("utf-16-le"),
    "lines quoted as a whole": lambda: by_line(PLAIN),
    "a title": lambda: b"Customers of May\n\n" + PLAIN,
    "an end-of-file mark": lambda: PLAIN + b"\x1a",
}


@pytest.mark.parametrize("written", FILES)
def test_the_customers_are_those_of_the_plain_file(written: str) -> None:
    imported(PLAIN)
    wanted = features()
    view = imported(FILES[written]())
    assert (view.counts.read, view.counts.accepted, view.counts.unchanged) == (len(IDS), len(IDS), len(IDS))
    assert features() == wanted
    assert wanted.keys() == set(IDS)


def test_an_import_says_how_it_read_the_file_and_what_is_no_customer() -> None:
    view = imported(workbook([["Customers of May"], *ROWS, ["Total", None, 110]], others=["Legend"]))
    assert (view.counts.accepted, view.counts.rejected) == (len(IDS), 1)
    assert [reject.reason for reject in view.rejects] == ["looks like a total, not a customer"]
    assert "read the sheet Customers, and not Legend; state the sheet (--sheet) to read another one" in view.notes
    assert "lines above the header are not read: Customers of May" in view.notes
    view = imported(PLAIN.decode().encode("cp1250"))
    assert "the file is not UTF-8; it was read as Windows-1250 (Central European)" in view.notes


def test_a_person_states_the_encoding_and_the_sheet() -> None:
    view = imported(PLAIN.decode().encode("cp852"), encoding="cp852")
    assert view.counts.accepted == len(IDS)
    assert features().keys() == set(IDS)
    with pytest.raises(ImportFailed, match="there is no sheet May"):
        imported(workbook(ROWS), sheet="May")


def test_a_workbook_is_unpacked_over_several_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "PART", 5 << 20)
    notes = [f"note_{number}" for number in range(12)]
    wide = [[*ROWS[0], *notes], *([*row, *(["y" * 32_000] * len(notes))] for row in ROWS[1:])]
    left = iter([600.0, 1.0, 600.0, 600.0])
    view = asked_for(workbook(wide))
    Steps(view.import_id, lambda: next(left, 600.0)).run()
    assert features().keys() == set(IDS)


def test_a_preview_reads_the_same_and_says_so() -> None:
    for content, note in (
        (workbook([["Customers of May"], *ROWS]), "lines above the header are not read: Customers of May"),
        (PLAIN.decode().encode("cp1250"), "the file is not UTF-8; it was read as Windows-1250 (Central European)"),
    ):
        sent = ImportPreviewRequest(file_name="customers", content=base64.b64encode(content).decode())
        shown = preview(default_schema(), sent)
        assert (shown.rows, shown.rejected, shown.notes) == (len(IDS), 0, [note])
        assert shown.rows_shown[0].cells[0] == IDS[0]


def test_parquet_is_refused_with_the_way_to_import_it() -> None:
    with pytest.raises(ImportFailed, match="retainstream import uploads it as CSV"):
        imported(b"PAR1" + b"\x00" * 40)
