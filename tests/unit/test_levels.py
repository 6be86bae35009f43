"""Risk levels, ranks, and what a prediction keeps of its past."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.model.levels import (
    bounds_for,
    bounds_of,
    bounds_of_threshold,
    level_of,
    rank_beyond,
    rank_from,
    ranks,
    shards_of,
)
from retainstream.engine.model.past import HISTORY, past_of

probabilities = st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)
amounts = st.integers(0, 10**9).map(lambda cents: cents / 100)


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0, "low"),
        (0.199999, "low"),
        (0.2, "medium"),
        (0.399999, "medium"),
        (0.4, "high"),
        (0.699999, "high"),
        (0.7, "critical"),
        (1.0, "critical"),
    ],
)
def test_a_bound_belongs_to_the_level_above(probability: float, level: str) -> None:
    assert level_of(probability, bounds_of_threshold(0.4)) == level


def test_a_record_with_a_threshold_alone_has_the_bounds_of_its_release() -> None:
    assert bounds_of({"threshold": 0.5}) == (0.25, 0.5, 0.75)


@pytest.mark.parametrize(
    ("threshold", "base_rate", "bounds"),
    [
        (0.116, 0.058, (0.058, 0.116, 0.232)),  # twice the base rate
        (0.42, 0.045, (0.09, 0.42, 0.71)),  # far above it: medium still begins near the average
        (0.08, 0.058, (0.058, 0.08, 0.16)),
        (0.03, 0.058, (0.03, 0.03, 0.116)),  # below the average: nobody is at medium risk, and critical is above the average
        (0.75, 0.5, (0.5, 0.75, 0.875)),
        (0.95, 0.9, (0.9, 0.95, 0.975)),
    ],
)
def test_levels_stand_by_the_threshold_and_the_average(threshold: float, base_rate: float, bounds: tuple[float, float, float]) -> None:
    assert bounds_for(threshold, base_rate) == pytest.approx(bounds)


@given(threshold=st.floats(0.01, 0.95), base_rate=st.floats(1e-4, 0.95))
def test_bounds_ascend_and_are_read_as_they_were_stored(threshold: float, base_rate: float) -> None:
    bounds = bounds_for(threshold, base_rate)
    assert bounds_of({"threshold": bounds.high, "levels": bounds.document()}) == bounds
    assert bounds.critical >= 2 * min(base_rate, 1 / 3) - 1e-6


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"threshold": True},
        {"threshold": 0.3, "levels": []},
        {"threshold": 0.3, "levels": {"medium": 0.1, "high": 0.3}},
        {"threshold": 0.3, "levels": {"medium": 0.4, "high": 0.3, "critical": 0.6}},
        {"threshold": 0.2, "levels": {"medium": 0.1, "high": 0.3, "critical": 0.6}},
    ],
)
def test_a_record_without_readable_bounds_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level|bound"):
        bounds_of(record)


@given(first=probabilities, second=probabilities, value=amounts, other=amounts)
def test_ranks_compare_as_their_numbers(first: float, second: float, value: float, other: float) -> None:
    a, b = ranks("x", "basic", first, value), ranks("x", "basic", second, other)
    assert (a["probability_rank"] < b["probability_rank"]) == (first < second)
    assert (a["value_rank"] < b["value_rank"]) == (value < other)


@given(probability=probabilities, bound=st.one_of(probabilities, st.floats(0, 1)), customer_id=st.text(min_size=1, max_size=5))
def test_bounds_of_ranks_are_inclusive(probability: float, bound: float, customer_id: str) -> None:
    rank = ranks(customer_id, "g", probability, 0)["probability_rank"]
    assert (rank >= rank_from("probability", bound)) == (probability >= bound)
    assert (rank < rank_beyond("probability", bound)) == (probability <= bound)


@given(customer_id=st.text(max_size=30), group=st.sampled_from(["basic", "all"]))
def test_every_customer_is_in_a_shard_that_is_read(customer_id: str, group: str) -> None:
    assert ranks(customer_id, group, 0.5, 1)["risk_shard"] in shards_of(["all", "basic"])


def prediction(probability: float, run_id: str) -> dict[str, Any]:
    return {"probability": probability, "run_id": run_id, "scored_at": run_id, "model_version": "v"}


def test_the_past_is_kept_newest_first_and_bounded() -> None:
    latest: Any = None
    for number in range(40):
        new = prediction(number / 100, f"run-{number:02d}")
        latest = {**new, **past_of(new["run_id"], new["probability"], latest)}
    assert latest
    assert len(latest["history"]) == HISTORY
    assert [past["scored_at"] for past in latest["history"][:3]] == ["run-38", "run-37", "run-36"]
    assert latest["change"] == 0.01


def test_the_first_prediction_has_no_change() -> None:
    assert past_of("one", 0.5, None) == {"history": []}


def test_a_repeated_run_replaces_its_own_answer() -> None:
    first: Any = {**prediction(0.2, "one"), **past_of("one", 0.2, None)}
    second: Any = {**prediction(0.5, "two"), **past_of("two", 0.5, first)}
    again = {**prediction(0.5, "two"), **past_of("two", 0.5, second)}
    assert again == second
    repeated_first = {**prediction(0.2, "one"), **past_of("one", 0.2, first)}
    assert repeated_first == first
