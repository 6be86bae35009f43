"""Performance without outcomes: against the outcomes that generated months turn out to have."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, f1_score, log_loss, precision_score, recall_score, roc_auc_score

from retainstream.engine.learning.synthetic import Drift
from retainstream.engine.monitoring.binned_auc import binned_auc, interval, realised_error
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.expectation import expectation
from retainstream.engine.monitoring.histograms import tally
from retainstream.engine.monitoring.score_bins import SCORE_BINS, SCORE_EDGES, SCORE_MIDDLES, score_bin_of
from retainstream.engine.monitoring.tally import Tally
from tests.generated_months import model_and_reference, month

NO_CONCEPT_DRIFT = [
    Drift(),
    Drift(engagement=-0.5, payment_failures=1.5, missing=2, price=0.05),
    Drift(engagement=0.5),
    Drift(payment_failures=2.5),
    Drift(price=0.1),
]


@pytest.mark.parametrize("change", NO_CONCEPT_DRIFT, ids=str)
def test_the_estimate_is_near_what_the_outcomes_show(change: Drift) -> None:
    model, reference = model_and_reference()
    for seed in (301, 302):
        found = month(20_000, seed, change)
        estimate = expectation(found.tally, found.counts, reference)
        assert estimate
        assert estimate.roc_auc
        assert estimate.roc_auc_interval
        true = roc_auc_score(found.churned, found.probabilities)
        assert abs(estimate.roc_auc - true) <= 0.02
        assert estimate.roc_auc_interval["low"] < true < estimate.roc_auc_interval["high"]
        assert estimate.roc_auc_interval["high"] - estimate.roc_auc_interval["low"] < 0.05
        assert estimate.brier == pytest.approx(brier_score_loss(found.churned, found.probabilities), abs=0.01)
        assert estimate.log_loss == pytest.approx(log_loss(found.churned, found.probabilities), abs=0.03)
        called = found.probabilities >= model.threshold
        hits, everyone = estimate.true_positives, estimate.true_positives + estimate.false_positives
        assert everyone == pytest.approx(called.sum())
        assert hits / everyone == pytest.approx(precision_score(found.churned, called), abs=0.05)
        assert hits / estimate.churners == pytest.approx(recall_score(found.churned, called), abs=0.05)
        f1 = 2 * hits / (everyone + estimate.churners)
        assert f1 == pytest.approx(f1_score(found.churned, called), abs=0.04)


def test_the_estimate_does_not_see_a_changed_relation() -> None:
    _, reference = model_and_reference()
    found = month(20_000, 9, Drift(concept=1.0))
    estimate = expectation(found.tally, found.counts, reference)
    assert estimate
    assert found.churned.sum() > 1.3 * estimate.churners


def test_the_interval_by_the_delta_method_is_that_of_drawn_outcomes() -> None:
    rng = np.random.default_rng(0)
    for customers, rarity in ((500, 3), (5_000, 20)):
        probabilities = rng.beta(1, rarity, customers).round(6)
        counted = tally(None, np.empty((customers, 0), dtype=np.float32), probabilities.tolist(), stayed=0, synthetic=0)
        estimate = expectation(counted, {}, None)
        assert estimate
        drawn = [roc_auc_score(rng.random(customers) < probabilities, probabilities) for _ in range(600)]
        assert estimate.sampling_error == pytest.approx(np.std(drawn), rel=0.12)
        assert estimate.roc_auc == pytest.approx(np.mean(drawn), abs=0.004)
        assert estimate.calibration_error is None


def test_the_expected_auc_is_that_of_the_rows() -> None:
    rng = np.random.default_rng(2)
    for rarity in (2, 60):
        probabilities = rng.beta(1, rarity, 20_000).round(6)
        counted = tally(None, np.empty((20_000, 0), dtype=np.float32), probabilities.tolist(), stayed=0, synthetic=0)
        found = expectation(counted, {}, None)
        both, outcomes = np.tile(probabilities, 2), np.repeat([True, False], 20_000)
        exact = roc_auc_score(outcomes, both, sample_weight=np.concatenate([probabilities, 1 - probabilities]))
        assert found
        assert found.roc_auc == pytest.approx(exact, abs=0.0003)
        assert found.brier == pytest.approx(float(np.mean(probabilities * (1 - probabilities))), abs=1e-4)


def test_fewer_held_out_rows_make_the_estimate_less_sure() -> None:
    _, reference = model_and_reference()
    found = month(5_000, 4)
    few: Reference = {**reference, "score": {**reference["score"], "counts": [count // 4 for count in reference["score"]["counts"]]}}
    errors = [estimate.calibration_error for told in (reference, few) if (estimate := expectation(found.tally, found.counts, told))]
    assert errors[0]
    assert errors[1]
    assert 1.7 < errors[1] / errors[0] < 2.5


def test_nobody_and_certainty() -> None:
    assert expectation(Tally(), {}, None) is None
    sure = tally(None, np.empty((3, 0), dtype=np.float32), [0.0, 0.0, 0.0], stayed=0, synthetic=0)
    found = expectation(sure, {"level:low": 3, "millionths:low": 0}, None)
    assert found
    assert (found.roc_auc, found.roc_auc_interval, found.churners, found.log_loss) == (None, None, 0.0, 0.0)
    assert found.true_negatives == 3


@given(outcomes=st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=80))
def test_binned_auc_is_scikit_learns(outcomes: list[tuple[int, bool]]) -> None:
    left = [sum(place == at and gone for at, gone in outcomes) for place in range(8)]
    stayed = [sum(place == at and not gone for at, gone in outcomes) for place in range(8)]
    if not sum(left) or not sum(stayed):
        assert binned_auc(left, stayed) is None
        assert realised_error(left, stayed) is None
        return
    churned, scores = np.array([gone for _, gone in outcomes]), np.array([at for at, _ in outcomes])
    auc = binned_auc(left, stayed)
    assert auc == pytest.approx(roc_auc_score(churned, scores))
    error = realised_error(left, stayed)
    assert (error is None) == (min(sum(left), sum(stayed)) < 2)
    if error is not None and auc is not None:
        wins = (scores[churned][:, None] > scores[~churned]) + (scores[churned][:, None] == scores[~churned]) / 2
        variance = wins.mean(axis=1).var(ddof=1) / sum(left) + wins.mean(axis=0).var(ddof=1) / sum(stayed)
        assert error**2 == pytest.approx(variance, abs=1e-12)
        within = interval(auc, error)
        assert 0 <= within["low"] <= auc <= within["high"] <= 1


def test_the_score_bins_cover_every_probability_in_order() -> None:
    assert all(one < other for one, other in pairwise(SCORE_EDGES))
    assert [score_bin_of(p) for p in SCORE_MIDDLES] == list(range(SCORE_BINS))
    assert (score_bin_of(0.0), score_bin_of(1.0)) == (0, SCORE_BINS - 1)
