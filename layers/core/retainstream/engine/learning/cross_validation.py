"""What the training path is worth on a table, by cross-validation: every customer is judged by a model that never saw them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning import metrics
from retainstream.engine.learning.checks import UnfitData
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.evaluate import calibration_noise, ceiling
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.metrics import Floats

FIGURES = ("roc_auc", "pr_auc", "log_loss", "brier", "ece")

type Document = dict[str, Any]


class Fitted(Protocol):
    """A method fitted to one fold's training rows, and what to say about how it was fitted."""

    def __call__(self, learned: DataSet, judged: DataSet) -> tuple[Floats, Document]:
        """Churn probabilities (n,) of the judged rows, of which only the features may be looked at."""
        ...


@dataclass(frozen=True)
class Judged:
    """One method on all folds. probabilities: float64 (n,), in row order, each from a model fitted without that row's fold."""

    folds: list[Document]
    probabilities: Floats

    def over_folds(self, take: Callable[[NDArray[np.float64]], Any]) -> dict[str, float]:
        return {figure: float(take(np.array([fold[figure] for fold in self.folds]))) for figure in FIGURES}

    def document(self, churned: NDArray[np.bool_]) -> Document:
        """The folds, their mean and standard deviation, the figures of all rows together, and the ceiling where there is one."""
        mean = self.over_folds(np.mean)
        document: Document = {
            "folds": self.folds,
            "mean": mean,
            "sd": self.over_folds(lambda values: np.std(values, ddof=1)),
            "pooled": {figure: value for figure, value in figures(churned, self.probabilities).items() if figure in FIGURES},
        }
        if all("ceiling" in fold for fold in self.folds):
            ceilings = [fold["ceiling"] for fold in self.folds]
            highest = {figure: float(np.mean([ceiling[figure] for ceiling in ceilings])) for figure in ceilings[0]}
            document |= {"ceiling": highest, "roc_auc_of_ceiling": mean["roc_auc"] / highest["roc_auc"]}
        return document


def stratified_folds(churned: NDArray[np.bool_], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row (n,): those of scikit-learn's `StratifiedKFold(folds, shuffle=True, random_state=seed)`.

    Raises:
        UnfitData: one of the outcomes is rarer than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    rarest = int(min(churned.sum(), (~churned).sum()))
    if rarest < folds:
        raise UnfitData(f"{folds} folds need at least {folds} customers who left and as many who stayed: there are only {rarest} of one.")
    fold_of = np.empty(len(churned), dtype=np.int64)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(churned)), churned)
    for number, (_, judged) in enumerate(split):
        fold_of[judged] = number
    return fold_of


def training_path(seconds: float) -> Fitted:
    """The product's own training: what a retraining run fits, with its tuning, calibration and threshold, on the training rows alone."""

    def fitted(learned: DataSet, judged: DataSet) -> tuple[Floats, Document]:
        in_order = learned.where(np.argsort(learned.keys, kind="stable"))  # as a run reads them
        candidate = fit(in_order, version="evaluated", seconds=seconds)
        record = candidate.record
        told = {name: record[name] for name in ("chosen", "why", "calibration", "stopped_by_clock")}
        return candidate.model.probabilities(judged.rows), {**told, "threshold": candidate.model.threshold}

    return fitted


def judge(data: DataSet, fold_of: NDArray[np.int64], fitted: Fitted, seed: int = 0) -> Iterator[tuple[int, Document, Floats]]:
    """Fold by fold: its number, its figures, and the probabilities of its rows in row order."""
    for number in range(int(fold_of.max()) + 1):
        judged = data.where(fold_of == number)
        started = time.perf_counter()
        probabilities, told = fitted(data.where(fold_of != number), judged)
        seconds = time.perf_counter() - started
        document = {"fold": number, "rows": len(judged), **figures(judged.churned, probabilities)}
        document |= {
            "ece_by_chance": calibration_noise(probabilities, seed, share=0.5),
            "ece_by_chance_at_most": calibration_noise(probabilities, seed),
            "seconds": round(seconds, 2),
        }
        best = ceiling(judged)
        yield number, {**document, **({"ceiling": best} if best else {}), **told}, probabilities


def cross_validate(
    data: DataSet,
    fold_of: NDArray[np.int64],
    methods: Mapping[str, Fitted],
    *,
    done: Callable[[str, Document], None] | None = None,
) -> dict[str, Judged]:
    """Every method on the same folds. `done` is told each method's fold with its figures as soon as they are known."""
    results = {}
    for name, fitted in methods.items():
        probabilities, folds = np.full(len(data), np.nan), []
        for number, document, given in judge(data, fold_of, fitted):
            probabilities[fold_of == number] = given
            folds.append(document)
            if done:
                done(name, document)
        results[name] = Judged(folds, probabilities)
    return results


def figures(churned: NDArray[np.bool_], probabilities: Floats) -> Document:
    """The figures of one fold."""
    return {
        "churned": int(churned.sum()),
        "roc_auc": metrics.roc_auc(churned, probabilities),
        "pr_auc": metrics.pr_auc(churned, probabilities),
        "log_loss": metrics.log_loss(churned, probabilities),
        "brier": metrics.brier(churned, probabilities),
        "ece": metrics.ece(churned, probabilities),
    }
