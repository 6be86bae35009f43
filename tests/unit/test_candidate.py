"""Fitting, calibrating, judging: what comes out of training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from retainstream.engine.learning import metrics
from retainstream.engine.learning.baseline import LinearBaseline
from retainstream.engine.learning.calibrate import calibrate, fit_beta
from retainstream.engine.learning.choice import preferred
from retainstream.engine.learning.dataset import DataSet, collect
from retainstream.engine.learning.evaluate import calibration_noise, ceiling, evaluate
from retainstream.engine.learning.fit import Candidate, fit
from retainstream.engine.learning.importance import importance
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.profit import profit_curve
from retainstream.engine.learning.reference import reference
from retainstream.engine.learning.split import held_out
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.learning.trials import Trial
from retainstream.engine.model.calibration import Platt, sigmoid
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.money import months_kept
from retainstream.engine.records import NewCustomer
from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.runs.retraining.workbench import sides
from tests.made_lives import outcome

SCHEMA = default_schema()


@pytest.fixture(scope="module")
def data() -> DataSet:
    return collect(SCHEMA, [list(as_customers(generate(9_000, 21), 1.0))])[0]


@pytest.fixture(scope="module")
def candidate(data: DataSet) -> Candidate:
    return fit(sides(data)[0], version="v1", seconds=1.0)


def test_it_beats_the_linear_model_and_nears_the_ceiling(data: DataSet, candidate: Candidate) -> None:
    development, test = sides(data)
    figures = evaluate(candidate.model, development, test)
    assert figures["held_out"]["roc_auc"] > figures["baseline"]["roc_auc"]
    assert figures["held_out"]["log_loss"] < figures["baseline"]["log_loss"]
    assert figures["held_out"]["roc_auc"] > 0.98 * figures["ceiling"]["roc_auc"]
    assert figures["held_out"]["roc_auc_interval"]["low"] < figures["held_out"]["roc_auc"] < figures["held_out"]["roc_auc_interval"]["high"]
    assert figures["held_out"]["ece"] < 0.05
    assert set(figures["groups"]) == set(SCHEMA.groups)
    assert sum(group["rows"] for group in figures["groups"].values()) == len(test)
    assert figures["synthetic"] is True


def test_the_same_data_and_seed_give_the_same_model(data: DataSet, candidate: Candidate) -> None:
    again = fit(sides(data)[0], version="v1", seconds=1.0)
    assert again.model.threshold == candidate.model.threshold
    assert (again.model.margins(data.rows) == candidate.model.margins(data.rows)).all()


def test_test_rows_have_no_say(data: DataSet, candidate: Candidate) -> None:
    spoiled = DataSet.from_bytes(data.to_bytes())
    test = held_out(spoiled.keys)
    spoiled.rows[test] = 0
    spoiled.churned[test] = True
    other = fit(sides(spoiled)[0], version="v1", seconds=1.0)
    assert (other.model.margins(data.rows) == candidate.model.margins(data.rows)).all()


def test_scores_move_as_the_schema_says(data: DataSet, candidate: Candidate) -> None:
    before = candidate.model.margins(data.rows)
    for place, column in enumerate(SCHEMA.features):
        if column.monotone:
            moved = data.rows.copy()
            moved[:, place] += np.float32(3)
            difference = candidate.model.margins(moved) - before
            assert (difference >= -1e-5).all() if column.monotone == "increasing" else (difference <= 1e-5).all()


def test_reasons_are_those_of_shap(data: DataSet, candidate: Candidate) -> None:
    found = parity(candidate.model, data.rows)
    assert found.rows == 500
    assert found.passed
    assert np.isnan(data.rows[:500]).any()


def test_reasons_start_from_the_mean_score_of_the_rows_it_learned_from(data: DataSet, candidate: Candidate) -> None:
    development, _ = sides(data)
    model = candidate.model
    assert model.explain(development.rows).base_margin == pytest.approx(model.margins(development.rows).mean(), abs=1e-3)
    assert model.average_probability == pytest.approx(model.probabilities(development.rows).mean(), abs=1e-6)
    assert model.average_probability == pytest.approx(development.churned.mean(), abs=0.01)


def test_a_model_whose_reasons_do_not_add_up_fails_the_parity_check(data: DataSet, candidate: Candidate) -> None:
    class Wrong(ScoringModel):
        def margins(self, rows: np.ndarray) -> np.ndarray:
            return super().margins(rows) + 0.01

    model = candidate.model
    assert not parity(
        Wrong(model.version, model.schema, model.inputs, model.booster, model.calibration, model.levels, model.contributions), data.rows
    ).passed


def test_importance_names_every_column_the_strongest_first(data: DataSet, candidate: Candidate) -> None:
    found = importance(candidate.model, data.rows)
    assert {entry["feature"] for entry in found} == {column.name for column in SCHEMA.features}
    strengths = [entry["mean_abs_contribution"] for entry in found]
    assert strengths == sorted(strengths, reverse=True)
    directions = {entry["feature"]: entry["direction"] for entry in found}
    assert directions["payment_failures"] == "increasing"
    assert directions["watch_time_hours"] == "decreasing"
    assert directions["subscription_age_months"] == "decreasing"
    assert directions["plan"] == "mixed"


def test_the_reference_counts_every_row(data: DataSet, candidate: Candidate) -> None:
    development, test = sides(data)
    found = reference(candidate.model, development, test)
    for feature in found["features"]:
        assert sum(feature["counts"]) + feature["missing"] == len(development)
        assert len(feature["counts"]) == len(feature.get("levels", ())) or len(feature["counts"]) == len(feature["edges"]) + 1
    assert sum(found["score"]["counts"]) == len(test)


def test_there_is_a_ceiling_only_where_every_row_was_generated(data: DataSet) -> None:
    test = sides(data)[1]
    assert ceiling(test)
    recorded = DataSet.from_bytes(test.to_bytes())
    recorded.synthetic[0] = False
    assert ceiling(recorded) is None


def test_the_profit_curve_is_the_money_of_the_schema(data: DataSet) -> None:
    test = sides(data)[1]
    money = SCHEMA.money
    assert money
    probabilities = np.where(test.churned, 0.9, 0.1)
    curve = profit_curve(test, probabilities)
    assert curve
    at = {point["threshold"]: point for point in curve["points"]}
    saved = test.prices[test.churned] * months_kept(np.full(test.churned.sum(), 0.9), money.months, SCHEMA.horizon_days)
    kept = money.save_rate * (saved - money.offer_cost).sum()
    to_stayers = money.offer_cost * (~test.churned).sum()
    assert at[0.0]["profit"] * len(test) == pytest.approx(kept - to_stayers - money.contact_cost * len(test), abs=1)
    assert at[0.5]["profit"] * len(test) == pytest.approx(kept - money.contact_cost * test.churned.sum(), abs=1)
    assert (at[0.0]["offers"], at[1.0]["offers"], at[1.0]["profit"]) == (len(test), 0, 0)
    assert curve["best"] == at[0.9]
    assert curve["expected_maximum"]["contacted"] == pytest.approx(test.churned.mean(), abs=0.01)


def test_the_smaller_of_two_models_that_are_as_good_is_preferred() -> None:
    rng = np.random.default_rng(0)
    losses = rng.random(1000)
    small = Trial(TreeSettings(2, 0.1), 100, losses * 1.0009)
    smallest = Trial(TreeSettings(1, 0.1), 100, losses * 1.0011)
    large = Trial(TreeSettings(6, 0.1), 100, losses)
    worse = Trial(TreeSettings(1, 0.1), 100, losses + 0.02)
    assert preferred([large, small, smallest, worse]) is small
    assert preferred([large, worse]) is large


def distorted(rows: int, curve: str) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(4)
    margins = rng.normal(-1.5, 1.5, rows)
    truth = {
        "none": sigmoid(margins),
        "platt": sigmoid(0.4 * margins + 0.8),
        "skewed": sigmoid(margins) ** 1.7,
        "staircase": np.clip(0.05 + 0.5 * (margins > -1) + 0.4 * (margins > 1), 0, 1),
    }[curve]
    yield margins
    yield rng.random(rows) < truth


@pytest.mark.parametrize("curve", ["none", "platt", "skewed"])
def test_the_calibration_finds_the_curve_that_made_the_outcomes(curve: str) -> None:
    margins, churned = distorted(20_000, curve)
    chosen = calibrate(margins, churned)
    fresh_margins, fresh = distorted(50_000, curve)
    assert metrics.ece(fresh, chosen.probability(fresh_margins)) < 0.02


@pytest.mark.parametrize("curve", ["none", "platt", "skewed", "staircase"])
@pytest.mark.parametrize("rows", [20, 200, 2_000])
def test_no_calibration_has_a_higher_loss_than_the_margins_themselves(curve: str, rows: int) -> None:
    margins, churned = distorted(rows, curve)
    assert metrics.log_loss(churned, fit_beta(margins, churned).probability(margins)) <= metrics.log_loss(churned, sigmoid(margins))


def test_beta_calibration_finds_the_numbers_of_platt() -> None:
    margins, churned = distorted(50_000, "platt")
    curve = fit_beta(margins, churned)
    assert curve.a == pytest.approx(0.4, abs=0.03)
    assert curve.b == pytest.approx(0.4, abs=0.1)
    assert curve.c == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(
    ("margins", "churned"),
    [
        ([-2.0, -1.0, 1.0, 2.0], [False, False, True, True]),
        ([-2.0, -1.0, 1.0, 2.0], [True, True, False, False]),
        ([3.0] * 5, [False] * 5),
        ([-1e4, 1e4], [True, False]),
        ([-1e4, 1e4], [False, True]),
    ],
)
def test_a_calibration_stays_finite_where_the_classes_are_apart(margins: list[float], churned: list[bool]) -> None:
    curve = fit_beta(np.array(margins), np.array(churned))
    assert np.isfinite([curve.a, curve.b, curve.c]).all()


def test_calibration_noise_shrinks_with_rows() -> None:
    probabilities = np.random.default_rng(1).random(20_000)
    assert calibration_noise(probabilities[:200], 0) > 0.05 > calibration_noise(probabilities, 0)


TELCO = FeatureSchema.model_validate(
    {
        "name": "phones",
        "title": "Phone contracts",
        "id": {"column": "number"},
        "label": {"column": "left", "positive": True},
        "horizon_days": 30,
        "columns": [
            {"name": "contract", "kind": "category", "levels": ["monthly", "yearly"], "label": "Contract", "missing": True},
            {"name": "paperless", "kind": "boolean", "label": "Paperless"},
            {"name": "calls", "kind": "number", "label": "Calls", "missing": True},
            {"name": "empty", "kind": "number", "label": "Never filled", "missing": True},
        ],
    }
)


def test_another_business_trains_without_groups_and_money() -> None:
    rng = np.random.default_rng(3)
    customers: list[NewCustomer] = []
    for number in range(1_500):
        features: dict[str, Any] = {"paperless": bool(rng.random() < 0.5), "calls": float(rng.normal(5, 2))}
        if rng.random() < 0.9:
            features["contract"] = "monthly" if rng.random() < 0.6 else "yearly"
        risk = 0.5 if features.get("contract") == "monthly" and features["paperless"] else 0.1
        customers.append(
            {"customer_id": str(number), "features": features, "life": outcome(rng.random() < risk), "group": "all", "source": "api"}
        )
    data, _ = collect(TELCO, [customers])
    development, test = sides(data)
    found = fit(development, version="v", seconds=0.5)
    figures = evaluate(found.model, development, test)
    assert figures["held_out"]["roc_auc"] > 0.65
    assert figures["ceiling"] is None
    assert figures["profit"] is None
    assert figures["synthetic"] is False
    assert list(figures["groups"]) == ["all"]
    assert parity(found.model, test.rows).passed


def test_the_linear_baseline_is_as_good_as_the_truth_where_the_truth_is_linear() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(4_000, 4)).astype(np.float32)
    rows[:, 0], rows[:, 1] = rng.integers(0, 2, 4_000), rng.integers(0, 2, 4_000)
    margins = rows[:, 0] * 2 - rows[:, 2] - 1.0
    churned = rng.random(4_000) < sigmoid(margins.astype(np.float64))
    rows[rng.random(4_000) < 0.1, 3] = np.nan
    found = LinearBaseline.fit(TELCO, rows, churned).probabilities(rows)
    assert metrics.roc_auc(churned, found) == pytest.approx(metrics.roc_auc(churned, margins.astype(np.float64)), abs=0.005)


def test_platt_with_no_change_is_no_calibration() -> None:
    assert Platt(1.0, 0.0).document() == {"method": "none"}
