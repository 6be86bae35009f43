"""The label rule, by a plain count of days and in arrays, and the churn rate of a month."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.lives import (
    LONG_BEFORE,
    Label,
    churned_of,
    day_number,
    iso_day,
    label_of,
    last_full_month,
    outcome_day,
    start_of,
)
from retainstream.engine.lives.labels import LifeArrays, labels
from retainstream.engine.records import Life

FIRST = day_number("2026-01-01")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Any consistent life in a span of 150 days."""
    days = sorted(draw(st.lists(st.integers(0, 150), min_size=4, max_size=4)))
    began, seen, until, left = (iso_day(FIRST + day) for day in days)
    life: Life = {}
    if draw(st.booleans()):
        life["began_on"] = began
    if draw(st.booleans()):
        life |= {"first_seen_on": seen, "observed_until": until}
    if draw(st.booleans()):
        life["left_on"] = left
        if draw(st.booleans()):
            known = life.get("observed_until", life.get("began_on", LONG_BEFORE))
            life["left_after"] = min(known, iso_day(FIRST + days[3] - 1))
    return life


def label_by_count(life: Life, anchor: int, horizon: int) -> Label:
    """The rule of the module's text, day by day."""
    window = range(anchor + 1, anchor + horizon + 1)
    start = start_of(life)
    if start is not None and date.fromisoformat(start) > date(1970, 1, 1) + timedelta(anchor):
        return Label.NO_ROW
    if "left_on" in life:
        last = day_number(life["left_on"])
        if last <= anchor:
            return Label.NO_ROW
        first = day_number(life["left_after"]) + 1 if "left_after" in life else last
        possible = range(max(first, anchor + 1), last + 1)
        inside = sum(day in window for day in possible)
        return Label.LEFT if 2 * inside >= len(possible) else Label.STAYED
    until = life.get("observed_until")
    return Label.STAYED if until is not None and day_number(until) >= window[-1] else Label.UNKNOWN


@given(lives(), st.integers(-40, 190), st.integers(1, 90))
def test_the_label_is_the_count_of_possible_days(life: Life, day: int, horizon: int) -> None:
    assert label_of(life, FIRST + day, horizon) is label_by_count(life, FIRST + day, horizon)


@given(st.lists(st.tuples(lives(), st.integers(-40, 190)), max_size=20), st.integers(1, 90))
def test_arrays_give_the_same_labels(rows: list[tuple[Life, int]], horizon: int) -> None:
    anchors = np.array([FIRST + day for _, day in rows], dtype=np.int32)
    several = labels(LifeArrays.of(life for life, _ in rows), anchors, horizon)
    assert several.dtype == np.int8
    assert several.tolist() == [label_of(life, FIRST + day, horizon) for life, day in rows]


@pytest.mark.parametrize(
    ("life", "label"),
    [
        ({"left_on": "2026-01-31"}, Label.NO_ROW),
        ({"left_on": "2026-02-01"}, Label.LEFT),
        ({"left_on": "2026-03-02"}, Label.LEFT),
        ({"left_on": "2026-03-03"}, Label.STAYED),
        ({"left_on": "2026-03-31", "left_after": "2026-01-31"}, Label.LEFT),
        ({"left_on": "2026-04-03", "left_after": "2026-01-31"}, Label.STAYED),
        ({"left_on": "2026-02-28", "left_after": LONG_BEFORE}, Label.LEFT),
        ({"left_on": "2026-01-31", "left_after": LONG_BEFORE}, Label.NO_ROW),
        ({"observed_until": "2026-03-02"}, Label.STAYED),
        ({"observed_until": "2026-03-01"}, Label.UNKNOWN),
        ({"began_on": "2026-02-01", "observed_until": "2026-05-01"}, Label.NO_ROW),
        ({"first_seen_on": "2026-02-01", "observed_until": "2026-05-01"}, Label.NO_ROW),
        ({}, Label.UNKNOWN),
    ],
)
def test_labels_of_an_anchor_at_the_end_of_january(life: Life, label: Label) -> None:
    assert label_of(life, day_number("2026-01-31"), 30) is label


@given(st.integers(0, 20_000))
def test_a_day_is_its_number(number: int) -> None:
    assert day_number(iso_day(number)) == number == int(np.datetime64(iso_day(number)).astype("datetime64[D]").astype(np.int32))


def test_the_outcome_follows_from_the_life() -> None:
    assert (churned_of({}), outcome_day({})) == (None, None)
    assert churned_of({"first_seen_on": "2026-01-01", "observed_until": "2026-05-01"}) is None
    assert churned_of({"observed_until": "2026-05-01", "stayed_on": "2026-04-01"}) is False
    assert outcome_day({"observed_until": "2026-05-01", "stayed_on": "2026-04-01"}) == "2026-04-01"
    assert churned_of({"stayed_on": "2026-04-01", "left_on": "2026-06-01"}) is True


def test_the_last_full_month_ends_on_the_day_or_before() -> None:
    assert [last_full_month(day) for day in ("2026-01-30", "2026-01-31", "2026-02-28", "2028-02-28")] == [
        "2025-12",
        "2026-01",
        "2026-02",
        "2028-01",
    ]
