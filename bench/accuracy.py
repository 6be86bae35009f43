"""The product's models beside tuned models of other libraries, on the same folds of real tables.

`python -m bench.accuracy [TABLE…]` measures every method on the first folds of each table (see `bench.judged_tables`), and keeps each
result in accuracy.json as it comes. What is kept of the other methods is not measured again; the product always is. It prints the
comparison, writes it to docs/model.md, and names each target that is missed.

The product reads a table by the schema that it drafts. The others read the same rows as they stand in the file, with categories as
categories. They are tuned with as many seconds of processor time as the product's training may use; AutoGluon has 60 seconds.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.accuracy_figures import HEADINGS, METHODS, RANK_HEADINGS, Fit, Kept, Result, cells, lines, markdown, missed, rank_cells
from bench.judged_tables import TABLES, NoTable, data_of, file_of
from bench.pages import between
from bench.peers import REQUIREMENTS, NoEnvironment, environment, python_of
from bench.report import terminal
from retainstream.engine.learning import metrics
from retainstream.engine.learning.cross_validation import stratified_folds, training_path
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats
from retainstream.settings import Settings

PAGE = Path(__file__).parents[1] / "docs/model.md"
FILE = Path(__file__).parent / "accuracy.json"
OF_FOLDS, FOLDS, SEED = 5, 3, 0
"""The first three of five folds are measured."""

AUTOGLUON_SECONDS = 60.0
SECONDS = float(Settings.model_fields["training_seconds"].default)

type Places = NDArray[np.int64]


def measure(name: str, data: DataSet, fold: Places, number: int, method: str, seconds: float) -> Result:
    """A method on one fold of a table.

    Args:
        fold: int64 (n,), the fold of each row of `data`; -1 for rows outside the sample.
        seconds: of processor time for tuning.

    Raises:
        NoEnvironment: the method cannot be installed here.
    """
    learned, judged = np.flatnonzero((fold != number) & (fold >= 0)), np.flatnonzero(fold == number)
    if method == "ours":
        probabilities, result = _ours(data, learned, judged, seconds)
    else:
        probabilities, result = _theirs(name, data, learned, judged, method, AUTOGLUON_SECONDS if method == "autogluon" else seconds)
    churned = data.churned[judged]
    return {
        "roc_auc": metrics.roc_auc(churned, probabilities),
        "log_loss": metrics.log_loss(churned, probabilities),
        "ece": metrics.ece(churned, probabilities),
        "rows": int((fold >= 0).sum()),
        **result,
    }


def _ours(data: DataSet, learned: Places, judged: Places, seconds: float) -> tuple[Floats, Fit]:
    started, used = time.perf_counter(), _processor_seconds()
    probabilities, fitted = training_path(seconds)(data.where(learned), data.where(judged))
    return probabilities, {
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(_processor_seconds() - used, 1),
        "load": round(os.getloadavg()[0], 1),
        "fit": f"{fitted['why']} Calibration: {fitted['calibration']}.",
    }


def _processor_seconds() -> float:
    """Of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _theirs(name: str, data: DataSet, learned: Places, judged: Places, method: str, seconds: float) -> tuple[Floats, Fit]:
    table = TABLES[name]
    with TemporaryDirectory() as folder:
        handed, answered = Path(folder) / "rows.npz", Path(folder) / "answer.json"
        np.savez(handed, learned=learned, judged=judged, churned=data.churned)
        left_out = [table.label, *([table.identity] if table.identity else [])]
        job = [str(python_of("rivals")), str(REQUIREMENTS / "rivals_job.py"), method, str(file_of(name)), str(handed), str(answered)]
        subprocess.run([*job, str(seconds), *left_out], env=environment(), cwd=folder, check=True)
        answer = json.loads(answered.read_text())
    return np.array(answer.pop("probabilities")), {
        "seconds": answer["seconds"],
        "processor_seconds": answer["processor_seconds"],
        "load": round(os.getloadavg()[0], 1),
        "fit": answer["fit"],
    }


