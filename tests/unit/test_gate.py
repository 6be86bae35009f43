"""The gate: which candidates may go into service."""

from typing import Any

import numpy as np
import pytest

from retainstream.engine.learning.gate import AUC_MARGIN, Verdict, compare, judge
from retainstream.engine.learning.metrics import log_loss, roc_auc
from retainstream.engine.model.calibration import sigmoid

RNG = np.random.default_rng(9)
MARGINS = RNG.normal(-1.5, 1.6, 8_000)
TRUTH = sigmoid(MARGINS)
CHURNED = RNG.random(8_000) < TRUTH
NOISY = sigmoid(0.75 * (MARGINS + RNG.normal(0, 1.2, 8_000)) - 0.3)


def verdict(candidate: np.ndarray, champion: np.ndarray | None = None, **changes: Any) -> Verdict:
    usual: dict[str, Any] = {"target_auc": 0.7, "parity_passed": True, "alarms": [], "calibration_noise": 0.02}
    return judge(CHURNED, candidate, champion, **{**usual, **changes})


def test_a_sane_candidate_passes_where_there_is_no_champion() -> None:
    assert verdict(TRUTH) == Verdict(True, [])


def test_a_better_and_an_equal_candidate_pass() -> None:
    assert verdict(TRUTH, NOISY).passed
    assert verdict(TRUTH, TRUTH).passed
    nearly = sigmoid(MARGINS + RNG.normal(0, 0.05, len(MARGINS)))
    assert verdict(nearly, TRUTH).passed


def test_a_worse_candidate_is_refused_with_the_figures() -> None:
    found = verdict(NOISY, TRUTH)
    assert not found.passed
    assert found.reasons[0].startswith("ROC AUC is 0.0")
    assert "Log loss is" in found.reasons[1]
    assert found.comparison
    assert found.comparison.auc.value == pytest.approx(roc_auc(CHURNED, NOISY) - roc_auc(CHURNED, TRUTH))


def test_worse_probabilities_of_the_same_order_are_refused_too() -> None:
    found = verdict(sigmoid(MARGINS - 0.9), TRUTH, calibration_noise=1.0)
    assert [reason[:8] for reason in found.reasons] == ["Log loss"]


def test_a_difference_that_chance_explains_is_no_reason() -> None:
    few = slice(0, 60)
    found = judge(CHURNED[few], NOISY[few], TRUTH[few], target_auc=0.5, parity_passed=True, alarms=[], calibration_noise=1.0)
    assert found.comparison
    assert found.comparison.auc.error > AUC_MARGIN
    unlucky = found.comparison.auc.chance >= 0.1 and found.comparison.log_loss.chance >= 0.1
    assert found.passed is unlucky


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target_auc": 0.99}, "below the target of 0.990"),
        ({"parity_passed": False}, "differ from those of the shap package"),
        ({"alarms": ["Refunds alone predicts who left."]}, "Alarm: Refunds alone"),
    ],
)
def test_each_condition_refuses_by_itself_and_says_so(changes: dict[str, Any], reason: str) -> None:
    found = verdict(TRUTH, **changes)
    assert not found.passed
    assert len(found.reasons) == 1
    assert reason in found.reasons[0]


def test_a_miscalibrated_candidate_is_refused() -> None:
    found = verdict(sigmoid(2.5 * MARGINS + 1.5))
    assert [reason[:17] for reason in found.reasons] == ["Calibration error"]


def test_few_rows_are_given_the_noise_they_have() -> None:
    assert verdict(np.clip(TRUTH + 0.06, 0, 1), calibration_noise=0.1).passed


def test_scores_that_are_not_numbers_are_refused() -> None:
    spoiled = TRUTH.copy()
    spoiled[0] = np.nan
    found = verdict(spoiled)
    assert "Some probabilities are not finite numbers." in found.reasons


def test_a_candidate_behind_the_linear_model_is_told() -> None:
    found = verdict(TRUTH, linear_auc=0.99)
    assert found.passed
    assert "A linear model reaches" in found.notes[0]


def test_delongs_standard_error_is_that_of_resampling() -> None:
    comparison = compare(CHURNED, NOISY, TRUTH)
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(300):
        rows = rng.integers(0, len(CHURNED), len(CHURNED))
        drawn.append(
            (
                roc_auc(CHURNED[rows], NOISY[rows]) - roc_auc(CHURNED[rows], TRUTH[rows]),
                log_loss(CHURNED[rows], NOISY[rows]) - log_loss(CHURNED[rows], TRUTH[rows]),
            )
        )
    errors = np.std(drawn, axis=0)
    assert comparison.auc.error == pytest.approx(errors[0], rel=0.15)
    assert comparison.log_loss.error == pytest.approx(errors[1], rel=0.15)


def test_equal_scores_differ_by_nothing_and_ties_count_half() -> None:
    flat = np.full(len(CHURNED), 0.2)
    assert compare(CHURNED, flat, flat).auc.value == 0
    assert compare(CHURNED, TRUTH, flat).auc.value == pytest.approx(roc_auc(CHURNED, TRUTH) - 0.5)
