"""The churn rate by month, from counters folded in any order, against a count of lives day by day."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.dashboard.churn import churn_months, churn_rate_view, month_view, newest_rate
from retainstream.dashboard.fold import Counters, counts_of_customer, fold, recount, total
from retainstream.engine.lives import LONG_BEFORE
from retainstream.engine.lives.months import MonthOfChurn, month_name
from retainstream.engine.records import Life
from retainstream.storage.changes import Change
from retainstream.storage.lives import with_lives
from tests.counted_lives import TODAY, Count, Row, a_life, count_of_lives, seen_later
from tests.examples import examples


def customer_of(lives: list[Row]) -> Row:
    return {"group": "basic", "life": lives[0], "earlier_lives": lives[1:]}


customers = st.lists(a_life(), min_size=1, max_size=3).map(customer_of)
writes = st.lists(st.tuples(st.integers(0, 8), st.one_of(st.none(), customers, customers)), min_size=1, max_size=30)


def churn_of(counters: Counters) -> dict[str, Count]:
    return {month_name(month.month): (month.left, month.active_at_start, month.unknown) for month in churn_months(counters, TODAY)}


@settings(max_examples=examples(300), deadline=None)
@given(writes=writes, seed=st.integers(0, 2**32))
def test_the_rates_of_folded_changes_in_any_order_are_a_count_of_lives(writes: list[tuple[int, Row | None]], seed: int) -> None:
    table: dict[int, Row] = {}
    changes = []
    for number, (customer, row) in enumerate(writes):
        old = table.pop(customer, None)
        if row is not None:
            table[customer] = row
        changes.append(Change(str(number), 0, old, row))
    random.Random(seed).shuffle(changes)
    counters = total(fold(counts_of_customer, change) for change in changes)
    assert counters == recount(counts_of_customer, table.values())
    lives = [life for row in table.values() for life in (row["life"], *row["earlier_lives"])]
    months = [(year, month) for year in (2025, 2026) for month in range(1, 13) if (year, month) < (TODAY.year, TODAY.month)]
    counted = {month: count_of_lives(lives, *month) for month in months}
    recorded = {month: count for month, count in counted.items() if count[1] and 10 * seen_later(lives, *month) <= count[1]}
    assert churn_of(counters) == {f"{year}-{month:02d}": count for (year, month), count in recorded.items()}


def lives_of(*, stayed: int, left: int, unknown: int) -> list[Row]:
    began = {"first_seen_on": "2026-05-15"}
    return [
        *([customer_of([began | {"observed_until": "2026-07-01"}])] * stayed),
        *([customer_of([began | {"observed_until": "2026-06-01", "left_on": "2026-06-20"}])] * left),
        *([customer_of([began | {"observed_until": "2026-06-10"}])] * unknown),
    ]


@pytest.mark.parametrize(
    ("stayed", "left", "unknown", "rate"),
    [(90, 10, 0, 0.1), (89, 10, 1, 0.1), (88, 10, 2, None), (5, 0, 0, 0.0), (5, 0, 1, None), (0, 3, 0, 1.0)],
)
def test_a_month_has_a_rate_only_where_the_unknown_cannot_change_it_by_more_than_a_tenth(
    stayed: int, left: int, unknown: int, rate: float | None
) -> None:
    months = churn_months(recount(counts_of_customer, lives_of(stayed=stayed, left=left, unknown=unknown)), TODAY)
    june = [month_view(month) for month in months if month_name(month.month) == "2026-06"]
    assert [(month.rate, month.left, month.active_at_start, month.unknown) for month in june] == [
        (rate, left, stayed + left + unknown, unknown)
    ]


def test_the_rate_is_that_of_the_newest_month_with_one_and_names_its_days() -> None:
    months = churn_months(recount(counts_of_customer, lives_of(stayed=95, left=5, unknown=0)), TODAY)
    assert [month_name(month.month) for month in months] == ["2026-06"]  # July is not over
    newest = newest_rate(months)
    assert newest
    assert churn_rate_view(newest).model_dump() == {
        "rate": 0.05,
        "left": 5,
        "active_at_start": 100,
        "unknown": 0,
        "period": "2026-06",
        "starts_on": "2026-06-01",
        "ends_on": "2026-06-30",
    }


def test_without_lives_there_is_no_month() -> None:
    assert churn_months({"customers/unknown/basic": 3}, TODAY) == []
    assert newest_rate([]) is None
    assert newest_rate([MonthOfChurn(24317, 0, 5, 1)]) is None


def test_only_the_newest_24_months_are_shown_and_customers_of_long_ago_are_active() -> None:
    rows = [customer_of([{"began_on": began, "observed_until": "2026-07-01"}]) for began in ("0001-01-01", "1971-02-03", "1990-01-01")]
    months = churn_months(recount(counts_of_customer, rows), TODAY)
    assert [month_name(month.month) for month in (months[0], months[-1])] == ["2024-07", "2026-06"]
    assert {month.active_at_start for month in months} == {3}


def test_months_before_anything_was_recorded_have_no_rate() -> None:
    """Whoever left before the first file is not in it, so all its customers seem to have stayed until then."""
    life = {"began_on": "2024-03-01", "first_seen_on": "2026-04-30", "observed_until": "2026-07-01"}
    months = churn_months(recount(counts_of_customer, [customer_of([life])]), TODAY)
    assert [month_name(month.month) for month in months] == ["2026-05", "2026-06"]


def test_who_joins_between_two_files_is_active_from_the_first_day_of_the_month() -> None:
    old = {"first_seen_on": "2026-03-30", "observed_until": "2026-07-01"}
    new = old | {"began_on": "2026-05-31", "first_seen_on": "2026-06-30"}
    june = churn_months(recount(counts_of_customer, [customer_of([life]) for life in [old] * 9 + [new]]), TODAY)[-1]
    assert (month_name(june.month), june.active_at_start) == ("2026-06", 10)


def test_a_row_without_days_enters_no_rate() -> None:
    assert counts_of_customer(with_lives({"group": "basic"})) == {"customers/unknown/basic": 1}
    left_before: Life = {"first_seen_on": "2026-05-02", "left_on": "2026-05-20", "left_after": LONG_BEFORE}
    lives: list[Life] = [{}, {"observed_until": "2026-05-01"}, left_before]
    for life in lives:
        outcome = "churned" if "left_on" in life else "unknown"
        assert counts_of_customer({"group": "basic", "life": life}) == {f"customers/{outcome}/basic": 1}


@pytest.mark.parametrize(
    "life", [{"first_seen_on": "soon", "observed_until": "2026-01-01"}, {"first_seen_on": "2026-01-01", "left_on": 7}, None, 7]
)
def test_a_life_that_cannot_be_read_is_an_unreadable_row(life: Any) -> None:
    assert counts_of_customer({"group": "basic", "life": life}) == {"unreadable/rows/": 1}
