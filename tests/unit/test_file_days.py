"""The days of a file's rows: read from columns, refused where they contradict each other, and merged into lives in any order."""

import io
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.customers.arrival import Arrival, Moments
from retainstream.customers.intake import Intake
from retainstream.engine.lives import LONG_BEFORE, day_number, label_of
from retainstream.engine.lives.life import Label
from retainstream.engine.lives.timeline import Lives
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables import open_table

STATED = Moments.stated(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def schema(**moments: Any) -> FeatureSchema:
    document: dict[str, Any] = {
        "name": "shop",
        "title": "Shop",
        "id": {"column": "id"},
        "label": {"column": "left", "positive": "yes"},
        "horizon_days": 30,
        "columns": [{"name": "visits", "kind": "integer", "label": "Visits"}],
    }
    return FeatureSchema.model_validate({**document, "moments": moments or None})


def read(text: str, **moments: Any) -> tuple[list[Arrival], list[tuple[str, str]]]:
    """The accepted rows, and column and reason of the faults."""
    faults: list[tuple[str, str]] = []
    table = open_table(io.BytesIO(text.encode()), name="shop.csv")
    intake = Intake(table, schema(**moments), STATED, lambda fault: faults.append((fault.column, fault.detail)))
    return list(intake.customers()), faults


def life(row: Arrival) -> Any:
    [only] = row.after(())
    return only


def test_a_row_without_days_has_those_of_the_file() -> None:
    rows, _ = read("id,visits,left\na,1,yes\nb,2,no\nc,3,\n")
    assert life(rows[0]) == {
        "first_seen_on": "2026-01-31",
        "observed_until": "2026-01-31",
        "left_on": "2026-03-02",
        "left_after": "2026-01-31",
    }
    assert life(rows[1]) == {"first_seen_on": "2026-01-31", "observed_until": "2026-03-02", "stayed_on": "2026-03-02"}
    assert life(rows[2]) == {"first_seen_on": "2026-01-31", "observed_until": "2026-01-31"}
    labels = [label_of(life(row), day_number("2026-01-31"), 30) for row in rows]
    assert labels == [Label.LEFT, Label.STAYED, Label.UNKNOWN]


def test_features_and_outcome_of_one_day_are_no_training_row() -> None:
    same = Moments.stated(datetime(2026, 3, 2, tzinfo=UTC), None)
    assert same.outcomes_as_of == same.features_as_of
    for churned, label in ((True, Label.NO_ROW), (False, Label.UNKNOWN)):
        row = Arrival("a", "all", {}, same.features_as_of, same.outcomes_as_of, churned)
        assert label_of(life(row), day_number("2026-03-02"), 30) is label
    row = Arrival("a", "all", {}, same.features_as_of, same.outcomes_as_of, churned=True)
    assert life(row) == {"left_on": "2026-03-02", "left_after": LONG_BEFORE}


def test_days_of_columns_count_before_those_of_the_file() -> None:
    rows, faults = read(
        "id,visits,left,taken,known,joined,ended\na,1,,31.12.2025,31.01.2026,01.05.2020,15.01.2026\nb,1,no,31.12.2025,31.01.2026,,\n",
        features_as_of="taken",
        outcomes_as_of="known",
        began_on="joined",
        left_on="ended",
        format="%d.%m.%Y",
    )
    assert not faults
    assert life(rows[0]) == {
        "began_on": "2020-05-01",
        "first_seen_on": "2025-12-31",
        "observed_until": "2025-12-31",
        "left_on": "2026-01-15",
        "gone_until": "2026-01-31",
    }
    assert life(rows[1])["observed_until"] == "2026-01-31"


def test_days_of_leaving_stand_for_a_label() -> None:
    rows, _ = read("id,visits,ended\na,1,2026-02-10\nb,2,\n", left_on="ended")
    assert [row.churned for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-15", "2026-01-15"),
        ("2026-01-15 23:30:00", "2026-01-15"),
        ("2026-01-15T23:30:00-05:00", "2026-01-16"),
        ("2026-01-15T00:30:00+02:00", "2026-01-14"),
        ("2026-01-15T23:59:59Z", "2026-01-15"),
    ],
)
def test_a_moment_belongs_to_its_day_in_utc(text: str, day: str) -> None:
    rows, _ = read(f"id,visits,taken\na,1,{text}\n", features_as_of="taken")
    assert rows[0].features_on == day


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1,,2026-02-30,,,", "taken", "is not a day like 2026-01-31"),
        ("1,,,,,", "taken", "is missing"),
        (f"1,,{TOMORROW},,,", "taken", "is in the future"),
        ("1,yes,2026-01-31,,,", "known", "is missing, and the row has an outcome"),
        (f"1,no,2026-01-31,{TOMORROW},,", "known", "is in the future"),
        ("1,,2026-01-31,2026-03-02,2026-01-10,2026-01-05", "ended", "is before the day on which the customer began"),
        ("1,,2026-01-31,2026-03-02,,2026-03-03", "ended", "is after 2026-03-02, the day on which outcomes were known"),
        ("1,no,2026-01-31,2026-03-02,,2026-02-03", "ended", "contradicts the outcome, by which the customer stayed"),
        ("1,,2026-01-31,2026-03-02,2026-02-01,", "joined", "is after 2026-01-31, the day that the features describe"),
    ],
)
def test_days_that_cannot_be_are_refused_with_the_column(row: str, column: str, reason: str) -> None:
    names = {"features_as_of": "taken", "outcomes_as_of": "known", "began_on": "joined", "left_on": "ended"}
    rows, faults = read(f"id,visits,left,taken,known,joined,ended\na,{row}\nb,1,,2026-01-31,2026-03-02,,\n", **names)
    assert faults == [(column, reason)]
    assert [row.customer_id for row in rows] == ["b"]


