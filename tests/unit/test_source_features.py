"""Features and labels from raw sources: equal to the plain computation, blind to what they must not see, in any order of rows."""

import csv
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench import features_in_pandas, made_events
from retainstream.engine.history.lives import rows_of
from retainstream.engine.history.prepared import write_prepared
from retainstream.engine.history.training_rows import training_rows
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.anchors import anchor_days
from retainstream.engine.sources.build import build
from retainstream.engine.sources.delivered import SourceFiles, day_number, files_in, read_sources
from retainstream.runs.preparing.building import prepared_customers
from retainstream.runs.preparing.prepared import arrivals_of
from tests.examples import examples
from tests.history_rows import with_lives
from tests.plain_features import Event, ProfileRow, Row, Subscription, plain_features

FIRST, LAST = 20_000, 20_100
"""Days of the random tables."""
MIDDLE = 20_050
TODAY = 20_500

type Origin = dict[str, Any]

KINDS = ("login", "pay")

_WINDOWS: tuple[Origin, ...] = ({}, {"days": 1}, {"days": 7}, {"days": 30})
_BASIC: tuple[Origin, ...] = ({"count": True}, {"sum": "amount"})
_OTHER: tuple[Origin, ...] = (
    {"mean": "amount"},
    {"max": "amount"},
    {"mean_gap": True},
    {"distinct": "kind"},
    {"distinct": "day"},
    {"days_since_last": True},
    {"days_since_first": True},
)
_EVENTS: list[Origin] = [
    *({"events": kinds, **one, **window} for kinds in ("*", "login", ["login", "pay"]) for one in _BASIC for window in _WINDOWS),
    *({"events": "*", **one, **window} for one in _OTHER for window in _WINDOWS),
    *({"events": "pay", "share": measure, "days": 7, **of} for measure in ("count", "amount") for of in ({}, {"of": 30})),
    *({"events": "*", "trend": measure, "days": days} for measure in ("count", "amount") for days in (7, 30)),
    {"events": "never", "count": True},
    {"events": "never", "days_since_last": True},
]


def schema_of(churn: Origin, horizon_days: int = 20) -> FeatureSchema:
    def column(place: int, origin: Origin) -> Origin:
        return {"name": f"c{place}", "kind": "number", "label": "C", "missing": True, "from": origin}

    facts: list[Origin] = [{"subscriptions": fact} for fact in ("price", "age", "tenure", "earlier")]
    return FeatureSchema.model_validate(
        {
            "name": "random",
            "title": "Random tables",
            "id": {"column": "customer"},
            "label": {"column": "left", "positive": 1},
            "horizon_days": horizon_days,
            "sources": {
                "profile": {"file": "profile.csv", "id": "id", "at": "since"},
                "subscriptions": {"file": "s.csv", "id": "id", "start": "from", "end": "to", "price": "price", "plan": "plan"},
                "events": {"file": "e.csv", "id": "id", "at": "at", "kind": "kind", "amount": "amount"},
            },
            "churn": churn,
            "columns": [
                {"name": "country", "kind": "category", "levels": ["DE", "FR", "IT"], "label": "Country", "missing": True},
                {
                    "name": "plan",
                    "kind": "category",
                    "levels": ["a", "b"],
                    "label": "Plan",
                    "missing": True,
                    "from": {"subscriptions": "plan"},
                },
                *(column(place, origin) for place, origin in enumerate([*facts, *_EVENTS])),
            ],
        }
    )


ENDED = schema_of({"when": "subscription-ended", "grace_days": 5})
AT_ONCE = schema_of({"when": "subscription-ended"})
SILENT = schema_of({"when": "no-event", "kind": "login", "days": 20})
SILENT_WITHIN = schema_of({"when": "no-event", "days": 9}, horizon_days=25)
SCHEMAS = {"ended": ENDED, "ended at once": AT_ONCE, "silent": SILENT, "silent within": SILENT_WITHIN}
CHURN = st.sampled_from(sorted(SCHEMAS))

