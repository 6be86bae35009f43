"""Numbers for the levels of a category that has many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.dataset import key_of
from retainstream.engine.learning.many_levels import prior_rows
from retainstream.engine.learning.pairs import encoded, may_be_encoded
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.trees import TreeSettings, fit_rounds, parameters, quantile_matrix
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import FeatureSchema

STORES = 300


def schema(levels: int = STORES) -> FeatureSchema:
    columns = [
        {"name": "store", "label": "Store", "kind": "category", "levels": [f"Store {level}" for level in range(levels)], "missing": True},
        {"name": "age", "label": "Age", "kind": "number"},
    ]
    document = {"name": "made", "title": "Made", "id": {"column": "id"}, "label": {"column": "left", "positive": 1}, "horizon_days": 30}
    return FeatureSchema.model_validate({**document, "columns": columns})


def table(differ: float, rows: int = 6_000, seed: int = 0) -> tuple[Rows, np.ndarray, np.ndarray, np.ndarray]:
    """Rows, outcomes and keys of customers of stores that differ by this much, in log-odds; and how much each store differs."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, STORES + 1)
    store, effects = rng.choice(STORES, rows, p=frequency / frequency.sum()), rng.normal(0, differ, STORES)
    churned = rng.random(rows) < 1 / (1 + np.exp(1 - effects[store]))
    keys = np.array([key_of(str(row)) for row in range(rows)], dtype=np.uint64)
    return np.column_stack([store, rng.normal(40, 10, rows)]).astype(np.float32), churned, keys, effects


def test_a_column_of_many_levels_has_a_number() -> None:
    rows, churned, keys, effects = table(1.0)
    inputs, learned = encoded(schema(), rows, churned, keys, 0)
    assert [derived.places for derived in inputs.encodings] == [(0,)]
    assert [column.label for column in inputs.explained] == ["Store", "Age"]
    np.testing.assert_array_equal(learned[:, :2], rows)
    later = inputs.rows(rows)
    np.testing.assert_array_equal(later[:, :2], rows)
    for numbers in (learned[:, 2], later[:, 2]):
        assert np.corrcoef(numbers, effects[rows[:, 0].astype(int)])[0, 1] > 0.85


def test_a_column_that_says_nothing_has_numbers_that_hardly_differ() -> None:
    spreads = []
    for differ in (0.0, 1.0):
        rows, churned, keys, _ = table(differ)
        _, learned = encoded(schema(), rows, churned, keys, 0)
        spreads.append(float(learned[:, 2].std()))
        assert np.isnan(learned[:, 0]).all() == (differ == 0)
    assert spreads[0] < 0.1
    assert spreads[1] > 0.5


def test_an_unseen_and_a_missing_level_have_the_number_of_all_rows() -> None:
    rows, churned, keys, _ = table(1.0)
    inputs, _ = encoded(schema(STORES + 50), rows, churned, keys, 0)
    numbers = inputs.rows(np.array([[STORES + 7, 30], [np.nan, 30]], dtype=np.float32))[:, 2]
    assert numbers == pytest.approx([np.log(churned.mean() / (1 - churned.mean()))] * 2, abs=0.01)


@pytest.mark.parametrize(("levels", "may"), [(30, False), (31, True)])
def test_only_a_column_of_many_levels_has_a_number(levels: int, may: bool) -> None:
    assert may_be_encoded(schema(levels)) is may


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), left=st.floats(1, 20), stayed=st.floats(1, 40))
def test_rows_that_are_added_to_a_level_are_those_of_the_distribution_of_rates(seed: int, left: float, stayed: float) -> None:
    """Rates from a beta distribution are those that so many rows would give."""
    rng = np.random.default_rng(seed)
    count = rng.integers(5, 200, 1_500).astype(np.float64)
    churners = rng.binomial(count.astype(int), rng.beta(left, stayed, len(count))).astype(np.float64)
    assert prior_rows(count, churners) == pytest.approx(left + stayed, rel=0.35)


def test_levels_that_differ_by_chance_alone_have_most_rows_added() -> None:
    rng = np.random.default_rng(3)
    count = rng.integers(2, 60, 800)
    assert prior_rows(count.astype(np.float64), rng.binomial(count, 0.2).astype(np.float64)) > 100


def test_the_column_has_what_its_number_contributes() -> None:
    rows, churned, keys, effects = table(1.0, rows=3_000)
    inputs, learned = encoded(schema(), rows, churned, keys, 0)
    matrix_of = quantile_matrix(inputs.columns, learned, churned, threads=1)
    booster = fit_rounds(parameters(inputs.columns, TreeSettings(3, 0.1, encoded=True), seed=0, threads=1), matrix_of, 30)
    inputs.store(booster)
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, schema(), threshold=0.5, version="v")
    explained = model.explain(rows)
    assert explained.contributions.shape == (3_000, 2)
    np.testing.assert_allclose(explained.base_margin + explained.contributions.sum(axis=1), model.margins(rows), atol=1e-5)
    assert np.corrcoef(explained.contributions[:, 0], effects[rows[:, 0].astype(int)])[0, 1] > 0.7
    assert parity(model, rows).passed
