"""Directions, gaps, the linear model's threshold and the share of the ceiling against their truth, which the earlier rules miss."""

import pytest

from bench.known_truth import words
from retainstream.engine.traps.gaps import FALSE_ALARMS


def test_a_risk_that_falls_over_a_third_of_the_customers_is_not_called_increasing() -> None:
    before, now = words.called_increasing(words.u_shape, 30)
    assert (before, now) == (1, 0)


def test_a_risk_that_rises_and_then_stays_is_called_increasing() -> None:
    assert words.called_increasing(words.plateau, 30) == (1, 1)


def test_the_linear_threshold_is_near_the_best_on_new_customers() -> None:
    own, cross_fitted, best = words.thresholds(6)
    assert own - best > 0.1
    assert abs(cross_fitted - best) < 0.06


def test_the_share_of_the_ceiling_is_the_share_of_pairs_ranked_by_the_truth() -> None:
    for share in (0.0, 0.5, 0.9):
        before, now = words.shares_of_ceiling(share)
        assert now == pytest.approx(share)
        assert before > share + 0.05


@pytest.mark.parametrize("gap", words.TELLING)
def test_a_gap_whose_customers_all_left_or_all_stayed_tells(gap: tuple[tuple[int, float], tuple[int, float]]) -> None:
    assert words.gaps_that_tell(*gap, 200) == (0, 1)


def test_gaps_unrelated_to_the_outcome_are_silent() -> None:
    _, now = words.gaps_that_tell((60, 0.2), (1_140, 0.2), 1_000, comparisons=20)
    assert now <= FALSE_ALARMS


def test_training_objects_to_a_gap_that_only_leavers_have_and_not_to_one_that_predicts() -> None:
    before, now = words.gaps_that_give_away(0.5, 0.0, 200)
    assert before < 0.05
    assert now == 1
    before, now = words.gaps_that_give_away(0.8, 0.2, 200)
    assert before > 0.3
    assert now == 0