def stored() -> Kept:
    """The kept results."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def keep(name: str, method: str, number: int, result: Result) -> None:
    """Adds a result to those that are kept, in the order of the tables and methods."""
    kept = stored()
    kept.setdefault(name, {}).setdefault(method, {})[str(number)] = result
    ordered = {
        table: {method: dict(sorted(kept[table][method].items())) for method in METHODS if method in kept[table]}
        for table in TABLES
        if table in kept
    }
    FILE.write_text(json.dumps(ordered, indent=1) + "\n")


def show(kept: Kept) -> None:
    """Prints the comparison and the targets missed."""
    compared = list(lines(kept))
    table = Table(*HEADINGS, title="Out of fold", title_justify="left")
    for line in compared:
        table.add_row(*cells(line))
    ranks = Table(*RANK_HEADINGS)
    for row in rank_cells(compared):
        ranks.add_row(*row)
    terminal().print(table)
    terminal().print(ranks)
    for sentence in missed(compared) or ["Every target is met." if compared else "Nothing was measured."]:
        print(sentence)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all when left out")
    parser.add_argument("--methods", default=",".join(METHODS), help=f"separated by commas, of {', '.join(METHODS)}; all when left out")
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(1, OF_FOLDS + 1), help="the first folds of five; default: 3")
    parser.add_argument("--again", action="store_true", help="measure the other methods again, too")
    parser.add_argument("--page", action="store_true", help="measure nothing: print and write what is kept")
    parser.add_argument("--seconds", type=float, help="for tuning, to try something; keeps and writes nothing")
    parser.add_argument("--rows", type=int, help="of each table, drawn at random, to try something; keeps and writes nothing")
    options = parser.parse_args(arguments)
    methods, names = options.methods.split(","), options.tables or list(TABLES)
    if set(methods) - METHODS.keys() or set(names) - TABLES.keys():
        parser.error("there is no such method or table")
    trying = options.seconds is not None or options.rows is not None
    kept: Kept = {} if trying else stored()
    read = {} if options.page else _read(names, options.rows)
    for number, name, method in product(range(options.folds), read, methods):
        results = kept.setdefault(name, {}).setdefault(method, {})
        if str(number) in results and method != "ours" and not options.again:
            continue
        try:
            result = measure(name, *read[name], number, method, options.seconds or SECONDS)
        except NoEnvironment as error:
            print(f"{name}, {METHODS[method]}: skipped, because {error}")
            continue
        results[str(number)] = result
        print(f"{name}, fold {number + 1}, {METHODS[method]}: {_in_words(result)}", flush=True)
        if not trying:
            keep(name, method, number, result)
    kept = kept if trying else stored()
    show(kept)
    if not trying:
        PAGE.write_text(between(PAGE.read_text(), "accuracy", markdown(kept)))
    return 1 if missed(list(lines(kept))) else 0


def _read(names: Sequence[str], rows: int | None) -> dict[str, tuple[DataSet, Places]]:
    """The tables that are to be had, and the fold of each of their rows."""
    read = {}
    for name in names:
        try:
            data = data_of(name)
        except NoTable as error:
            print(f"{name}: skipped, because {error}")
            continue
        read[name] = data, _folds(data, rows)
    return read


def _folds(data: DataSet, rows: int | None) -> Places:
    """The fold of each row; -1 for those outside the sample."""
    fold = np.full(len(data), -1, dtype=np.int64)
    sample = np.arange(len(data))
    if rows is not None and rows < len(data):
        sample = np.sort(np.random.default_rng(SEED).choice(len(data), rows, replace=False))
    fold[sample] = stratified_folds(data.churned[sample], OF_FOLDS, SEED, data.keys[sample])
    return fold


def _in_words(result: Result) -> str:
    return (
        f"AUC {result['roc_auc']:.4f}, log loss {result['log_loss']:.4f}, ECE {result['ece']:.4f}, "
        f"{result['seconds']:.0f} s, {result['processor_seconds']:.0f} s of processor time. {result['fit']}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
