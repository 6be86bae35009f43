"""The generated business with a past: reproducible, consistent with its events, and true to its documented hazard."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.business import streams
from retainstream.engine.business.business import NEVER, Business, Snapshot
from retainstream.engine.business.calendar import day_of, monthly, number_of
from retainstream.engine.business.simulation import LEAD_MONTHS, simulate
from retainstream.engine.business.truth import HORIZON, probability_within_horizon, true_probability, truth_of
from retainstream.engine.learning.metrics import roc_auc
from retainstream.engine.learning.synthetic import generate
from retainstream.engine.records import Value
from retainstream.engine.schema import checked_features, default_schema

UNTIL = date(2026, 4, 30)
SCHEMA = default_schema()


@pytest.fixture(scope="module")
def business() -> Business:
    return simulate(2_000, 14, UNTIL, 1)


def judged(business: Business) -> Iterator[tuple[Snapshot, np.ndarray, np.ndarray]]:
    """The customers of each anchor whose horizon is over, their true probabilities, and who left."""
    for anchor, truth in business.truths.items():
        if anchor + HORIZON <= business.anchors[-1]:
            snapshot = business.snapshot(anchor)
            yield snapshot, truth, business.lives.left[snapshot.lives] <= anchor + HORIZON


def test_equal_arguments_make_an_equal_business_and_another_seed_another() -> None:
    first, again, other = (list(streams.events(simulate(40, 2, UNTIL, seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_each_calendar_month_has_one_anchor_on_the_same_day() -> None:
    anchors = [day_of(anchor) for anchor in monthly(date(2026, 3, 31), 14)]
    assert [(day.year, day.month) for day in anchors] == [(2025, month) for month in range(2, 13)] + [(2026, 1), (2026, 2), (2026, 3)]
    assert {day.day for day in anchors if (day + timedelta(days=1)).day != 1} == set()
    assert len(monthly(date(2024, 2, 29), 13)) == 13


def test_as_many_leave_as_the_truth_expects_at_every_anchor_and_at_every_probability() -> None:
    truths, outcomes = [], []
    for seed in range(6):
        for _, truth, left in judged(simulate(3_000, 14, UNTIL, seed)):
            truths.append(truth)
            outcomes.append(left)
    for truth, left in zip(truths, outcomes, strict=True):
        assert abs(left.sum() - truth.sum()) < 4.5 * np.sqrt((truth * (1 - truth)).sum())
    truth, left = np.concatenate(truths), np.concatenate(outcomes)
    for low, high in zip([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4], [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1.01], strict=True):
        members = (truth >= low) & (truth < high)
        assert members.sum() > 500
        assert abs(left[members].sum() - truth[members].sum()) < 4 * np.sqrt((truth[members] * (1 - truth[members])).sum())


def test_the_truth_is_a_function_of_the_observed_features_where_months_are_not_short(business: Business) -> None:
    for before, anchor in zip(business.anchors[:-1], business.anchors[1:], strict=True):
        snapshot = business.snapshot(int(anchor))
        by_features = probability_within_horizon(SCHEMA, snapshot.rows(), np.full(len(snapshot), anchor, dtype=np.int32))
        truth = business.truths[int(anchor)]
        if anchor - before >= HORIZON:
            assert np.allclose(truth, by_features, rtol=1e-12)
        else:
            assert np.abs(truth - by_features).max() > 1e-6
            assert roc_auc(truth > np.median(truth), by_features) > 0.99


def test_churn_and_the_best_possible_auc_are_those_of_a_streaming_service() -> None:
    months = list(judged(simulate(20_000, 13, UNTIL, 3)))
    assert len(months) == 12
    for _, truth, left in months:
        assert 0.03 < truth.mean() < 0.06
        assert 0.77 < roc_auc(left, truth) < 0.86


def test_customers_stay_about_as_many_and_some_come_back(business: Business) -> None:
    counts = [len(business.snapshot(int(anchor))) for anchor in business.anchors]
    assert all(1_700 < count < 2_400 for count in counts)
    joined = [
        ((business.lives.began > before) & (business.lives.began <= anchor)).sum()
        for before, anchor in zip(business.anchors[:-1], business.anchors[1:], strict=True)
    ]
    assert min(joined) > 40
    persons, lives = np.unique(business.lives.person, return_counts=True)
    assert (lives > 1).sum() > 10
    for person in persons[lives > 1]:
        of_person = np.flatnonzero(business.lives.person == person)
        ended, begun = business.lives.left[of_person[:-1]], business.lives.began[of_person[1:]]
        assert (ended < begun).all()


def test_nobody_leaves_before_the_first_anchor_of_a_life_or_after_the_last_day(business: Business) -> None:
    lives = business.lives
    gone = lives.left != NEVER
    assert (lives.left[gone] > lives.began[gone]).all()
    assert (lives.left[gone] <= business.anchors[-1]).all()
    assert (lives.began <= business.anchors[-1]).all()


def test_every_customer_of_any_day_passes_the_schema(business: Business) -> None:
    for day in (business.first_day, int(business.anchors[0]) - 11, int(business.anchors[6]) + 13, int(business.anchors[-1])):
        snapshot = business.snapshot(day)
        assert len(set(snapshot.ids)) == len(snapshot.ids) > 1_000
        for features in snapshot.features():
            checked, errors = checked_features(SCHEMA, features)
            assert not errors
            assert checked == features


def test_some_values_are_missing_but_only_where_they_may_be(business: Business) -> None:
    columns = business.snapshot(int(business.anchors[-1])).columns
    missing = {name: float(np.isnan(values).mean()) for name, values in columns.items() if name != "plan"}
    assert {name for name, share in missing.items() if share} == {"watch_time_hours", "device_count"}
    assert all(0.01 < share < 0.1 for share in missing.values() if share)


def test_the_features_of_an_anchor_follow_from_the_events_before_it(business: Business) -> None:
    anchor = int(business.anchors[-2])
    snapshot, snapshot_day = business.snapshot(anchor), day_of(anchor).isoformat()
    happened: dict[tuple[str, str], list[tuple[int, float | None, str]]] = defaultdict(list)
    for event in streams.events(business):
        day = number_of(date.fromisoformat(event.occurred_at[:10]))
        if day < anchor:
            happened[event.customer_id, event.event].append((day, event.amount, event.device))
    newest = {row.customer_id: row for row in streams.subscriptions(business) if row.started_on <= snapshot_day}
    for customer_id, features in zip(snapshot.ids, snapshot.features(), strict=True):
        plays = [play for play in happened[customer_id, "play"] if play[0] >= anchor - 30]
        expected: dict[str, Value] = {
            "payment_failures": min(20, sum(day >= anchor - 90 for day, _, _ in happened[customer_id, "payment_failed"]))
        }
        if "watch_time_hours" in features:
            expected["watch_time_hours"] = round(sum(hours or 0 for _, hours, _ in plays), 1)
        if "device_count" in features:
            expected["device_count"] = len({device for _, _, device in plays})
        if logins := happened[customer_id, "login"]:
            expected["last_login_days"] = anchor - max(day for day, _, _ in logins)
        expected |= {"plan": newest[customer_id].plan, "monthly_price": newest[customer_id].monthly_price}
        assert {name: features[name] for name in expected} == pytest.approx(expected)


def test_nothing_from_the_anchor_on_changes_a_feature(business: Business) -> None:
    anchor = int(business.anchors[5])
    doings = {name: values.copy() for name, values in vars(business.doings).items()}
    for values in doings.values():
        values[:, anchor - business.first_day :] = 1
    changed = replace(business, doings=type(business.doings)(**doings))
    assert list(changed.snapshot(anchor).features()) == list(business.snapshot(anchor).features())


def test_nobody_does_anything_outside_of_a_life(business: Business) -> None:
    days = np.arange(business.doings.login.shape[1]) + business.first_day
    alive = np.zeros(business.doings.login.shape, dtype=bool)
    for person, began, left in zip(business.lives.person, business.lives.began, business.lives.left, strict=True):
        alive[person] |= (days >= began) & (days < left)
    for values in vars(business.doings).values():
        assert not values[~alive].any()


def test_the_price_rises_once_and_for_everybody(business: Business) -> None:
    lives = business.lives.at(int(business.anchors[-1]))
    before, after = business.prices(lives, business.rise_day - 1), business.prices(lives, business.rise_day)
    assert np.abs(after / before - 1.05).max() < 0.002
    assert business.anchors[0] < business.rise_day < business.anchors[-2]


def test_subscriptions_follow_each_other_without_a_gap_in_each_life(business: Business) -> None:
    rows = defaultdict(list)
    for subscription in streams.subscriptions(business):
        rows[subscription.customer_id].append(subscription)
    for person in range(len(business.people)):
        times = [(s.started_on, s.ended_on) for s in rows[business.id_of(person)]]
        of_person = np.flatnonzero(business.lives.person == person)
        joined = [
            (day_of(began).isoformat(), "" if left == NEVER else day_of(left).isoformat())
            for began, left in zip(business.lives.began[of_person], business.lives.left[of_person], strict=True)
        ]
        merged: list[tuple[str, str]] = []
        for start, end in times:
            merged = [*merged[:-1], (merged[-1][0], end)] if merged and merged[-1][1] == start else [*merged, (start, end)]
        assert merged == joined


def test_the_monthly_table_holds_the_customers_and_the_leavers_of_the_month(business: Business) -> None:
    place = 4
    before, anchor = (day_of(day).isoformat() for day in business.anchors[place - 1 : place + 1])
    rows = list(streams.monthly_table(business, place))
    here = {row.customer_id for row in rows if not row.left_on}
    assert here == set(business.snapshot(int(business.anchors[place])).ids)
    leavers = [row for row in rows if row.left_on]
    assert len(leavers) > 30
    assert all(before < row.left_on <= anchor for row in leavers)
    assert {row.customer_id for row in leavers} <= set(business.snapshot(int(business.anchors[place - 1])).ids)
    assert len({row.customer_id for row in rows}) == len(rows)
    assert all(row.began_on <= anchor for row in rows)
    assert not any(row.left_on for row in streams.monthly_table(business, 0))


def test_the_truth_of_rows_is_that_of_the_kind_of_customers(business: Business) -> None:
    snapshot, truth, left = next(judged(business))
    rows, anchors = snapshot.rows(), np.full(len(snapshot), snapshot.day, dtype=np.int32)
    assert np.abs(truth_of(SCHEMA, rows, anchors, left) - truth).max() < 0.02
    of_one_moment = generate(2_000, 1)
    today = np.full(2_000, number_of(UNTIL), dtype=np.int32)
    assert (truth_of(SCHEMA, of_one_moment.rows(), today, of_one_moment.churned) == of_one_moment.probabilities).all()
    assert (true_probability(SCHEMA, of_one_moment.rows()) == of_one_moment.probabilities).all()


def test_outcomes_whose_time_is_not_over_are_unknown(business: Business) -> None:
    last = day_of(business.anchors[-1]).isoformat()
    known = [truth for truth in streams.truths(business) if truth.churned is not None]
    assert {truth.anchor for truth in known} == {day_of(anchor).isoformat() for anchor in business.anchors[:-1]}
    assert {truth.anchor for truth in streams.truths(business)} - {truth.anchor for truth in known} == {last}


@settings(max_examples=20)
@given(customers=st.integers(0, 30), months=st.integers(1, 4), until=st.dates(date(2000, 1, 1), date(2100, 12, 31)), seed=st.integers(0, 9))
def test_any_size_and_any_day_make_a_business(customers: int, months: int, until: date, seed: int) -> None:
    business = simulate(customers, months, until, seed)
    assert len(business.anchors) == len(business.truths) == months
    assert day_of(business.anchors[-1]) == until
    assert business.first_day == int(monthly(until, months + LEAD_MONTHS + 1)[0]) + 1
    for table in (streams.events(business), streams.subscriptions(business), streams.profiles(business), streams.truths(business)):
        assert all(row.customer_id.startswith("b") for row in table)
    for place, anchor in enumerate(business.anchors):
        rows = list(streams.monthly_table(business, place))
        assert [row.customer_id for row in rows if not row.left_on] == business.snapshot(int(anchor)).ids


@pytest.mark.parametrize(("customers", "months"), [(-1, 3), (10, 0), (10, -2)])
def test_a_business_without_time_or_with_fewer_than_no_customers_is_refused(customers: int, months: int) -> None:
    with pytest.raises(ValueError, match="at least one month"):
        simulate(customers, months, UNTIL, 0)
