"""Money beside the truth, with fewer samples than `python -m bench.known_truth`."""

from functools import cache

import numpy as np
import pytest

from bench.known_truth import money as truth
from bench.made_models import Shape
from retainstream.engine.model.money import months_kept, offer_value, value_at_risk
from retainstream.engine.schema import Money

MONEY = Money(price="fee", margin=0.6, offer_cost=5, contact_cost=0.5, save_rate=0.2)


class TestMonthsKept:
    @pytest.mark.parametrize("probability", [0.02, 0.1, 0.3, 0.7])
    def test_is_what_saved_customers_stay(self, probability: float) -> None:
        simulated = truth.months_stayed(probability, 40_000, seed=1)
        chance = np.array([probability])
        assert float(months_kept(chance, truth.MONTHS, truth.HORIZON_DAYS)[0]) == pytest.approx(simulated, rel=0.015)
        assert float(truth.months_counted_before(chance)[0]) > simulated * 1.1

    def test_is_all_months_where_nobody_leaves_and_one_horizon_where_everybody_does(self) -> None:
        kept = months_kept(np.array([0.0, 1e-12, 1.0]), 12, 30)
        np.testing.assert_allclose(kept, [12, 12, 30 / 30.4375], rtol=1e-9)

    @pytest.mark.parametrize(("months", "days"), [(12, 30), (12, 90), (1, 90), (2, 45), (6, 7)])
    def test_falls_with_the_probability_and_never_exceeds_the_months(self, months: float, days: int) -> None:
        kept = months_kept(np.linspace(0, 1, 101), months, days)
        assert (np.diff(kept) <= 1e-12).all()
        assert kept.max() <= months


class TestOfferValue:
    def test_adds_up_the_four_outcomes(self) -> None:
        chance, price = 0.3, 20.0
        worth = price * 0.6 * float(months_kept(np.array([chance]), 12, 30)[0])
        saved, lost, stays = chance * 0.2, chance * 0.8, 1 - chance
        expected = saved * (worth - 5 - 0.5) + lost * -0.5 + stays * (-5 - 0.5)
        assert float(offer_value(MONEY, np.array([chance]), np.array([price]), horizon_days=30)[0]) == pytest.approx(expected)

    def test_takes_the_cost_and_save_rate_of_an_action(self) -> None:
        chances, prices = np.array([0.1, 0.4]), np.array([20.0, 30.0])
        dearer = offer_value(MONEY, chances, prices, horizon_days=30, cost=6)
        np.testing.assert_allclose(offer_value(MONEY, chances, prices, horizon_days=30) - dearer, 1 - chances + 0.2 * chances)
        better = offer_value(MONEY, chances, prices, horizon_days=30, save_rate=0.3)
        assert (better > offer_value(MONEY, chances, prices, horizon_days=30)).all()

    def test_is_unknown_without_a_price(self) -> None:
        chances, prices = np.array([0.1, 0.4]), np.array([20.0, np.nan])
        assert np.isnan(offer_value(MONEY, chances, prices, horizon_days=30)).tolist() == [False, True]
        assert value_at_risk(MONEY, chances, prices, horizon_days=30)[1] == 0

    def test_a_negative_price_puts_nothing_at_risk(self) -> None:
        chances, prices = np.array([0.4, 0.4, 0.4]), np.array([-30.0, 0.0, 30.0])
        at_risk = value_at_risk(MONEY, chances, prices, horizon_days=30)
        assert at_risk[:2].tolist() == [0, 0]
        assert at_risk[2] > 0
        offers = offer_value(MONEY, chances, prices, horizon_days=30)
        assert offers[0] == offers[1] < 0


@cache
def customers() -> truth.Scored:
    return truth.scored(5000, Shape("small", 120, 4))


class TestActions:
    def test_address_a_column_that_matters(self) -> None:
        here = customers()
        before, now = truth.actions_before(here), truth.actions_now(here)
        assert truth.share_under(here, before, points=3) > 0.2
        assert truth.share_under(here, now, points=3) < 0.01
        assert truth.share_strongest(here, before) < 0.75
        assert truth.share_strongest(here, now) > 0.9

    def test_earn_what_is_expected_of_them(self) -> None:
        here = customers()
        before, now = truth.actions_before(here), truth.actions_now(here)
        assert truth.value_earned(here, now, 100, seed=1) == pytest.approx(now.values.mean(), abs=0.06)
        assert truth.value_earned(here, before, 100, seed=1) < before.values.mean() / 5


class TestBestThreshold:
    def test_has_the_profit_of_other_customers(self) -> None:
        profits = truth.profits_of_best(200, tests=500, seed=1)
        assert profits.now == pytest.approx(profits.truth, abs=0.1)
        assert profits.before > profits.truth + 0.3


def test_value_at_risk_never_exceeds_the_margin_of_all_months() -> None:
    chances = np.linspace(0, 1, 101)
    value = value_at_risk(MONEY, chances, np.full(101, 20.0), horizon_days=30)
    assert value.max() <= 20 * 0.6 * 12
    assert (np.diff(value) >= -1e-9).all()
