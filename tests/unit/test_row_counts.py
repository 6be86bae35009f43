"""Trees that count rows: the base of the reasons is the mean score of these rows."""

import json

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.sagemaker.bins import Bins
from retainstream.engine.learning.sagemaker.translation import on_features
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.schema import default_schema
from tests.unit.test_training_bins import fitted, made, raw

SCHEMA = default_schema()


def model_of(booster: xgboost.Booster) -> ScoringModel:
    return ScoringModel.from_bytes(raw(booster), {"method": "none"}, SCHEMA, threshold=0.5, version="v")


def boosted(rows: Rows, churned: np.ndarray, depth: int = 4) -> xgboost.Booster:
    chosen = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.3, "base_score": 0.05, "nthread": 1}
    return xgboost.train(chosen, matrix(SCHEMA.features, rows, label=churned, threads=1), 12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.2, 0.9]), distinct=st.sampled_from([2, 7, 400]), depth=st.integers(1, 6))
def test_the_base_is_the_mean_score_and_no_score_changes(seed: int, missing: float, distinct: int, depth: int) -> None:
    data = made(400, seed, missing=missing, distinct=distinct)
    booster = boosted(data.rows, data.churned, depth)
    before, after = model_of(booster), model_of(counted(booster, SCHEMA.features, data.rows))
    np.testing.assert_array_equal(after.margins(data.rows), before.margins(data.rows))
    explained = after.explain(data.rows)
    assert explained.base_margin == pytest.approx(after.margins(data.rows).mean(), abs=1e-3)
    np.testing.assert_allclose(explained.margin, after.margins(data.rows), atol=1e-5)
    assert parity(after, data.rows).passed


def test_the_covers_of_the_stored_trees_are_counts() -> None:
    data = made(1_000, 5)
    booster = counted(boosted(data.rows, data.churned), SCHEMA.features, data.rows)
    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    leaves = booster.predict(matrix(SCHEMA.features, data.rows, threads=1), pred_leaf=True).astype(int)
    for number, tree in enumerate(trees):
        covers, lefts = np.array(tree["sum_hessian"]), np.array(tree["left_children"])
        reached = np.bincount(leaves[:, number], minlength=len(covers))
        assert covers[0] == pytest.approx(len(data), abs=0.02)
        assert covers[lefts < 0] == pytest.approx(reached[lefts < 0], abs=0.02)


def test_a_branch_that_no_row_takes_keeps_a_cover_for_later_rows() -> None:
    data = made(2_000, 7, missing=0.0)
    booster = boosted(data.rows, data.churned)
    few = data.rows[data.rows[:, 1] > np.median(data.rows[:, 1])][:50]
    model = model_of(counted(booster, SCHEMA.features, few))
    explained = model.explain(data.rows)
    assert np.isfinite(explained.contributions).all()
    assert explained.base_margin == pytest.approx(model.margins(few).mean(), abs=1e-3)
    np.testing.assert_allclose(explained.margin, model.margins(data.rows), atol=1e-5)
    tables = model.contributions.tables(data.rows)
    assert tables
    walked, _ = model.contributions.walked(data.rows)
    np.testing.assert_allclose(tables.contributions(data.rows), walked, atol=1e-5 * max(1, float(np.abs(walked).max())))


def test_the_model_of_a_training_job_counts_the_rows_of_the_sample() -> None:
    data = made(2_000, 4)
    bins = Bins.of(data)
    job = on_features(raw(fitted(bins, data, 30)), bins, SCHEMA)
    sample = data.rows[::3]
    before, after = model_of(job), model_of(counted(job, SCHEMA.features, sample))
    mean = after.margins(sample).mean()
    assert abs(before.explain(sample).base_margin - mean) > 0.003
    assert after.explain(sample).base_margin == pytest.approx(mean, abs=1e-3)
    np.testing.assert_array_equal(after.margins(data.rows), before.margins(data.rows))
    assert parity(after, data.rows).passed


def test_a_booster_without_trees_stays_as_it_is() -> None:
    data = made(100, 2)
    booster = xgboost.train({"objective": "binary:logistic"}, matrix(SCHEMA.features, data.rows, label=data.churned, threads=1), 0)
    assert raw(counted(booster, SCHEMA.features, data.rows)) == raw(booster)
