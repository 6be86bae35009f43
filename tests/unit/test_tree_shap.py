"""Contributions from tables are those of XGBoost and of shap, whatever the model and the rows."""

import math
import time
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import shap
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retainstream.engine.learning.additive import LinearStage, Term, merged
from retainstream.engine.model.contributions import LEAST_BLOCK, WORTH_TABLES, Contributions
from retainstream.engine.model.model import Explained
from retainstream.engine.model.reasons import strongest
from retainstream.engine.model.tree_shap import block, few_rows
from retainstream.engine.model.tree_shap.block import CompiledForest
from retainstream.engine.model.tree_shap.forest import NoTables, read_forest
from retainstream.engine.model.tree_shap.patterns import pattern_values

type Rows = NDArray[np.float32]


def matrix(rows: Rows, kinds: list[str], **more: Any) -> xgboost.DMatrix:
    return xgboost.DMatrix(rows, feature_types=kinds, enable_categorical=True, nthread=1, **more)


@st.composite
def models(draw: st.DrawFn) -> tuple[xgboost.Booster, Rows, list[str]]:
    """A booster on columns of all kinds, and rows like those it learned from."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = draw(st.one_of(st.integers(1, 8), st.integers(9, 60)))
    count = draw(st.sampled_from([30, 120, 400]))
    kinds = [draw(st.sampled_from(["c", "q", "q"])) for _ in range(min(columns, 8))] + ["q"] * max(0, columns - 8)
    levels = draw(st.sampled_from([2, 5, 12, 40]))
    coarse = draw(st.booleans())
    rows = rng.normal(size=(count, columns)).astype(np.float32) * np.float32(draw(st.sampled_from([1.0, 1e-30, 1e30])))
    if coarse:
        rows = np.round(rows / np.abs(rows).max() * 4).astype(np.float32)
    for place, kind in enumerate(kinds):
        if kind == "c":
            rows[:, place] = rng.integers(0, levels, count)
    rows[rng.random(rows.shape) < draw(st.sampled_from([0.0, 0.1, 0.5]))] = np.nan
    used = rng.normal(size=columns) * (rng.random(columns) < 0.6)
    ranks = np.nan_to_num(rows, nan=0.3).argsort(axis=0).argsort(axis=0) / count
    left = rng.random(count) < 1 / (1 + np.exp(4 - 8 * np.sin(3 * ranks * used).mean(axis=1, keepdims=False) - 2))
    settings_ = {
        "objective": draw(st.sampled_from(["binary:logistic", "reg:squarederror"])),
        "max_depth": draw(st.integers(1, 8)),
        "eta": draw(st.sampled_from([0.05, 0.3, 1.0])),
        "min_child_weight": draw(st.sampled_from([0.0, 0.5, 4.0])),
        "gamma": draw(st.sampled_from([0.0, 0.0, 1.0, 1e9])),
        "lambda": draw(st.sampled_from([0.0, 1.0])),
        "max_cat_to_onehot": draw(st.sampled_from([1, 100])),
        "tree_method": "hist" if "c" in kinds else draw(st.sampled_from(["hist", "exact"])),
        "max_bin": draw(st.sampled_from([4, 256])),
        "seed": 0,
        "nthread": 1,
    }
    booster = xgboost.train(settings_, matrix(rows, kinds, label=left), draw(st.integers(1, 12)))
    if draw(st.booleans()):
        booster = with_linear_stage(booster, rows, kinds, rng)
    return booster, rows, kinds


def with_linear_stage(booster: xgboost.Booster, rows: Rows, kinds: list[str], rng: np.random.Generator) -> xgboost.Booster:
    """The booster behind trees of one column each, as the product's linear stage has them."""
    terms = []
    for place in rng.permutation(rows.shape[1])[:3].tolist():
        if len(np.unique(rows[~np.isnan(rows[:, place]), place])) > 1:
            step = {"objective": "reg:squarederror", "base_score": 0.0, "max_depth": 6, "eta": 1.0, "lambda": 0.0, "min_child_weight": 0.0}
            column = matrix(rows[:, [place]], [kinds[place]], label=rng.normal(size=len(rows)))
            terms.append(Term(place, xgboost.train({**step, "nthread": 1, "max_cat_to_onehot": 1}, column, 1), kinds[place]))
    return merged([(LinearStage(-0.7, tuple(terms)), booster)])


def awkward(booster: xgboost.Booster, rows: Rows, kinds: list[str], rng: np.random.Generator) -> Rows:
    """Rows with values on thresholds and next to them, missing ones, extremes, and categories that nobody has met."""
    thresholds: dict[int, list[float]] = {}
    splits = booster.trees_to_dataframe().dropna(subset=["Split"])
    for feature, split in zip(splits["Feature"], splits["Split"], strict=True):
        thresholds.setdefault(int(feature[1:]), []).append(float(split))
    made = rows[rng.integers(0, len(rows), 40)].copy()
    largest = np.finfo(np.float32).max
    for place, kind in enumerate(kinds):
        if kind == "c":
            values = np.array([0, 1, 5, 39, 40, 63, 64, 1000], dtype=np.float32)
        else:
            at = np.array(thresholds.get(place, [0.0]), dtype=np.float32)
            around = [at, np.nextafter(at, -largest), np.nextafter(at, largest)]
            values = np.concatenate([*around, np.array([0.0, -0.0, largest, -largest, 1e-45], dtype=np.float32)])
        chosen = rng.random(len(made)) < 0.6
        made[chosen, place] = rng.choice(values, chosen.sum())
    made[rng.random(made.shape) < 0.1] = np.nan
    return made


