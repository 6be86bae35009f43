"""Small histories for tests: rows as they arrive, kept as Parquet in a folder."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from duckdb import DuckDBPyConnection

from retainstream.engine.history.database import database
from retainstream.engine.history.lives import LifeRow, load_lives, write_lives
from retainstream.engine.history.parquet import KeptFile, RemovedAmong, keep
from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.schema import FeatureSchema
from retainstream.storage.history import ArrivingPart

SCHEMA = FeatureSchema.model_validate(
    {
        "name": "small",
        "title": "Small",
        "id": {"column": "id"},
        "label": {"column": "left", "positive": "yes"},
        "group": "plan",
        "horizon_days": 30,
        "money": {"price": "fee", "offer_cost": 1, "save_rate": 0.5},
        "columns": [
            {"name": "fee", "kind": "number", "label": "Fee", "missing": True},
            {"name": "visits", "kind": "integer", "label": "Visits", "missing": True},
            {"name": "paper", "kind": "boolean", "label": "Paper", "missing": True},
            {"name": "plan", "kind": "category", "label": "Plan", "levels": ["basic", "full"], "missing": True},
            {"name": "since", "kind": "date", "label": "Since", "missing": True, "feature": False},
        ],
    }
)


def row(customer_id: str, anchor: str, **given: Any) -> ArrivingRow:
    """A row that was imported, or scored if there is a probability."""
    features = given.pop("features", {"fee": 9.99, "visits": 3, "paper": True, "plan": "basic"})
    scored: Any = {}
    if "probability" in given:
        scored = {
            "origin": "scored",
            "margin": -1.5,
            "base_margin": -2.0,
            "base_probability": 0.1,
            "model_version": "v1",
            "contributions": {"fee": 0.25, "visits": 0.1234567, "paper": 0.0, "plan": 0.1},
        }
    plain: Any = {
        "customer_id": customer_id,
        "anchor": anchor,
        "moment": f"{anchor}T12:00:00.000+00:00",
        "origin": "import",
        "group": str(features.get("plan") or ""),
        "price": features.get("fee"),
        "features": features,
    }
    whole: Any = {**plain, **scored, **given}
    return cast("ArrivingRow", whole)


def arrived(folder: Path, name: str, rows: Iterable[ArrivingRow]) -> Path:
    """A file of rows that arrived."""
    part = ArrivingPart()
    part.add(rows)
    path = folder / f"{name}.ndjson.gz"
    path.write_bytes(part.content())
    return path


def kept(
    connection: DuckDBPyConnection,
    folder: Path,
    rows: Iterable[ArrivingRow],
    *,
    run: str = "run-1",
    schema: FeatureSchema = SCHEMA,
    removed_among: RemovedAmong | None = None,
) -> list[KeptFile]:
    """The Parquet files of rows that arrived in one run."""
    target = folder / run
    target.mkdir(exist_ok=True)
    return keep(connection, [arrived(folder, run, rows)], schema, run, target, removed_among)


def with_lives(connection: DuckDBPyConnection, folder: Path, lives: Sequence[LifeRow]) -> None:
    path = folder / "lives.ndjson.gz"
    write_lives(lives, path)
    load_lives(connection, [path])


@contextmanager
def small_database(folder: Path) -> Iterator[DuckDBPyConnection]:
    with database(folder, memory_mb=200, threads=1) as connection:
        yield connection
