"""Realised and expected figures from counters, against the figures from the rows themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from retainstream.rollups.fold import counts_of_customer, counts_of_prediction, recount
from retainstream.rollups.performance import estimate, performance, realised
from retainstream.scoring.levels import level_of

chances = st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)


def customer(number: int, probability: float, churned: bool | None) -> dict[str, Any]:
    foreseen = {"outcome_prediction": {"probability": probability, "level": level_of(probability, 0.4)}}
    return {
        "customer_id": str(number),
        "group": ("basic", "premium")[number % 2],
        **({} if churned is None else {"churned": churned}),
        **(foreseen if churned is not None else {}),
    }


def prediction(number: int, probability: float) -> dict[str, Any]:
    return {
        "customer_id": str(number),
        "group": ("basic", "premium")[number % 2],
        "churned": False,
        "probability": probability,
        "level": level_of(probability, 0.4),
        "margin": 0.5,
        "base_margin": 0.0,
        "base_probability": 0.2,
        "value_at_risk": 1.0,
        "contributions": {"payment_failures": 0.5},
    }


@given(outcomes=st.lists(st.tuples(chances, st.booleans()), min_size=1, max_size=60))
def test_realised_figures_are_those_of_the_rows(outcomes: list[tuple[float, bool]]) -> None:
    rows = [customer(number, probability, churned) for number, (probability, churned) in enumerate(outcomes)]
    found = realised(recount(counts_of_customer, [*rows, customer(99, 0.5, None)]))
    assert found
    probabilities = np.array([probability for probability, _ in outcomes])
    churned = np.array([left for _, left in outcomes])
    called = probabilities >= 0.4
    assert found.customers == len(outcomes)
    assert found.churners == churned.sum()
    assert found.confusion.true_positives == (called & churned).sum()
    assert found.confusion.false_positives == (called & ~churned).sum()
    assert found.confusion.false_negatives == (~called & churned).sum()
    assert found.brier == pytest.approx(float(np.mean((probabilities - churned) ** 2)), abs=1e-9)
    if churned.any() and not churned.all():
        binned = np.minimum(np.floor(probabilities * 20 + 1e-9), 19)
        assert found.roc_auc == pytest.approx(roc_auc_score(churned, binned))
    else:
        assert found.roc_auc is None
    assert (found.precision is None) == (not called.any())
    assert (found.recall is None) == (not churned.any())


def test_the_estimate_is_right_where_probabilities_are() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.beta(1.2, 3, 40_000).round(6)
    churned = rng.random(40_000) < probabilities
    found = estimate(recount(counts_of_prediction, (prediction(number, float(p)) for number, p in enumerate(probabilities))))
    assert found
    assert found.customers == 40_000
    assert found.churners == pytest.approx(probabilities.sum(), abs=0.1)
    assert found.roc_auc == pytest.approx(roc_auc_score(churned, probabilities), abs=0.01)
    assert found.brier == pytest.approx(float(np.mean((probabilities - churned) ** 2)), abs=0.005)
    called = probabilities >= 0.4
    assert found.precision == pytest.approx(churned[called].mean(), abs=0.02)
    assert found.recall == pytest.approx((called & churned).sum() / churned.sum(), abs=0.02)


def test_nothing_recorded_is_no_figure() -> None:
    assert realised({}) is None
    assert estimate({}) is None
    assert realised(recount(counts_of_customer, [customer(1, 0.5, None)])) is None


def test_held_out_figures_come_from_the_record() -> None:
    record = {"version": "v", "synthetic": False, "metrics": {"roc_auc": 0.7}}
    view = performance(record, {}, {})
    assert view.held_out.ceiling is None
    assert view.held_out.synthetic is False
    assert view.held_out.metrics == {"roc_auc": 0.7}
