"""The threshold and the expected churners against known probabilities. Each bound is one that the rule of earlier releases breaks."""

import pytest

from bench.known_truth.threshold import CHEAP, DEAR, coverage, profit_lost, steadiness
from retainstream.engine.schema import Money


@pytest.mark.parametrize("money", [CHEAP, DEAR], ids=["cheap", "dear"])
def test_the_threshold_loses_little_of_the_profit_that_is_to_be_had(money: Money) -> None:
    lost = profit_lost(money, 12)
    assert lost.before > 0.07
    assert lost.after < 0.05


@pytest.mark.parametrize(("money", "capacity"), [(CHEAP, 0), (DEAR, 0), (None, 250), (None, 0)])
def test_the_threshold_and_the_list_hardly_move_between_versions(money: Money | None, capacity: int) -> None:
    before, after = steadiness(money, capacity, 40)
    assert before.threshold > 0.15 * before.mean_threshold
    assert before.size > 0.15 * before.mean_size
    assert after.threshold < 0.05 * after.mean_threshold
    assert after.size < 0.1 * after.mean_size


def test_a_team_with_a_capacity_calls_as_many_as_it_can() -> None:
    _, after = steadiness(None, 250, 40)
    assert after.mean_size == pytest.approx(0.025, rel=0.05)


@pytest.mark.parametrize(("rows", "periods"), [(3_000, 1), (12_000, 12)])
def test_the_interval_of_the_expected_churners_holds_the_number_who_left(rows: int, periods: int) -> None:
    share = coverage(rows, periods, 150)
    assert share.before < 0.85
    assert 0.91 <= share.after <= 0.99  # 95 %, and the chance of 150 samples
