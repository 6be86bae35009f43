"""The statements on the history give equal answers on two engines, and are translated for Athena."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datafusion import SessionContext
from duckdb import DuckDBPyConnection

from retainstream.engine.history import statements
from retainstream.engine.history.training_rows import show_history
from retainstream.engine.lives import day_number
from tests.history_rows import SCHEMA, kept, row, small_database, with_lives

FIRST = day_number("2026-01-01")
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
    files = [file.path for file in kept(connection, tmp_path, rows)]
    show_history(connection, files, SCHEMA)
    return files


STATEMENTS = {
    "anchors": statements.counts_by_anchor(FIRST, 30),
    "anchors-by-silence": statements.counts_by_anchor(FIRST, 30, 25),
    "rows": statements.rows_of_days(SCHEMA, [FIRST + 90, FIRST + 59, FIRST + 31], 27, 30),
    "probabilities": statements.counts_by_probability(FIRST, FIRST + 60, 30, by_version=False),
    "probabilities-by-version": statements.counts_by_probability(FIRST, FIRST + 60, 30, by_version=True),
    "probabilities-by-silence": statements.counts_by_probability(FIRST, FIRST + 60, 30, 25, by_version=True),
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