_DAYS = st.integers(FIRST, LAST)
_IDS = st.sampled_from(["a", "b", "c"])
_AMOUNTS = st.one_of(st.none(), st.integers(-40, 400).map(lambda quarters: quarters / 4))
_EVENT = st.builds(Event, _IDS, st.integers(FIRST * 1440, LAST * 1440 + 1439), st.sampled_from(KINDS), _AMOUNTS)


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    start = draw(_DAYS)
    stop = draw(st.one_of(st.none(), st.integers(start, LAST)))
    return Subscription(
        draw(_IDS), start, stop, draw(st.one_of(st.none(), st.integers(1, 40).map(lambda price: price / 2))), draw(st.sampled_from("ab"))
    )


_AROUND = st.lists(
    st.builds(Event, _IDS, st.integers(MIDDLE - 30, MIDDLE + 40).map(lambda day: day * 1440), st.sampled_from(KINDS), st.none()),
    min_size=2,
    max_size=12,
)

EVENTS = st.lists(_EVENT, max_size=30)
SUBSCRIPTIONS = st.lists(subscriptions(), max_size=8, unique_by=lambda one: (one.customer, one.start, one.plan))
PROFILE = st.lists(
    st.builds(ProfileRow, _IDS, _DAYS, st.sampled_from(["DE", "FR", "IT"])), max_size=6, unique_by=lambda row: (row.customer, row.since)
)
ANCHORS = st.lists(st.integers(FIRST - 2, LAST + 2), min_size=1, max_size=4, unique=True).map(sorted)


