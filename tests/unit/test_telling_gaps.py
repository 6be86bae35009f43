"""Missing values that tell who left are named, by the draft and by training; a gap that another column explains is no trap."""

import numpy as np
import pytest

from retainstream.engine.drafting.drafting import draft
from retainstream.engine.learning.checks import Finding, check
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.tables.columnar import customers_in
from tests.made_tables import Columns, as_table
from tests.spreadsheets.traps import GAPS, LABEL, spelled, with_gap, without_internet


def warned(columns: Columns) -> set[tuple[str, str]]:
    """The draft's warnings by sort and column."""
    return {(finding.sort, column) for finding in draft(as_table(columns), LABEL).warnings for column in finding.columns or ("",)}


def training_findings(columns: Columns) -> list[Finding]:
    """The findings of training with the draft's schema."""
    table = as_table(columns)
    return check(labelled(customers_in(table, draft(table, LABEL).schema)), fewest_rows=200)


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_of_which_all_or_none_left_is_named_by_draft_and_training(gap: tuple[int, int, float], numbers: bool) -> None:
    columns = with_gap(gap, numbers=numbers)
    assert warned(columns) - {("churn_rate", LABEL)} == {("missingness", "last_fee")}  # 80% is a warning of its own
    [found] = [finding for finding in training_findings(columns) if finding.code == "leak_by_missing"]
    assert found.column == "last_fee"


def test_gaps_by_chance_are_not_named() -> None:
    alarms = 0
    for seed in range(100):
        columns = with_gap((186, 0, 0.5), numbers=bool(seed % 2), seed=seed)
        columns[LABEL] = spelled(np.random.default_rng(seed).random(3000) < 0.5)
        alarms += warned(columns) != set()
    assert alarms <= 4  # one gap a table is named in one table of a hundred: 5 or more has a chance of 0.3%


@pytest.mark.parametrize("extra_gaps", [0.0, 0.01])
def test_a_gap_that_a_value_of_another_column_explains_is_a_note_that_names_it(extra_gaps: float) -> None:
    columns = without_internet(extra_gaps=extra_gaps)
    drafted = draft(as_table(columns), LABEL)
    assert drafted.warnings == []
    notes = [finding for finding in drafted.notes if finding.evidence.get("explained_by")]
    assert {column for finding in notes for column in finding.columns} == {"backup", "gigabytes"}
    assert 'where internet is "No"' in notes[0].text
    assert training_findings(columns) == []


def test_a_number_explains_a_gap_too() -> None:
    columns = without_internet()
    rng = np.random.default_rng(1)
    never = np.array(columns["orders"]) == "0"
    columns = {
        "id": columns["id"],
        "orders": columns["orders"],
        "last_order_days": ["" if none else str(rng.integers(1, 400)) for none in never],
        LABEL: spelled(rng.random(len(never)) < np.where(never, 0.5, 0.1)),
    }
    drafted = draft(as_table(columns), LABEL)
    assert drafted.warnings == []
    assert 'last_order_days is missing where orders is "0"' in " ".join(finding.text for finding in drafted.notes)


def test_a_gap_that_tells_more_than_the_column_that_holds_it_is_still_named() -> None:
    columns = without_internet()
    rng = np.random.default_rng(1)
    fiber = np.array(columns["internet"]) == "Fiber"
    left = np.array(columns[LABEL]) == "yes"
    gone = fiber & (rng.random(len(fiber)) < np.where(left, 0.9, 0.4))
    columns["survey"] = ["" if none else str(rng.integers(1, 6)) for none in gone]
    columns[LABEL] = columns.pop(LABEL)
    assert ("missingness", "survey") in warned(columns)


def test_a_column_that_knows_the_outcome_explains_no_gap() -> None:
    columns = with_gap((186, 186, 0.1), numbers=True)
    closed = [fee == "" for fee in columns["last_fee"]]
    columns["state"] = ["closed" if each else "open" for each in closed]
    columns[LABEL] = columns.pop(LABEL)
    assert ("missingness", "last_fee") in warned(columns)
