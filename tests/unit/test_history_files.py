"""The files of the history: what is kept of rows that arrived, and how removed people go from them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from retainstream.engine.history.parquet import forget
from retainstream.engine.schema import FeatureSchema
from tests.history_rows import SCHEMA, kept, row, small_database


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


def read(path: Path) -> list[dict[str, Any]]:
    answer = duckdb.execute(f"SELECT * FROM '{path}'")
    columns = [column for column, *_ in answer.description or []]
    return [dict(zip(columns, values, strict=True)) for values in answer.fetchall()]


def test_a_scored_row_keeps_what_is_shown_of_it(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    (file,) = kept(connection, tmp_path, [row("a", "2026-01-31", probability=0.123456, margin=-1.959647)])
    assert (file.anchor, file.rows) == ("2026-01-31", 1)
    (stored,) = read(file.path)
    visits = stored.pop("c_visits")
    assert visits == pytest.approx(0.123, abs=1e-7)
    assert stored == {
        "customer_id": "a",
        "anchor_day": 20_484,
        "moment": "2026-01-31T12:00:00.000+00:00",
        "origin": "scored",
        "run_id": "run-1",
        "group": "basic",
        "price": 9.99,
        "probability": 0.123456,
        "margin": -1.959647,
        "base_margin": -2.0,
        "base_probability": 0.1,
        "model_version": "v1",
        "treated": None,
        "f_fee": 9.99,
        "f_visits": 3,
        "f_paper": True,
        "f_plan": "basic",
        "c_fee": 0.25,
        "c_paper": 0.0,
        "c_plan": pytest.approx(0.1),
    }


def test_every_anchor_has_a_file_of_its_own_sorted_by_customer(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(customer, anchor) for anchor in ("2026-02-28", "2026-01-31") for customer in ("b", "c", "a")]
    files = kept(connection, tmp_path, rows)
    assert [(file.anchor, file.rows) for file in files] == [("2026-01-31", 3), ("2026-02-28", 3)]
    assert [[stored["customer_id"] for stored in read(file.path)] for file in files] == [["a", "b", "c"]] * 2


def test_the_types_are_those_of_the_schema(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    (file,) = kept(connection, tmp_path, [row("a", "2026-01-31", probability=0.5)])
    types = dict(duckdb.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{file.path}')").fetchall())
    assert {name: types[name] for name in ("f_fee", "f_visits", "f_paper", "f_plan", "c_plan", "probability", "price", "treated")} == {
        "f_fee": "DOUBLE",
        "f_visits": "BIGINT",
        "f_paper": "BOOLEAN",
        "f_plan": "VARCHAR",
        "c_plan": "FLOAT",
        "probability": "DOUBLE",
        "price": "DOUBLE",
        "treated": "BOOLEAN",
    }
    assert "f_since" not in types


def test_missing_values_stay_missing_and_a_value_of_another_kind_becomes_missing(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        row("a", "2026-01-31", features={"fee": None}),
        row("b", "2026-01-31", features={"fee": "dear", "visits": 2, "plan": 'o"d\n☃', "gone": 1}),
    ]
    (file,) = kept(connection, tmp_path, rows)
    first, second = read(file.path)
    assert [first[name] for name in ("f_fee", "f_visits", "f_paper", "f_plan", "probability", "c_fee", "model_version")] == [None] * 7
    assert [second[name] for name in ("f_fee", "f_visits", "f_plan")] == [None, 2, 'o"d\n☃']


def test_of_two_rows_of_a_customer_and_anchor_the_newer_is_kept(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        row("a", "2026-01-31", moment=f"2026-02-0{day}T00:00:00.000+00:00", features={"visits": visits})
        for day, visits in ((1, 1), (3, 3), (2, 2))
    ]
    (file,) = kept(connection, tmp_path, rows)
    assert [stored["f_visits"] for stored in read(file.path)] == [3]


def test_the_same_rows_make_the_same_file(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(f"c{number:03}", "2026-01-31", probability=number / 1000) for number in range(500)]
    first, second = (kept(connection, tmp_path, rows)[0].path.read_bytes() for _ in range(2))
    assert first == second


def removed_at(moment: str) -> Any:
    return lambda ids: {customer_id: moment for customer_id in ids if customer_id.startswith("gone")}


def test_a_removed_customer_is_not_kept_and_one_who_came_back_is(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        row("gone", "2026-01-31", moment="2026-02-01T10:00:00.123+00:00"),
        row("gone-and-back", "2026-01-31", moment="2026-02-01T10:00:00.125+00:00"),
        row("here", "2026-01-31", moment="2026-02-01T10:00:00.123+00:00"),
    ]
    (file,) = kept(connection, tmp_path, rows, removed_among=removed_at("2026-02-01T10:00:00.124999+00:00"))
    assert [stored["customer_id"] for stored in read(file.path)] == ["gone-and-back", "here"]


def test_a_rewritten_file_lacks_the_removed_customer_and_nothing_else(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(customer, "2026-01-31", probability=0.25) for customer in ("gone-a", "gone-b", "here", "there")]
    (file,) = kept(connection, tmp_path, rows)
    before, rewritten = read(file.path), tmp_path / "rewritten.parquet"
    assert b"gone-a" in file.path.read_bytes()  # the smallest id of its column, in plain text
    assert forget(connection, file.path, removed_at("2026-03-01T00:00:00+00:00"), rewritten) == 2
    assert read(rewritten) == before[2:]
    assert b"gone" not in rewritten.read_bytes()


def test_a_file_without_the_removed_customer_is_not_rewritten(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    (file,) = kept(connection, tmp_path, [row("gone", "2026-01-31"), row("z", "2026-01-31")])
    rewritten = tmp_path / "rewritten.parquet"
    assert forget(connection, file.path, lambda ids: {}, rewritten) == 0
    assert forget(connection, file.path, removed_at("2026-01-01T00:00:00+00:00"), rewritten) == 0
    assert not rewritten.exists()


def test_files_of_another_schema_keep_their_columns(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    document = SCHEMA.model_dump()
    wider = {**document, "columns": [*document["columns"], {"name": "calls", "kind": "integer", "label": "Calls", "missing": True}]}
    (old,) = kept(connection, tmp_path, [row("a", "2026-01-31")])
    (new,) = kept(
        connection, tmp_path, [row("a", "2026-02-28", features={"calls": 4})], run="run-2", schema=FeatureSchema.model_validate(wider)
    )
    assert "f_calls" not in read(old.path)[0]
    assert read(new.path)[0]["f_calls"] == 4


def test_the_database_reads_no_file_outside_its_folder(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    for outside in ("/etc/passwd", "https://example.com/a.parquet"):
        with pytest.raises(duckdb.Error, match=r"disabled|not allowed|Permission"):
            connection.execute(f"SELECT * FROM read_text('{outside}')").fetchall()
