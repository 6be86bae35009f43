"""The search for the shape of the trees: inner cross-validation, a bounded number of trials, and a liking for small models."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.scoring.calibration import sigmoid
from retainstream.training.dataset import DataSet
from retainstream.training.metrics import row_log_losses
from retainstream.training.split import folds
from retainstream.training.trees import TreeSettings, fit_watched, margins, parameters, quantile_matrix, threads_for

_MANY_ROWS = 30_000
_SECONDS_A_FOLD, _SECONDS_A_CELL = 0.03, 4e-6
"""What judging one trial on one fold takes: at least, and per row × feature on one thread; well above what was measured."""
_FEWEST_TRIALS, _MOST_TRIALS = 2, 14
_PATIENCE_WITH_NEIGHBOURS = 1.2
"""The budget counts time at work; time spent waiting for a processor that others use is borne up to this many times the budget."""

_DEPTHS = (3, 2, 4, 1, 5, 6)


@dataclass(frozen=True)
class Trial:
    """One shape of trees, judged on rows its trees had not seen. `losses` holds each judged row's log loss."""

    settings: TreeSettings
    rounds: int
    losses: NDArray[np.float64]

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def work(self) -> int:
        return self.settings.work(self.rounds)

    def document(self) -> dict[str, Any]:
        return {**self.settings.document(), "rounds": self.rounds, "log_loss": round(self.loss, 6), "leaves": self.work}


@dataclass
class _Fold:
    learned: xgboost.DMatrix
    judged: xgboost.DMatrix
    places: NDArray[np.intp]
    churned: NDArray[np.bool_]


@dataclass
class Search:
    """Trials over the inner folds of the development rows.

    With many rows a trial is judged on one fold (its standard error is small there), with few on all of them. How many trials there
    are follows from the size of the data and `seconds` alone, so the outcome is the same wherever it runs; the clock only steps in
    on a machine far slower than planned for, and then the record says so.
    """

    data: DataSet
    seconds: float
    seed: int
    trials: list[Trial] = field(default_factory=list)
    stopped_by_clock: bool = False

    def __post_init__(self) -> None:
        many = len(self.data) > _MANY_ROWS
        self.fold_count = 4 if many else 5
        self.judged_folds = 1 if many else self.fold_count
        self.threads = threads_for(len(self.data))
        self.fold_of = folds(self.data.keys, self.data.churned, self.fold_count)
        self.eta = 0.1 if many else 0.05
        self.patience = 20 if many else 40
        self._folds: dict[int, _Fold] = {}

    def run(self) -> Trial:
        """The chosen trial: the one of least work among those within one standard error of the best."""
        started, worked = time.monotonic(), time.thread_time()
        for settings in self._plan():
            late = time.thread_time() - worked > self.seconds or time.monotonic() - started > _PATIENCE_WITH_NEIGHBOURS * self.seconds
            if len(self.trials) >= _FEWEST_TRIALS and late:
                self.stopped_by_clock = True
                break
            self.trials.append(self._try(settings))
        return preferred(self.trials)

    def out_of_fold(self, trial: Trial) -> NDArray[np.float64]:
        """Margins (n,) of every development row, each from trees that had not seen it."""
        given = parameters(self.data.schema, trial.settings, seed=self.seed, threads=self.threads)
        scores = np.empty(len(self.data))
        for number in range(self.fold_count):
            fold = self._fold(number)
            booster = xgboost.train(given, fold.learned, trial.rounds)
            scores[fold.places] = margins(booster, fold.judged)
        return scores

    @property
    def planned(self) -> int:
        """How many trials the time is planned to be enough for."""
        cells = len(self.data) * len(self.data.schema.features) * (1 - 1 / self.fold_count)
        of_a_fold = _SECONDS_A_FOLD + _SECONDS_A_CELL * cells / self.threads
        for_the_rest = (self.fold_count + 1) * of_a_fold
        return int(np.clip((self.seconds - for_the_rest) / (self.judged_folds * of_a_fold), _FEWEST_TRIALS, _MOST_TRIALS))

    def _plan(self) -> Iterator[TreeSettings]:
        """First the depths, then what else may help at the best depth so far."""
        planned = self.planned
        depths = _DEPTHS[: max(2, min(len(_DEPTHS), (planned * 2 + 2) // 3))]
        for depth in depths:
            yield TreeSettings(depth, self.eta)
        left = planned - len(depths)
        best = min(self.trials, key=lambda trial: trial.loss).settings
        variations: list[dict[str, Any]] = [
            {"columns": 0.5},
            {"penalty": 10.0},
            {"min_child_weight": 20.0},
            {"min_child_weight": 1.0},
            {"subsample": 0.6},
            {"eta": self.eta / 2},
            {"columns": 1.0, "subsample": 1.0},
            {"depth": best.depth + 1, "penalty": 10.0, "min_child_weight": 20.0},
        ]
        for change in variations[: max(0, left)]:
            improved = min(self.trials, key=lambda trial: trial.loss).settings
            yield improved.changed(**change)

    def _try(self, settings: TreeSettings) -> Trial:
        given = parameters(self.data.schema, settings, seed=self.seed, threads=self.threads)
        fitted = []
        for number in range(self.judged_folds):
            fold = self._fold(number)
            fitted.append((fold, *fit_watched(given, fold.learned, fold.judged, patience=self.patience)))
        shortest = min(len(curve) for _, _, curve in fitted)
        rounds = int(np.argmin(np.mean([curve[:shortest] for _, _, curve in fitted], axis=0))) + 1
        losses = [row_log_losses(fold.churned, sigmoid(margins(booster, fold.judged, rounds))) for fold, booster, _ in fitted]
        return Trial(settings, rounds, np.concatenate(losses))

    def _fold(self, number: int) -> _Fold:
        if number not in self._folds:
            schema, judged = self.data.schema, self.fold_of == number
            rows, churned = self.data.rows, self.data.churned
            learned_matrix = quantile_matrix(schema, rows[~judged], churned[~judged], threads=self.threads)
            judged_matrix = quantile_matrix(schema, rows[judged], churned[judged], threads=self.threads, like=learned_matrix)
            self._folds[number] = _Fold(learned_matrix, judged_matrix, np.flatnonzero(judged), churned[judged])
        return self._folds[number]


def preferred(trials: list[Trial]) -> Trial:
    """The trial of least work whose loss exceeds the best one's by no more than the standard error of their difference."""
    best = min(trials, key=lambda trial: trial.loss)

    def close(trial: Trial) -> bool:
        difference = trial.losses - best.losses
        error = float(difference.std() / np.sqrt(len(difference)))
        return float(difference.mean()) <= error

    return min((trial for trial in trials if close(trial)), key=lambda trial: (trial.work, trial.loss))
