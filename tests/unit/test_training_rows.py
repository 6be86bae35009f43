"""Training rows: labels in SQL as in Python, the choice of days, and which row of a customer is taken."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.engine.history.lives import LifeRow, rows_of
from retainstream.engine.history.statements import counts_by_anchor
from retainstream.engine.history.training_rows import TrainingTable, anchor_counts, plan_of, training_rows
from retainstream.engine.learning.from_history import data_set
from retainstream.engine.lives import LONG_BEFORE, Label, day_number, iso_day, label_of_lives
from retainstream.engine.records import Life
from retainstream.engine.schema import FeatureSchema
from tests.history_rows import SCHEMA, kept, row, small_database, with_lives

FIRST = day_number("2026-01-01")
STAYED = {"observed_until": day_number("2027-12-31")}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


def life(customer_id: str, **days: int) -> LifeRow:
    made: LifeRow = {"customer_id": customer_id, "place": 0, "source": "api"}
    return {**made, **days}  # type: ignore[typeddict-item]


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """The lives of a customer, one after the other, each with any of its days absent."""
    made: list[Life] = []
    begin = 0
    for last in draw(st.sampled_from([(True,), (False, True), (False, False, True)])):
        days = sorted(draw(st.lists(st.integers(begin, begin + 120), min_size=4, max_size=4)))
        began, seen, until, left = (iso_day(FIRST + day) for day in days)
        begin = days[3] + 1
        one: Life = {}
        if draw(st.booleans()):
            one["began_on"] = began
        if draw(st.booleans()):
            one["first_seen_on"], one["observed_until"] = seen, until
        if not last or draw(st.booleans()):
            one["left_on"] = left
            if draw(st.booleans()):
                one["left_after"] = draw(st.sampled_from([until, LONG_BEFORE, began]))
                if one["left_after"] >= left:
                    one["left_after"] = iso_day(day_number(left) - 1)
        made.append(one)
    return made


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(lives(), st.sets(st.integers(-20, 400), max_size=8)), min_size=1, max_size=25),
    st.integers(1, 90),
    st.integers(0, 90),
)
def test_the_statement_gives_the_labels_of_the_rule(
    connection: DuckDBPyConnection, tmp_path: Path, customers: list[tuple[list[Life], set[int]]], horizon: int, silence: int
) -> None:
    rows = [(f"c{number}", FIRST + day) for number, (_, days) in enumerate(customers) for day in sorted(days)]
    with_lives(
        connection, tmp_path, [made for number, (several, _) in enumerate(customers) for made in rows_of(f"c{number}", several, "api")]
    )
    connection.execute("CREATE OR REPLACE TABLE history (customer_id VARCHAR, anchor_day INTEGER)")
    if rows:
        connection.executemany("INSERT INTO history VALUES (?, ?)", rows)
    counted = {(day, label): count for day, label, count in connection.execute(counts_by_anchor(FIRST - 100, horizon, silence)).fetchall()}
    expected = Counter(
        (FIRST + day, int(label_of_lives(several, FIRST + day, horizon, silence))) for several, days in customers for day in days
    )
    assert counted == expected


@given(
    st.dictionaries(st.integers(0, 300), st.tuples(*[st.integers(0, 9)] * 4), max_size=40),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.2, 0.5]),
    st.integers(1, 12),
)
def test_days_are_known_apart_and_as_new_as_possible(
    counted: dict[int, tuple[int, ...]], spacing: int, most_unknown: float, months: int
) -> None:
    counts = {FIRST + day: dict(enumerate(labels)) for day, labels in counted.items()}
    plan = plan_of(counts, 30, spacing_days=spacing, most_unknown=most_unknown, newest_months=months)

    def is_known(day: int) -> bool:
        near = Counter[int]()
        for other, labels in counts.items():
            if day - spacing < other <= day:
                near.update(labels)
        there = near[Label.STAYED] + near[Label.LEFT] + near[Label.UNKNOWN]
        return near[Label.STAYED] > 0 and near[Label.UNKNOWN] <= most_unknown * there

    assert list(plan.days) == sorted(plan.days, reverse=True)
    assert all(newer - older >= spacing for newer, older in zip(plan.days, plan.days[1:], strict=False))
    assert all(is_known(day) for day in plan.days)
    oldest = str(np.datetime64(max(counts), "D").astype("datetime64[M]") - np.timedelta64(months, "M")) if counts else ""
    skipped = [day for day in counts if day not in plan.days and iso_day(day)[:7] > oldest]
    assert all(not is_known(day) or any(0 < kept_day - day < spacing for kept_day in plan.days) for day in skipped)
    assert set(plan.refused) == {day for day in plan.refused if not is_known(day)}


def test_a_day_is_kept_for_so_many_calendar_months() -> None:
    stayed = {int(Label.STAYED): 10}
    days = [day_number(day) for day in ("2026-08-31", "2026-03-01", "2026-02-28", "2025-08-31", "2024-09-01", "2024-08-31")]
    plan = plan_of(dict.fromkeys(days, stayed), 30, spacing_days=1, newest_months=6)
    assert [iso_day(day) for day in plan.days] == ["2026-08-31", "2026-03-01"]
    plan = plan_of(dict.fromkeys(days, stayed), 30, spacing_days=1)
    assert iso_day(plan.days[-1]) == "2024-09-01"


def test_the_spacing_follows_the_horizon() -> None:
    plan = plan_of({FIRST: {Label.STAYED: 1}}, 31)
    assert plan.spacing_days == 28


def rows_of_table(table: TrainingTable) -> list[tuple[str, str]]:
    return [(customer_id, iso_day(int(anchor))) for customer_id, anchor in zip(table.customer_ids, table.anchors, strict=True)]


def test_a_row_holds_what_was_known_and_whether_the_customer_left(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(
        connection,
        tmp_path,
        [
            row("a", "2026-01-31", features={"fee": 9.5, "visits": 4, "paper": False, "plan": "full"}),
            row("b", "2026-01-31", features={}, group="", price=None),
            row("c", "2026-01-31"),
            row("d", "2026-01-31"),
            row("gone", "2026-01-31"),
        ],
    )
    known: list[LifeRow] = [
        life("a", left_on=day_number("2026-02-15")),
        life("b", **STAYED),
        life("c", left_on=day_number("2026-01-31")),
        life("d", **STAYED) | {"source": "synthetic"},
    ]
    with_lives(connection, tmp_path, known)
    table = training_rows(connection, [file.path for file in files], SCHEMA, 30)
    assert rows_of_table(table) == [("a", "2026-01-31"), ("b", "2026-01-31"), ("d", "2026-01-31")]
    assert table.churned.tolist() == [True, False, False]
    assert table.synthetic.tolist() == [False, False, True]
    assert table.groups.tolist() == [1, -1, 0]
    np.testing.assert_array_equal(table.prices, [9.5, np.nan, 9.99])
    np.testing.assert_array_equal(table.rows[0], np.array([9.5, 4, 0, 1], dtype=np.float32))
    assert np.isnan(table.rows[1]).all()
    types = [str(values.dtype) for values in (table.rows, table.anchors, table.groups, table.prices)]
    assert types == ["float32", "int32", "int16", "float64"]
    assert table.anchors_report == [{"anchor": "2026-01-31", "left": 1, "stayed": 2, "unknown": 0, "absent": 1, "used": True}]


def test_rows_whose_days_nobody_stated_are_counted_as_assumed(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(connection, tmp_path, [row("a", "2026-01-31")], run="assumed-first")
    files += kept(connection, tmp_path, [row("b", "2026-01-31")], run="run-2")
    with_lives(connection, tmp_path, [life("a", **STAYED), life("b", **STAYED)])
    table = training_rows(connection, [file.path for file in files], SCHEMA, 30)
    assert table.assumed.tolist() == [True, False]
    _, provenance = data_set(table, SCHEMA, 2)
    assert provenance.document().get("moments") == {"checked": 1, "assumed": 1}


def test_of_a_customers_rows_near_a_day_the_newest_counts_and_a_scored_one_first(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    imported = [
        row("a", "2026-01-10", features={"visits": 10}),
        row("a", "2026-01-31", features={"visits": 31}),
        row("b", "2026-01-10", features={"visits": 11}),
        row("c", "2026-01-31", moment="2026-02-05T00:00:00.000+00:00", features={"visits": 1}),
        row("d", "2026-01-03", features={"visits": 3}),
    ]
    scored = [row("c", "2026-01-31", moment="2026-02-01T00:00:00.000+00:00", probability=0.5, features={"visits": 2})]
    files = [*kept(connection, tmp_path, imported), *kept(connection, tmp_path, scored, run="run-2")]
    with_lives(connection, tmp_path, [life(customer, **STAYED) for customer in "abcd"])
    table = training_rows(connection, [file.path for file in files], SCHEMA, 30, spacing_days=27)
    assert rows_of_table(table) == [("a", "2026-01-31"), ("b", "2026-01-10"), ("c", "2026-01-31"), ("d", "2026-01-03")]
    assert table.rows[:, 1].tolist() == [31, 11, 2, 3]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.booleans()), min_size=1, max_size=30, unique_by=lambda given: given[:2]
    ),
    st.integers(1, 40),
)
def test_rows_are_folded_as_a_loop_would(
    connection: DuckDBPyConnection, tmp_path: Path, rows: list[tuple[str, int, bool]], spacing: int
) -> None:
    arriving = [
        row(customer, iso_day(FIRST + day), features={"visits": place}, **({"probability": 0.5} if scored else {}))
        for place, (customer, day, scored) in enumerate(rows)
    ]
    files = [file.path for file in kept(connection, tmp_path, arriving)]
    with_lives(connection, tmp_path, [life(customer, **STAYED) for customer in "abc"])
    table = training_rows(connection, files, SCHEMA, 30, spacing_days=spacing, newest_months=24)

    expected = []
    kept_days: list[int] = []
    for day in sorted({day for _, day, _ in rows}, reverse=True):
        if not kept_days or day <= kept_days[-1] - spacing:
            kept_days.append(day)
    for kept_day in kept_days:
        for customer in "abc":
            near = [(day, place) for place, (who, day, _) in enumerate(rows) if who == customer and kept_day - spacing < day <= kept_day]
            if near:
                day, place = max(near)
                expected.append((customer, iso_day(FIRST + day), place))
    got = [(*named, int(visits)) for named, visits in zip(rows_of_table(table), table.rows[:, 1], strict=True)]
    assert got == sorted(expected)


def test_an_anchor_with_too_many_unknown_outcomes_is_reported_and_not_used(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(connection, tmp_path, [row(f"c{number}", anchor) for number in range(10) for anchor in ("2026-01-31", "2026-02-28")])
    seen_until = day_number("2026-03-15")
    known = [life("c0", left_on=day_number("2026-03-10")), *(life(f"c{number}", observed_until=seen_until) for number in range(1, 10))]
    with_lives(connection, tmp_path, known)
    table = training_rows(connection, [file.path for file in files], SCHEMA, 30)
    assert {anchor for _, anchor in rows_of_table(table)} == {"2026-01-31"}
    assert table.anchors_report == [
        {"anchor": "2026-02-28", "left": 1, "stayed": 0, "unknown": 9, "absent": 0, "used": False},
        {"anchor": "2026-01-31", "left": 0, "stayed": 10, "unknown": 0, "absent": 0, "used": True},
    ]


def test_an_anchor_of_which_only_leavers_are_known_is_not_used(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(f"c{number}", "2026-01-01") for number in range(10)]
    gone = [life(f"c{number}", left_on=FIRST + 5, first_seen_on=FIRST) for number in range(9)]
    with_lives(connection, tmp_path, [*gone, life("c9", first_seen_on=FIRST, observed_until=FIRST + 5)])
    table = training_rows(connection, [file.path for file in kept(connection, tmp_path, rows)], SCHEMA, 30)
    [anchor] = table.anchors_report
    assert (anchor["left"], anchor["unknown"], anchor["used"], len(table)) == (9, 1, False, 0)


def test_an_empty_history_has_no_training_rows(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    with_lives(connection, tmp_path, [life("a", **STAYED)])
    table = training_rows(connection, [], SCHEMA, 30)
    assert (len(table), table.rows.shape, table.anchors_report) == (0, (0, 4), [])


def test_files_of_several_schemas_are_read_by_the_names_and_kinds_of_this_one(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    document = SCHEMA.model_dump()
    changed = FeatureSchema.model_validate(
        {
            **document,
            "columns": [
                {"name": "visits", "kind": "number", "label": "Visits"},
                {"name": "calls", "kind": "integer", "label": "Calls", "missing": True},
                {"name": "paper", "kind": "category", "label": "Paper", "levels": ["true", "false"], "missing": True},
                {"name": "plan", "kind": "integer", "label": "Plan", "missing": True},
            ],
            "group": None,
            "money": None,
        }
    )
    old = kept(connection, tmp_path, [row("a", "2026-01-31")])
    new = kept(connection, tmp_path, [row("a", "2026-03-31", features={"visits": 2.5, "calls": 7})], run="run-2", schema=changed)
    with_lives(connection, tmp_path, [life("a", **STAYED)])
    table = training_rows(connection, [file.path for file in [*old, *new]], changed, 30)
    np.testing.assert_array_equal(table.rows, np.array([[3, np.nan, 0, np.nan], [2.5, 7, np.nan, np.nan]], dtype=np.float32))
    before = training_rows(connection, [file.path for file in [*old, *new]], SCHEMA, 30)
    np.testing.assert_array_equal(before.rows[0], np.array([9.99, 3, 1, 0], dtype=np.float32))


def test_counts_of_separate_files_are_those_of_all(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(customer, anchor) for customer in "abc" for anchor in ("2026-01-31", "2026-02-28")]
    files = [file.path for file in kept(connection, tmp_path, rows)]
    with_lives(connection, tmp_path, [life("a", **STAYED), life("b", left_on=day_number("2026-02-10"))])
    apart = {day: counts for file in files for day, counts in anchor_counts(connection, [file], 30).items()}
    assert apart == anchor_counts(connection, files, 30)
