"""Monthly rounds on a generated business: the product's probabilities stay at the true level, and the old routine's do not."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pages import between
from bench.twelve_months import FILE, PAGE, Month, expected_auc, markdown, measure, misses


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 4)), min_size=2, max_size=12))
def test_the_expected_auc_is_that_of_all_pairs(customers: list[tuple[float, int]]) -> None:
    truth, scores = (np.array(values, dtype=np.float64) for values in zip(*customers, strict=True))
    pairs = [(i, j) for i in range(len(truth)) for j in range(len(truth)) if i != j]
    weights = np.array([truth[i] * (1 - truth[j]) for i, j in pairs])
    above = np.array([(scores[i] > scores[j]) + (scores[i] == scores[j]) / 2 for i, j in pairs])
    assert expected_auc(truth, scores) == pytest.approx((weights @ above) / weights.sum())


def test_probabilities_stay_at_the_true_level_month_after_month() -> None:
    months = list(measure(2_500, rounds=3, seconds=0.2))
    assert [month["product"]["split"] for month in months] == ["customers", "customers", "time"]
    for month in months:
        assert 0.8 < month["product"]["expected"] / month["true_leavers"] < 1.25
        assert month["product"]["ece"] < 0.02
        assert month["product"]["auc"] > month["best_auc"] - 0.05
    old = [month["old"]["expected"] / month["true_leavers"] for month in months]
    assert old[-1] > 1.7
    assert sorted(old) == old


def test_every_miss_is_stated() -> None:
    product = {"rows": 1, "split": "time", "expected": 100.0, "ece": 0.01, "reported_auc": 0.8, "auc": 0.8}
    good: Month = {"anchor": "2026-01-31", "customers": 10, "true_leavers": 100.0, "best_auc": 0.8, "product": product, "old": product}  # type: ignore[typeddict-item]
    assert misses([good]) == []
    bad: Month = {**good, "product": {**product, "expected": 108.0, "ece": 0.04, "reported_auc": 0.83}}  # type: ignore[typeddict-item]
    assert len(misses([good, bad])) == 3
    assert all(sentence.startswith("2026-01-31: ") for sentence in misses([bad]))


def test_the_page_shows_the_months_that_were_measured() -> None:
    page = PAGE.read_text()
    if FILE.exists():
        assert between(page, "twelve_months", markdown(json.loads(FILE.read_text()))) == page
