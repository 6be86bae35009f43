"""Money beside the truth: months that saved customers stay, by simulation."""

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.model.money import DAYS_A_MONTH, months_kept

type Floats = NDArray[np.float64]

MONTHS, HORIZON_DAYS = 12.0, 30
CUSTOMERS = 200_000


def months_stayed(probability: float, customers: int, seed: int) -> float:
    """Mean months of revenue within 12, of customers who are saved once and then leave with the same probability in each horizon."""
    rng = np.random.default_rng(seed)
    horizon = HORIZON_DAYS / DAYS_A_MONTH
    stayed = horizon * rng.geometric(probability, customers)
    return float(np.minimum(stayed, MONTHS).mean())


def months_counted_before(probability: Floats) -> Floats:
    """What the earlier version did: every saved customer was counted for all 12 months."""
    return np.full_like(probability, MONTHS)


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of money."""
    customers = repetitions or CUSTOMERS
    return [
        Row(
            f"months of revenue from a saved customer, of 12, at a probability of {chance:g} in 30 days",
            f"{float(months_counted_before(np.array([chance]))[0]):.1f}",
            f"{float(months_kept(np.array([chance]), MONTHS, HORIZON_DAYS)[0]):.1f}",
            f"{months_stayed(chance, customers, seed):.1f}",
            customers,
            "geometric sum, engine/model/money.py",
        )
        for seed, chance in enumerate((0.05, 0.1, 0.3, 0.5))
    ]
