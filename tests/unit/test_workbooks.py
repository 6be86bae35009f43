"""Excel workbooks, read as the CSV files that they could have been."""

import io
import zipfile

import pytest

from retainstream.engine.tables import UnreadableTable, open_table
from tests.spreadsheets.files import TYPED, churn_lines, workbook


def read(content: bytes, sheet: str | None = None) -> tuple[list[str], dict[int, list[str]], list[str]]:
    with open_table(io.BytesIO(content), sheet=sheet, name="book.xlsx") as table:
        records = dict(table.records())
        return table.header, records, table.notes


def test_typed_cells_become_the_texts_that_a_csv_file_holds() -> None:
    header, records, notes = read(workbook(TYPED, formats={1: "00000"}))
    assert header == list(TYPED[0])
    assert list(records.values()) == [
        ["00007", "2026-01-31", "2026-01-31T14:30:00", "9.5", "0.3", "TRUE", "two lines"],
        ["00012", "2025-02-01", "2025-02-01", "1.2340", "1e+21", "FALSE", ""],
        ["00123", "", "", "20", "-3", "", "not a formula"],
    ]
    assert notes == []


def test_a_workbook_gives_the_records_of_its_csv_file() -> None:
    rows = [line.split(",") for line in churn_lines(50)]
    header, records, _ = read(workbook(rows))
    assert [header, *records.values()] == rows
    header, records, notes = read(workbook([["Report"], [], *rows, ["Total", None, 1234.5]]))
    assert header == rows[0]
    assert list(records)[:2] == [4, 5]
    assert records[54][:3] == ["Total", "", "1234.5"]
    assert "lines above the header are not read: Report" in notes


def test_a_sheet_is_chosen_by_its_name() -> None:
    content = workbook(TYPED, others=["Legend", "Old"])
    assert "read the sheet Customers, and not Legend, Old; state the sheet (--sheet) to read another one" in read(content)[2]
    assert read(content, "Customers")[2] == ["read the sheet Customers, and not Legend, Old"]
    with pytest.raises(UnreadableTable, match="there is no sheet Oldest; the workbook has Customers, Legend, Old"):
        read(content, "Oldest")
    with pytest.raises(UnreadableTable, match="has no sheets"):
        read(b"id,left\n1,no\n", "Customers")


def test_formulas_without_a_stored_result_are_said() -> None:
    rows: list[list[object]] = [["id", "fee", "double"], *([number, 1.5, f"=B{number + 1}*2"] for number in range(1, 21))]
    _, records, notes = read(workbook(rows))
    assert {record[2] for record in records.values()} == {""}
    assert any("20 formulas" in note and "no stored result" in note for note in notes)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("content.xml", "OpenDocument"),
        ("xl/workbook.bin", "binary workbook"),
        ("table.csv", "zip archive"),
    ],
)
def test_other_archives_are_named(part: str, said: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(part, "x")
    with pytest.raises(UnreadableTable, match=said):
        read(stream.getvalue())


def test_a_damaged_workbook_is_refused() -> None:
    content = workbook(TYPED)
    for broken in (content[:-200], content[:100] + b"\x00" * 300 + content[400:]):
        with pytest.raises(UnreadableTable, match="damaged, or ends too early"):
            read(broken)
