"""The threshold of a candidate: by money, by capacity, by the base rate, and beside the champion's."""

from dataclasses import replace

import numpy as np
import pytest

from retainstream.engine.learning.threshold import NO_TEAM, Champion, Team, threshold_for, where_capacity_ends, where_offers_pay
from retainstream.engine.model.money import offer_value
from retainstream.engine.schema import FeatureSchema, Money, default_schema

RNG = np.random.default_rng(5)
PRICES = np.full(20_000, 30.0)
chances = 1 / (1 + np.exp(-RNG.normal(-3, 1.3, 20_000)))
CHEAP = Money(price="monthly_price", offer_cost=1.0, contact_cost=0.5, save_rate=0.3)
SCHEMA = default_schema()


def schema(money: Money | None) -> FeatureSchema:
    return SCHEMA.model_copy(update={"money": money})


def test_with_equal_prices_an_offer_pays_from_the_threshold_on() -> None:
    found = threshold_for(schema(CHEAP), chances, PRICES, NO_TEAM)
    assert found.rule["by"] == "money"
    worth = offer_value(CHEAP, chances, PRICES, horizon_days=30)
    assert (worth[chances >= found.levels.high] > 0).all()
    assert (worth[chances < found.levels.high - 1e-6] <= 0).all()


def test_no_single_threshold_has_a_higher_expected_profit_by_much() -> None:
    prices = np.exp(3 + 0.4 * RNG.normal(size=20_000) + 0.1 * np.log(chances / (1 - chances)))
    pays = where_offers_pay(CHEAP, chances, prices, horizon_days=30)
    assert pays is not None
    worth = offer_value(CHEAP, chances, prices, horizon_days=30)
    order = np.argsort(-chances)
    assert worth[chances >= pays].sum() >= 0.99 * np.cumsum(worth[order]).max()


def test_rows_without_a_price_play_no_part() -> None:
    prices = PRICES.copy()
    prices[::2] = np.nan
    expected = where_offers_pay(CHEAP, chances[1::2], PRICES[1::2], horizon_days=30)
    assert where_offers_pay(CHEAP, chances, prices, horizon_days=30) == expected
    assert where_offers_pay(CHEAP, chances, np.full(20_000, np.nan), horizon_days=30) is None


def test_where_nobody_reaches_the_probability_from_which_offers_pay_it_is_the_threshold_all_the_same() -> None:
    low = chances / 10
    pays = where_offers_pay(CHEAP.model_copy(update={"contact_cost": 6.0}), low, PRICES, horizon_days=30)
    assert pays is not None
    assert pays > low.max()


def test_without_money_and_where_no_offer_ever_pays_the_threshold_is_twice_the_base_rate() -> None:
    base_rate = chances.mean()
    dear = CHEAP.model_copy(update={"offer_cost": 500.0})
    for money in (None, dear):
        found = threshold_for(schema(money), chances, PRICES, NO_TEAM)
        assert found.rule["by"] == "base_rate"
        assert found.levels == pytest.approx((base_rate, 2 * base_rate, 4 * base_rate), abs=1e-6)


def test_where_half_of_all_leave_twice_the_base_rate_leaves_room_above() -> None:
    found = threshold_for(schema(None), np.full(100, 0.6), PRICES[:100], NO_TEAM)
    assert found.levels == pytest.approx((0.6, 0.8, 0.9))


def test_a_team_calls_as_many_as_it_can() -> None:
    found = threshold_for(schema(None), chances, PRICES, Team(capacity=250, customers=10_000))
    assert found.rule["by"] == "capacity"
    assert np.mean(chances >= found.levels.high) == pytest.approx(0.025, abs=1e-4)
    everybody = threshold_for(schema(None), chances, PRICES, Team(capacity=250, customers=100))
    assert everybody.levels.high == 0.01  # the lowest threshold there is


@pytest.mark.parametrize(("capacity", "by"), [(100, "capacity"), (9_000, "money")])
def test_with_money_and_a_capacity_the_higher_threshold_holds(capacity: int, by: str) -> None:
    found = threshold_for(schema(CHEAP), chances, PRICES, Team(capacity, 10_000))
    pays = where_offers_pay(CHEAP, chances, PRICES, horizon_days=30)
    ends = where_capacity_ends(chances, capacity / 10_000)
    assert pays
    assert found.rule["by"] == by
    assert found.levels.high == pytest.approx(max(pays, ends), abs=1e-6)


def test_a_champion_on_the_same_terms_is_left_by_half_of_the_way() -> None:
    alone = threshold_for(schema(CHEAP), chances, PRICES, NO_TEAM)
    champion = Champion(0.4, alone.rule)
    found = threshold_for(schema(CHEAP), chances, PRICES, Team(champion=champion))
    odds = np.sqrt(0.4 / 0.6 * alone.levels.high / (1 - alone.levels.high))
    assert found.levels.high == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert (found.rule["damped_from"], found.rule["undamped"]) == (0.4, alone.rule["undamped"])


@pytest.mark.parametrize(
    ("money", "capacity"),
    [(None, 0), (CHEAP, 300), (CHEAP.model_copy(update={"offer_cost": 1.5}), 0), (CHEAP.model_copy(update={"margin": 0.5}), 0)],
)
def test_on_other_terms_the_champion_plays_no_part(money: Money | None, capacity: int) -> None:
    champion = Champion(0.4, threshold_for(schema(CHEAP), chances, PRICES, NO_TEAM).rule)
    team = Team(capacity, 10_000, champion)
    found = threshold_for(schema(money), chances, PRICES, team)
    assert found == threshold_for(schema(money), chances, PRICES, replace(team, champion=None))
