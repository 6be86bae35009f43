"""The expected maximum profit, against its definition."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution

from retainstream.engine.learning.emp import expected_maximum_profit
from retainstream.engine.learning.metrics import Floats, Outcomes


def by_definition(
    probabilities: Floats, churned: Outcomes, value: float, incentive: float, contact: float, alpha: float, beta: float
) -> tuple[float, float]:
    """∫ P(T(γ); γ) h(γ) dγ with P(t; γ) = (γ(V − d) − f)·π₀·F₀(t) − (d + f)·π₁·F₁(t), as the paper writes it, on a fine grid of γ."""
    thresholds = np.append(np.unique(probabilities), 2.0)
    leavers = np.array([(churned & (probabilities >= threshold)).mean() for threshold in thresholds])
    stayers = np.array([(~churned & (probabilities >= threshold)).mean() for threshold in thresholds])
    rates = (np.arange(200_000) + 0.5) / 200_000
    weights = beta_distribution(alpha, beta).pdf(rates) / 200_000
    best, contacted = np.full(len(rates), -np.inf), np.zeros(len(rates))
    for f0, f1 in zip(leavers, stayers, strict=True):
        profit = (rates * (value - incentive) - contact) * f0 - (incentive + contact) * f1
        contacted = np.where(profit > best, f0 + f1, contacted)
        best = np.maximum(profit, best)
    return float(best @ weights), float(contacted @ weights)


@pytest.mark.parametrize(("seed", "value", "incentive", "contact"), [(0, 200, 10, 1), (1, 40, 4, 0.5), (2, 12, 8, 0), (3, 3, 5, 1)])
def test_equals_the_definition_with_one_value_for_all(seed: int, value: float, incentive: float, contact: float) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(1, 6, 300).round(2)  # with ties
    churned = rng.random(300) < probabilities
    gained = np.where(churned, value - incentive, 0.0)
    spent = np.where(churned, 0.0, incentive) + contact
    for save_rate, alpha, beta in ((0.3, 6, 14), (0.2, 4, 16)):
        expected = by_definition(probabilities, churned, value, incentive, contact, alpha, beta)
        emp = expected_maximum_profit(probabilities, gained, spent, save_rate)
        assert (emp["profit"], emp["contacted"]) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_is_the_best_profit_where_the_save_rate_is_certain() -> None:
    rng = np.random.default_rng(4)
    probabilities = rng.random(200)
    gained = np.where(rng.random(200) < probabilities, 10 * rng.random(200), 0.0)
    spent = np.where(gained > 0, 0.5, 4.0)
    order = np.argsort(-probabilities)
    best = max(0.0, float(np.cumsum((gained - spent)[order]).max()) / 200)
    assert expected_maximum_profit(probabilities, gained, spent, 1.0)["profit"] == pytest.approx(best, abs=1e-4)


def test_is_nothing_where_no_offer_pays() -> None:
    emp = expected_maximum_profit(np.array([0.2, 0.4]), np.array([-1.0, 0.5]), np.array([2.0, 2.0]), 0.3)
    assert emp == {"profit": 0, "contacted": 0}
