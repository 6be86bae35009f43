"""Tables made for tests: clean ones of every shape, and traps to plant in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.tables.columnar import TextColumn, TextTable

type Columns = dict[str, list[str]]

LABEL = "churned"


@dataclass
class Made:
    """A table column by column, as text, with who left. The label is the last column."""

    columns: Columns
    churned: NDArray[np.bool_]
    rng: np.random.Generator

    def with_column(self, name: str, values: Iterable[Any]) -> TextTable:
        """The table with one more column before the label."""
        columns = {**self.columns, name: [str(value) for value in values]}
        columns[LABEL] = columns.pop(LABEL)
        return as_table(columns)

    def rows(self, chosen: Iterable[int]) -> Columns:
        """These rows, in this order."""
        places = list(chosen)
        return {name: [values[place] for place in places] for name, values in self.columns.items()}


def as_table(columns: Mapping[str, list[str]]) -> TextTable:
    """Texts as the reader gives them."""
    made = {}
    for name, untidy in columns.items():
        values = [value.strip() for value in untidy]
        index: dict[str, int] = {}
        codes = np.fromiter((index.setdefault(value, len(index)) for value in values), np.int32, len(values))
        made[name] = TextColumn(name, codes, list(index))
    rows = len(next(iter(columns.values())))
    return TextTable("made", made, np.arange(2, rows + 2), ".")


def clean(seed: int, *, rows: tuple[int, int] = (800, 20_000), most_columns: int = 60) -> Made:
    """Customers with an id and 4 or more columns of all kinds, some missing at random; half of them move the churn."""
    rng = np.random.default_rng(seed)
    count = int(np.exp(rng.uniform(*np.log(rows))))
    columns: Columns = {"customer_id": [f"C{seed}-{number:06d}" for number in range(count)]}
    score = np.zeros(count)
    for place in range(int(rng.integers(4, most_columns))):
        kind = str(rng.choice(["normal", "skewed", "whole", "counted", "price", "category", "flag", "date"]))
        hidden = rng.normal(size=count)
        values, seen = _texts(kind, hidden, rng)
        score += seen * rng.normal() * rng.choice([0.0, 0.0, 0.3, 0.6, 1.0])
        if rng.random() < 0.3:
            gone = rng.random(count) < rng.uniform(0.01, 0.4)
            values = ["" if missing else value for value, missing in zip(values, gone, strict=True)]
        columns[f"{rng.choice(['usage', 'spend', 'visits', 'score', 'rate', 'level'])}_{kind}_{place}"] = values
    score *= rng.uniform(0.5, 2.2) / max(float(score.std()), 1e-9)
    churned = _drawn(score, float(rng.uniform(0.05, 0.4)), rng)
    columns[LABEL] = [str(int(left)) for left in churned]
    return Made(columns, churned, rng)


def _texts(kind: str, hidden: NDArray[np.float64], rng: np.random.Generator) -> tuple[list[str], NDArray[np.float64]]:
    match kind:
        case "normal":
            return [f"{value:.3f}" for value in hidden], hidden
        case "skewed":
            return [f"{value:.2f}" for value in np.exp(0.9 * hidden + 3)], hidden
        case "price":
            return [f"{value - 0.01:.2f}" for value in np.round(np.exp(0.4 * hidden + 4))], hidden
        case "whole":
            return [str(int(value)) for value in np.clip(20 * hidden + 40, 0, None)], hidden
        case "counted":
            return [str(int(value)) for value in np.exp(1.2 * hidden + rng.uniform(0, 7))], hidden
        case "category":
            levels = int(rng.choice([3, 5, 12, 50]))
            codes = rng.choice(levels, len(hidden), p=rng.dirichlet(np.ones(levels)))
            return [f"level {code}" for code in codes], rng.normal(size=levels)[codes]
        case "flag":
            high = hidden > rng.normal()
            return ["Yes" if yes else "No" for yes in high], high.astype(float)
        case _:
            return [(date(2020, 1, 1) + timedelta(days=int(day))).isoformat() for day in np.clip(300 * hidden + 600, 0, None)], hidden


def _drawn(score: NDArray[np.float64], rate: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if np.mean(1 / (1 + np.exp(-score - middle))) > rate else (middle, high)
    churned: NDArray[np.bool_] = rng.random(len(score)) < 1 / (1 + np.exp(-score - low))
    if churned.sum() < 110:
        churned[rng.permutation(len(score))[:150]] = True
    return churned
