"""The models that are measured: grown in a few seconds on synthetic customers, the same ones every time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import xgboost

from retainstream.engine.learning.synthetic import SyntheticBase, generate
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.schema import Column, FeatureSchema, default_schema

THRESHOLD = 0.4
_ROWS = 50_000


@dataclass(frozen=True)
class Shape:
    """Trees and columns of a model; `columns` None is the default schema's own (8, one of them a category)."""

    name: str
    trees: int
    depth: int
    columns: int | None = None

    def __str__(self) -> str:
        return f"{self.trees} trees of depth {self.depth}, {self.columns or len(default_schema().features)} columns"


SHALLOW = Shape("shallow", 200, 4)
DEEP = Shape("deep", 500, 6)
DEEPEST = Shape("deepest", 500, 8)
WIDE = Shape("wide", 200, 4, 50)
NUMBERS = Shape("numbers", 200, 4, 8)
DEEP_NUMBERS = Shape("deep numbers", 500, 6, 8)
TINY = Shape("tiny", 5, 2)
SHAPES = {shape.name: shape for shape in (SHALLOW, DEEP, DEEPEST, WIDE, NUMBERS, DEEP_NUMBERS, TINY)}


@dataclass(frozen=True)
class MadeModel:
    """A booster as it is stored, its schema, and customers like those it learned from."""

    shape: Shape
    schema: FeatureSchema
    booster: bytes

    def scoring(self) -> ScoringModel:
        return ScoringModel.from_bytes(
            self.booster, {"method": "none"}, self.schema, threshold=THRESHOLD, version=f"bench-{self.shape.name}"
        )

    def bare(self) -> xgboost.Booster:
        """The same booster, on one thread, without anything of ours around it."""
        loaded = xgboost.Booster()
        loaded.load_model(bytearray(self.booster))
        loaded.set_param({"nthread": 1})
        return loaded

    def rows(self, count: int, seed: int = 1) -> Rows:
        """Encoded customers that it has not seen; one in twenty values is missing where a value may be."""
        return _wide_rows(count, seed, self.shape.columns)[0] if self.shape.columns else _synthetic_rows(generate(count, seed))

    def customers(self, count: int, seed: int = 1) -> list[Mapping[str, Any]]:
        """Customers by their features. Only for the default schema."""
        return list(generate(count, seed).features())


@cache
def made(shape: Shape) -> MadeModel:
    """The model of a shape."""
    if shape.columns:
        schema = _wide_schema(shape.columns)
        rows, churned = _wide_rows(_ROWS, 0, shape.columns)
    else:
        base = generate(_ROWS, 0)
        schema, churned = default_schema(), base.churned
        rows = _synthetic_rows(base)
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            "max_depth": shape.depth,
            "eta": 0.05,
            "tree_method": "hist",
            "max_bin": 64,
            "nthread": 1,
            "seed": 0,
        },
        matrix(schema.features, rows, label=churned),
        shape.trees,
    )
    return MadeModel(shape, schema, bytes(booster.save_raw("ubj")))


def quick(shape: Shape) -> Shape:
    """A small relation of a shape."""
    return Shape(shape.name, 5, min(shape.depth, 3), shape.columns)


def _synthetic_rows(base: SyntheticBase) -> Rows:
    """The same as encoding them one by one, of which a million take their time."""
    schema = default_schema()
    columns = [
        np.array([column.levels.index(level) for level in base.columns[column.name]]) if column.levels else base.columns[column.name]
        for column in schema.features
    ]
    return np.column_stack(columns).astype(np.float32)


def _wide_schema(columns: int) -> FeatureSchema:
    measures = [Column(name=f"measure_{place}", kind="number", label=f"Measure {place}", missing=True) for place in range(columns)]
    plain = default_schema().model_dump(exclude={"columns", "group", "money"})
    return FeatureSchema.model_validate({**plain, "columns": [measure.model_dump() for measure in measures]})


def _wide_rows(count: int, seed: int, columns: int) -> tuple[Rows, Any]:
    """Numbers without meaning: correlated columns, of which every third bears on the outcome, some of them together."""
    rng = np.random.default_rng([seed, columns])
    common = rng.normal(size=(count, 1))
    rows = (rng.normal(size=(count, columns)) + 0.5 * common).astype(np.float32)
    weights = np.random.default_rng(columns).normal(size=columns) * (np.arange(columns) % 3 == 0)
    log_odds = rows @ weights * 0.6 + rows[:, 0] * rows[:, 3] * 0.5 - 1.5
    churned = rng.random(count) < 1 / (1 + np.exp(-log_odds))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows, churned
