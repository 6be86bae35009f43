"""Risk levels, ranks, and what a prediction keeps of its past."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.model.levels import level_bounds, level_of, rank_beyond, rank_from, ranks, shards_of
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
    assert level_of(probability, 0.4) == level


def test_bounds() -> None:
    assert level_bounds(0.5) == (0.25, 0.5, 0.75)


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
