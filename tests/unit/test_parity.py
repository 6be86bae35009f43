"""Our reasons are those of the shap package, whatever the schema."""

from typing import Any

import numpy as np
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.parity import TOLERANCE, parity
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.schema import FeatureSchema

numbers = st.fixed_dictionaries(
    {"kind": st.sampled_from(["number", "integer"]), "monotone": st.sampled_from([None, "increasing", "decreasing"])}
)
booleans = st.just({"kind": "boolean"})
categories = st.integers(2, 9).map(lambda count: {"kind": "category", "levels": [f"level {place}" for place in range(count)]})
columns = st.lists(st.one_of(numbers, booleans, categories), min_size=1, max_size=12)


def schema_of(kinds: list[dict[str, Any]]) -> FeatureSchema:
    return FeatureSchema.model_validate(
        {
            "name": "any",
            "title": "Any",
            "id": {"column": "id"},
            "label": {"column": "left", "positive": True},
            "horizon_days": 30,
            "columns": [{"name": f"c{place}", "label": f"Column {place}", "missing": True, **kind} for place, kind in enumerate(kinds)],
        }
    )


def rows_of(schema: FeatureSchema, count: int, missing: float, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float32]]:
    rows = np.empty((count, len(schema.features)), dtype=np.float32)
    for place, column in enumerate(schema.features):
        levels = {"boolean": 2, "category": len(column.levels)}.get(column.kind)
        rows[:, place] = rng.integers(0, levels, count) if levels else rng.normal(size=count).round(1) * 10
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows


@settings(max_examples=30, deadline=None)
@given(
    kinds=columns, seed=st.integers(0, 10_000), depth=st.integers(1, 6), missing=st.sampled_from([0.0, 0.1, 0.6]), onehot=st.integers(1, 64)
)
def test_contributions_are_those_of_shap_and_points_add_up(
    kinds: list[dict[str, Any]], seed: int, depth: int, missing: float, onehot: int
) -> None:
    schema, rng = schema_of(kinds), np.random.default_rng(seed)
    rows = rows_of(schema, 300, missing, rng)
    left = rng.random(300) < 1 / (1 + np.exp(-np.nan_to_num(rows[:, 0]) / 10))
    directions = tuple({"increasing": 1, "decreasing": -1}.get(column.monotone or "", 0) for column in schema.features)
    chosen = {
        "objective": "binary:logistic",
        "max_depth": depth,
        "monotone_constraints": directions,
        "max_cat_to_onehot": onehot,
        "nthread": 1,
        "seed": seed,
    }
    booster = xgboost.train(chosen, matrix(schema.features, rows, label=left, threads=1), 12)
    calibration = {"method": "platt", "a": 0.8, "b": -0.3}
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), calibration, schema, threshold=0.5, version="v")
    found = parity(model, rows)
    assert found.passed
    assert max(found.to_shap, found.to_margin) <= TOLERANCE
    explained = model.explain(rows)
    rise = (explained.contributions * explained.slope[:, None]).sum(axis=1)
    np.testing.assert_allclose(rise, explained.probability - explained.base_probability, atol=1e-9)
