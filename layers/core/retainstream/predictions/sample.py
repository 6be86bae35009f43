"""Scoring a random sample of the customers in one request."""

import random
import time
from collections import Counter
from dataclasses import dataclass

from retainstream.engine.lives import churned_of
from retainstream.engine.model.levels import CALLED, RISK_LEVELS
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.records import Customer, Prediction
from retainstream.predictions.generate import score_and_store
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions

TOP = 10
_SEGMENTS_READ = 20
_MOST_SEGMENTS = 100_000


@dataclass(frozen=True)
class SampleSummary:
    """The results of a sample. `top` holds the riskiest predictions, highest probability first, at most ten."""

    scored: int
    by_level: dict[str, int]
    mean_probability: float | None
    value_at_risk: float
    top: list[Prediction]
    model_version: str
    milliseconds: float


def score_sample(model: ScoringModel, customers: Customers, stored: Predictions, size: int, *, run_id: str) -> SampleSummary:
    """Scores up to `size` customers who are not known to have left, stores their predictions, and adds them up.

    The sample is a random part of the customers table. `value_at_risk` is that of the customers at high risk or above, in the schema's
    currency.
    """
    started = time.perf_counter()
    made = score_and_store(model, _sample(customers, size), customers, stored, run_id=run_id)
    counts = Counter(prediction["level"] for prediction in made)
    return SampleSummary(
        scored=len(made),
        by_level={level: counts[level] for level in RISK_LEVELS},
        mean_probability=round(sum(prediction["probability"] for prediction in made) / len(made), 6) if made else None,
        value_at_risk=round(sum(prediction["value_at_risk"] for prediction in made if prediction["level"] in CALLED), 2),
        top=sorted(made, key=lambda prediction: (-prediction["probability"], prediction["customer_id"]))[:TOP],
        model_version=model.version,
        milliseconds=round(1000 * (time.perf_counter() - started), 1),
    )


def _sample(customers: Customers, size: int) -> list[Customer]:
    """Customers from random segments of the table, each read only as far as needed. A small table is read completely."""
    segments = max(1, min(_MOST_SEGMENTS, customers.approximate_count() // (4 * size)))
    first = random.randrange(segments)  # noqa: S311
    sampled: dict[str, Customer] = {}
    for place in range(min(segments, _SEGMENTS_READ)):
        start = None
        while len(sampled) < size:
            page = customers.page(size, start, segment=(first + place) % segments, segments=segments)
            sampled |= {customer["customer_id"]: customer for customer in page.items if churned_of(customer["life"]) is not True}
            start = page.next_key
            if start is None:
                break
    chosen = list(sampled.values())
    random.shuffle(chosen)
    return chosen[:size]
