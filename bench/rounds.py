"""Monthly rounds: a table of customers and leavers arrives, a model is trained, and the customers are scored.

By the product: the rows become lives and history, training rows come from both, and the model is judged by time. By the old routine: one
row for each customer, everybody who ever left against everybody who is here, judged by customers.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from retainstream.engine.history.lives import load_lives, rows_of, write_lives
from retainstream.engine.history.parquet import keep
from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.history.training_rows import training_rows
from retainstream.engine.learning.dataset import DataSet, key_of, unknown_anchors
from retainstream.engine.learning.metrics import roc_auc
from retainstream.engine.learning.trained import train
from retainstream.engine.lives.timeline import Lives, began, left, seen
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.records import Value
from retainstream.engine.schema import FeatureSchema, group_of

type Floats = NDArray[np.float64]

SEED = 0


@dataclass(frozen=True)
class Row:
    """A customer of a table, or somebody who has left since the table before (`left_on`, an ISO day). `began_on` may be unknown."""

    customer_id: str
    features: Mapping[str, Value]
    began_on: str | None = None
    left_on: str | None = None


@dataclass(frozen=True)
class Trained:
    """A model, the rows that it learned from, how they were split ("time" or "customers"), and the AUC on the test rows."""

    model: ScoringModel
    rows: int
    split: str
    reported_auc: float


class Routine(Protocol):
    def take_in(self, day: str, rows: Sequence[Row]) -> None:
        """A table of a day (ISO)."""
        ...

    def train(self) -> Trained:
        """A model by all that is known."""
        ...

    def score(self, trained: Trained, day: str, rows: Sequence[Row]) -> Floats:
        """The churn probabilities (n,) of these customers of a day."""
        ...


class Product:
    """The product: lives, history, training rows, and learning by time. Files are in `folder`, the folder of the connection."""

    def __init__(self, schema: FeatureSchema, connection: DuckDBPyConnection, folder: Path, seconds: float) -> None:
        self._schema, self._connection, self._folder, self._seconds = schema, connection, folder, seconds
        self._lives: dict[str, Lives] = {}
        self._files: list[Path] = []

    def take_in(self, day: str, rows: Sequence[Row]) -> None:
        for row in rows:
            lives = self._lives.get(row.customer_id, ())
            lives = left(lives, row.left_on, day, exact=True) if row.left_on else seen(lives, day, stayed=True)
            self._lives[row.customer_id] = began(lives, row.began_on, row.left_on or day) if row.began_on else lives
        self._keep(f"import-{day}", [_arriving(self._schema, row, day) for row in rows if not row.left_on])

    def train(self) -> Trained:
        known = self._folder / "lives.ndjson.gz"
        write_lives((life for customer_id, lives in self._lives.items() for life in rows_of(customer_id, lives, "import")), known)
        load_lives(self._connection, [known])
        table = training_rows(self._connection, self._files, self._schema, self._schema.horizon_days)
        data = DataSet(
            self._schema,
            np.array([key_of(customer_id) for customer_id in table.customer_ids], dtype=np.uint64),
            table.rows,
            table.churned,
            table.groups,
            table.prices,
            table.synthetic,
            table.anchors,
        )
        return _trained(data.where(np.lexsort((data.anchors, data.keys))), self._seconds)

    def score(self, trained: Trained, day: str, rows: Sequence[Row]) -> Floats:
        probabilities = trained.model.probabilities(encode(self._schema, [row.features for row in rows])).astype(np.float64)
        arriving = [_arriving(self._schema, row, day) for row in rows]
        for row, probability in zip(arriving, probabilities.tolist(), strict=True):
            row |= {"origin": "scored", "probability": round(probability, 6), "model_version": day}
        self._keep(f"scored-{day}", arriving)
        return probabilities

    def _keep(self, name: str, rows: Sequence[ArrivingRow]) -> None:
        arrivals, folder = self._folder / f"{name}.ndjson.gz", self._folder / name
        folder.mkdir()
        with gzip.open(arrivals, "wt", compresslevel=1) as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)
        self._files += [file.path for file in keep(self._connection, [arrivals], self._schema, name, folder, None)]
        arrivals.unlink()


class OldRoutine:
    """The routine before: an item for each customer, which a table overwrites. Leavers keep their last features as customers."""

    def __init__(self, schema: FeatureSchema, seconds: float) -> None:
        self._schema, self._seconds = schema, seconds
        self._features: dict[str, Mapping[str, Value]] = {}
        self._left: dict[str, bool] = {}

    def take_in(self, day: str, rows: Sequence[Row]) -> None:  # noqa: ARG002 - it knows no days
        for row in rows:
            self._left[row.customer_id] = row.left_on is not None
            if row.left_on is None:
                self._features[row.customer_id] = row.features
            else:
                self._features.setdefault(row.customer_id, row.features)

    def train(self) -> Trained:
        ids = list(self._left)
        listed = [self._features[customer_id] for customer_id in ids]
        data = DataSet(
            self._schema,
            np.array([key_of(customer_id) for customer_id in ids], dtype=np.uint64),
            encode(self._schema, listed),
            np.array([self._left[customer_id] for customer_id in ids]),
            np.full(len(ids), -1, dtype=np.int16),
            np.full(len(ids), np.nan),
            np.zeros(len(ids), dtype=bool),
            unknown_anchors(len(ids)),
        )
        return _trained(data.where(np.argsort(data.keys, kind="stable")), self._seconds)

    def score(self, trained: Trained, day: str, rows: Sequence[Row]) -> Floats:  # noqa: ARG002 - it knows no days
        return trained.model.probabilities(encode(self._schema, [row.features for row in rows])).astype(np.float64)


def _trained(data: DataSet, seconds: float) -> Trained:
    trained = train(data, version="round", seconds=seconds, seed=SEED)
    test = data.where(trained.split.test(data))
    reported = roc_auc(test.churned, trained.judged.model.probabilities(test.rows))
    return Trained(trained.service.model, len(data), trained.split.document()["by"], reported)


def _arriving(schema: FeatureSchema, row: Row, day: str) -> ArrivingRow:
    price = row.features.get(schema.money.price) if schema.money else None
    return {
        "customer_id": row.customer_id,
        "anchor": day,
        "moment": f"{date.fromisoformat(day)}T12:00:00+00:00",
        "origin": "import",
        "group": group_of(schema, row.features),
        "price": float(price) if price is not None else None,
        "features": row.features,
    }
