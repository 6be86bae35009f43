"""The statements on the history give equal answers on two engines, and in Athena's SQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlglot
from datafusion import SessionContext
from duckdb import DuckDBPyConnection

from retainstream.engine.history import athena, statements
from retainstream.engine.history.training_rows import Plan, anchor_counts, plan_of, show_history, training_rows
from retainstream.engine.lives import day_number, iso_day
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import NoEvent
from tests.history_rows import SCHEMA, kept, row, small_database, with_lives

FIRST = day_number("2026-01-01")
SILENT = SCHEMA.model_copy(update={"churn": NoEvent(when="no-event", days=25)})
CUSTOMERS, DAYS = 60, (0, 20, 31, 45, 59, 90)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def history(connection: DuckDBPyConnection, tmp_path: Path) -> list[Path]:
    """The files of a random history, with lives of all kinds in the table `lives`."""
    draw = np.random.default_rng(7)
    rows, lives = [], []
    for number in range(CUSTOMERS):
        for day in draw.choice(DAYS, size=3, replace=False).tolist():
            iso = str(np.datetime64(FIRST + day, "D"))
            features = {"fee": round(float(draw.random()), 2), "plan": "full" if day % 2 else None}
            given: dict[str, Any] = {"probability": round(float(draw.random()), 6)} if draw.random() < 0.7 else {}
            rows.append(row(f"c{number:02}", iso, features=features, group="full" if day % 2 else "all", **given))
        for place in range(int(draw.integers(1, 3))):
            left = FIRST + 60 * place + int(draw.integers(0, 60))
            days = {"began_on": left - 40, "first_seen_on": left - 50, "observed_until": left - 1, "left_on": left, "left_after": left - 30}
            lives.append(
                {"customer_id": f"c{number:02}", "place": place, "source": ("api", "synthetic")[place]}
                | {name: value for name, value in days.items() if draw.random() < 0.7}
            )
    with_lives(connection, tmp_path, lives)  # type: ignore[arg-type]
    runs = [kept(connection, tmp_path, rows[number::3], run=f"run-{number}") for number in range(3)]
    files = [file.path for run in runs for file in run]
    show_history(connection, files, SCHEMA)
    return files


STATEMENTS = {
    "anchors": statements.counts_by_anchor(FIRST, 30),
    "anchors-by-silence": statements.counts_by_anchor(FIRST, 30, 25),
    "rows": statements.rows_of_days(SCHEMA, [FIRST + 90, FIRST + 59, FIRST + 31], 27, 30),
    "scored-days": statements.scored_days(FIRST, FIRST + 60),
    "probabilities": statements.counts_by_probability("run-1", FIRST, FIRST + 60, 30),
    "probabilities-by-silence": statements.counts_by_probability("run-1", FIRST, FIRST + 60, 30, 25),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_two_engines_give_equal_answers(connection: DuckDBPyConnection, history: list[Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    for table in ("history", "lives"):
        connection.execute(f"COPY (SELECT * FROM {table}) TO '{folder}/{table}.parquet' (FORMAT parquet)")
    other = SessionContext()
    for table in ("history", "lives"):
        other.register_parquet(table, str(folder / f"{table}.parquet"))
    answer = connection.execute(STATEMENTS[name])
    columns = [column for column, *_ in answer.description or []]
    rows = answer.fetchall()
    batches = other.sql(STATEMENTS[name]).to_pydict()
    assert list(batches) == columns
    assert list(zip(*batches.values(), strict=True)) == rows
    assert len(rows) > 10


@pytest.mark.parametrize("name", ["anchors", "anchors-by-silence", "rows"])
def test_athenas_statements_give_the_same_answers(connection: DuckDBPyConnection, history: list[Path], name: str) -> None:
    """Translated back. The history has the days of the plan and others; Athena's tables are partitioned by the anchor's text."""
    plan = Plan((FIRST + 90, FIRST + 59, FIRST + 31), {}, 27, 0.2)
    first, last, place = iso_day(FIRST), iso_day(FIRST + 90), "s3://bucket/training/run-1/athena/"
    asked = {
        "anchors": athena.ask_counts(SCHEMA, "a_stack", first, last, place),
        "anchors-by-silence": athena.ask_counts(SILENT, "a_stack", first, last, place),
        "rows": athena.ask_rows(SCHEMA, plan, "a_stack", place),
    }[name]
    begin, end = "UNLOAD (", f") TO '{place}' WITH (format = 'PARQUET')"
    assert asked.startswith(begin)
    assert asked.endswith(end)
    query = asked.removeprefix(begin).removesuffix(end)
    (trino,) = sqlglot.parse(query, read="trino")
    assert trino is not None
    assert trino.sql("trino") == query
    connection.execute("CREATE SCHEMA a_stack")
    connection.execute(
        "CREATE TABLE a_stack.history AS "
        "SELECT *, CAST(DATE '1970-01-01' + anchor_day AS VARCHAR) AS anchor FROM history UNION ALL "
        "SELECT *, '2020-01-01' AS anchor FROM history"  # rows that no statement may read
    )
    connection.execute("CREATE TABLE a_stack.lives AS SELECT * FROM lives")
    (back,) = sqlglot.transpile(query, read="athena", write="duckdb")
    answer = connection.execute(back)
    columns = [column for column, *_ in answer.description or []]
    rows = answer.fetchall()
    here = connection.execute(STATEMENTS[name])
    assert columns == [column for column, *_ in here.description or []]
    assert sorted(rows, key=str) == sorted(here.fetchall(), key=str)
    assert len(rows) > 10


def test_athenas_answer_becomes_the_training_rows_of_duckdb(connection: DuckDBPyConnection, history: list[Path], tmp_path: Path) -> None:
    """Also where a name has capitals, which Athena writes in lower case."""
    schema = SCHEMA.model_copy(
        update={"columns": tuple(column.model_copy(update={"name": column.name.upper()}) for column in SCHEMA.columns), "group": "PLAN"}
    )
    schema = FeatureSchema.model_validate({**schema.model_dump(exclude_none=True), "money": None})
    expected = training_rows(connection, history, schema, 30, most_unknown=1.0)
    plan = plan_of(anchor_counts(connection, history, 30), 30, most_unknown=1.0)
    show_history(connection, history, schema)
    connection.execute(f"CREATE TABLE answer AS {statements.rows_of_days(schema, plan.days, plan.spacing_days, 30)}")
    columns = [column for column, *_ in connection.execute("DESCRIBE answer").fetchall()]
    lower = ", ".join(f'"{column}" AS "{column.lower()}"' for column in columns)
    for number in range(2):
        connection.execute(f"COPY (SELECT {lower} FROM answer WHERE rowid % 2 = {number}) TO '{tmp_path}/answer-{number}' (FORMAT parquet)")
    answer = [tmp_path / f"answer-{number}" for number in range(2)]
    table = athena.read_rows(connection, answer, schema, plan)
    parts = [athena.read_rows(connection, answer, schema, plan, part, 3) for part in range(3)]
    assert table.customer_ids == expected.customer_ids
    assert len(table) > 10
    for name in ("anchors", "rows", "churned", "groups", "prices", "assumed"):
        np.testing.assert_array_equal(getattr(table, name), getattr(expected, name))
    assert table.anchors_report == expected.anchors_report
    assert sorted(customer for part in parts for customer in part.customer_ids) == sorted(table.customer_ids)
    assert athena.labelled_in(connection, answer) == len(table)
    assert len(athena.read_rows(connection, [], schema, plan)) == athena.labelled_in(connection, []) == 0
