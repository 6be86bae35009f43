"""Figures against scikit-learn's own, and against their definitions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from retainstream.engine.learning import metrics, reliability
from retainstream.engine.learning.delong import FEWEST, auc_interval
from retainstream.engine.learning.intervals import figure_intervals

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
    curve = reliability.bins(churned, probabilities)
    assert sum(point["rows"] for point in curve) == len(churned)
    assert sum(point["rows"] * point["churn_rate"] for point in curve) == pytest.approx(churned.sum())
    assert all(before["end"] < after["start"] for before, after in pairwise(curve))
    assert all(point["low"] - 1e-12 <= point["churn_rate"] <= point["high"] + 1e-12 for point in curve)


def test_reliability_bins_have_equal_numbers_of_rows_and_expected_churners_enough() -> None:
    rng = np.random.default_rng(3)
    probabilities = rng.beta(0.6, 12, 5_000)
    churned = rng.random(5_000) < probabilities
    curve = reliability.bins(churned, probabilities)
    assert 6 <= len(curve) <= reliability.BINS
    assert all(point["rows"] * point["mean_probability"] >= reliability.FEWEST_EXPECTED for point in curve)
    assert [point["rows"] for point in curve[1:-1]] == [500] * (len(curve) - 2)
    assert 250 <= curve[-1]["rows"] < 750
    assert np.mean([point["low"] <= point["mean_probability"] <= point["high"] for point in curve]) > 0.7
    assert len(reliability.bins(churned[:60], probabilities[:60])) == 1


@given(judged())
def test_the_corp_curve_is_scikit_learns_isotonic_regression(case: tuple[np.ndarray, np.ndarray]) -> None:
    churned, probabilities = case
    curve = reliability.corp(churned, probabilities)
    expected = IsotonicRegression(out_of_bounds="clip").fit(probabilities, churned.astype(float)).predict(curve["probability"])
    assert curve["churn_rate"] == pytest.approx(expected, abs=2e-5)


@given(judged())
def test_gain_grows_to_everyone(case: tuple[np.ndarray, np.ndarray]) -> None:
    found = [point["found"] for point in metrics.gain(*case)]
    assert found == sorted(found)
    assert found[-1] == 1.0


def test_top_decile_lift_of_a_perfect_and_of_a_useless_ranking() -> None:
    churned = np.arange(1000) < 100
    assert metrics.top_decile_lift(churned, -np.arange(1000.0)) == pytest.approx(10.0)
    assert metrics.top_decile_lift(np.arange(1000) % 10 == 0, -np.arange(1000.0)) == pytest.approx(1.0)


def test_equal_probabilities_give_no_lift_in_any_order_of_the_rows() -> None:
    churned = np.arange(1000) < 100
    assert metrics.top_decile_lift(churned, np.full(1000, 0.1)) == pytest.approx(1.0)
    assert [point["found"] for point in metrics.gain(churned, np.full(1000, 0.1))] == pytest.approx(np.arange(1, 21) / 20)


@given(judged(), st.integers(0, 1000))
def test_lift_and_gain_do_not_depend_on_the_order_of_the_rows(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    churned, probabilities = case
    order = np.random.default_rng(seed).permutation(len(churned))
    assert metrics.top_decile_lift(churned[order], probabilities[order]) == pytest.approx(metrics.top_decile_lift(churned, probabilities))
    found = [[point["found"] for point in metrics.gain(churned[rows], probabilities[rows])] for rows in (order, np.arange(len(churned)))]
    assert found[0] == pytest.approx(found[1])


def test_one_outcome_alone_has_no_auc() -> None:
    figures = metrics.summary(np.zeros(5, dtype=bool), np.linspace(0, 1, 5), 0.5)
    assert figures["roc_auc"] is None
    assert figures["pr_auc"] is None
    assert figures["recall"] == 0.0


def test_intervals_hold_the_figure_are_repeatable_and_narrow_with_rows() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(8_000)
    churned = rng.random(8_000) < probabilities
    many = figure_intervals(churned, probabilities, 0.5, 1)
    few = figure_intervals(churned[:300], probabilities[:300], 0.5, 1)
    assert many == figure_intervals(churned, probabilities, 0.5, 1)
    for name, value in (("roc_auc", metrics.roc_auc(churned, probabilities)), ("pr_auc", metrics.pr_auc(churned, probabilities))):
        assert many[name].low < value < many[name].high
        assert few[name].high - few[name].low > 2 * (many[name].high - many[name].low)


def test_an_auc_has_an_interval_from_ten_customers_of_each_outcome_on() -> None:
    scores = np.linspace(0, 1, 60)
    churned = np.arange(60) % 6 == 5
    assert churned.sum() == FEWEST
    assert auc_interval(churned, scores)
    assert auc_interval(churned & (np.arange(60) < 59), scores) is None
    assert auc_interval(churned, scores, np.arange(60, dtype=np.uint64) // 6 % 9) is None


def test_a_perfect_ranking_of_ten_churners_is_not_certain() -> None:
    interval = auc_interval(np.arange(60) >= 50, np.linspace(0, 1, 60))
    assert interval
    assert interval.low < 0.8
    assert interval.high == pytest.approx(1)
