"""Cross-validation of training on a table: every customer is scored by a model that was not trained on that customer."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NotRequired, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning import metrics
from retainstream.engine.learning.checks import UnfitData
from retainstream.engine.learning.dataset import DataSet, Keys, in_order, unknown_anchors
from retainstream.engine.learning.evaluate import Ceiling, calibration_noise, ceiling
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.judged_figures import judged as judged_figures
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.learning.trials import TrialDocument

type Figure = Literal["roc_auc", "pr_auc", "log_loss", "brier", "ece"]

FIGURES: tuple[Figure, ...] = ("roc_auc", "pr_auc", "log_loss", "brier", "ece")

_NO_THRESHOLD = 1.0
_AT_A_THRESHOLD = ("precision", "recall", "f1")


class FitDescription(TypedDict, total=False):
    """The fit of one fold: the chosen settings, the reason, the calibration's method, and the threshold."""

    chosen: TrialDocument
    why: str
    calibration: str
    stopped_by_clock: bool
    threshold: float


class Figures(TypedDict):
    """The figures of some rows."""

    churned: int
    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float


class Fold(Figures, FitDescription):
    """One fold of a method. ece_by_chance: median ECE of a perfectly calibrated model; ece_by_chance_at_most: its 99th percentile."""

    fold: int
    rows: int
    ece_by_chance: float
    ece_by_chance_at_most: float
    seconds: float
    ceiling: NotRequired[Ceiling]


class Pooled(TypedDict):
    """The figures of all rows together, with the 95% intervals of those that have one; see `judged_figures`."""

    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float
    expected: float
    observed_to_expected: float
    calibration_slope: float | None
    intervals: dict[str, dict[str, float]]


class JudgedDocument(TypedDict):
    """A method on all folds. mean and sd are over the folds, pooled is over all rows.

    For generated customers only: the ceiling, and roc_auc_of_ceiling (see `share_of_ceiling`) of the mean ROC AUC.
    """

    folds: list[Fold]
    mean: dict[Figure, float]
    sd: dict[Figure, float]
    pooled: Pooled
    ceiling: NotRequired[Ceiling]
    roc_auc_of_ceiling: NotRequired[float]


