"""The gate: which candidates may go into service."""

from typing import Any

import numpy as np
import pytest

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.comparison import Margins, compare
from retainstream.engine.learning.gate import FEWEST_CHURNERS, YEAR, Standard, Verdict, judge
from retainstream.engine.learning.metrics import log_loss, roc_auc
from retainstream.engine.model.calibration import sigmoid

RNG = np.random.default_rng(9)
MARGINS = RNG.normal(-1.5, 1.6, 8_000)
TRUTH = sigmoid(MARGINS)
CHURNED = RNG.random(8_000) < TRUTH
NOISY = sigmoid(0.65 * (MARGINS + RNG.normal(0, 1.2, 8_000)) - 0.45)


def verdict(candidate: np.ndarray, champion: np.ndarray | None = None, *, rows: slice = slice(None), **changes: Any) -> Verdict:
    """The verdict on the candidate; changes of `Standard` describe the champion."""
    described = {name: changes.pop(name) for name in ("lag", "old_after", "earlier") if name in changes}
    standard = None if champion is None else Standard(champion[rows], **described)
    usual: dict[str, Any] = {"parity_passed": True, "alarms": []}
    return judge(CHURNED[rows], candidate[rows], standard, **{**usual, **changes})


def close_to(margins: np.ndarray, noise: float = 0.05, seed: int = 4) -> np.ndarray:
    """Probabilities of a model that learned nearly the same."""
    return sigmoid(margins + np.random.default_rng(seed).normal(0, noise, len(margins)))


def test_a_first_model_goes_into_service_and_the_notes_say_what_it_can_do() -> None:
    judged = verdict(TRUTH)
    assert (judged.passed, judged.reasons, judged.held_back, judged.into_service) == (True, [], [], True)
    pairs, tenth, use = judged.notes
    shown = f"the higher probability in {roc_auc(CHURNED, TRUTH):.0%} of the pairs (95% interval "
    assert shown in pairs
    riskiest = CHURNED[np.argsort(-TRUTH)][:800]
    share = riskiest.sum() / CHURNED.sum()
    assert tenth == f"The riskiest tenth of the held-out customers holds {share:.0%} of the churners, {10 * share:.1f} times their share."
    assert f"{riskiest.mean():.0%} of the riskiest tenth left, {CHURNED.mean():.1%} of everybody" in use


def test_a_weak_first_model_goes_into_service_where_chance_does_not_explain_it() -> None:
    hints = RNG.normal(0, 0.35, 8_000)
    churned = RNG.random(8_000) < sigmoid(hints - 1.5)
    judged = judge(churned, sigmoid(hints - 1.5), None, parity_passed=True, alarms=[])
    assert roc_auc(churned, hints) < 0.65
    assert judged.into_service
    assert not judge(churned, sigmoid(hints - 1.5), None, target_auc=0.7, parity_passed=True, alarms=[]).passed


def test_a_first_model_that_may_be_chance_is_held_back_and_not_rejected() -> None:
    blind = np.full(len(CHURNED), CHURNED.mean()) + RNG.normal(0, 1e-6, len(CHURNED))
    judged = verdict(blind)
    assert (judged.passed, judged.into_service, judged.reasons) == (True, False, [])
    assert "no proof that this version ranks better than chance" in judged.held_back[0]
    assert "contains 0.5" in judged.held_back[0]


def test_too_few_churners_judge_no_model_and_the_text_says_what_to_do() -> None:
    few = slice(0, 30)
    left = int(CHURNED[few].sum())
    assert 0 < left < FEWEST_CHURNERS
    for champion in (None, NOISY):
        judged = verdict(TRUTH, champion, rows=few, lag=YEAR)
        assert (judged.passed, judged.into_service, judged.comparison) == (True, False, None)
        assert f"only {left} of the held-out customers left, and a judgement needs 10. Train again" in judged.held_back[0]


def test_all_rows_of_a_small_table_judge_a_first_model() -> None:
    few = slice(0, 30)
    assert verdict(TRUTH, rows=few, cross_fitted=Interval(0.62, 0.81)).into_service
    unproven = verdict(TRUTH, rows=few, cross_fitted=Interval(0.49, 0.81))
    assert (unproven.passed, unproven.into_service) == (True, False)
    assert "0.490 to 0.810, contains 0.5" in unproven.held_back[0]


def test_a_better_candidate_replaces_a_champion_of_the_same_day() -> None:
    assert verdict(TRUTH, NOISY).into_service


