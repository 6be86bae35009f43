"""A training run by step: time and peak memory of each, in a process of its own on two cores, and how many rows a function can take."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.result import Result, Target
from bench.running import alone
from retainstream.engine.records import Customer

ROWS, MORE_ROWS = 120_000, 480_000
QUICK_ROWS, QUICK_MORE_ROWS = 3_000, 6_000
SECONDS = 40.0
CORES = 2
FUNCTION_BYTES, FUNCTION_SECONDS = 10_240 * 2**20, 900.0
_PAGE = 1_000

type Measured = dict[str, float]


def run(quick: bool) -> list[Result]:
    small, large = (QUICK_ROWS, QUICK_MORE_ROWS) if quick else (ROWS, MORE_ROWS)
    measured = {rows: _measure(rows) for rows in (small, large)}
    results = []
    for step, figures in measured[small].items():
        target = Target("value", at_most=60) if step == "train" and not quick else None
        results.append(Result(f"{step}: {small:,} rows", figures["seconds"], "s", target=target, note="synthetic customers, two cores"))
        results.append(Result(f"{step}: {small:,} rows, peak memory", figures["bytes"] / 1e6, "MB", note="of its whole process"))
    share = measured[small]["train"]["auc_of_ceiling"]
    results.append(
        Result(
            "AUC over that of the true probabilities",
            share,
            "",
            target=None if quick else Target("value", at_least=0.995),
            note="synthetic",
        )
    )
    for step in measured[small]:
        fits = _largest(step, measured, small, large)
        results.append(
            Result(f"{step}: rows a 10 GB function takes", fits, "rows", note=_HOW.format(small=f"{small:,}", large=f"{large:,}"))
        )
    return results


_HOW = "straight lines of time and peak memory through {small} and {large} rows on two cores, up to 900 s and 10,240 MiB; the smaller"


def _largest(step: str, measured: dict[int, dict[str, Measured]], small: int, large: int) -> float:
    """Rows at which a line through both measurements meets the first limit. What does not grow sets none."""
    limits = []
    for name, limit in (("seconds", FUNCTION_SECONDS), ("bytes", FUNCTION_BYTES)):
        less, more = measured[small][step][name], measured[large][step][name]
        slope = (more - less) / (large - small)
        if slope > 0:
            limits.append(small + (limit - less) / slope)
    return float(int(min(limits, default=float("inf")) // 10_000 * 10_000)) if limits else 0.0


def _measure(rows: int) -> dict[str, Measured]:
    with TemporaryDirectory() as folder:
        measured = {}
        for step in _STEPS:
            command = [sys.executable, "-m", "bench.training", "--step", step, str(rows), folder]
            ended = subprocess.run(command, check=True, capture_output=True, text=True)
            measured[step] = json.loads(ended.stdout.splitlines()[-1])
        return measured


def _one_step(step: str, rows: int, folder: Path) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    seconds, more = _STEPS[step](rows, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "bytes": peak, **more}))


def _extract(rows: int, folder: Path) -> tuple[float, Measured]:
    """Pages of items to a data set; reading them from DynamoDB is not in it."""
    from retainstream.engine.learning.dataset import collect
    from retainstream.engine.learning.synthetic import as_customers, generate
    from retainstream.engine.schema import default_schema

    working = 0.0

    def pages() -> Iterator[list[Customer]]:
        nonlocal working
        customers = as_customers(generate(rows, 1), 1.0)
        while True:
            started = time.perf_counter()
            page = list(islice(customers, _PAGE))
            working += time.perf_counter() - started
            if not page:
                return
            yield page

    started = time.perf_counter()
    data, _ = collect(default_schema(), pages())
    content = data.to_bytes()
    seconds = time.perf_counter() - started - working
    (folder / "data.npz").write_bytes(content)
    return seconds, {}


def _validate(_: int, folder: Path) -> tuple[float, Measured]:
    from retainstream.engine.learning.checks import check

    started = time.perf_counter()
    check(_data(folder), fewest_rows=200)
    return time.perf_counter() - started, {}


def _train(_: int, folder: Path) -> tuple[float, Measured]:
    from retainstream.engine.business.truth import true_probability
    from retainstream.engine.learning.fit import fit
    from retainstream.engine.learning.metrics import roc_auc
    from retainstream.runs.retraining.workbench import sides

    started = time.perf_counter()
    development, test = sides(_data(folder))
    candidate = fit(development, version="bench", seconds=SECONDS)
    content = bytes(candidate.model.booster.save_raw("ubj"))
    seconds = time.perf_counter() - started
    (folder / "model.ubj").write_bytes(content)
    (folder / "fit.json").write_text(
        json.dumps({"calibration": candidate.model.calibration.document(), "threshold": candidate.model.threshold})
    )
    ours = roc_auc(test.churned, candidate.model.probabilities(test.rows))
    best = roc_auc(test.churned, true_probability(test.schema, test.rows))
    return seconds, {"auc_of_ceiling": (ours or 0.0) / (best or 1.0), "trials": len(candidate.record["trials"])}


def _evaluate(_: int, folder: Path) -> tuple[float, Measured]:
    from retainstream.engine.learning.evaluate import evaluate
    from retainstream.engine.learning.importance import importance
    from retainstream.engine.learning.parity import parity
    from retainstream.engine.learning.reference import reference
    from retainstream.engine.model.model import ScoringModel
    from retainstream.runs.retraining.workbench import sides

    started = time.perf_counter()
    development, test = sides(_data(folder))
    fitted = json.loads((folder / "fit.json").read_text())
    model = ScoringModel.from_bytes(
        (folder / "model.ubj").read_bytes(), fitted["calibration"], test.schema, threshold=fitted["threshold"], version="bench"
    )
    parity(model, test.rows)
    evaluate(model, development, test)
    importance(model, test.rows)
    reference(model, development, test)
    return time.perf_counter() - started, {}


def _data(folder: Path) -> Any:
    from retainstream.engine.learning.dataset import DataSet

    return DataSet.from_bytes((folder / "data.npz").read_bytes())


_STEPS: dict[str, Callable[[int, Path], tuple[float, Measured]]] = {
    "extract": _extract,
    "validate": _validate,
    "train": _train,
    "evaluate": _evaluate,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        _one_step(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
        raise SystemExit(0)
    raise SystemExit(alone("training", run))
