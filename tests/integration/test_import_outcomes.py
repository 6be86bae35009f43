"""Imports of files whose outcomes are said in other words than the schema's: none is taken for "stayed" that does not say it."""

from collections.abc import Sequence

import pytest

from retainstream.engine.lives import churned_of
from retainstream.storage.customers import Customers
from tests.importing import as_file, imported, line, unread_rows

pytestmark = pytest.mark.usefixtures("aws")


def file_of(outcomes: Sequence[str]) -> bytes:
    """A customer for each outcome, with the ids 000, 001 and on."""
    return as_file([line(f"{number:03}", churned=outcome) for number, outcome in enumerate(outcomes)], outcomes=True)


def stored() -> list[bool | None]:
    """Whether each customer left, by id."""
    customers = [item for page in Customers().segment_pages() for item in page]
    return [churned_of(item["life"]) for item in sorted(customers, key=lambda item: str(item["customer_id"]))]


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        (["Yes", "No", "no"], [True, False, False]),
        (["1", "true", "J", "JA", "x"], [True] * 5),
        (["0", "falsch", "N", "NEIN", "✗"], [False] * 5),
        (
            ["Tak", "Nie", "是", "否", "True.", "1.0", "0.0", "no\u00a0", "yes\u200b"],
            [True, False, True, False, True, True, False, False, True],
        ),
    ],
)
def test_words_for_true_and_false_are_read_in_every_language(outcomes: list[str], left: list[bool]) -> None:
    view = imported(file_of(outcomes))
    assert (view.status, stored()) == ("SUCCEEDED", left)
    assert (view.counts.left, view.counts.stayed, view.counts.unreadable) == (left.count(True), left.count(False), 0)
    assert view.outcomes == f"{left.count(True)} left, {left.count(False)} stayed, 0 not known"


def test_an_outcome_that_cannot_be_read_stays_as_it_was_and_is_counted_by_value() -> None:
    imported(file_of(["true", "false", "true", "false", "", "true"]))
    assert stored() == [True, False, True, False, None, True]
    view = imported(file_of(["Ja (30.11.)", "Ja (30.11.)", "-", "unbekannt", "offen", "2"]))
    assert stored() == [True, False, True, False, None, True]
    assert (view.counts.accepted, view.counts.rejected, view.counts.not_known, view.counts.unreadable) == (6, 0, 3, 3)
    assert view.outcomes == "0 left, 0 stayed, 3 not known, 3 unreadable ('Ja (30.11.)' 2, '2' 1)"
    assert {(cell.value, cell.rows) for cell in view.unread if cell.column == "churned"} == {("Ja (30.11.)", 2), ("2", 1)}
    assert len(unread_rows(view.import_id)) == 3


def test_a_file_of_which_more_left_than_businesses_lose_carries_a_note() -> None:
    turned = imported(file_of(["true"] * 7 + ["false"] * 3))
    assert [note for note in turned.notes if note.startswith("70.0% of the customers with a known outcome left (7 of 10)")]
    leavers = imported(file_of(["true"] * 10))
    assert not [note for note in leavers.notes if "of the customers with a known outcome left" in note]
