"""The scoring worker: a segment of a run with AWS answered in the process; rows a second, and the share of each part."""

import statistics

from bench.made_models import SHALLOW, made, quick
from bench.memory import one_core, watched_memory
from bench.one_instance import set_environment
from bench.result import Result, Target
from bench.running import alone

CUSTOMERS = 40_000


def run(quick_one: bool) -> list[Result]:
    set_environment()
    from bench.stubbed_worker import measure, synthetic_customers

    customers = synthetic_customers(300 if quick_one else CUSTOMERS)
    model = made(quick(SHALLOW) if quick_one else SHALLOW).scoring()
    with one_core():
        measure(model, customers)
        taken = [measure(model, customers) for _ in range(1 if quick_one else 5)]
        with watched_memory() as peak:
            measure(model, customers)
    middle = sorted(taken, key=lambda one: one.seconds)[len(taken) // 2]
    seconds = statistics.median(one.seconds for one in taken)
    results = [Result("worker", middle.customers / seconds, "rows/s", note=f"{middle.customers:,} customers, one core, no network")]
    for part, spent in sorted(middle.parts.items(), key=lambda found: -found[1]):
        target = Target("ratio", at_most=0.15) if part == "explain" else None
        results.append(Result(f"worker: {part}", 1e6 * spent / middle.customers, "µs/row", spent / middle.seconds, "the whole", target))
    results += [
        Result(f"worker: {operation}", number / middle.customers * 1000, "requests/1,000 rows")
        for operation, number in sorted(middle.requests.items())
    ]
    return [*results, Result("worker: memory", peak.added / 1e6, "MB", note="above the model and the stub")]


if __name__ == "__main__":
    raise SystemExit(alone("worker", run))
