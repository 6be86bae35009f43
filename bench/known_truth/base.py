"""The base of the reasons beside the truth: the mean score, and interventional Shapley values of the same model."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import xgboost
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.learning.additive import LinearFit, merged, started_from
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.synthetic import generate
from retainstream.engine.learning.trees import TreeSettings, fit_rounds, parameters, quantile_matrix
from retainstream.engine.model.encoding import Rows, encode
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import default_schema

type Floats = NDArray[np.float64]

SCHEMA = default_schema()
SETTINGS, ROUNDS = TreeSettings(2, 0.1, linear=8.0), 70
CUSTOMERS, TABLES = 10_000, 20
EXPLAINED, BACKGROUND = 40, 500
KEPT = {"6%": 0.3, "18%": 1.0}
"""The share of generated churners that a table keeps, by the churn rate that follows."""


@dataclass(frozen=True)
class Bases:
    """Figures in log-odds: the base before and after, the mean raw score, the largest mean contribution of a column, and the root mean
    square distance of the contributions from interventional values."""

    before: float
    after: float
    mean: float
    tilt_before: float
    tilt_after: float
    distance_before: float
    distance_after: float


def bases(churn: str, seed: int, *, customers: int = CUSTOMERS, explained: int = EXPLAINED, background: int = BACKGROUND) -> Bases:
    """Figures of one model, fitted to generated customers with this churn rate (a key of `KEPT`)."""
    rng = np.random.default_rng([seed, 1])
    base = generate(customers, seed)
    drawn = ~base.churned | (rng.random(customers) < KEPT[churn])
    rows, churned = encode(SCHEMA, list(base.features()))[drawn], base.churned[drawn]
    booster = covered_by_hessians(rows, churned)
    before, after = _model(booster), _model(counted(booster, SCHEMA.features, rows))
    exact = interventional(before, rows[:explained], rng.choice(rows, background, replace=False))
    scored = [(model.explain(rows), model.explain(rows[:explained])) for model in (before, after)]
    tilts = [float(np.abs(of_all.contributions.mean(axis=0)).max()) for of_all, _ in scored]
    distances = [float(np.sqrt(((of_some.contributions - exact) ** 2).mean())) for _, of_some in scored]
    return Bases(scored[0][0].base_margin, scored[1][0].base_margin, float(before.margins(rows).mean()), *tilts, *distances)


def covered_by_hessians(rows: Rows, churned: NDArray[np.bool_]) -> xgboost.Booster:
    """What the earlier version did: the fitted trees as they are, with XGBoost's sums of hessians as covers."""
    stage = LinearFit(SCHEMA.features, rows, churned).stage(SETTINGS.linear or 0.0)
    learned = quantile_matrix(SCHEMA.features, rows, churned, threads=1)
    learned.set_base_margin(started_from(stage, rows))
    return merged([(stage, fit_rounds(parameters(SCHEMA.features, SETTINGS, seed=0, threads=1), learned, ROUNDS))])


def interventional(model: ScoringModel, rows: Rows, background: Rows) -> Floats:
    """Exact Shapley values (n, features) of the margin, where unknown columns take the values of each background row in turn.

    All coalitions are formed (Shapley 1953; Janzing, Minorics & Blöbaum 2020 for the interventional worth of a coalition).
    """
    columns = range(rows.shape[1])
    worth: dict[frozenset[int], Floats] = {}
    for size in range(len(columns) + 1):
        for known in combinations(columns, size):
            mixed = np.repeat(background[None], len(rows), axis=0)
            mixed[:, :, known] = rows[:, None, known]
            worth[frozenset(known)] = model.margins(mixed.reshape(-1, rows.shape[1])).reshape(len(rows), -1).mean(axis=1)
    values = np.zeros(rows.shape)
    for coalition, worth_before in worth.items():
        for column in set(columns) - coalition:
            rise = worth[coalition | {column}] - worth_before
            values[:, column] += rise / (len(columns) * comb(len(columns) - 1, len(coalition)))
    return values


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of the base."""
    tables = repetitions or TABLES
    figures = []
    for churn in KEPT:
        models = [bases(churn, seed) for seed in range(tables)]
        before, after, mean, *others = np.mean([list(vars(model).values()) for model in models], axis=0)
        for name, old, new, truth, source in (
            ("base of the reasons, log-odds", before, after, f"{mean:.3f}", "mean raw score; Lundberg 2020, engine/learning/row_counts.py"),
            ("largest mean contribution of a column, log-odds", *others[:2], "0", "engine/learning/row_counts.py"),
            ("distance of reasons from interventional values, log-odds", *others[2:], "0", "all coalitions; Janzing 2020"),
        ):
            figures.append(Row(f"{name}, at {churn} churn", f"{old:.3f}", f"{new:.3f}", truth, tables, source))
    return figures


def _model(booster: xgboost.Booster) -> ScoringModel:
    return ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, SCHEMA, threshold=0.5, version="v")