def scale(contributions: NDArray[Any]) -> float:
    return max(1.0, float(np.abs(contributions).max(initial=0)))


@settings(max_examples=60, deadline=None)
@given(model=models(), seed=st.integers(0, 2**32 - 1), branch=st.sampled_from([4, 64, 1024]), group=st.sampled_from([4, 256, 4096]))
def test_tables_give_the_contributions_of_xgboost_and_shap(
    model: tuple[xgboost.Booster, Rows, list[str]], seed: int, branch: int, group: int
) -> None:
    booster, rows, kinds = model
    judged = awkward(booster, rows, kinds, np.random.default_rng(seed))
    expected = booster.predict(matrix(judged, kinds), pred_contribs=True, strict_shape=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "_BRANCH_CELLS", branch)
        patch.setattr(block, "_GROUP_CELLS", group)
        patch.setattr(block, "ROWS_AT_ONCE", 17)
        tables = CompiledForest.of(read_forest(booster))
        found = tables.contributions(judged)
    allowed = 1e-5 * scale(expected)
    np.testing.assert_allclose(found, expected[:, :-1], atol=allowed, rtol=0)
    if tables.side_by_side:
        np.testing.assert_allclose(tables.side_by_side.contributions(judged), expected[:, :-1], atol=allowed, rtol=0)
    np.testing.assert_allclose(np.full(len(judged), tables.forest.base), expected[:, -1], atol=allowed, rtol=0)
    margin = booster.predict(matrix(judged, kinds), output_margin=True)
    np.testing.assert_allclose(tables.forest.base + found.sum(axis=1), margin, atol=allowed * 2, rtol=0)
    theirs = np.asarray(shap.TreeExplainer(booster).shap_values(matrix(judged, kinds), check_additivity=False))
    np.testing.assert_allclose(found, theirs, atol=allowed, rtol=0)


@settings(max_examples=40, deadline=None)
@given(value=st.floats(-2, 2), shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_patterns_are_shapley_values_by_their_definition(value: float, shares: list[float]) -> None:
    k = len(shares)
    found = pattern_values(np.array([value]), np.array([shares]))[0]
    for pattern in {0, 1, 2**k - 1, 0b10110101 % 2**k}:
        follows = [pattern >> column & 1 for column in range(k)]

        def worth(known: frozenset[int], follows: list[int] = follows) -> float:
            return value * math.prod(follows[column] if column in known else shares[column] for column in range(k))

        for column in range(k):
            others = [other for other in range(k) if other != column]
            expected = sum(
                math.factorial(size)
                * math.factorial(k - size - 1)
                / math.factorial(k)
                * (worth(frozenset({*chosen, column})) - worth(frozenset(chosen)))
                for size in range(k)
                for chosen in combinations(others, size)
            )
            assert found[pattern, column] == pytest.approx(expected, abs=1e-12)


def some_model(rows: int = 3000, columns: int = 5, **more: Any) -> tuple[xgboost.Booster, Rows]:
    rng = np.random.default_rng(5)
    made = rng.normal(size=(rows, columns)).astype(np.float32)
    left = rng.random(rows) < 1 / (1 + np.exp(-made[:, 0] - made[:, 1:].prod(axis=1)))
    given_ = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1, **more}
    given_ = {name: value for name, value in given_.items() if value is not None}
    return xgboost.train(given_, matrix(made, ["q"] * columns, label=left), 10), made


class Watched:
    """A booster's contributions, and which rows went to XGBoost."""

    def __init__(self, booster: xgboost.Booster, columns: int) -> None:
        self.walked: list[int] = []

        def watched(rows: Rows) -> xgboost.DMatrix:
            self.walked.append(len(rows))
            return matrix(rows, ["q"] * columns)

        self.contributions = Contributions(booster, watched)


def test_tables_are_made_once_and_only_when_blocks_are_worth_them() -> None:
    booster, rows = some_model()
    watched = Watched(booster, 5)
    expected, base = watched.contributions.of(rows[: WORTH_TABLES - 1])
    assert watched.walked == [WORTH_TABLES - 1]
    found, same = watched.contributions.of(rows[: WORTH_TABLES - 1])
    assert watched.walked[1:] == [64], "some rows are compared when the tables are made"
    watched.contributions.of(rows)
    watched.contributions.of(rows[:LEAST_BLOCK])
    assert len(watched.walked) == 2
    watched.contributions.of(rows[:1])
    assert watched.walked[2:] == [1], "one row is walked where nobody asks for one again and again"
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert same == pytest.approx(base, abs=1e-6)