class Fitted(Protocol):
    """A method that fits one fold's training rows and describes the fit."""

    def __call__(self, learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
        """Churn probabilities (n,) of the judged rows, from their features alone, and the description of the fit."""
        ...


@dataclass(frozen=True)
class Judged:
    """A method on all folds. probabilities: float64 (n,), in row order, each from a model fitted without that row's fold."""

    folds: list[Fold]
    probabilities: Floats

    def over_folds(self, take: Callable[[NDArray[np.float64]], np.floating]) -> dict[Figure, float]:
        return {figure: float(take(np.array([fold[figure] for fold in self.folds]))) for figure in FIGURES}

    def document(self, churned: NDArray[np.bool_], keys: Keys | None = None) -> JudgedDocument:
        """The folds, their mean and standard deviation, the figures of all rows together, and the ceiling for generated customers.

        keys: the rows' customers, for the intervals; without them each row is a customer.
        """
        mean = self.over_folds(np.mean)
        document: JudgedDocument = {
            "folds": self.folds,
            "mean": mean,
            "sd": self.over_folds(lambda values: np.std(values, ddof=1)),
            "pooled": _pooled(churned, self.probabilities, keys),
        }
        ceilings = [fold["ceiling"] for fold in self.folds if "ceiling" in fold]
        if len(ceilings) == len(self.folds):
            highest: Ceiling = {
                "roc_auc": float(np.mean([ceiling["roc_auc"] for ceiling in ceilings])),
                "pr_auc": float(np.mean([ceiling["pr_auc"] for ceiling in ceilings])),
                "log_loss": float(np.mean([ceiling["log_loss"] for ceiling in ceilings])),
                "brier": float(np.mean([ceiling["brier"] for ceiling in ceilings])),
            }
            return {**document, "ceiling": highest, "roc_auc_of_ceiling": share_of_ceiling(mean["roc_auc"], highest["roc_auc"])}
        return document


def stratified_folds(churned: NDArray[np.bool_], folds: int, seed: int, keys: Keys | None = None) -> NDArray[np.int64]:
    """The fold of each row (n,): those of scikit-learn's `StratifiedKFold(folds, shuffle=True, random_state=seed)`.

    Where `keys` repeat, these are the folds of the customers in order of appearance, by whether a customer left at any row; all rows of a
    customer are in one fold.

    Raises:
        UnfitData: one of the outcomes is rarer than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    if keys is not None and len(np.unique(keys)) < len(keys):
        _, first, customer_of = np.unique(keys, return_index=True, return_inverse=True)
        place_of = np.argsort(np.argsort(first))[customer_of]
        return stratified_folds(np.bincount(place_of, weights=churned) > 0, folds, seed)[place_of]
    rarest = int(min(churned.sum(), (~churned).sum()))
    if rarest < folds:
        raise UnfitData(f"{folds} folds need at least {folds} customers who left and as many who stayed: there are only {rarest} of one.")
    fold_of = np.empty(len(churned), dtype=np.int64)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(churned)), churned)
    for number, (_, judged) in enumerate(split):
        fold_of[judged] = number
    return fold_of


def training_path(seconds: float) -> Fitted:
    """The product's training, as in a retraining run: tuning, calibration and threshold, on the training rows alone.

    The judged rows are of all periods, so the calibration is over all of them too, and not of the newest.
    """

    def fitted(learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
        of_any_day = replace(in_order(learned), anchors=unknown_anchors(len(learned)))
        candidate = fit(of_any_day, version="evaluated", seconds=seconds)
        record = candidate.record
        description: FitDescription = {
            "chosen": record["chosen"],
            "why": record["why"],
            "calibration": record["calibration"],
            "stopped_by_clock": record["stopped_by_clock"],
            "threshold": candidate.model.threshold,
        }
        return candidate.model.probabilities(judged.rows), description

    return fitted


def judge(data: DataSet, fold_of: NDArray[np.int64], fitted: Fitted, seed: int = 0) -> Iterator[tuple[int, Fold, Floats]]:
    """For each fold: its number, its figures, and the probabilities of its rows in row order."""
    for number in range(int(fold_of.max()) + 1):
        judged = data.where(fold_of == number)
        started = time.perf_counter()
        probabilities, description = fitted(data.where(fold_of != number), judged)
        seconds = time.perf_counter() - started
        of_fold = figures(judged.churned, probabilities)
        fold: Fold = {
            "fold": number,
            "rows": len(judged),
            "churned": of_fold["churned"],
            "roc_auc": of_fold["roc_auc"],
            "pr_auc": of_fold["pr_auc"],
            "log_loss": of_fold["log_loss"],
            "brier": of_fold["brier"],
            "ece": of_fold["ece"],
            "ece_by_chance": calibration_noise(probabilities, seed, share=0.5),
            "ece_by_chance_at_most": calibration_noise(probabilities, seed),
            "seconds": round(seconds, 2),
        }
        best = ceiling(judged)
        if best:
            fold["ceiling"] = best
        yield number, {**fold, **description}, probabilities


def cross_validate(
    data: DataSet,
    fold_of: NDArray[np.int64],
    methods: Mapping[str, Fitted],
    *,
    done: Callable[[str, Fold], None] | None = None,
) -> dict[str, Judged]:
    """Every method on the same folds. `done` is called with the method and the figures after each fold."""
    results = {}
    for name, fitted in methods.items():
        probabilities, folds = np.full(len(data), np.nan), []
        for number, fold, fold_probabilities in judge(data, fold_of, fitted):
            probabilities[fold_of == number] = fold_probabilities
            folds.append(fold)
            if done:
                done(name, fold)
        results[name] = Judged(folds, probabilities)
    return results


def share_of_ceiling(roc_auc: float, ceiling: float) -> float:
    """The share of the ceiling above chance, (AUC - 0.5) / (ceiling - 0.5): 0 for a model that ranks by chance, 1 at the ceiling."""
    return (roc_auc - 0.5) / (ceiling - 0.5)


def figures(churned: NDArray[np.bool_], probabilities: Floats) -> Figures:
    """The figures of some rows."""
    return {
        "churned": int(churned.sum()),
        "roc_auc": metrics.roc_auc(churned, probabilities),
        "pr_auc": metrics.pr_auc(churned, probabilities),
        "log_loss": metrics.log_loss(churned, probabilities),
        "brier": metrics.brier(churned, probabilities),
        "ece": metrics.ece(churned, probabilities),
    }


def _pooled(churned: NDArray[np.bool_], probabilities: Floats, keys: Keys | None) -> Pooled:
    of_all, together = figures(churned, probabilities), judged_figures(churned, probabilities, _NO_THRESHOLD, keys=keys)
    return {
        "roc_auc": of_all["roc_auc"],
        "pr_auc": of_all["pr_auc"],
        "log_loss": of_all["log_loss"],
        "brier": of_all["brier"],
        "ece": of_all["ece"],
        "expected": together.values["expected"],
        "observed_to_expected": together.values["observed_to_expected"],
        "calibration_slope": together.values["calibration_slope"],
        "intervals": {name: interval for name, interval in together.intervals_document().items() if name not in _AT_A_THRESHOLD},
    }