def test_an_equal_candidate_replaces_only_a_champion_that_is_old() -> None:
    equal = close_to(MARGINS)
    judged = verdict(equal, TRUTH, lag=27)
    assert (judged.passed, judged.into_service, judged.reasons) == (True, False, [])
    assert judged.held_back[0].startswith(
        "The champion stays: there is no proof that this version is better. Differences on the same 8,000"
    )
    assert judged.held_back[1].endswith("has learned no outcome of the last 28 days; this one lags by 27 days.")
    assert not verdict(TRUTH, TRUTH, lag=27).into_service
    assert verdict(equal, TRUTH, lag=28).into_service
    assert verdict(equal, TRUTH, lag=0, old_after=0).into_service


def test_the_margin_is_a_share_of_what_the_champion_gains_and_grows_with_its_lag() -> None:
    most = Margins.of(CHURNED, TRUTH)
    assert most.auc == pytest.approx(0.05 * (roc_auc(CHURNED, TRUTH) - 0.5))
    base = log_loss(CHURNED, np.full(len(CHURNED), CHURNED.mean()))
    assert most.log_loss == pytest.approx(0.10 * (base - log_loss(CHURNED, TRUTH)))
    rows = slice(0, 1_000)
    equal = close_to(MARGINS, 0.3)
    assert not verdict(equal, TRUTH, rows=rows, lag=28).into_service
    assert verdict(equal, TRUTH, rows=rows, lag=56).into_service


def test_an_old_champion_stays_where_the_rows_cannot_prove_that_the_candidate_is_as_good() -> None:
    few, equal = slice(0, 60), close_to(MARGINS, 0.3)
    judged = verdict(equal, TRUTH, rows=few, lag=100)
    assert (judged.passed, judged.into_service) == (True, False)
    assert judged.held_back[1].startswith("The champion has learned no outcome of the last 100 days, so an equal version would replace it.")
    assert verdict(equal, TRUTH, rows=few, lag=YEAR).into_service


@pytest.mark.parametrize("lag", [0, YEAR])
def test_a_worse_candidate_is_rejected_with_the_figures_however_old_the_champion_is(lag: int) -> None:
    judged = verdict(NOISY, TRUTH, lag=lag)
    assert not judged.passed
    assert judged.reasons[0].startswith("ROC AUC is 0.0")
    assert "Log loss is" in judged.reasons[1]
    assert judged.held_back == []
    assert judged.comparison
    assert judged.comparison.auc.value == pytest.approx(roc_auc(CHURNED, NOISY) - roc_auc(CHURNED, TRUTH))


def test_a_champion_whose_level_is_no_longer_right_gives_way_at_once() -> None:
    moved, equal, rows = sigmoid(MARGINS + 0.65), close_to(MARGINS), slice(0, 1_500)
    assert not checked(CHURNED[rows], moved[rows]).passed
    assert verdict(equal, moved, rows=rows).into_service
    assert not verdict(equal, TRUTH, rows=rows).into_service


def test_where_the_level_has_moved_for_both_the_better_one_goes_into_service() -> None:
    judged = verdict(sigmoid(MARGINS - 0.5), sigmoid(MARGINS - 0.9))
    assert (judged.passed, judged.into_service) == (True, True)
    assert "The probabilities fail the calibration check, and so do the champion's on the same rows." in judged.notes
    assert not verdict(sigmoid(MARGINS - 0.5), TRUTH).passed


def test_small_steps_down_do_not_add_up() -> None:
    second, third = close_to(MARGINS, 0.38, 1), close_to(MARGINS, 0.45, 2)
    assert verdict(third, second, lag=60, earlier=(NOISY,)).into_service
    judged = verdict(third, second, lag=60, earlier=(NOISY, close_to(MARGINS, 0, 3)))
    assert (judged.passed, judged.into_service) == (True, False)
    assert "below that of the best champion of the last year" in judged.held_back[0]


def test_worse_probabilities_of_the_same_order_are_refused_too() -> None:
    judged = verdict(sigmoid(MARGINS - 0.9), TRUTH)
    assert [reason.split(" is ")[0] for reason in judged.reasons if "champion" in reason] == ["Log loss"]


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
    assert not found.passed
    assert "The probabilities are too extreme" in found.reasons[0]


def test_scores_that_are_not_numbers_are_refused() -> None:
    spoiled = TRUTH.copy()
    spoiled[0] = np.nan
    found = verdict(spoiled)
    assert "Some probabilities are not finite numbers." in found.reasons


def test_a_candidate_behind_the_linear_model_is_told() -> None:
    found = verdict(TRUTH, linear_auc=0.99)
    assert found.passed
    assert "A linear model reaches" in found.notes[-1]


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
