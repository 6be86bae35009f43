"""The results of `bench.accuracy` as a comparison: means over folds, ranks, distance to the best single model, and targets missed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from scipy.stats import rankdata

METHODS: Mapping[str, str] = {
    "ours": "RetainStream",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "autogluon": "AutoGluon",
}
SINGLE = ("xgboost", "lightgbm", "catboost")
"""The methods whose model is one model of one library."""

MOST_BELOW, HIGHEST_ECE, MOST_SECONDS, ROWS = 0.002, 0.02, 60.0, 10_000


class Fit(TypedDict):
    """A fit of one fold. seconds: on the clock, processor_seconds: of all threads. load: of the machine, over the last minute.

    fit: the chosen model, in words.
    """

    seconds: float
    processor_seconds: float
    load: float
    fit: str


class Result(Fit):
    """A method on one fold. rows: of the table."""

    rows: int
    roc_auc: float
    log_loss: float
    ece: float


type Kept = dict[str, dict[str, dict[str, Result]]]
"""table → method → fold → result."""


@dataclass(frozen=True)
class Line:
    """A method on a table, as the mean over the folds on which every method was measured.

    rank_roc_auc, rank_log_loss, rank_ece: among the methods of the table; 1 is best.
    above_best: AUC less that of the best single model; None where no other method was measured.
    """

    table: str
    method: str
    rows: int
    folds: int
    roc_auc: float
    above_best: float | None
    log_loss: float
    ece: float
    seconds: float
    processor_seconds: float
    rank_roc_auc: float
    rank_log_loss: float
    rank_ece: float


def lines(kept: Kept) -> Iterator[Line]:
    """The methods of each table. A fold counts where every method of the table has it."""
    for table, results in kept.items():
        methods = [method for method in METHODS if results.get(method)]
        folds = sorted(set.intersection(*(set(results[method]) for method in methods))) if methods else []
        if not folds:
            continue
        chosen = {method: [results[method][fold] for fold in folds] for method in methods}
        auc = {method: _mean([result["roc_auc"] for result in chosen[method]]) for method in methods}
        loss = {method: _mean([result["log_loss"] for result in chosen[method]]) for method in methods}
        ece = {method: _mean([result["ece"] for result in chosen[method]]) for method in methods}
        best = max((auc[method] for method in SINGLE if method in auc), default=None)
        ranks = [
            dict(zip(methods, rankdata(values), strict=True)) for values in ([-auc[m] for m in methods], [*loss.values()], [*ece.values()])
        ]
        for method in methods:
            yield Line(
                table,
                method,
                chosen[method][0]["rows"],
                len(folds),
                auc[method],
                None if best is None else auc[method] - best,
                loss[method],
                ece[method],
                _mean([result["seconds"] for result in chosen[method]]),
                _mean([result["processor_seconds"] for result in chosen[method]]),
                *(float(rank[method]) for rank in ranks),
            )


def mean_ranks(compared: Sequence[Line]) -> dict[str, tuple[float, float, float]]:
    """Method → its mean rank by AUC, log loss and ECE, over the tables on which every method that was measured anywhere was measured.

    Empty without such a table.
    """
    methods = [method for method in METHODS if any(line.method == method for line in compared)]
    complete = [table for table in {line.table: None for line in compared} if not set(methods) & set(not_measured(compared, table))]
    own = {method: [line for line in compared if line.method == method and line.table in complete] for method in methods}
    if not complete:
        return {}
    return {
        method: (
            _mean([line.rank_roc_auc for line in of_method]),
            _mean([line.rank_log_loss for line in of_method]),
            _mean([line.rank_ece for line in of_method]),
        )
        for method, of_method in own.items()
    }


def not_measured(compared: Sequence[Line], table: str) -> list[str]:
    """The methods without a result on a table."""
    return [method for method in METHODS if not any((line.table, line.method) == (table, method) for line in compared)]


def missed(compared: Sequence[Line]) -> list[str]:
    """A sentence for each target that the product misses, and for each table on which it cannot be judged."""
    sentences = [
        f"{table}: not measured: {', '.join(METHODS[method] for method in absent)}."
        for table in {line.table: None for line in compared}
        if (absent := not_measured(compared, table))
    ]
    for line in compared:
        if line.method != "ours":
            continue
        if line.above_best is not None and line.above_best < -MOST_BELOW:
            sentences.append(
                f"{line.table}: the AUC is {-line.above_best:.4f} below the best single model; at most {MOST_BELOW} is the target."
            )
        if line.ece > HIGHEST_ECE:
            sentences.append(f"{line.table}: the ECE is {line.ece:.4f}; at most {HIGHEST_ECE} is the target.")
        most = MOST_SECONDS * max(1.0, line.rows / ROWS)
        if line.seconds > most:
            sentences.append(f"{line.table}: a fold takes {line.seconds:.0f} s; at most {most:.0f} s is the target.")
    ranks = mean_ranks(compared)
    for place, figure in enumerate(("AUC", "log loss")):
        if "ours" in ranks and ranks["ours"][place] > min(rank[place] for rank in ranks.values()):
            first = min(ranks, key=lambda method, place=place: ranks[method][place])  # type: ignore[misc]
            sentences.append(
                f"{figure}: the mean rank is {ranks['ours'][place]:.2f}; {METHODS[first]} is first with {ranks[first][place]:.2f}."
            )
    return sentences


HEADINGS = ("table", "method", "AUC", "to the best single model", "log loss", "ECE", "seconds a fold", "processor seconds", "ranks")
RANK_HEADINGS = ("mean rank", "AUC", "log loss", "ECE")


def cells(line: Line) -> tuple[str, ...]:
    """A line of the comparison. ranks: by AUC, log loss and ECE."""
    ranks = (line.rank_roc_auc, line.rank_log_loss, line.rank_ece)
    return (
        f"{line.table} ({line.rows:,} rows, {line.folds} of 5 folds)",
        METHODS[line.method],
        f"{line.roc_auc:.4f}",
        "" if line.above_best is None else f"{line.above_best:+.4f}".replace("-", "−"),
        f"{line.log_loss:.4f}",
        f"{line.ece:.4f}",
        f"{line.seconds:.0f}",
        f"{line.processor_seconds:.0f}",
        ", ".join(f"{rank:g}" for rank in ranks),
    )


def rank_cells(compared: Sequence[Line]) -> list[tuple[str, ...]]:
    """The methods by their mean ranks."""
    return [(METHODS[method], *(f"{rank:.2f}" for rank in ranks)) for method, ranks in mean_ranks(compared).items()]


def markdown(kept: Kept) -> str:
    """Both tables, and the targets missed, as Markdown."""
    compared = list(lines(kept))
    if not compared:
        return "Not measured yet."
    sentences = missed(compared)
    return "\n\n".join(
        [
            _markdown(HEADINGS, [cells(line) for line in compared], 2),
            _markdown(RANK_HEADINGS, rank_cells(compared), 1),
            "Missed:\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) if sentences else "Every target is met.",
        ]
    )


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    rule = [*["---"] * texts, *["---:"] * (len(headings) - texts)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (headings, rule, *rows))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
