"""The counts of cells that could not be read."""

from retainstream.engine.tables.problems import UnreadCell
from retainstream.engine.tables.unread import RARER, Unread, merged


def test_cells_are_counted_by_column_text_and_reason() -> None:
    unread = Unread()
    for cell, rows in ((UnreadCell("plan", "Gold Plus", "is new"), 67), (UnreadCell("fee", "", "is blank"), 1_200)):
        for _ in range(rows):
            unread.add(cell, {"fee": "Monthly fee"}.get(cell.column, ""))
    assert unread.listed() == [
        {"column": "Monthly fee", "value": "", "reason": "is blank", "rows": 1_200},
        {"column": "plan", "value": "Gold Plus", "reason": "is new", "rows": 67},
    ]
    assert unread.sentences() == ["1,200 × Monthly fee: is blank", '67 × plan: "Gold Plus" is new']
    assert unread.sentences(1) == ["1,200 × Monthly fee: is blank", "and 67 more cells"]


def test_parts_are_added_up() -> None:
    parts = []
    for rows in (3, 4):
        part = Unread()
        part.add(UnreadCell("plan", "Max", "is new"), rows=rows)
        parts.append(part.listed())
    assert merged(parts) == [{"column": "plan", "value": "Max", "reason": "is new", "rows": 7}]


def test_a_column_of_other_texts_in_every_row_takes_bounded_memory_and_loses_no_row() -> None:
    unread = Unread()
    for number in range(50_000):
        unread.add(UnreadCell("fee", f"n{number}", "is not a number"))
        unread.add(UnreadCell("fee", "Error", "is not a number"))
    counts = unread.listed()
    assert len(counts) <= 2_001
    assert counts[0] == {"column": "fee", "value": "Error", "reason": "is not a number", "rows": 50_000}
    assert sum(count["rows"] for count in counts) == unread.cells == 100_000
    assert counts[-1]["value"] == RARER
    assert "rarer values, each of which is not a number" in Unread(counts[-1:]).sentences()[0]


def test_a_list_of_the_most_frequent_counts_the_rest_together() -> None:
    unread = Unread()
    for place, text in enumerate("abcde", start=1):
        unread.add(UnreadCell("plan", text, "is new"), rows=place)
    assert [(count["value"], count["rows"]) for count in unread.listed(2)] == [("e", 5), ("d", 4), (RARER, 6)]
    assert Unread(unread.listed(2)).cells == unread.cells == 15
