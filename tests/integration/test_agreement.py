"""Customers and their predictions agree, whatever comes between the reads and the writes of those who score."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.customers import records
from retainstream.engine.model.levels import index_keys
from retainstream.engine.schema import default_schema
from retainstream.predictions.generate import UnknownCustomers, score_customers
from retainstream.predictions.sample import score_sample
from retainstream.runs.scoring import segment as segments
from retainstream.runs.scoring import steps as run
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from retainstream.storage.stores import Stores
from tests.integration.base_of_customers import FEATURES, prediction
from tests.interleaving import Caller, interleave
from tests.made_lives import outcome, seen
from tests.small_models import small_model

OTHERS = ["churned", "stayed", "removed", "changed"]
SCORERS = ["run", "by id", "sample"]
BEFORE = ["unscored", "scored", "left"]

numbers = count()
model = cache(small_model)


def begin(before: str) -> None:
    """One customer, new or scored or gone, and a neighbour to whom nothing happens."""
    for page in Predictions().segment_pages():
        for found in page:
            Predictions().delete(found["customer_id"])
    for customer_id in ("c1", "c2"):
        customer: Any = {"customer_id": customer_id, "group": "standard", "features": FEATURES, "source": "api", "life": seen()}
        left = before == "left" and customer_id == "c1"
        Customers().put(customer | {"life": outcome(True)} if left else customer)
        if before != "unscored":
            Predictions().put_many([prediction(customer_id, 0.9, churned=left)])


def caller(name: str) -> Caller:
    """A request or a run of this name, to be made when it is called."""
    stores, chosen, run_id = Stores(), model(), f"run-{next(numbers)}"
    tables = (stores.customers, stores.predictions)
    part: segments.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    record = partial(records.record_outcome, customers=stores.customers, predictions=stores.predictions)
    made: dict[str, Caller] = {
        "run": lambda: segments.score_segment(stores, chosen, None, run_id, part, lambda: 60),
        "by id": lambda: score_customers(chosen, *tables, ["c1", "c2"], run_id=run_id),
        "sample": lambda: score_sample(chosen, *tables, 10, run_id=run_id),
        "churned": lambda: record("c1", records.Outcome(churned=True)),
        "stayed": lambda: record("c1", records.Outcome(churned=False)),
        "removed": lambda: records.delete("c1", *tables),
        "changed": lambda: records.put("c1", FEATURES, default_schema(), *tables),
    }

    def call() -> None:
        with suppress(records.UnknownCustomer, UnknownCustomers):
            made[name]()

    return call


def assert_agreement() -> None:
    for customer_id in ("c1", "c2"):
        customer, stored = Customers().get(customer_id), Predictions().get(customer_id)
        if stored is None:
            continue
        assert customer is not None, "the prediction of nobody"
        assert stored["churned"] is ("left_on" in customer["life"])
        indexed = {name: stored[name] for name in ("risk_shard", "probability_rank", "value_rank") if name in stored}
        assert indexed == ({} if stored["churned"] else index_keys(stored, customer_id, stored["group"]))


def is_new(customer_id: str) -> bool:
    stored = Predictions().get(customer_id)
    return stored is not None and stored["run_id"] != "r1"


def one_at(point: int) -> Callable[[Sequence[int]], int]:
    """The first caller until it has made `point` calls, then the others to their end, then the first again."""
    calls = iter(range(point))
    return lambda waiting: waiting[0] if next(calls, None) is not None else waiting[-1]


def every_order(limit: int = 200) -> Iterator[list[int]]:
    """Prefixes that lead `replay` through every order of two callers, depth first; `taken` is grown by who replays it."""
    taken: list[int] = []
    for _ in range(limit):
        yield taken
        while taken and taken[-1] == 1:
            taken.pop()
        if not taken:
            return
        taken[-1] = 1
    raise AssertionError("too many orders")


def replay(taken: list[int]) -> Callable[[Sequence[int]], int]:
    place = count()

    def choose(waiting: Sequence[int]) -> int:
        if len(waiting) == 1:
            return waiting[0]
        at = next(place)
        if at == len(taken):
            taken.append(0)
        return waiting[taken[at]]

    return choose


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("scorer", SCORERS)
def test_a_request_between_any_two_calls_of_those_who_score(aws: None, scorer: str, other: str, before: str) -> None:
    for point in count():
        begin(before)
        order = interleave([caller(scorer), caller(other)], one_at(point))
        assert_agreement()
        assert is_new("c2") or (scorer, other) == ("by id", "removed")
        assert is_new("c1") or other in ("churned", "removed") or before == "left"
        if order.count(0) <= point:
            break
    assert point >= 4


@pytest.mark.parametrize("before", ["scored", "left"])
@pytest.mark.parametrize("other", [*OTHERS, "by id"])
@pytest.mark.parametrize("recorded", ["churned", "stayed"])
def test_a_request_between_any_two_calls_of_a_recording(aws: None, recorded: str, other: str, before: str) -> None:
    for point in count():
        begin(before)
        order = interleave([caller(recorded), caller(other)], one_at(point))
        assert_agreement()
        if order.count(0) <= point:
            break
    assert point >= 4


def test_every_order_of_the_calls_of_a_removal_and_a_prediction(aws: None) -> None:
    orders = 0
    for taken in every_order():
        begin("scored")
        interleave([caller("by id"), caller("removed")], replay(taken))
        assert_agreement()
        orders += 1
    assert orders >= 15


@given(
    before=st.sampled_from(BEFORE),
    names=st.lists(st.sampled_from([*SCORERS, *OTHERS]), min_size=2, max_size=4),
    choices=st.lists(st.integers(0, 3), max_size=60),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_at_once(aws: None, before: str, names: list[str], choices: list[int]) -> None:
    begin(before)
    given_choices = iter(choices)
    interleave([caller(name) for name in names], lambda waiting: waiting[next(given_choices, 0) % len(waiting)])
    assert_agreement()


@given(
    before=st.sampled_from(BEFORE),
    names=st.lists(st.sampled_from([*SCORERS, *OTHERS]), min_size=1, max_size=3),
    choices=st.lists(st.integers(0, 2), max_size=60),
    cut_off=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_next_run_repairs_what_the_interrupted_left(
    aws: None, before: str, names: list[str], choices: list[int], cut_off: list[tuple[int, int]]
) -> None:
    begin(before)
    given_choices = iter(choices)
    interleave([caller(name) for name in names], lambda waiting: waiting[next(given_choices, 0) % len(waiting)], cut_off)
    caller("run")()
    assert_agreement()


def test_a_run_repairs_and_counts_what_it_does_not_score(aws: None) -> None:
    begin("scored")
    Customers().put({"customer_id": "left", "group": "standard", "features": FEATURES, "source": "import", "life": outcome(True)})
    Predictions().put_many([prediction("left", 0.9), prediction("nobody", 0.9)])
    stores = Stores()
    stores.runs.start("one", "scoring", "test")
    run.divide(stores, model(), "one", most_segments=1)
    part: Any = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    part = segments.score_segment(stores, model(), None, "one", part, lambda: 60)
    counts = run.verify(stores, {"run_id": "one", "input": {}, "parts": [part], "planned": 1})["counts"]
    assert (counts["read"], counts["scored"], counts["churned"], counts["repaired"]) == (3, 2, 1, 2)
    assert Predictions().get("nobody") is None
    left = Predictions().get("left")
    assert left
    assert left["churned"] is True
    assert_agreement()


def test_a_run_that_is_short_of_time_sweeps_on_where_it_stopped(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainstream.predictions.agreement.PAGE", 3)
    monkeypatch.setattr(segments, "RESERVE_SECONDS", 10_000)
    begin("scored")
    Predictions().put_many([prediction(f"nobody{number}", 0.9) for number in range(10)])
    part: segments.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    while not part.get("done"):
        part = segments.score_segment(Stores(), model(), None, "one", part, lambda: 60)
    assert part["turns"] >= 5
    assert {found["customer_id"] for page in Predictions().segment_pages() for found in page} == {"c1", "c2"}
