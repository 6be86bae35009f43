"""Realised and expected figures from counters, against the figures from the rows themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, f1_score, log_loss, precision_score, recall_score, roc_auc_score

from retainstream.dashboard.fold import counts_of_customer, recount
from retainstream.dashboard.performance import estimate, held_out, realised
from retainstream.engine.model.levels import level_of
from retainstream.engine.monitoring.score_bins import score_bin_of
from tests.made_lives import outcome, seen

chances = st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)


def customer(number: int, probability: float, churned: bool | None) -> dict[str, Any]:
    foreseen = {"outcome_prediction": {"probability": probability, "level": level_of(probability, 0.4)}}
    return {
        "customer_id": str(number),
        "group": ("basic", "premium")[number % 2],
        "life": seen() if churned is None else outcome(churned),
        **(foreseen if churned is not None else {}),
    }


@given(outcomes=st.lists(st.tuples(chances, st.booleans()), min_size=1, max_size=120))
def test_realised_figures_are_those_of_the_rows(outcomes: list[tuple[float, bool]]) -> None:
    rows = [customer(number, probability, churned) for number, (probability, churned) in enumerate(outcomes)]
    found = realised(recount(counts_of_customer, [*rows, customer(99, 0.5, None)]))
    assert found
    probabilities = np.array([probability for probability, _ in outcomes])
    churned = np.array([left for _, left in outcomes])
    called = probabilities >= 0.4
    assert found.customers == len(outcomes)
    assert found.churners == churned.sum()
    assert found.confusion
    assert found.confusion.true_positives == (called & churned).sum()
    assert found.confusion.false_positives == (called & ~churned).sum()
    assert found.confusion.false_negatives == (~called & churned).sum()
    if churned.all():
        assert "only customers who left" in found.basis
        assert [found.churn_rate, found.precision, found.f1, found.brier, found.log_loss] == [None] * 5
    else:
        assert "share who left are not shown" not in found.basis
        assert found.churn_rate == pytest.approx(churned.mean())
        assert found.brier == pytest.approx(float(np.mean((probabilities - churned) ** 2)), abs=1e-9)
        assert (found.precision is None) == (not called.any())
    assert ("fewer than 100 customers" in found.basis) == (len(outcomes) < 100)
    if churned.any() and not churned.all():
        assert found.roc_auc == pytest.approx(roc_auc_score(churned, [score_bin_of(float(p)) for p in probabilities]))
    else:
        assert found.roc_auc is None
    assert (found.recall is None) == (not churned.any())


def test_many_realised_outcomes_give_scikit_learns_figures() -> None:
    rng = np.random.default_rng(1)
    for rarity in (3, 40):
        probabilities = rng.beta(1.2, rarity, 20_000).round(6)
        churned = rng.random(20_000) < probabilities
        outcomes = zip(probabilities.tolist(), churned.tolist(), strict=True)
        found = realised(recount(counts_of_customer, (customer(number, p, left) for number, (p, left) in enumerate(outcomes))))
        assert found
        assert found.roc_auc == pytest.approx(roc_auc_score(churned, probabilities), abs=0.0005)
        assert found.log_loss == pytest.approx(log_loss(churned, probabilities), abs=0.0005)
        assert found.brier == pytest.approx(brier_score_loss(churned, probabilities), abs=1e-9)
        called = probabilities >= 0.4
        assert (found.precision or 0.0) == pytest.approx(precision_score(churned, called, zero_division=0))
        assert found.recall == pytest.approx(recall_score(churned, called))
        assert found.f1 == pytest.approx(f1_score(churned, called))
        assert found.synthetic is False


@pytest.mark.parametrize(("stayed", "waiting", "shown"), [(0, 0, False), (0, 5, False), (4, 5, False), (5, 5, True), (9, 0, True)])
def test_what_rests_on_the_share_who_left_is_shown_once_those_who_stayed_are_judged(stayed: int, waiting: int, shown: bool) -> None:
    rows = [customer(number, 0.6, number < 128) for number in range(128 + stayed)]
    rows += [{"customer_id": f"w{number}", "group": "basic", "life": outcome(False)} for number in range(waiting)]
    found = realised(recount(counts_of_customer, rows))
    assert found
    assert (found.customers, found.churners, found.recall) == (128 + stayed, 128, 1.0)
    assert found.churn_rate == (pytest.approx(128 / (128 + stayed)) if shown else None)
    assert ("share who left are not shown" in found.basis) is not shown
    assert (f"at that time: {waiting}" in found.basis) == (waiting > 0)


def test_outcomes_of_generated_customers_are_called_synthetic() -> None:
    real, generated = customer(1, 0.3, True), customer(2, 0.6, False) | {"source": "synthetic"}
    found = [realised(recount(counts_of_customer, rows)) for rows in ([real], [real, generated])]
    assert [view.synthetic for view in found if view] == [False, True]


def test_nothing_recorded_is_no_figure() -> None:
    assert realised({}) is None
    assert estimate(None) is None
    run: Any = {"run_id": "r", "result": {"estimate": None}}
    assert estimate(run) is None
    assert realised(recount(counts_of_customer, [customer(1, 0.5, None)])) is None


def test_held_out_figures_come_from_the_record() -> None:
    record: Any = {"version": "v", "synthetic": False, "metrics": {"roc_auc": 0.7}}
    view = held_out(record)
    assert view.ceiling is None
    assert view.synthetic is False
    assert view.metrics == {"roc_auc": 0.7}
