"""The scoring worker: a segment of a run with AWS answered in the process; rows a second, and the share of each part."""

import statistics
from collections.abc import Sequence
from typing import Any

from bench.made_models import SHALLOW, made, quick
from bench.memory import most_allocated, one_core
from bench.one_instance import set_environment
from bench.reads import item_bytes
from bench.result import Result, Target
from bench.running import alone
from bench.stubbed_registry import VERSION
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.past import HISTORY
from retainstream.engine.model.predictions import predictions
from retainstream.engine.records import Customer, PastPrediction
from retainstream.storage.attributes import to_attributes

CUSTOMERS = 40_000
_RUN, _MOMENT = "0" * 32, "2026-01-01T00:00:00.000+00:00"


def run(quick_one: bool) -> list[Result]:
    set_environment()
    from bench.stubbed_worker import measure, synthetic_customers

    customers = synthetic_customers(300 if quick_one else CUSTOMERS)
    model = made(quick(SHALLOW) if quick_one else SHALLOW).scoring()
    with one_core():
        measure(model, customers)
        taken = [measure(model, customers) for _ in range(1 if quick_one else 5)]
        held = most_allocated(lambda: measure(model, customers[: CUSTOMERS // 4]))
    middle = sorted(taken, key=lambda one: one.seconds)[len(taken) // 2]
    seconds = statistics.median(one.seconds for one in taken)
    results = [Result("worker", middle.customers / seconds, "rows/s", note=f"{middle.customers:,} customers, one core, no network")]
    for part, spent in sorted(middle.parts.items(), key=lambda part: -part[1]):
        target = Target("ratio", at_most=0.15) if part == "explain" else None
        results.append(Result(f"worker: {part}", 1e6 * spent / middle.customers, "µs/row", spent / middle.seconds, "the total", target))
    results += [
        Result(f"worker: {operation}", number / middle.customers * 1000, "requests/1,000 rows")
        for operation, number in sorted(middle.requests.items())
    ]
    results += _stored(model, customers[:2000])
    return [*results, Result("worker: memory", held / 1e6, "MB", note="including the stub's data")]


def _stored(model: ScoringModel, customers: Sequence[Customer]) -> list[Result]:
    """Sizes of what is stored, as DynamoDB charges for them: customers and their predictions, the first and with the longest past."""
    past: PastPrediction = {"scored_at": _MOMENT, "probability": 0.123456, "level": "medium", "model_version": VERSION}
    before: Any = {"run_id": "before", **past, "history": [past] * HISTORY}
    first = predictions(model, customers, {}, run_id=_RUN, scored_at=_MOMENT)
    later = predictions(model, customers, {customer["customer_id"]: before for customer in customers}, run_id=_RUN, scored_at=_MOMENT)
    sizes = {"a customer": customers, "a first prediction": first, "a prediction with its longest past": later}
    results = [
        Result(f"stored: {name}", statistics.mean(item_bytes(to_attributes(item)) for item in items), "bytes")
        for name, items in sizes.items()
    ]
    return [
        *results,
        Result("stored: in the indexes of those at risk", sum("risk_shard" in one for one in first) / len(first), "of predictions"),
    ]


if __name__ == "__main__":
    raise SystemExit(alone("worker", run))
