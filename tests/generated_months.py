"""Months of generated customers, and a model of an undrifted one with its reference."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.reference import reference as reference_of
from retainstream.engine.learning.synthetic import Drift, generate
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.levels import level_of
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.histograms import Rows, Ruler, tally
from retainstream.engine.monitoring.tally import Tally
from retainstream.engine.schema import default_schema


@dataclass(frozen=True)
class Month:
    """Customers who were scored, with what a run counts of them, and what became of them."""

    rows: Rows
    probabilities: NDArray[np.float64]
    churned: NDArray[np.bool_]
    tally: Tally
    counts: dict[str, int]


def data_set(customers: int, seed: int, drift: Drift | None = None) -> DataSet:
    base = generate(customers, seed, drift)
    return DataSet(
        schema=default_schema(),
        keys=np.arange(customers, dtype=np.uint64),
        rows=encode(default_schema(), base.features()),
        churned=base.churned,
        groups=np.zeros(customers, dtype=np.int16),
        prices=np.zeros(customers),
        synthetic=np.ones(customers, dtype=bool),
        anchors=unknown_anchors(customers),
    )


@cache
def model_and_reference() -> tuple[ScoringModel, Reference]:
    """A model of 24,000 generated customers, and what its customers and scores looked like; a sixth of them is held out."""
    data = data_set(24_000, 1)
    test = np.arange(len(data)) % 6 == 0
    development = data.where(~test)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.1, "min_child_weight": 20, "nthread": 1, "seed": 0},
        matrix(data.schema.features, development.rows, label=development.churned, threads=1),
        150,
    )
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, data.schema, threshold=0.35, version="v1")
    return model, reference_of(model, development, data.where(test))


def month(customers: int, seed: int, drift: Drift | None = None, *, known: float = 0.0) -> Month:
    """A month's customers, scored. The outcomes of a share of them are known already, and those of them who left are not scored."""
    model, reference = model_and_reference()
    data = data_set(customers, seed, drift)
    is_known = np.random.default_rng([seed, 1]).random(customers) < known
    scored = data.where(~(is_known & data.churned))
    probabilities = model.probabilities(scored.rows).round(6)
    counts: dict[str, int] = {}
    for probability in probabilities.tolist():
        level = level_of(probability, model.levels)
        counts[f"level:{level}"] = counts.get(f"level:{level}", 0) + 1
        counts[f"millionths:{level}"] = counts.get(f"millionths:{level}", 0) + round(probability * 1_000_000)
    stayed = int((is_known & ~data.churned).sum())
    counted = tally(Ruler.of(reference["features"]), scored.rows, probabilities.tolist(), stayed=stayed, synthetic=len(scored))
    return Month(scored.rows, probabilities, scored.churned, counted, counts)
