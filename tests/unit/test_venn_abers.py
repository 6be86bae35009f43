"""Intervals by isotonic regression: the pair of Venn–Abers, and the rates that a likelihood ratio test does not refute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlogy
from sklearn.isotonic import IsotonicRegression
from venn_abers import VennAbers

from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.venn_abers import intervals, venn_abers
from retainstream.engine.model.calibration import sigmoid

samples = st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=2, max_size=40)


def split(sample: list[tuple[int, bool]]) -> tuple[Floats, Outcomes]:
    return np.array([margin / 4 for margin, _ in sample]), np.array([left for _, left in sample])


def made(rows: int, seed: int) -> tuple[Floats, Outcomes]:
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1.5, 1.5, rows).round(3)
    return margins, rng.random(rows) < sigmoid(margins)


@pytest.mark.parametrize(("rows", "seed"), [(10, 0), (60, 1), (400, 2), (1_300, 3)])
def test_the_pair_is_that_of_the_package(rows: int, seed: int) -> None:
    margins, churned = made(rows, seed)
    asked = np.linspace(margins.min() - 1, margins.max() + 1, 501) + 1e-5
    own, between = sigmoid(margins), sigmoid(asked)
    package = VennAbers()
    package.fit(np.column_stack([1 - own, own]), churned.astype(int))
    _, pair = package.predict_proba(np.column_stack([1 - between, between]))
    found = venn_abers(margins, churned)
    place = np.searchsorted(found.x, asked, side="right")
    np.testing.assert_allclose(found.staying[place], pair[:, 0], atol=1e-9)
    np.testing.assert_allclose(found.leaving[place], pair[:, 1], atol=1e-9)


def likelihood(churned: Outcomes, rates: Floats) -> float:
    return float((xlogy(churned, rates) + xlogy(~churned, 1 - rates)).sum())


@given(sample=samples, asked=st.integers(-21, 21), rate=st.integers(1, 99))
def test_an_interval_holds_the_rates_that_the_likelihood_ratio_does_not_refute(
    sample: list[tuple[int, bool]], asked: int, rate: int
) -> None:
    margins, churned = split(sample)
    margin, chance = asked / 4 + 0.1, rate / 100
    regression = IsotonicRegression(y_min=0, y_max=1)
    best = likelihood(churned, regression.fit_transform(margins, churned.astype(float)))
    through = 0.0
    for side, limit in ((margins < margin, np.minimum), (margins > margin, np.maximum)):
        if side.any():
            through += likelihood(churned[side], limit(regression.fit_transform(margins[side], churned[side].astype(float)), chance))
    statistic = 2 * (best - through)
    found = intervals(margins, churned)
    step = int(np.searchsorted(found.x, margin, side="right"))
    if statistic < 2.286922 - 1e-3:
        assert found.low[step] - 1e-5 <= chance <= found.high[step] + 1e-5
    pair = venn_abers(margins, churned)
    place = int(np.searchsorted(pair.x, margin, side="right"))
    if statistic > 2.286922 + 1e-3 and not pair.staying[place] <= chance <= pair.leaving[place]:
        assert not found.low[step] + 1e-5 < chance < found.high[step] - 1e-5


@given(sample=samples)
def test_an_interval_holds_the_pair_of_venn_abers(sample: list[tuple[int, bool]]) -> None:
    margins, churned = split(sample)
    found, pair = intervals(margins, churned), venn_abers(margins, churned)
    asked = np.append(margins, [margins.min() - 1, margins.max() + 1]) + 0.1
    step, place = np.searchsorted(found.x, asked, side="right"), np.searchsorted(pair.x, asked, side="right")
    assert (np.array(found.low)[step] <= pair.staying[place] + 1e-6).all()
    assert (np.array(found.high)[step] >= pair.leaving[place] - 1e-6).all()


def test_many_rows_have_few_steps_and_wide_ends() -> None:
    margins, churned = made(30_000, 4)
    found = intervals(margins, churned)
    assert 100 < len(found.low) <= 200
    assert (found.low[0], found.high[-1]) == (0, 1)
    widths = np.array(found.high) - np.array(found.low)
    typical = widths[np.searchsorted(found.x, margins, side="right")]
    assert np.quantile(typical, 0.5) < 0.06
    assert found == intervals(margins, churned)


def test_one_margin_or_one_outcome_is_enough() -> None:
    alike = intervals(np.zeros(50), np.arange(50) < 10)
    low, high = alike.around(np.array([0.0]), np.array([0.2]))
    assert 0 < low[0] < 0.2 < high[0] < 0.5
    stayed = intervals(np.linspace(-1, 1, 50), np.zeros(50, dtype=bool))
    assert set(stayed.low) == {0.0}
    assert stayed.high[0] < 0.05 < stayed.high[-1] == 1
