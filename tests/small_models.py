"""Small models for tests: trained in a moment on made-up customers of the default schema, and put into service."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import xgboost

from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.reference import reference
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.registry.champion import promote
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from tests.made_lives import outcome, seen

THRESHOLD, AVERAGE = 0.4, 0.27


def some_features(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Features of customers of the default schema, some of them missing what may be missing."""
    rng = np.random.default_rng(seed)
    customers = []
    for _ in range(count):
        plan = rng.choice(["basic", "standard", "premium"])
        features: dict[str, Any] = {
            "plan": str(plan),
            "watch_time_hours": round(float(rng.gamma(2, 12)), 1),
            "subscription_age_months": int(rng.integers(0, 60)),
            "device_count": int(rng.integers(1, 6)),
            "last_login_days": int(rng.integers(0, 60)),
            "payment_failures": int(rng.poisson(0.8)),
            "tenure_months": int(rng.integers(0, 90)),
            "monthly_price": {"basic": 7.99, "standard": 12.99, "premium": 17.99}[str(plan)],
        }
        for name in ("watch_time_hours", "device_count"):
            if rng.random() < 0.1:
                del features[name]
        customers.append(features)
    return customers


@cache
def trained(seed: int = 0) -> bytes:
    """A booster over the default schema's features, as UBJSON."""
    schema = default_schema()
    rows = encode(schema, some_features(2000, seed + 1))
    margin = rows[:, 4] / 20 + rows[:, 5] - 3 - np.nan_to_num(rows[:, 1], nan=20) / 40
    churned = np.random.default_rng(seed).random(2000) < 1 / (1 + np.exp(-margin))
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "nthread": 1, "seed": seed},
        matrix(schema.features, rows, label=churned, threads=1),
        30,
    )
    return bytes(booster.save_raw("ubj"))


def small_model(seed: int = 0, version: str = "20260101T000000Z-test0000", calibration: dict[str, Any] | None = None) -> ScoringModel:
    return ScoringModel.from_bytes(trained(seed), calibration or {"method": "none"}, default_schema(), threshold=THRESHOLD, version=version)


@cache
def small_reference(seed: int = 0) -> Reference:
    """What customers of `some_features` looked like to the small model, had every fifth of them left."""
    rows = encode(default_schema(), some_features(3000, seed + 2))
    data = DataSet(
        schema=default_schema(),
        keys=np.arange(3000, dtype=np.uint64),
        rows=rows,
        churned=np.arange(3000) % 5 == 0,
        groups=np.zeros(3000, dtype=np.int16),
        prices=np.zeros(3000),
        synthetic=np.zeros(3000, dtype=bool),
        anchors=unknown_anchors(3000),
    )
    return reference(small_model(seed), data, data)


def put_in_service(
    seed: int = 0,
    version: str = "20260101T000000Z-test0000",
    schema: FeatureSchema | None = None,
    others: dict[str, bytes] | None = None,
    **given: Any,
) -> str:
    """Registers a small model, with more in its record and with `others` of its files, and makes it the champion. Returns its version."""
    documents, models = Documents(), Models()
    files = {
        "model.ubj": trained(seed),
        "schema.json": (schema or default_schema()).model_dump_json().encode(),
        "calibration.json": json.dumps({"method": "none"}).encode(),
        "reference.json": json.dumps(small_reference(seed)).encode(),
    }
    files |= others or {}
    stored = {name: documents.put_bytes(f"models/{version}/{name}", content) for name, content in files.items()}
    record: Any = {
        "version": version,
        "run_id": hashlib.sha256(version.encode()).hexdigest(),
        "created_at": "2026-01-01T00:00:00.000+00:00",
        "status": "registered",
        "threshold": THRESHOLD,
        "average_probability": AVERAGE,
        "calibration": "none",
        "metrics": {"roc_auc": 0.8, "rows": 2000},
        "baseline_metrics": {"roc_auc": 0.78},
        "ceiling": {"roc_auc": 0.82},
        "synthetic": True,
        "files": {name: {"key": place.key, "sha256": place.sha256} for name, place in stored.items()},
        "schema_name": "streaming",
        **given,
    }
    models.add_version(version, record)
    promote(models, version, "test")
    return version


def add_customers(count: int, seed: int = 0, churned: int = 0) -> list[str]:
    """Stores customers C-000000…; the first `churned` of them are known to have left. Returns their ids."""
    features = some_features(count, seed)
    ids = [f"C-{number:06d}" for number in range(count)]
    customers: Iterator[Any] = (
        {
            "customer_id": customer_id,
            "group": given["plan"],
            "features": given,
            "source": "api",
            "life": outcome(True) if number < churned else seen(),
        }
        for number, (customer_id, given) in enumerate(zip(ids, features, strict=True))
    )
    Customers().put_many(customers)
    return ids
