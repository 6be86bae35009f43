"""Calibration beside the truth, with fewer samples than `python -m bench.known_truth`."""

import numpy as np
import pytest

from bench.known_truth import calibration as truth
from retainstream.engine.learning.calibrate import calibrate, fit_beta
from retainstream.engine.learning.metrics import log_loss
from retainstream.engine.model.calibration import sigmoid


class TestCurve:
    def test_is_as_good_as_scikit_learn_on_two_humps_where_newtons_method_diverged(self) -> None:
        best = np.array(truth.losses_on_two_humps(truth.scikit_learn, 8))
        assert (np.array(truth.losses_on_two_humps(fit_beta, 8)) < best + 0.02).all()
        assert (np.array(truth.losses_on_two_humps(truth.platt_before, 8)) > best + 0.1).all()

    def test_is_never_worse_than_the_margins_on_two_humps(self) -> None:
        for seed in range(8):
            margins, churned = truth.two_humps(np.random.default_rng(seed))
            assert log_loss(churned, fit_beta(margins, churned).probability(margins)) < log_loss(churned, sigmoid(margins))

    @pytest.mark.parametrize(("rows", "most"), [(1_000, 2.8), (4_000, 1.2), (16_000, 0.6)])
    def test_is_near_the_truth_on_skewed_margins(self, rows: int, most: float) -> None:
        assert truth.excess_on_skewed(calibrate, rows, 4) < most
        assert truth.excess_on_skewed(truth.calibrated_before, rows, 4) > most


class TestInterval:
    @pytest.mark.parametrize(("rows", "repetitions"), [(400, 16), (1_000, 12), (4_000, 6)])
    def test_covers_the_true_churn_rate_which_venn_abers_alone_does_not(self, rows: int, repetitions: int) -> None:
        found = truth.coverage(rows, repetitions)
        assert 0.9 < found.all < 0.99
        assert found.top > 0.85
        assert found.alone < 0.7
        assert found.confident > 0.9

    def test_is_narrower_with_more_rows(self) -> None:
        assert truth.coverage(4_000, 2).width < 0.7 * truth.coverage(400, 2).width

    def test_marks_high_risk_customers_confident_where_their_churn_rate_is_known_and_not_because_most_stay(self) -> None:
        marked = [truth.marked_confident(seed) for seed in range(8)]
        assert all(counts.before > 0.2 * counts.high_risk for counts in marked)
        assert sum(counts.right for counts in marked) > 0.85 * sum(counts.after for counts in marked) > 0
