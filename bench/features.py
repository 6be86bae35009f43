"""Features at anchors from dated files: 10 million events × 12 anchors × 20 columns, on two cores, and against pandas and featuretools.

Each time is that of the complete work, from the files to the table. Peers compute the same columns from the same files in the same run, and
the values are compared.
"""

import os
import resource
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.made_events import AGGREGATES, ANCHORS, AS_OF, FACTS, SIMPLE, schema, write_files
from bench.peers import REQUIREMENTS, NoEnvironment, environment, python_of
from bench.result import Result, Target
from bench.running import alone, in_a_process_of_its_own

EVENTS = 10_000_000
PEERS_EVENTS = 5_000_000
_CORES, _MEMORY = 2, "1500MB"

type Columns = dict[str, NDArray[np.float64]]


def run(quick: bool) -> list[Result]:
    events, peers_events = (20_000, 5_000) if quick else (EVENTS, PEERS_EVENTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, peak, rows = _measured(folder, events)
        twice, _, _ = _measured(folder, 2 * events)
        where = f"{events:,} events, {len(ANCHORS)} anchors, {len(FACTS) + len(AGGREGATES)} columns"
        results = [
            Result(where, seconds, "s", target=Target("value", at_most=60), note=f"{_CORES} cores; {rows:,} rows"),
            Result(f"{where}: memory", peak / 1e6, "MB", target=Target("value", at_most=2000), note="peak of the process"),
            Result(f"{where}: twice the events", twice, "s", twice / seconds, "once the events", Target("ratio", at_most=2.2)),
        ]
        return results + _against_peers(folder, peers_events)


def _measured(folder: Path, events: int) -> tuple[float, int, int]:
    """Seconds, bytes at the peak, and rows."""
    print(f"{events:,} events", flush=True)
    write_files(folder, events)
    seconds, peak, columns = in_a_process_of_its_own(_built, folder, tuple(AGGREGATES), only_rows=True)
    return seconds, peak, len(columns["age"])


def _built(folder: Path, names: tuple[str, ...], *, only_rows: bool = False) -> tuple[float, int, Columns]:
    """Seconds from the files to the table, bytes at the peak, and the table's columns (only that of the ages, if the rows alone matter)."""
    import duckdb

    from retainstream.engine.sources.anchors import anchor_days
    from retainstream.engine.sources.build import build
    from retainstream.engine.sources.delivered import day_number, files_in, read_sources

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    described = schema(names)
    as_of = day_number(date.fromisoformat(AS_OF))
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": _CORES, "temp_directory": str(folder / "spilled")}) as connection:
        started = time.perf_counter()
        if described.sources is None:
            raise AssertionError("the schema lacks its sources")
        delivered = read_sources(connection, described, files_in(described.sources, folder), today=as_of, as_of=as_of)
        built = build(connection, described, delivered, anchor_days(ANCHORS, delivered))
        connection.execute(f"COPY {built.table} TO '{folder / 'table.parquet'}' (FORMAT parquet)")
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        wanted = ("age",) if only_rows else (*FACTS, *names)
        fetched = connection.execute(f"SELECT {', '.join(wanted)} FROM {built.table}").fetchnumpy()
        return seconds, peak, {name: np.ma.filled(np.ma.asanyarray(fetched[name], dtype=np.float64), np.nan) for name in wanted}


def _against_peers(folder: Path, events: int) -> list[Result]:
    print(f"{events:,} events, pandas and featuretools", flush=True)
    write_files(folder, events)
    ours, _, columns = in_a_process_of_its_own(_built, folder, tuple(AGGREGATES))
    theirs, expected, here = in_a_process_of_its_own(_in_pandas, folder)
    _check("pandas", columns, expected)
    where, target = f"{events:,} events, {len(ANCHORS)} anchors", Target("ratio", at_least=10)
    results = [
        Result(
            f"{where}, against pandas",
            ours,
            "s",
            theirs / ours,
            f"pandas ({theirs:.1f} s)",
            target,
            f"{len(columns)} columns, equal values",
        )
    ]
    try:
        seconds, values = _in_featuretools(folder)
    except NoEnvironment as error:
        print(f"Not measured: featuretools: {error}", flush=True)
        return results
    ours, _, columns = in_a_process_of_its_own(_built, folder, SIMPLE)
    _check("featuretools", {name: columns[name] for name in SIMPLE}, {name: value[here] for name, value in values.items()})
    against = f"featuretools ({seconds:.1f} s)"
    return [
        *results,
        Result(f"{where}, against featuretools", ours, "s", seconds / ours, against, target, f"{len(SIMPLE)} columns, equal values"),
    ]


def _in_pandas(folder: Path) -> tuple[float, Columns, NDArray[np.bool_]]:
    """Seconds, the columns, and which of all customers × anchors have a row."""
    import pandas as pd

    from bench.features_in_pandas import table

    started = time.perf_counter()
    frame = table(folder, ANCHORS)
    seconds = time.perf_counter() - started
    customers = pd.read_csv(folder / "subscriptions.csv", usecols=["customer_id"])["customer_id"].sort_values()
    every = pd.MultiIndex.from_product([ANCHORS, customers])
    here = every.isin(pd.MultiIndex.from_frame(frame[["anchor", "customer_id"]]))
    return seconds, {name: frame[name].to_numpy(np.float64) for name in (*FACTS, *AGGREGATES)}, here


def _in_featuretools(folder: Path) -> tuple[float, Columns]:
    """Seconds, and the columns of all customers × anchors."""
    python, result = python_of("featuretools"), folder / "featuretools.npz"
    command = [str(python), "featuretools_job.py", str(folder), ",".join(ANCHORS), str(result)]
    ended = subprocess.run(command, cwd=REQUIREMENTS, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    with np.load(result) as values:
        columns = {name: values[name] for name in SIMPLE}
    zero = [name for name in SIMPLE if {"count", "sum"} & AGGREGATES[name].keys()]
    return float(ended.stdout), columns | {name: np.nan_to_num(columns[name]) for name in zero}


def _check(peer: str, ours: Columns, theirs: Columns) -> None:
    for name, values in theirs.items():
        if not np.allclose(ours[name], values, rtol=1e-9, atol=1e-9, equal_nan=True):
            raise AssertionError(f"{peer} has other values of {name}")


if __name__ == "__main__":
    raise SystemExit(alone("features", run))
