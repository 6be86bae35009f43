"""Blocks of rows: array in → probability, exact contributions and top reasons out, on one core.

Compared, in the same run and on the same core, with the bare `pred_contribs` call and with woodelf-explainer, by seconds a row. The bare
call gets only the rows that it explains in some seconds, since its time grows with them; woodelf-explainer, which prepares the trees in
each call, gets as many rows as ours, up to 100,000. The time of our tables is a separate figure.
woodelf-explainer refuses models with categories: `shallow`, `deep` and `deepest` have one; `numbers` and `deep numbers` have none.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import xgboost

from bench.made_models import DEEP, DEEP_NUMBERS, DEEPEST, NUMBERS, SHALLOW, WIDE, MadeModel, Shape, made, quick
from bench.memory import most_allocated, one_core
from bench.one_instance import set_environment
from bench.peers import REQUIREMENTS, NoEnvironment, environment, python_of
from bench.result import Result, Target
from bench.running import alone, in_a_process_of_its_own
from bench.timing import Timings, interleaved
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.model import ScoringModel, matrix
from retainstream.engine.model.reasons import strongest

SIZES = (10_000, 100_000, 1_000_000)
_LONGEST_SECONDS = 40.0
_PEERS_SECONDS = 1.5
_PEERS_MOST = 100_000
_WORTH_IT = 25_000


def run(quick_one: bool) -> list[Result]:
    shapes = [quick(SHALLOW), quick(WIDE)] if quick_one else [SHALLOW, NUMBERS, WIDE, DEEP, DEEP_NUMBERS, DEEPEST]
    sizes = (300,) if quick_one else SIZES
    results: list[Result] = []
    for shape in shapes:
        print(f"{shape.name}: {shape}", flush=True)
        results += in_a_process_of_its_own(_measured, shape, sizes, not quick_one)
    return results


def _measured(shape: Shape, sizes: tuple[int, ...], with_peer: bool) -> list[Result]:
    set_environment()
    model = made(shape)
    with one_core():
        return _on_this_core(model, sizes, with_peer)


def _on_this_core(model: MadeModel, sizes: tuple[int, ...], with_peer: bool) -> list[Result]:
    shape, scoring, bare = model.shape, model.scoring(), model.bare()
    rows = model.rows(max(sizes))
    few = rows[: max(100, min(10_000, len(rows), round(_PEERS_SECONDS / _seconds_a_row(model, bare, rows))))]
    first = min(len(rows), SIZES[0])
    started = time.perf_counter()
    for _ in range(3):
        explained(scoring, rows[:first])
    making = time.perf_counter() - started - _best(lambda: explained(scoring, rows[:first])) * 3
    results = [Result(f"{shape.name} ({shape}): tables, made once", max(0.0, making), "s", note="beyond the time of the rows")]
    seconds_a_row = _best(lambda: explained(scoring, rows[:first])) / first
    with _woodelf(model, rows[:_PEERS_MOST], bare, wanted=with_peer) as woodelf:
        for size in sizes:
            if seconds_a_row * size > _LONGEST_SECONDS:
                print(f"{shape.name}, {size:,} rows: skipped, it would take {seconds_a_row * size:.0f} s", flush=True)
            else:
                results += _block(model, scoring, bare, rows[:size], few, woodelf)
    return results


def _block(
    model: MadeModel, scoring: ScoringModel, bare: xgboost.Booster, block: Rows, few: Rows, woodelf: Callable[[int], float] | None
) -> list[Result]:
    subjects = {"ours": lambda: explained(scoring, block), "bare": lambda: bare_call(model, bare, few)}
    timed = interleaved(subjects, rounds=3, calls=1, warm=0)
    results = _of(model.shape, len(block), timed, len(few), woodelf)
    held = most_allocated(lambda: explained(scoring, block)) / 1e6
    return [
        *results,
        Result(f"{model.shape.name}, {len(block):,} rows: memory", held, "MB", note="including the results, excluding the rows"),
    ]


def explained(model: ScoringModel, rows: Rows) -> tuple[object, object, object]:
    """The answer for a block: probabilities, contributions, and the five strongest columns of each row."""
    explanation = model.explain(rows)
    return explanation.probability, explanation.contributions, strongest(explanation)


def bare_call(model: MadeModel, booster: xgboost.Booster, rows: Rows) -> object:
    """Array in → contributions out by XGBoost alone, on one thread."""
    return booster.predict(matrix(model.schema.features, rows, threads=1), pred_contribs=True)


def _of(shape: Shape, size: int, timed: dict[str, Timings], few: int, woodelf: Callable[[int], float] | None) -> list[Result]:
    rate = size / timed["ours"].median
    faster = rate * timed["bare"].median / few
    small = shape.trees <= 200 and shape.depth <= 4
    target = Target("ratio", at_least=10 if small and size >= _WORTH_IT else 1)
    name = f"{shape.name}, {size:,} rows"
    results = [Result(name, rate, "rows/s", faster, f"the bare call ({few / timed['bare'].median:,.0f} rows/s)", target)]
    if woodelf:
        count = min(size, _PEERS_MOST)
        theirs = count / woodelf(count)
        against = f"woodelf-explainer ({theirs:,.0f} rows/s on {count:,} rows)"
        results.append(Result(f"{name}, peer", rate, "rows/s", rate / theirs, against, Target("ratio", at_least=1)))
    return results


@contextmanager
def _woodelf(model: MadeModel, rows: Rows, bare: xgboost.Booster, *, wanted: bool) -> Iterator[Callable[[int], float] | None]:
    """Seconds that woodelf-explainer takes for some of the rows; None where it cannot be installed, or refuses the model."""
    if not wanted:
        yield None
        return
    try:
        python = python_of("woodelf")
    except NoEnvironment as error:
        print(f"Not measured: woodelf-explainer: {error}", flush=True)
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "model.ubj").write_bytes(model.booster)
        np.save(work / "rows.npy", rows)
        np.save(work / "expected.npy", np.asarray(bare_call(model, bare, rows[:100]))[:, :-1])
        command = [str(python), "woodelf_job.py", *(str(work / name) for name in ("model.ubj", "rows.npy", "expected.npy"))]
        with subprocess.Popen(
            command, cwd=REQUIREMENTS, env=environment(OMP_NUM_THREADS="1"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as job:
            if job.stdin is None or job.stdout is None:
                raise RuntimeError("a process without pipes")
            answers, commands = job.stdout, job.stdin
            difference = answers.readline()
            if difference:
                print(f"woodelf-explainer differs from XGBoost by at most {float(difference):.2g}", flush=True)

            def seconds(count: int) -> float:
                commands.write(f"{count}\n")
                commands.flush()
                return float(answers.readline())

            yield cache(seconds) if difference else None
            commands.close()


def _seconds_a_row(model: MadeModel, bare: xgboost.Booster, rows: Rows) -> float:
    return _best(lambda: bare_call(model, bare, rows[:100])) / 100


def _best(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(2):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    raise SystemExit(alone("blocks", run))
