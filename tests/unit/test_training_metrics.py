"""Figures against scikit-learn's own, and against their definitions."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from retainstream.engine.learning import metrics
from retainstream.engine.learning.bootstrap import auc_intervals

ROWS = st.integers(2, 60)


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of both kinds, and probabilities with many ties."""
    rows = draw(ROWS)
    churned = draw(hnp.arrays(bool, rows))
    assume(churned.any() and not churned.all())
    steps = draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 12)))
    return churned, steps / 12


@given(judged())
def test_aucs_are_scikit_learns(case: tuple[np.ndarray, np.ndarray]) -> None:
    churned, probabilities = case
    assert metrics.roc_auc(churned, probabilities) == pytest.approx(sk.roc_auc_score(churned, probabilities))
    assert metrics.pr_auc(churned, probabilities) == pytest.approx(sk.average_precision_score(churned, probabilities))


@given(judged(), st.integers(0, 1000))
def test_weighted_aucs_are_scikit_learns(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    churned, probabilities = case
    weights = np.random.default_rng(seed).integers(0, 4, size=(3, len(churned))).astype(float)
    assume(all((weights[:, churned] > 0).any(axis=1)) and all((weights[:, ~churned] > 0).any(axis=1)))
    roc, pr = metrics.weighted_aucs(churned, probabilities, weights)
    for place, weight in enumerate(weights):
        assert roc[place] == pytest.approx(sk.roc_auc_score(churned, probabilities, sample_weight=weight))
        assert pr[place] == pytest.approx(sk.average_precision_score(churned, probabilities, sample_weight=weight))


@given(judged(), st.floats(0, 1))
def test_other_figures_are_scikit_learns(case: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
    churned, probabilities = case
    assert metrics.log_loss(churned, probabilities) == pytest.approx(sk.log_loss(churned, probabilities, labels=[False, True]), rel=1e-6)
    assert metrics.brier(churned, probabilities) == pytest.approx(sk.brier_score_loss(churned, probabilities))
    called = probabilities >= threshold
    at = metrics.at_threshold(churned, probabilities, threshold)
    assert at["precision"] == pytest.approx(sk.precision_score(churned, called, zero_division=0))
    assert at["recall"] == pytest.approx(sk.recall_score(churned, called))
    assert at["f1"] == pytest.approx(sk.f1_score(churned, called, zero_division=0))


@given(judged())
def test_no_threshold_beats_the_best_one(case: tuple[np.ndarray, np.ndarray]) -> None:
    churned, probabilities = case
    best = metrics.best_f1_threshold(churned, probabilities)
    found = metrics.at_threshold(churned, probabilities, best)["f1"]
    assert found == pytest.approx(max(metrics.at_threshold(churned, probabilities, t)["f1"] for t in np.unique(probabilities)))


def test_ece_is_the_weighted_gap_over_ten_bins() -> None:
    probabilities = np.array([0.05, 0.05, 0.15, 0.95, 1.0])
    churned = np.array([False, True, False, True, True])
    expected = 2 / 5 * abs(0.05 - 0.5) + 1 / 5 * 0.15 + 2 / 5 * abs(0.975 - 1)
    assert metrics.ece(churned, probabilities) == pytest.approx(expected)


@given(judged())
def test_the_reliability_curve_counts_everyone_once(case: tuple[np.ndarray, np.ndarray]) -> None:
    churned, probabilities = case
    curve = metrics.reliability(churned, probabilities)
    assert sum(point["rows"] for point in curve) == len(churned)
    assert sum(point["rows"] * point["churn_rate"] for point in curve) == pytest.approx(churned.sum())


@given(judged())
def test_gain_grows_to_everyone(case: tuple[np.ndarray, np.ndarray]) -> None:
    found = [point["found"] for point in metrics.gain(*case)]
    assert found == sorted(found)
    assert found[-1] == 1.0


def test_top_decile_lift_of_a_perfect_and_of_a_useless_ranking() -> None:
    churned = np.arange(1000) < 100
    assert metrics.top_decile_lift(churned, -np.arange(1000.0)) == pytest.approx(10.0)
    assert metrics.top_decile_lift(np.arange(1000) % 10 == 0, -np.arange(1000.0)) == pytest.approx(1.0)


def test_one_outcome_alone_has_no_auc() -> None:
    figures = metrics.summary(np.zeros(5, dtype=bool), np.linspace(0, 1, 5), 0.5)
    assert figures["roc_auc"] is None
    assert figures["pr_auc"] is None
    assert figures["recall"] == 0.0


def test_bootstrap_intervals_hold_the_figure_are_repeatable_and_narrow_with_rows() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(8_000)
    churned = rng.random(8_000) < probabilities
    roc, pr = auc_intervals(churned, probabilities, 1)
    assert roc.low < metrics.roc_auc(churned, probabilities) < roc.high
    assert pr.low < metrics.pr_auc(churned, probabilities) < pr.high
    assert (roc, pr) == auc_intervals(churned, probabilities, 1)
    few, _ = auc_intervals(churned[:300], probabilities[:300], 1)
    assert few.high - few.low > 2 * (roc.high - roc.low)