def test_a_training_table_has_a_row_of_a_customer_for_each_day() -> None:
    today = datetime.now(UTC).date()
    recent = (today - timedelta(days=5)).isoformat()
    rows, faults = read(
        f"id,visits,left,day\na,1,no,2025-11-30\na,2,yes,2025-12-31\na,3,no,2025-11-30\nb,1,,{recent}\nc,1,no,{recent}\nd,1,no,\n",
        anchor="day",
    )
    assert [(row.customer_id, row.features_on) for row in rows] == [("a", "2025-11-30"), ("a", "2025-12-31"), ("b", recent)]
    assert faults == [
        ("id", "is the id of an earlier row of the same day"),
        ("day", 'has the outcome "stayed" before the horizon after it is over'),
        ("day", "is missing"),
    ]
    [only] = rows[1].after(rows[0].after(()))
    assert [label_of(only, day_number(day), 30) for day in ("2025-11-30", "2025-12-31")] == [Label.STAYED, Label.LEFT]


def test_a_row_that_says_who_left_does_not_bring_back_whoever_had_left_before() -> None:
    first = Arrival("a", "all", {}, "2026-01-31T00:00:00+00:00", "2026-02-28T00:00:00+00:00", churned=True)
    again = Arrival("a", "all", {}, "2026-02-28T00:00:00+00:00", "2026-03-31T00:00:00+00:00", churned=True)
    [only] = again.after(first.after(()))
    assert (only["left_after"], only["left_on"], only["gone_until"]) == ("2026-01-31", "2026-02-28", "2026-03-31")


MONTH_ENDS = [date(2025, month + 1, 1) - timedelta(days=1) for month in range(1, 12)]


@st.composite
def monthly_rows(draw: st.DrawFn) -> list[Arrival]:
    """The rows of one customer in monthly files: of the features of a month's end, with what was known then or a month later."""
    came = draw(st.integers(0, 5))
    left = draw(st.integers(came + 1, 12))
    dated, outcomes, later = (draw(st.booleans()) for _ in range(3))
    leaving = (MONTH_ENDS[left - 1] + timedelta(days=draw(st.integers(1, 27)))).isoformat() if left < len(MONTH_ENDS) else None
    rows = []
    for place, end in enumerate(MONTH_ENDS[:-1]):
        if place < came or draw(st.integers(0, 4)) == 0:
            continue
        known = (MONTH_ENDS[place + 1] if later else end).isoformat()
        gone = leaving is not None and leaving <= known
        if leaving is not None and leaving <= end.isoformat() and later and not dated:
            break  # whoever had left before is no row of a table of customers and what became of them
        churned = True if gone else False if outcomes else None
        left_on = leaving if gone and dated else None
        rows.append(Arrival("a", "all", {}, f"{end}T00:00:00+00:00", f"{known}T00:00:00+00:00", churned, left_on))
    return rows


def merged(rows: list[Arrival]) -> Lives:
    lives: Lives = ()
    for row in rows:
        lives = row.after(lives)
    return lives


@given(monthly_rows(), st.randoms(use_true_random=False))
def test_monthly_files_in_any_order_give_the_same_lives(rows: list[Arrival], chance: random.Random) -> None:
    expected = merged(rows)
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    assert merged(shuffled) == expected
    assert merged(rows + shuffled) == expected


def test_a_customer_to_be_scored_is_seen_on_the_day_of_the_outcomes() -> None:
    rows, _ = read("id,visits,left\na,1,\n")
    assert life(rows[0].to_be_scored()) == {"first_seen_on": "2026-03-02", "observed_until": "2026-03-02"}
