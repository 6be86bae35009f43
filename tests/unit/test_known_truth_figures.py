"""Intervals, calibration check, reliability, groups and lift beside the truth, with fewer samples than `python -m bench.known_truth`."""

import numpy as np
import pytest

from bench.known_truth import figures as truth
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.delong import auc_interval
from retainstream.engine.learning.metrics import top_decile_lift
from retainstream.engine.model.calibration import sigmoid


class TestAucIntervals:
    @pytest.mark.parametrize(("rows", "churn"), truth.CELLS[:2])
    def test_fewer_than_ten_churners_have_none_where_resampling_missed_the_truth(self, rows: int, churn: float) -> None:
        before, after = truth.coverage(rows, churn, 100)
        assert before < 0.88
        assert after is None

    def test_hold_the_truth_from_ten_churners_on(self) -> None:
        rng = np.random.default_rng(3)
        intervals = [auc_interval(*truth.ranked(rng, 200, 0.05)) for _ in range(400)]
        assert np.mean([interval is not None and interval.low <= truth.AUC <= interval.high for interval in intervals]) > 0.91


class TestCalibrationCheck:
    @pytest.mark.parametrize(("rows", "most"), [(200, 0.65), (1_000, 0.06)])
    def test_fails_odds_twice_too_high_that_passed(self, rows: int, most: float) -> None:
        before, after = truth.passing(rows, "odds × 2", 60)
        assert before > 0.9
        assert after < most

    @pytest.mark.parametrize("distortion", ["slope .5", "slope 2"])
    def test_fails_wrong_slopes_that_passed(self, distortion: str) -> None:
        before, after = truth.passing(1_000, distortion, 40)
        assert before > 0.85
        assert after < 0.1

    @pytest.mark.parametrize("rows", truth.CHECKED_ROWS[:3])
    def test_passes_true_probabilities(self, rows: int) -> None:
        verdicts = [checked(churned, sigmoid(odds)).passed for churned, odds in truth.samples(rows, 300)]
        assert np.mean(verdicts) > 0.95

    def test_intervals_hold_the_truth(self) -> None:
        for share in truth.ratio_and_slope_coverage(1_000, 200):
            assert 0.9 < share < 0.99


class TestReliability:
    def test_rows_are_spread_over_the_bins(self) -> None:
        before, after = truth.largest_bin(20)
        assert before > 0.9
        assert after < 0.7

    def test_intervals_hold_the_truth(self) -> None:
        assert truth.bin_coverage(30) > 0.91


class TestGroups:
    def test_shrinking_halves_the_error(self) -> None:
        alone, together, held = truth.group_errors(60)
        assert together < alone / 2
        assert held > 0.9


class TestLift:
    def test_of_a_constant_model_is_one(self) -> None:
        churned, same = np.arange(1_000) < 100, np.full(1_000, 0.1)
        assert truth.lift_before(churned, same) == pytest.approx(10)
        assert top_decile_lift(churned, same) == pytest.approx(1)
