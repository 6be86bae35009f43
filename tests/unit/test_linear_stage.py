"""The linear stage: trees of one column each that write down a regression, and the choice whether to have one."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning import metrics
from retainstream.engine.learning.additive import LinearFit, LinearStage, constant_stage, merged, started_from
from retainstream.engine.learning.baseline import LinearBaseline
from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.trees import TreeSettings, fit_rounds, parameters, quantile_matrix
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.feature_schema import Column, Id, Label

MARGIN = 0.005
"""AUC by which a candidate may lie below logistic regression on data that is linear, by chance in choosing the model."""


def number(name: str, monotone: Literal["increasing", "decreasing"] | None = None) -> Column:
    return Column(name=name, kind="number", label=name, missing=True, monotone=monotone)


def category(name: str, levels: int) -> Column:
    return Column(name=name, kind="category", label=name, missing=True, levels=tuple(f"l{level}" for level in range(levels)))


def schema_of(*columns: Column) -> FeatureSchema:
    return FeatureSchema(
        name="made", title="Made", id=Id(column="customer"), label=Label(column="left", positive=True), horizon_days=30, columns=columns
    )


def data_of(schema: FeatureSchema, rows: np.ndarray, log_odds: np.ndarray, seed: int) -> DataSet:
    count, rng = len(rows), np.random.default_rng([seed, 1])
    return DataSet(
        schema=schema,
        keys=rng.permutation(count).astype(np.uint64) * np.uint64(2**40 + 15),
        rows=rows.astype(np.float32),
        churned=rng.random(count) < sigmoid(log_odds),
        groups=np.zeros(count, dtype=np.int16),
        prices=np.full(count, np.nan),
        synthetic=np.zeros(count, dtype=bool),
        anchors=unknown_anchors(count),
    )


def linear_data(count: int, seed: int, columns: Sequence[Column] | None = None) -> DataSet:
    """Churn linear in log-odds: numbers of which half are noise, a category, some values missing."""
    rng = np.random.default_rng(seed)
    schema = schema_of(*(columns or [*(number(f"x{place}") for place in range(9)), category("k", 6)]))
    rows = rng.normal(size=(count, len(schema.features)))
    log_odds = -1.4 + rows[:, :5] @ np.array([0.9, -0.7, 0.5, 0.4, -0.3])
    for place, column in enumerate(schema.features):
        if column.kind == "category":
            rows[:, place] = rng.integers(0, len(column.levels), count)
            log_odds += 0.3 * (rows[:, place] - (len(column.levels) - 1) / 2)
    rows[:, 5:][rng.random((count, rows.shape[1] - 5)) < 0.1] = np.nan
    return data_of(schema, rows, log_odds, seed)


def whole(data: DataSet, stage: LinearStage, rounds: int) -> ScoringModel:
    given = parameters(data.schema.features, TreeSettings(2, 0.1), seed=0, threads=1)
    learned = quantile_matrix(data.schema.features, data.rows, data.churned, threads=1)
    learned.set_base_margin(started_from(stage, data.rows))
    booster = merged([(stage, fit_rounds(given, learned, rounds))])
    return ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, data.schema, threshold=0.5, version="v")


@pytest.mark.parametrize("rounds", [0, 7])
def test_stage_and_trees_become_one_booster_with_the_reasons_of_shap(rounds: int) -> None:
    data = linear_data(1500, 3)
    stage = LinearFit(data.schema.features, data.rows, data.churned).stage(1.0)
    model = whole(data, stage, rounds)
    assert model.booster.num_boosted_rounds() == len(stage.terms) + rounds
    found = parity(model, data.rows)
    assert (found.rows, found.passed) == (500, True)
    if not rounds:
        assert model.margins(data.rows) == pytest.approx(started_from(stage, data.rows), abs=1e-5)


def test_the_stage_is_the_regression_it_writes_down() -> None:
    data = linear_data(4000, 5)
    stage = LinearFit(data.schema.features, data.rows, data.churned).stage(1.0)
    regression = LinearBaseline.fit(data.schema, data.rows, data.churned).probabilities(data.rows)
    ours = started_from(stage, data.rows)
    theirs = np.log(regression / (1 - regression))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.997
    assert metrics.log_loss(data.churned, sigmoid(ours)) == pytest.approx(metrics.log_loss(data.churned, regression), abs=0.001)
    assert sigmoid(ours).mean() == pytest.approx(data.churned.mean(), abs=0.002)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.integers(2, 60), missing=st.floats(0, 0.3))
def test_levels_that_no_customer_has_change_nothing(seed: int, levels: int, missing: float) -> None:
    """A category of many levels has sparse regressors, and the regression is the same; its trees may be a little coarser."""
    few, many = (linear_data(300, seed, [*(number(f"x{place}") for place in range(5)), category("k", count)]) for count in (levels, 100))
    rows = few.rows.copy()
    rows[np.random.default_rng(seed).random(len(rows)) < missing, -1] = np.nan
    stages = [LinearFit(data.schema.features, rows, few.churned).stage(4.0) for data in (few, many)]
    scores = [started_from(stage, rows) for stage in stages]
    assert stages[0].intercept == pytest.approx(stages[1].intercept, abs=1e-9)
    assert np.abs(scores[0] - scores[1]).mean() < 0.01


def test_the_regression_for_comparison_has_a_column_for_frequent_levels_alone() -> None:
    data = linear_data(2000, 2, [*(number(f"x{place}") for place in range(5)), category("k", 1000)])
    data.rows[:, -1] = np.where(np.arange(2000) % 2, data.rows[:, -1], 7)
    baseline = LinearBaseline.fit(data.schema, data.rows, data.churned)
    assert baseline.model.coef_.shape == (1, 5 * 2 + 64 + 1)
    assert np.isfinite(baseline.probabilities(data.rows)).all()
    assert 7 in baseline.levels[-1]


def test_without_columns_that_matter_the_stage_is_the_rate() -> None:
    data = linear_data(500, 1, [number("x0"), number("x1"), number("x2"), number("x3"), number("x4")])
    data.rows[:] = 3
    stage = LinearFit(data.schema.features, data.rows, data.churned).stage(1.0)
    assert stage.terms == ()
    assert stage.intercept == pytest.approx(constant_stage(data.churned).intercept, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.floats(0, 0.5))
def test_the_stage_moves_as_the_schema_says(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    schema = schema_of(number("up", "increasing"), number("down", "decreasing"), number("free"))
    rows = rng.normal(size=(400, 3)) ** rng.choice([1, 3])
    data = data_of(schema, rows, rows @ rng.normal(size=3), seed)
    data.rows[rng.random(rows.shape) < missing] = np.nan
    stage = LinearFit(schema.features, data.rows, data.churned).stage(1.0)
    ordered = np.sort(rng.normal(size=200) * 3).astype(np.float32)
    for term in stage.terms:
        steps = np.diff(term.scores(ordered))
        assert term.place == 2 or ((steps >= 0).all() if term.place == 0 else (steps <= 0).all())


def test_a_level_or_a_missing_value_never_met_gets_no_share() -> None:
    data = linear_data(3000, 7)
    place = len(data.schema.features) - 1
    known = np.nan_to_num(data.rows[:, place], nan=0.0)
    data.rows[:, place] = np.where(known == 5, 4, known)
    stage = LinearFit(data.schema.features, data.rows, data.churned).stage(1.0)
    (term,) = [term for term in stage.terms if term.place == place]
    shares = term.scores(np.array([0, 1, 2, 3, 4, 5, np.nan], dtype=np.float32))
    assert shares[:5].max() - shares[:5].min() > 0.8
    assert np.abs(shares[5:]).max() < 0.1


@pytest.mark.parametrize("seed", [11, 12])
def test_where_churn_is_linear_the_candidate_is_not_worse_than_logistic_regression(seed: int) -> None:
    data = linear_data(9000, seed)
    learned, judged = data.where(np.arange(1000)), data.where(np.arange(1000, 9000))
    candidate = fit(learned, version="v", seconds=5.0)
    ours = candidate.model.probabilities(judged.rows)
    theirs = LinearBaseline.fit(data.schema, learned.rows, learned.churned).probabilities(judged.rows)
    assert metrics.roc_auc(judged.churned, ours) > metrics.roc_auc(judged.churned, theirs) - MARGIN
    assert metrics.log_loss(judged.churned, ours) < metrics.log_loss(judged.churned, theirs) + MARGIN
    assert candidate.record["chosen"]["linear_penalty"] > 0
    assert candidate.record["why"].startswith("Chosen: a linear stage of ")
    assert parity(candidate.model, judged.rows).passed


def test_where_churn_lies_in_interactions_trees_are_taken() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(6000, 4))
    data = data_of(schema_of(*(number(f"x{place}") for place in range(4))), rows, 2 * np.sign(rows[:, 0] * rows[:, 1]) - 0.5, 2)
    learned, judged = data.where(np.arange(3000)), data.where(np.arange(3000, 6000))
    candidate = fit(learned, version="v", seconds=3.0)
    chosen = candidate.record["chosen"]
    assert chosen["rounds"] > 5
    assert chosen["depth"] >= 2
    assert metrics.roc_auc(judged.churned, candidate.model.probabilities(judged.rows)) > 0.8


def test_where_nothing_tells_who_leaves_nobody_is_told_apart_by_much() -> None:
    rng = np.random.default_rng(9)
    rows = rng.normal(size=(1000, 8))
    data = data_of(schema_of(*(number(f"x{place}") for place in range(8))), rows, np.full(1000, -1.0), 9)
    candidate = fit(data, version="v", seconds=3.0)
    probabilities = candidate.model.probabilities(data.rows)
    assert probabilities.std() < 0.08
    assert probabilities.mean() == pytest.approx(data.churned.mean(), abs=0.02)


def test_where_a_line_tells_the_classes_apart_nobody_is_sure_to_leave() -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(1200, 2))
    data = data_of(schema_of(number("tells"), number("noise")), rows, 200 * rows[:, 0], 6)
    model = fit(data, version="v", seconds=2.0).model
    extreme = np.array([[-1e4, 0], [1e4, 0], [0.1, 3.0]], dtype=np.float32)
    assert np.abs(model.margins(extreme)[:2]).min() > 4
    probabilities = model.probabilities(extreme)
    assert probabilities.min() >= 1 / 1202 * (1 - 1e-9)
    assert 1 - probabilities.max() >= 1 / 1202 * (1 - 1e-9)
    explained = model.explain(extreme)
    points = explained.contributions * explained.slope[:, None]
    assert explained.base_probability + points.sum(axis=1) == pytest.approx(probabilities, abs=1e-6)
    assert parity(model, data.rows).passed
