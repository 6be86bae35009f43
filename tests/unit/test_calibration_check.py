"""The calibration check: ratio, slope and verdict, against other formulas and on probabilities whose truth is known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from retainstream.engine.learning.calibration_check import checked, observed_to_expected, slope_of
from retainstream.engine.learning.shares import wilson
from retainstream.engine.model.calibration import sigmoid

RNG = np.random.default_rng(5)
LOG_ODDS = RNG.normal(-3, 1.2, 3000)
TRUTH = sigmoid(LOG_ODDS)
CHURNED = RNG.random(3000) < TRUTH


def test_true_probabilities_pass() -> None:
    check = checked(CHURNED, TRUTH)
    assert check.passed
    assert check.observed == CHURNED.sum()
    assert check.expected == pytest.approx(TRUTH.sum())
    assert check.ratio.low < 1 < check.ratio.high
    assert check.slope is not None
    assert check.slope.low < 1 < check.slope.high
    assert check.chance > 0.01
    assert len(check.sentences) == 2


@pytest.mark.parametrize(
    ("shifted", "words"),
    [
        (LOG_ODDS + np.log(2), "too high"),
        (LOG_ODDS - np.log(2), "too low"),
        (2 * LOG_ODDS + 3, "too extreme"),
        (0.5 * LOG_ODDS - 1.3, "too close to their average"),
    ],
)
def test_wrong_probabilities_fail_with_their_reason(shifted: np.ndarray, words: str) -> None:
    check = checked(CHURNED, sigmoid(shifted))
    assert not check.passed
    assert any(words in sentence for sentence in check.sentences)


def test_the_slope_is_that_of_a_logistic_regression_without_a_penalty() -> None:
    regression = LogisticRegression(C=np.inf, tol=1e-10).fit(LOG_ODDS[:, None] * 2 + 1, CHURNED)
    slope = slope_of(CHURNED, sigmoid(LOG_ODDS * 2 + 1))
    assert slope is not None
    assert slope.value == pytest.approx(regression.coef_[0, 0], rel=1e-5)


def test_the_ratio_of_equal_probabilities_has_wilsons_interval() -> None:
    churned = np.arange(200) < 13
    ratio = observed_to_expected(churned, np.full(200, 0.1))
    low, high = wilson(13, 200)
    assert (ratio.low * 0.1, ratio.high * 0.1) == pytest.approx((low, high))


def test_customers_that_repeat_count_once() -> None:
    keys = np.repeat(np.arange(750, dtype=np.uint64), 4)
    truth, churned = np.repeat(TRUTH[:750], 4), np.repeat(CHURNED[:750], 4)
    single, repeated, unknown = checked(CHURNED[:750], TRUTH[:750]), checked(churned, truth, keys), checked(churned, truth)
    assert (repeated.ratio.low, repeated.ratio.high) == pytest.approx((single.ratio.low, single.ratio.high), rel=0.03)
    assert repeated.slope is not None
    assert single.slope is not None
    assert repeated.slope.high - repeated.slope.low == pytest.approx(single.slope.high - single.slope.low, rel=0.15)
    assert repeated.chance == pytest.approx(single.chance, rel=0.15)
    assert unknown.ratio.high - unknown.ratio.low < 0.6 * (repeated.ratio.high - repeated.ratio.low)


@pytest.mark.parametrize("probabilities", [np.full(3000, CHURNED.mean()), np.where(CHURNED, 0.9, 0.1)])
def test_without_a_finite_slope_the_ratio_alone_counts(probabilities: np.ndarray) -> None:
    check = checked(CHURNED, probabilities)
    assert check.slope is None
    assert check.passed == (abs(check.ratio.value - 1) < 0.01)


def test_no_churners() -> None:
    few, many = checked(np.zeros(40, dtype=bool), np.full(40, 0.05)), checked(np.zeros(400, dtype=bool), np.full(400, 0.05))
    assert few.passed
    assert "too few to tell" in few.sentences[-1]
    assert not many.passed
    assert many.ratio.low == many.ratio.value == 0
