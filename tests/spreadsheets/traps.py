"""Tables with traps whose truth is known, in the shapes of public churn tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.made_tables import Columns

LABEL = "left"
GAPS = [  # of so many customers without a value so many left, beside so large a churn rate of the others
    (100, 100, 0.80),
    (60, 0, 0.20),
    (100, 0, 0.20),
    (30, 30, 0.20),
    (300, 0, 0.05),
    (25, 25, 0.50),
    (186, 186, 0.808),
]


def spelled(left: NDArray[np.bool_]) -> list[str]:
    """The outcomes as a spreadsheet has them."""
    return ["yes" if each else "no" for each in left]


def with_gap(gap: tuple[int, int, float], *, numbers: bool, seed: int = 0, rows: int = 3000) -> Columns:
    """Customers of whom some have no last fee, as words or as numbers; the other columns say nothing of the outcome."""
    missing, gone, rate = gap
    rng = np.random.default_rng(seed)
    left = np.concatenate([np.arange(missing) < gone, rng.random(rows - missing) < rate])
    fee = [str(value) for value in (rng.integers(5, 90, rows) if numbers else rng.choice(["x", "y", "z"], rows))]
    fee[:missing] = [""] * missing
    order = rng.permutation(rows)
    columns: dict[str, list[Any]] = {
        "id": [f"G{number:05d}" for number in range(rows)],
        "plan": rng.choice(["A", "B", "C"], rows).tolist(),
        "tenure": rng.integers(1, 60, rows).tolist(),
        "last_fee": [fee[place] for place in order],
        LABEL: spelled(left[order]),
    }
    return {name: [str(value) for value in values] for name, values in columns.items()}


def without_internet(rows: int = 3000, *, extra_gaps: float = 0.0, seed: int = 0) -> Columns:
    """Customers of a telephone company: those without internet stay more often, and have nothing to fill in about it."""
    rng = np.random.default_rng(seed)
    internet = rng.choice(["DSL", "Fiber", "No"], rows, p=[0.4, 0.4, 0.2])
    left = rng.random(rows) < np.where(internet == "No", 0.05, np.where(internet == "Fiber", 0.4, 0.2))
    orders = rng.poisson(2.0, rows)
    gone = (internet == "No") | (rng.random(rows) < extra_gaps)
    return {
        "id": [f"T{number:05d}" for number in range(rows)],
        "internet": internet.tolist(),
        "orders": [str(value) for value in orders],
        "backup": ["" if none else value for none, value in zip(gone, rng.choice(["yes", "no"], rows), strict=True)],
        "gigabytes": ["" if none else f"{value:.1f}" for none, value in zip(gone, rng.exponential(20, rows), strict=True)],
        LABEL: spelled(left),
    }
