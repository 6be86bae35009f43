"""Customers with dates of their contracts, and a small model that reads these."""

from functools import cache
from typing import Any

import numpy as np
import xgboost

from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.reference import reference
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.records import Customer
from retainstream.engine.schema import FeatureSchema
from tests.made_lives import outcome

SCHEMA = FeatureSchema.model_validate(
    {
        "name": "contracts",
        "title": "Contracts",
        "id": {"column": "id"},
        "label": {"column": "left", "positive": "yes"},
        "horizon_days": 30,
        "moments": {"anchor": "day"},
        "columns": [
            {"name": "fee", "kind": "number", "label": "Fee", "missing": True},
            {"name": "since", "kind": "date", "label": "Contract since", "missing": True, "format": "%d.%m.%Y"},
            {"name": "ends", "kind": "date", "label": "Contract end", "missing": True},
            {"name": "called", "kind": "date", "label": "Last call", "missing": True, "feature": False},
        ],
    }
)


def contract_rows() -> Rows:
    """400 customers: fee, days since the beginning of the contract, and days since its end."""
    rng = np.random.default_rng(3)
    rows = np.stack([rng.choice([9.5, 20], 400), rng.integers(0, 900, 400), rng.integers(-900, 900, 400)], axis=1).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


@cache
def contracts_model() -> ScoringModel:
    """A small model by which long contracts, and those that end soon, are left."""
    rows = contract_rows()
    left = (np.nan_to_num(rows[:, 1], nan=400) > 400) ^ (np.nan_to_num(rows[:, 2]) > 100)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix(SCHEMA.features, rows, label=left, threads=1), 8
    )
    return ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, SCHEMA, threshold=0.5, version="v")


def stored(number: int, features: dict[str, Any], day: str) -> Customer:
    moment = f"{day}T08:30:00.000000+00:00"
    return {
        "customer_id": f"c{number}",
        "group": "all",
        "features": features,
        "source": "import",
        "life": outcome(number % 2),
        "features_at": moment,
        "updated_at": "2029-05-06T12:00:00.000+00:00",
    }


@cache
def contracts_reference() -> Reference:
    """What customers looked like to the small model, had every fifth of them left."""
    rows = contract_rows()
    none = np.zeros(len(rows))
    data = DataSet(
        schema=SCHEMA,
        keys=np.arange(len(rows), dtype=np.uint64),
        rows=rows,
        churned=np.arange(len(rows)) % 5 == 0,
        groups=none.astype(np.int16),
        prices=none,
        synthetic=none.astype(bool),
        anchors=unknown_anchors(len(rows)),
    )
    return reference(contracts_model(), data, data)
