"""A recount finds every wrong counter and puts it right, whatever is written, delivered late, or breaks off meanwhile."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from retainstream.dashboard.consume import COUNT, take_in
from retainstream.dashboard.fold import Counters, recount, total
from retainstream.runs.recounts import counting
from retainstream.runs.recounts.comparing import Limits, UncountedPart
from retainstream.runs.recounts.counting import CountPart, Tallies, count_part, differences, parts_of, stored_differences, tally
from retainstream.runs.recounts.steps import BaseIsChanging, look_again, open_run
from retainstream.storage.changes import Change
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups, Source
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from retainstream.storage.table import Table
from tests.examples import examples
from tests.integration.test_rollups import ROWS, SOURCES, Crash, hooked
from tests.made_lives import outcome

type Row = dict[str, Any]

SETTLE = 30
BUCKET = "recounts-bucket"
WRONG = "level/low/nobody"
SKEW = 5  # seconds by which a change's time may be off; less than half of SETTLE


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "PAGE", 2)
        patch.setattr(counting, "ROWS_PER_SEGMENT", 2)
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield


def new_table(*key: str) -> Table:
    name = f"t-{uuid.uuid4().hex}"
    key_schema: Any = [{"AttributeName": part, "KeyType": kind} for part, kind in zip(key, ("HASH", "RANGE"), strict=False)]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=key_schema,
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in key],
    )
    return Table(name, key)


@dataclass
class World:
    """One table that is written, the stream that tells of it sooner or later, and a clock."""

    source: Source
    clock: float = 1_800_000_000.0
    rows: dict[str, Row] = field(default_factory=dict)
    stream: list[Change] = field(default_factory=list)
    delivered: list[Change] = field(default_factory=list)
    written: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.table = new_table("customer_id")
        other = new_table("customer_id")
        self.rollups = Rollups(new_table("pk", "sk"))
        self.runs = Runs(new_table("run_id"))
        self.limits = Limits(SETTLE, 2, now=lambda: self.clock)
        self.stores = Stores()
        self.stores.customers = Customers(self.table if self.source == "customers" else other)
        self.stores.predictions = Predictions(self.table if self.source == "predictions" else other)
        self.stores.rollups, self.stores.runs, self.stores.documents = self.rollups, self.runs, Documents(BUCKET)

    def write(self, customer_id: str, row: Row | None, skew: int = 0) -> None:
        old = self.rows.pop(customer_id, None)
        if row is not None:
            self.rows[customer_id] = {"customer_id": customer_id, **row, "updated_at": str(next(self.written))}
            self.table.put(self.rows[customer_id])
        elif old is not None:
            self.table.delete({"customer_id": customer_id})
        if old is not None or row is not None:
            self.stream.append(Change(uuid.uuid4().hex, int(self.clock) + skew, old, self.rows.get(customer_id)))

    def deliver(self, order: random.Random, *, everything: bool = False) -> None:
        """Some of what waits, and some of what was delivered once more."""
        taken = list(self.stream) if everything else order.sample(self.stream, order.randint(0, len(self.stream)))
        again = order.sample(self.delivered, order.randint(0, len(self.delivered)))
        self.stream = [change for change in self.stream if change not in taken]
        self.delivered += taken
        batch = taken + again
        order.shuffle(batch)
        take_in(self.source, batch, self.rollups)

    def spoil(self, wrong: Counters) -> None:
        stored = self.rollups.counters(self.source)
        self.rollups.put_if_version(self.source, stored.version, total([stored.counters, wrong]), stored.repair)

    @property
    def counters(self) -> Counters:
        return self.rollups.counters(self.source).counters

    @property
    def truth(self) -> Counters:
        return recount(COUNT[self.source], self.rows.values())


def finished(world: World, *, repair: bool, seconds_left: Callable[[], float] = lambda: 100.0, run_id: str = "run") -> dict[str, Any]:
    """Runs a recount as its state machine does, repeating whatever a crash broke off. Returns its record."""

    def surely(do: Callable[[], Any]) -> Any:
        while True:
            try:
                return do()
            except Crash:
                continue

    plan = surely(lambda: open_run(world.stores, world.limits, run_id, "ann", repair=repair))
    try:
        while plan["next"] != "end":
            counted = []
            if plan["next"] == "wait":
                world.clock += plan["wait_seconds"]
            for part in plan["parts"]:
                while not part["done"]:
                    part = surely(partial(count_part, world.stores, run_id, part, seconds_left))
                    world.clock += 1
                counted.append(part)
            plan = surely(partial(look_again, world.stores, world.limits, run_id, plan, counted))
    except BaseIsChanging as error:
        surely(partial(world.runs.fail, run_id, str(error)))
    record: dict[str, Any] = surely(partial(world.runs.get, run_id))
    return record


def outcome_of(record: dict[str, Any], source: Source) -> str:
    if record["status"] == "FAILED":
        assert "were written during each of 5 attempts" in record["reason"]
        return "changing"
    [found] = [one for one in record["result"]["sources"] if one["source"] == source]
    return str(found["outcome"])


@contextmanager
def meanwhile(happenings: dict[int, Callable[[], None]]) -> Iterator[None]:
    """Makes things happen before calls to DynamoDB, by their number; a thing that happens calls DynamoDB undisturbed."""
    calls = count()
    busy = False

    def hook(**_: object) -> None:
        nonlocal busy
        if not busy:
            happening = happenings.pop(next(calls), None)
            if happening:
                busy = True
                try:
                    happening()
                finally:
                    busy = False

    with hooked("before-call", hook):
        yield


def crash() -> None:
    raise Crash


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_a_recount_doubles_nothing_loses_nothing_and_puts_right_what_is_wrong(source: Source, data: st.DataObject) -> None:
    world = World(source)
    order = random.Random(data.draw(st.integers(0, 2**32), "order"))
    ids = st.sampled_from([f"c{number}" for number in range(7)])
    rows = st.one_of(st.none(), ROWS[source], ROWS[source], ROWS[source])
    for customer_id, row in data.draw(st.lists(st.tuples(ids, rows), max_size=12), "before"):
        world.write(customer_id, row)
        world.clock += order.choice([0, 0, 1])
    if data.draw(st.booleans(), "delivered"):
        world.deliver(order)
    world.clock += data.draw(st.sampled_from([0, 3, 60]), "pause")
    wrong = data.draw(st.sampled_from([{}, {WRONG: 3}]), "wrong")
    if wrong:
        world.spoil(wrong)

    def write() -> None:
        world.write(data.draw(ids), data.draw(rows), data.draw(st.integers(-SKEW, SKEW)))

    happening = st.sampled_from([write, lambda: world.deliver(order), crash])
    happenings = data.draw(st.dictionaries(st.integers(0, 45), happening, max_size=5), "meanwhile")
    repair = data.draw(st.booleans(), "repair")
    with meanwhile(happenings):
        record = finished(world, repair=repair, seconds_left=lambda: order.choice([0.0, 100.0]))
    outcome = outcome_of(record, source)
    while world.stream:
        world.deliver(order)
    world.deliver(order, everything=True)
    if outcome == "repaired":
        assert world.counters == world.truth
    else:
        assert world.counters == total([world.truth, wrong])
    if wrong:
        assert outcome in (("repaired", "changing") if repair else ("different", "changing"))
    assert outcome != "repaired" or repair


@pytest.fixture
def world(account: None) -> World:
    """Five customers, all counted, and one counter that is wrong."""
    world = World("customers")
    for number in range(5):
        world.write(f"c{number}", {"group": "basic", "features": {}, "life": outcome(number == 0)})
    world.deliver(random.Random(0), everything=True)
    world.clock += 60
    world.spoil({"customers/stayed/basic": -2, WRONG: 1})
    return world


def test_differences_are_told_by_name_and_left_when_no_repair_was_asked_for(world: World) -> None:
    record = finished(world, repair=False)
    assert (record["status"], record["kind"], record["asked"]) == ("SUCCEEDED", "recount", {"repair": False})
    assert record["result"]["exact"] is False
    assert record["result"]["sources"] == [
        {"source": "customers", "attempt": 1, "rows": 5, "differences": 2, "outcome": "different"},
        {"source": "predictions", "attempt": 1, "rows": 0, "differences": 0, "outcome": "exact"},
    ]
    assert record["counts"] == {"customers": 5, "predictions": 0}
    assert stored_differences(Documents(BUCKET), "run", "customers") == [
        {"counter": "customers/stayed/basic", "counted": 2, "recounted": 4},
        {"counter": WRONG, "counted": 1, "recounted": 0},
    ]
    assert world.counters != world.truth


def test_a_repaired_base_is_exact_afterwards(world: World) -> None:
    assert outcome_of(finished(world, repair=True), "customers") == "repaired"
    assert world.counters == world.truth
    record = finished(world, repair=True, run_id="again")
    assert record["result"]["exact"] is True
    assert [step["name"] for step in record["steps"]] == ["count", "settle"]
    assert {step["status"] for step in record["steps"]} == {"SUCCEEDED"}


def test_changes_that_hang_in_the_stream_are_not_doubled_by_a_repair(world: World) -> None:
    for number in range(5):
        world.write(f"c{number}", {"group": "premium", "features": {}, "life": {}})
    world.clock += 5
    assert outcome_of(finished(world, repair=True), "customers") == "repaired"
    assert world.counters == world.truth
    world.write("c9", {"group": "premium", "features": {}, "life": {}})
    world.deliver(random.Random(0), everything=True)
    assert world.counters == world.truth == {"customers/unknown/premium": 6}


def test_a_base_that_never_rests_is_said_to_be_changing(world: World) -> None:
    numbers = count()

    def busy() -> None:
        world.write("c1", {"group": "basic", "features": {}, "life": outcome(next(numbers) % 2 == 0)})
        world.deliver(random.Random(0), everything=True)

    with meanwhile(dict.fromkeys(range(200), busy)):
        record = finished(world, repair=True)
    assert outcome_of(record, "customers") == "changing"
    assert record["reason"].startswith("The customers were written during each of 5 attempts to count them. Start the recount again when ")
    assert world.counters == total([world.truth, {"customers/stayed/basic": -2, WRONG: 1}])


def test_rows_written_between_the_counts_are_noticed_though_no_change_arrives(world: World) -> None:
    plan = open_run(world.stores, world.limits, "run", "ann", repair=True)
    while plan["sources"][0]["phase"] != "confirm":
        world.clock += plan.get("wait_seconds", 0)
        plan = look_again(world.stores, world.limits, "run", plan, [whole(world, part) for part in plan["parts"]])
    world.write("c1", {"group": "basic", "features": {}, "life": outcome(True)})
    world.write("c1", {"group": "basic", "features": {}, "life": outcome(False)})
    plan = look_again(world.stores, world.limits, "run", plan, [whole(world, part) for part in plan["parts"]])
    assert (plan["sources"][0]["phase"], plan["sources"][0]["attempt"]) == ("settle", 2)
    assert world.counters != world.truth


def whole(world: World, part: CountPart) -> CountPart:
    while not part["done"]:
        part = count_part(world.stores, "run", part, lambda: 100.0)
    return part


def test_a_part_that_was_not_counted_to_its_end_is_not_taken_for_the_whole(world: World) -> None:
    plan = open_run(world.stores, world.limits, "run", "ann", repair=False)
    world.clock += SETTLE
    plan = look_again(world.stores, world.limits, "run", plan, [])
    assert plan["next"] == "count"
    mine = [part for part in plan["parts"] if part["source"] == "customers"]
    for parts in ([], plan["parts"], [whole(world, part) for part in mine[1:]]):
        with pytest.raises(UncountedPart):
            look_again(world.stores, world.limits, "run", plan, parts)


@pytest.mark.usefixtures("tidy_answers")
def test_an_invocation_short_of_time_hands_on_where_it_stopped(world: World) -> None:
    [part] = parts_of(world.stores, "customers", most_segments=1)
    turns = 0
    while not part["done"]:
        part = count_part(world.stores, "run", part, lambda: 0.0)
        turns += 1
    assert turns == 3
    [at_once] = parts_of(world.stores, "customers", most_segments=1)
    at_once = count_part(world.stores, "run", at_once, lambda: 100.0)
    counted, expected = (Tallies(Documents(BUCKET), "run").get(counted["tally"] or "") for counted in (part, at_once))
    assert counted == expected
    assert (counted.rows, counted.counters) == (5, world.truth)


def test_the_fingerprint_tells_rows_apart_that_count_the_same() -> None:
    row = {"customer_id": "c1", "group": "basic", "updated_at": "1"}
    later = {**row, "updated_at": "2"}
    assert tally("customers", [row]).counters == tally("customers", [later]).counters
    assert tally("customers", [row]).fingerprint != tally("customers", [later]).fingerprint
    assert tally("customers", [row, later]) == tally("customers", [later]) + tally("customers", [row])


def test_differences_are_those_of_all_counters_of_either() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 2, "c": 4}) == [
        {"counter": "a", "counted": 1, "recounted": 0},
        {"counter": "c", "counted": 0, "recounted": 4},
    ]
