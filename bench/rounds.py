"""Monthly rounds: a table of customers and leavers arrives, a model is trained, and the customers are scored.

By the product: the rows become lives and history, training rows come from both, and the model is judged by time. By the old routine: one
row for each customer, everybody who ever left against everybody who is here, judged by customers.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from retainstream.engine.history.lives import LifeRow, load_lives, rows_of, write_lives
from retainstream.engine.history.parquet import keep
from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.history.training_rows import training_rows
from retainstream.engine.learning.dataset import DataSet, in_order, key_of, unknown_anchors
from retainstream.engine.learning.metrics import log_loss, roc_auc
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
    """A model, the rows that it learned from, how they were split ("time" or "customers"), and the figures on the test rows."""

    model: ScoringModel
    rows: int
    split: str
    reported_auc: float
    reported_log_loss: float


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


class History:
    """Rows that were kept as Parquet in `folder`, the folder of the connection, and the training rows of them."""

    def __init__(self, schema: FeatureSchema, connection: DuckDBPyConnection, folder: Path) -> None:
        self._schema, self._connection, self._folder = schema, connection, folder
        self.files: list[Path] = []

    def add(self, name: str, rows: Iterable[ArrivingRow]) -> None:
        """Keeps the rows of a run, whose name is new."""
        arrivals, folder = self._folder / f"{name}.ndjson.gz", self._folder / name
        folder.mkdir()
        with gzip.open(arrivals, "wt", compresslevel=1) as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)
        self.files += [file.path for file in keep(self._connection, [arrivals], self._schema, name, folder, None)]
        arrivals.unlink()

    def training_data(self, lives: Iterable[LifeRow]) -> DataSet:
        """The labelled rows, by these lives."""
        known = self._folder / "lives.ndjson.gz"
        write_lives(lives, known)
        load_lives(self._connection, [known])
        table = training_rows(self._connection, self.files, self._schema, self._schema.horizon_days)
        keys = np.array([key_of(customer_id) for customer_id in table.customer_ids], dtype=np.uint64)
        data = DataSet(self._schema, keys, table.rows, table.churned, table.groups, table.prices, table.synthetic, table.anchors)
        return in_order(data)


class Product:
    """The product: lives, history, training rows, and learning by time."""

    def __init__(self, schema: FeatureSchema, history: History, seconds: float) -> None:
        self._schema, self._history, self._seconds = schema, history, seconds
        self._lives: dict[str, Lives] = {}

    def take_in(self, day: str, rows: Sequence[Row]) -> None:
        for row in rows:
            lives = self._lives.get(row.customer_id, ())
            lives = left(lives, row.left_on, day, exact=True) if row.left_on else seen(lives, day, stayed=True)
            self._lives[row.customer_id] = began(lives, row.began_on, row.left_on or day) if row.began_on else lives
        self._history.add(f"import-{day}", [arriving(self._schema, row, day) for row in rows if not row.left_on])

    def train(self) -> Trained:
        lives = (life for customer_id, of_customer in self._lives.items() for life in rows_of(customer_id, of_customer, "import"))
        return trained_on(self._history.training_data(lives), self._seconds)

    def score(self, trained: Trained, day: str, rows: Sequence[Row]) -> Floats:
        probabilities = trained.model.probabilities(encode(self._schema, [row.features for row in rows])).astype(np.float64)
        scored = [arriving(self._schema, row, day) for row in rows]
        for row, probability in zip(scored, probabilities.tolist(), strict=True):
            row |= {"origin": "scored", "probability": round(probability, 6), "model_version": day}
        self._history.add(f"scored-{day}", scored)
        return probabilities


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
        return trained_on(in_order(data), self._seconds)

    def score(self, trained: Trained, day: str, rows: Sequence[Row]) -> Floats:  # noqa: ARG002 - it knows no days
        return trained.model.probabilities(encode(self._schema, [row.features for row in rows])).astype(np.float64)


def trained_on(data: DataSet, seconds: float) -> Trained:
    """The model of a training run on these rows, with what the run reports of it."""
    trained = train(data, version="round", seconds=seconds, seed=SEED)
    test = data.where(trained.split.test(data))
    probabilities = trained.judged.model.probabilities(test.rows)
    by = trained.split.document()["by"]
    return Trained(trained.service.model, len(data), by, roc_auc(test.churned, probabilities), log_loss(test.churned, probabilities))


def arriving(schema: FeatureSchema, row: Row, day: str) -> ArrivingRow:
    """The row of a customer of a day, as an import leaves it for the history."""
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