def iso(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()


def moment(minute: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def write(folder: Path, events: Sequence[Event], subscribed: Sequence[Subscription], profile: Sequence[ProfileRow]) -> SourceFiles:
    tables = {
        "e.csv": [["id", "at", "kind", "amount"], *([e.customer, moment(e.minute), e.kind, _text(e.amount)] for e in events)],
        "s.csv": [
            ["id", "from", "to", "price", "plan"],
            *([s.customer, iso(s.start), "" if s.stop is None else iso(s.stop), _text(s.price), s.plan] for s in subscribed),
        ],
        "profile.csv": [["id", "since", "country"], *([p.customer, iso(p.since), p.country] for p in profile)],
    }
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return SourceFiles(profile=[folder / "profile.csv"], subscriptions=[folder / "s.csv"], events=[folder / "e.csv"])


def _text(number: float | None) -> str:
    return "" if number is None else repr(number)


def computed(
    schema: FeatureSchema,
    events: Sequence[Event],
    subscribed: Sequence[Subscription],
    profile: Sequence[ProfileRow],
    anchors: Sequence[int],
    as_of: int = LAST,
) -> dict[tuple[int, str], Row]:
    """(anchor, customer) → values, as the product computes them."""
    with TemporaryDirectory() as name, duckdb.connect() as connection:
        delivered = read_sources(connection, schema, write(Path(name), events, subscribed, profile), today=TODAY, as_of=as_of)
        built = build(connection, schema, delivered, anchors)
        return _rows(connection, built.table, schema)


def _rows(connection: duckdb.DuckDBPyConnection, table: str, schema: FeatureSchema) -> dict[tuple[int, str], Row]:
    names = [column.name for column in schema.columns] + [schema.label.header]
    rows = connection.execute(
        f"SELECT datediff('day', DATE '1970-01-01', CAST(anchor AS DATE)), * EXCLUDE (anchor) FROM {table}"
    ).fetchall()
    return {(day, customer): dict(zip(names, values, strict=True)) for day, customer, *values in rows}


@given(churn=CHURN, events=EVENTS, subscribed=SUBSCRIPTIONS, profile=PROFILE, anchors=ANCHORS)
@settings(max_examples=examples(25), deadline=None)
def test_every_value_equals_that_of_the_plain_computation(
    churn: str, events: list[Event], subscribed: list[Subscription], profile: list[ProfileRow], anchors: list[int]
) -> None:
    schema = SCHEMAS[churn]
    table = computed(schema, events, subscribed, profile, anchors)
    plain = plain_features(schema, events, subscribed, profile, anchors, through=LAST)
    assert table.keys() == plain.keys()
    for key, row in plain.items():
        assert table[key] == row, key


@given(churn=CHURN, events=EVENTS, subscribed=SUBSCRIPTIONS, profile=PROFILE, anchor=_DAYS, data=st.data())
@settings(max_examples=examples(25), deadline=None)
def test_what_happens_at_or_after_the_anchor_changes_no_feature(
    churn: str,
    events: list[Event],
    subscribed: list[Subscription],
    profile: list[ProfileRow],
    anchor: int,
    data: st.DataObject,
) -> None:
    schema = SCHEMAS[churn]
    divisor = data.draw(st.sampled_from([1.0, 3.0, 100.0, 1e-5, 7e9]), label="divisor")  # sums of such amounts depend on their order
    events = [Event(e.customer, e.minute, e.kind, e.amount and e.amount / divisor) for e in events]
    from_day = anchor + data.draw(st.sampled_from([0, 1]), label="days after the anchor")
    later = st.integers(from_day, LAST + 1)
    others = [e for e in data.draw(EVENTS, label="other events") if e.day >= from_day]
    changed = [
        s if s.stop is not None and s.stop < from_day else _with(s, stop=data.draw(st.one_of(st.none(), later)))
        for s in subscribed
        if s.start < from_day
    ]
    new = [s for s in data.draw(SUBSCRIPTIONS, label="other subscriptions") if s.start >= from_day]
    rows = [p for p in profile if p.since < from_day] + [p for p in data.draw(PROFILE, label="other profile") if p.since >= from_day]
    before = computed(schema, events, subscribed, profile, [anchor])
    anchors = sorted({anchor, *data.draw(ANCHORS, label="other anchors")})
    table = computed(schema, [e for e in events if e.day < from_day] + others, changed + new, rows, anchors, as_of=LAST + 1)
    after = {key: row for key, row in table.items() if key[0] == anchor}
    for key in before.keys() & after.keys():
        assert _features(schema, before[key]) == _features(schema, after[key])
    if from_day > anchor:
        assert before.keys() == after.keys()


@given(seed=st.integers(0, 999), digits=st.sampled_from([2, 15]))
@settings(max_examples=examples(5), deadline=None)
def test_later_events_and_anchors_change_no_digit_of_a_sum(seed: int, digits: int) -> None:
    chance = random.Random(seed)
    events = [
        Event(chance.choice("abc"), chance.randrange(FIRST * 1440, LAST * 1440), "login", round(chance.uniform(-5, 500), digits))
        for _ in range(400)
    ]
    known = [event for event in events if event.day < MIDDLE]
    before = computed(SILENT, known, [], [], [MIDDLE], as_of=MIDDLE)
    after = computed(SILENT, events, [], [], [MIDDLE - 9, MIDDLE, MIDDLE + 3, MIDDLE + 14])
    assert len(before) == 3
    for key, row in before.items():
        assert _features(SILENT, after[key]) == _features(SILENT, row)


@given(churn=CHURN, events=EVENTS, subscribed=SUBSCRIPTIONS, anchor=_DAYS, data=st.data())
@settings(max_examples=examples(25), deadline=None)
def test_what_happens_at_or_before_the_anchor_changes_no_label(
    churn: str, events: list[Event], subscribed: list[Subscription], anchor: int, data: st.DataObject
) -> None:
    schema = SCHEMAS[churn]
    earlier = st.integers(FIRST - 40, anchor)
    others = [e for e in data.draw(EVENTS, label="other events") if e.day <= anchor]
    changed = [s if s.start > anchor else _with(s, start=data.draw(earlier)) for s in subscribed if s.stop is None or s.stop > anchor]
    ended = [s for s in data.draw(SUBSCRIPTIONS, label="other subscriptions") if s.stop is not None and s.stop <= anchor]
    unique = {(s.customer, s.start, s.plan): s for s in [*ended, *changed]}
    if len(unique) < len(changed) + len(ended):
        return
    before = computed(schema, events, subscribed, [], [anchor])
    after = computed(schema, [e for e in events if e.day > anchor] + others, list(unique.values()), [], [anchor])
    for key in before.keys() & after.keys():
        assert before[key][schema.label.header] == after[key][schema.label.header]


STAYS_AND_LEAVES = (("a", (-15, 10, 28)), ("b", (-15,)))
"""The days around an anchor on which a customer who stays and another, who leaves, do something."""


@given(churn=CHURN, events=_AROUND, subscribed=SUBSCRIPTIONS)
@example("silent", [Event("a", (MIDDLE + day) * 1440, "login", None) for day in (-15, 10, 28)], [])
@example("silent", [Event(name, (MIDDLE + day) * 1440, "login", None) for name, days in STAYS_AND_LEAVES for day in days], [])
@example("silent within", [Event("a", (MIDDLE + day) * 1440, "login", None) for day in (-5, 6, 14, 20, 28)], [])
@settings(max_examples=examples(25), deadline=None)
def test_training_rows_of_a_preparation_have_the_labels_of_the_table(
    churn: str, events: list[Event], subscribed: list[Subscription]
) -> None:
    schema, anchor = SCHEMAS[churn], MIDDLE
    with TemporaryDirectory() as name, duckdb.connect() as connection:
        folder, snapshot = Path(name), Path(name) / "history.parquet"
        delivered = read_sources(connection, schema, write(folder, events, subscribed, []), today=TODAY, as_of=LAST)
        built = build(connection, schema, delivered, [anchor, delivered.through + 1])
        labels = {
            customer: row[schema.label.header] for (day, customer), row in _rows(connection, built.table, schema).items() if day == anchor
        }
        write_prepared(connection, built.table, schema, iso(anchor), moment=moment(0), run_id="run", path=snapshot)
        arrivals = list(arrivals_of(schema, list(prepared_customers(connection, schema, built, delivered)), iso(delivered.through)))
        lives = [life for arrival in arrivals if arrival for life in rows_of(arrival.customer_id, arrival.after(()), "import")]
        with_lives(connection, folder, lives)
        table = training_rows(connection, [snapshot], schema, schema.horizon_days)
    assert built.anchors[0]["labelled"]
    expected = labels if 0 in labels.values() else {}  # an anchor of which only leavers are known is not used
    assert dict(zip(table.customer_ids, table.churned.tolist(), strict=True)) == expected


@given(churn=CHURN, events=EVENTS, subscribed=SUBSCRIPTIONS, profile=PROFILE, seed=st.integers(0, 99))
@settings(max_examples=examples(8), deadline=None)
def test_order_and_repetition_of_rows_change_nothing(
    churn: str, events: list[Event], subscribed: list[Subscription], profile: list[ProfileRow], seed: int
) -> None:
    schema = SCHEMAS[churn]
    chance = random.Random(seed)
    events = [Event(e.customer, e.minute, e.kind, e.amount and e.amount / 3) for e in events]  # sums of thirds depend on their order
    twice = events + chance.sample(events, len(events) // 2)
    chance.shuffle(twice)
    anchors = [FIRST + 30, FIRST + 60]
    others = (chance.sample(subscribed, len(subscribed)), chance.sample(profile, len(profile)))
    assert computed(schema, twice, *others, anchors) == computed(schema, events, subscribed, profile, anchors)


def _with(one: Subscription, **days: int | None) -> Subscription:
    return Subscription(**{**one.__dict__, **days})


def _features(schema: FeatureSchema, row: Row) -> Row:
    return {name: value for name, value in row.items() if name != schema.label.header}


def test_the_table_equals_that_of_pandas(tmp_path: Path) -> None:
    made_events.write_files(tmp_path, 3_000)
    schema, as_of = made_events.schema(tuple(made_events.AGGREGATES)), day_number(date.fromisoformat(made_events.AS_OF))
    assert schema.sources
    with duckdb.connect() as connection:
        delivered = read_sources(connection, schema, files_in(schema.sources, tmp_path), today=as_of, as_of=as_of)
        built = build(connection, schema, delivered, anchor_days(made_events.ANCHORS[::4], delivered))
        ours = connection.execute(f"FROM {built.table}").df()
    theirs = features_in_pandas.table(tmp_path, made_events.ANCHORS[::4])
    pd.testing.assert_frame_equal(ours[theirs.columns], theirs, check_dtype=False, rtol=1e-12)