def test_a_process_that_is_asked_again_and_again_has_the_tables_made_aside() -> None:
    booster, rows = some_model()
    watched = Watched(booster, 5)
    expected, base = watched.contributions.of(rows[:1])
    until = time.monotonic() + 60
    while watched.walked:
        assert time.monotonic() < until
        watched.walked.clear()
        found, same = watched.contributions.of(rows[:1])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert same == pytest.approx(base, abs=1e-6)


def test_few_rows_are_looked_up_as_blocks_are() -> None:
    booster, rows = some_model(columns=12)
    rows[::7, 3] = np.nan
    watched = Watched(booster, 12)
    expected, _ = watched.contributions.walked(rows[:150])
    watched.contributions.prepare(rows[:1])
    watched.walked.clear()
    found, _ = watched.contributions.of(rows[:150])
    assert watched.walked == []
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="infinite"):
        watched.contributions.of(np.full((1, 12), np.inf, np.float32))


def test_tables_too_large_for_few_rows_leave_them_to_the_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "MOST_BYTES", 10)
    booster, rows = some_model()
    watched = Watched(booster, 5)
    watched.contributions.prepare(rows)
    watched.walked.clear()
    watched.contributions.of(rows[:3])
    assert watched.walked == [3]


def test_no_rows_have_no_contributions() -> None:
    booster, rows = some_model()
    values, _ = Watched(booster, 5).contributions.of(rows[:0])
    assert values.shape == (0, 5)
    assert CompiledForest.of(read_forest(booster)).contributions(rows[:0]).shape == (0, 5)


def test_trees_with_weights_count_by_them() -> None:
    with pytest.warns(UserWarning, match="dart"):
        booster, rows = some_model(booster="dart", rate_drop=0.5)
    expected = booster.predict(matrix(rows, ["q"] * 5), pred_contribs=True)
    np.testing.assert_allclose(CompiledForest.of(read_forest(booster)).contributions(rows), expected[:, :-1], atol=1e-5)


@pytest.mark.parametrize(
    ("columns", "more"),
    [
        (5, {"booster": "gblinear", "max_depth": None}),
        (12, {"max_depth": 12, "min_child_weight": 0.0, "learning_rate": 1.0, "colsample_bynode": 0.3}),
    ],
)
def test_a_model_without_tables_is_walked(columns: int, more: dict[str, Any]) -> None:
    booster, rows = some_model(columns=columns, **more)
    with pytest.raises(NoTables):
        CompiledForest.of(read_forest(booster))
    found, _ = Watched(booster, columns).contributions.of(rows)
    expected = booster.predict(matrix(rows, ["q"] * columns), pred_contribs=True)
    np.testing.assert_array_equal(found, expected[:, :-1])


def test_tables_beyond_the_bound_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    booster, rows = some_model()
    monkeypatch.setattr(block, "_MOST_CELLS", 1000)
    with pytest.raises(NoTables):
        CompiledForest.of(read_forest(booster))
    assert Watched(booster, 5).contributions.tables(rows) is None


def test_tables_that_do_not_agree_with_the_trees_are_not_used(caplog: pytest.LogCaptureFixture) -> None:
    booster, rows = some_model()
    other, _ = some_model(max_depth=3)
    contributions = Contributions(booster, lambda given_: matrix(given_, ["q"] * 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(booster, "save_raw", other.save_raw)
        assert contributions.tables(rows) is None
    assert "do not agree" in caplog.text
    expected = booster.predict(matrix(rows, ["q"] * 5), pred_contribs=True)
    np.testing.assert_array_equal(contributions.of(rows)[0], expected[:, :-1])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused_as_xgboost_does(value: float) -> None:
    booster, rows = some_model()
    contributions = Watched(booster, 5).contributions
    contributions.of(rows)
    rows = rows.copy()
    rows[7, 2] = value
    with pytest.raises(ValueError, match="infinite"):
        contributions.of(rows)
    with pytest.raises(ValueError, match="inf"):
        contributions.of(rows[:10])


def test_a_row_has_the_same_contributions_in_any_block() -> None:
    booster, rows = some_model()
    tables = CompiledForest.of(read_forest(booster))
    whole = tables.contributions(np.tile(rows, (6, 1)))
    assert len(whole) > 2 * block.ROWS_AT_ONCE
    for start, stop in ((0, 1), (0, 3000), (8191, 8194), (17_990, 18_000)):
        np.testing.assert_array_equal(whole[start:stop], tables.contributions(np.tile(rows, (6, 1))[start:stop]))
    np.testing.assert_array_equal(tables.contributions(np.asfortranarray(rows)), whole[:3000])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), columns=st.integers(1, 60), rows=st.sampled_from([1, 199, 200, 9000]))
def test_the_strongest_columns_come_first_and_equal_ones_in_their_order(seed: int, columns: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).round(int(rng.integers(0, 4)))
    values[rng.random(values.shape) < 0.3] = 0.0
    slope = rng.random(rows)
    found = strongest(Explained(slope, slope, values, slope, 0.0, 0.5))
    expected = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(found.columns, expected)
    np.testing.assert_array_equal(found.contributions, np.take_along_axis(values, expected, axis=1))
    np.testing.assert_allclose(found.points, 100 * found.contributions * slope[:, None])
