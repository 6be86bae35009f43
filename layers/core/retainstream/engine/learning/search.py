"""The search for the model's settings: inner cross-validation, a limited number of trials, and a preference for small models."""

import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.learning.additive import MOST_CELLS, LinearFit, LinearStage, constant_stage, merged, regressors, started_from
from retainstream.engine.learning.choice import preferred, why
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import row_log_losses
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.split import folds_apart
from retainstream.engine.learning.trees import (
    SettingsChange,
    TreeSettings,
    fit_rounds,
    fit_watched,
    margins,
    parameters,
    quantile_matrix,
    threads_for,
)
from retainstream.engine.learning.trials import Chosen, Taken, Trial, TrialDocument
from retainstream.engine.model.calibration import sigmoid

_MANY_ROWS, _FEW_ROWS = 30_000, 2_000
_FOLDS, _FOLDS_OF_MANY = 5, 4
_DIVISIONS = 3
_OTHER_FOLDS = 0xD6E8FEB86659FD93
_SECONDS_A_FOLD, _SECONDS_A_CELL = 0.03, 4e-6
"""Seconds to judge a trial on a fold: the minimum, and per row × feature on one thread; both well above the measured times."""
_FEWEST_TRIALS, _MOST_TRIALS = 2, 14
_PATIENCE_WITH_NEIGHBOURS = 1.2
"""The limit is on processor time; wall-clock time may reach this multiple of it, where other processes use the processor."""

_DEPTHS = (2, 1)
"""First depths after a linear stage; trees alone are one deeper."""
_DEEPEST = 6
_CAREFUL: SettingsChange = {"penalty": 10.0, "min_child_weight": 20.0}
_PENALTIES, _USUAL_PENALTY = (64.0, 8.0, 1.0), 8.0
_CELLS_FOR_PENALTIES = 5_000_000


class SearchRecord(TypedDict):
    """A search as JSON, for the run's record. blend: the members of the model, the best first, where it has several; it is `chosen`."""

    chosen: TrialDocument
    blend: NotRequired[list[TrialDocument]]
    why: str
    trials: list[TrialDocument]
    stopped_by_clock: bool
    folds: int
    judged_folds: int
    threads: int
    seed: int
    seconds: float


def seconds_to_refit(data: DataSet) -> float:
    """Seconds to fit chosen settings to these rows, with their out-of-fold scores; well above the measured times."""
    return (_FOLDS + 1) * _seconds_of_a_fit(data)


def _seconds_of_a_fit(data: DataSet, share: float = 1.0) -> float:
    cells = len(data) * len(data.schema.features) * share
    return _SECONDS_A_FOLD + _SECONDS_A_CELL * cells / threads_for(len(data))


@dataclass
class _Fold:
    learned: xgboost.DMatrix
    judged: xgboost.DMatrix
    places: NDArray[np.intp]
    churned: NDArray[np.bool_]
    starts: dict[float | None, tuple[LinearStage, NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    linear: LinearFit | None = None


@dataclass
class Search:
    """Trials over the inner folds of the development rows.

    With many rows a trial is judged on one fold, where its standard error is small; otherwise on all folds; with few rows and enough
    time on all folds of three divisions, because there chance in one division may decide. The number of trials depends on the size of the
    data and `seconds` alone, so the result is the same on every machine. The clock stops the search only on a machine much slower than
    planned, and the record says so. `seconds` cover everything up to the final model: before each trial, the remaining time must be enough
    for the trial and for the work after the trials, judged by the trials so far.
    """

    data: DataSet
    seconds: float
    seed: int
    with_linear_stage: bool = True
    trials: list[Trial] = field(default_factory=list)
    stopped_by_clock: bool = False

    def __post_init__(self) -> None:
        many = len(self.data) > _MANY_ROWS
        self.fold_count = _FOLDS_OF_MANY if many else _FOLDS
        self.threads = threads_for(len(self.data))
        self.judged_folds = 1 if many else self.fold_count
        if len(self.data) < _FEW_ROWS and self._affordable(self.fold_count * _DIVISIONS) >= _MOST_TRIALS:
            self.judged_folds = self.fold_count * _DIVISIONS
        self.side_by_side = 1 if self.threads > 1 else min(self.judged_folds, os.process_cpu_count() or 1)
        self.fold_of = folds_apart(self.data.keys, self.data.rows, self.data.churned, self.fold_count)
        self.eta = 0.1 if many else 0.05
        self.patience = 20 if many else 40
        self._folds: dict[int, _Fold] = {}
        self._taken: list[Taken] = []

    def run(self) -> Chosen:
        """The chosen trial: the smallest model among those within one standard error of the best."""
        for settings in self._plan():
            if sum(trial.rounds > 0 for trial in self.trials) >= _FEWEST_TRIALS and self._late():
                self.stopped_by_clock = True
                break
            self.trials.append(self._try(settings))
        return Chosen.single(preferred(self.trials))

    def _late(self) -> bool:
        """Whether another trial and the work after it would take too long."""
        the_rest = (math.ceil(self.fold_count / self.side_by_side) + 1) / math.ceil(self.judged_folds / self.side_by_side)
        again = [self._best.taken, *[trial.taken for trial in self.trials if self._best.settings.linear and not trial.rounds][:1]]
        total = sum([*self._taken, self._taken[-1], *[taken * the_rest for taken in again]], start=Taken())
        return total.worked > self.seconds or total.waited > _PATIENCE_WITH_NEIGHBOURS * self.seconds

    def out_of_fold(self, chosen: Chosen) -> NDArray[np.float64]:
        """Margins (n,) of every development row, each from a model that was not fitted to it."""
        return np.mean([self._out_of_fold(trial) for trial in chosen.trials], axis=0, dtype=np.float64)

    def _out_of_fold(self, trial: Trial) -> NDArray[np.float64]:
        settings = parameters(self.data.schema.features, trial.settings, seed=self.seed, threads=self.threads)
        scores = np.empty(len(self.data))

        def score(number: int) -> None:
            fold, _ = self._started(number, trial.settings.linear)
            scores[fold.places] = margins(fit_rounds(settings, fold.learned, trial.rounds), fold.judged)

        with ThreadPoolExecutor(self.side_by_side) as pool:
            list(pool.map(score, range(self.fold_count)))
        return scores

    def final(self, chosen: Chosen) -> xgboost.Booster:
        """The chosen settings, fitted to all development rows. The trees count these rows, so that reasons start from their mean score."""
        columns, rows, churned = self.data.schema.features, self.data.rows, self.data.churned
        penalties = dict.fromkeys(trial.settings.linear for trial in chosen.trials)
        linear = LinearFit(columns, rows, churned) if any(penalty is not None for penalty in penalties) else None
        stages = {penalty: constant_stage(churned) if penalty is None or not linear else linear.stage(penalty) for penalty in penalties}
        learned = quantile_matrix(columns, rows, churned, threads=self.threads)
        members = []
        for trial in chosen.trials:
            settings, stage = parameters(columns, trial.settings, seed=self.seed, threads=self.threads), stages[trial.settings.linear]
            learned.set_base_margin(started_from(stage, rows))
            members.append((stage, fit_rounds(settings, learned, trial.rounds)))
        return counted(merged(members), columns, rows)

    def record(self, chosen: Chosen) -> SearchRecord:
        """The search as JSON."""
        record: SearchRecord = {
            "chosen": chosen.document(),
            "why": why(self.trials, chosen.best),
            "trials": [trial.document() for trial in self.trials],
            "stopped_by_clock": self.stopped_by_clock,
            "folds": self.fold_count,
            "judged_folds": self.judged_folds,
            "threads": self.threads,
            "seed": self.seed,
            "seconds": self.seconds,
        }
        if len(chosen.trials) > 1:
            record["blend"] = chosen.members()
        return record

    @property
    def planned(self) -> int:
        """The planned number of trials."""
        return int(np.clip(self._affordable(self.judged_folds), _FEWEST_TRIALS, _MOST_TRIALS))

    def _affordable(self, judged_folds: int) -> float:
        of_a_fold = _seconds_of_a_fit(self.data, 1 - 1 / self.fold_count)
        for_the_rest = (self.fold_count + 1) * of_a_fold
        return (self.seconds - for_the_rest) / (judged_folds * of_a_fold)

    def _plan(self) -> Iterator[TreeSettings]:
        """The linear stage alone, then linear stage with trees and trees alone, then depths around the best, then other settings."""
        planned = self.planned
        self.trials += [trial for trial in map(self._try_linear, self._penalties()) if trial.terms]
        kinds = [TreeSettings(_DEPTHS[0], self.eta), *([self._best.settings] if self.trials else [])]
        opening = [kind.changed(depth=depth + (kind.linear is None)) for depth in _DEPTHS for kind in kinds][:planned]
        yield from opening
        left = planned - len(opening)
        if not self._best.rounds:
            yield from [self._best.settings.changed(depth=3).changed(**_CAREFUL)][:left]
            return
        while left and (depth := self._depth_to_try()):
            left -= 1
            yield self._best.settings.changed(depth=depth)
        variations: list[SettingsChange] = [
            {"columns": 0.5},
            {"penalty": 10.0},
            {"min_child_weight": 20.0},
            {"min_child_weight": 1.0},
            {"subsample": 0.6},
            {"eta": self.eta / 2},
            {"columns": 1.0, "subsample": 1.0},
            {"depth": self._best.settings.depth + 1, **_CAREFUL},
        ]
        for change in variations[:left]:
            yield self._best.settings.changed(**change)

    def _depth_to_try(self) -> int | None:
        """A depth next to the best depth that was not tried yet."""
        best = self._best.settings
        tried = {trial.settings.depth for trial in self.trials if trial.rounds and trial.settings.linear == best.linear}
        return next((depth for depth in (best.depth + 1, best.depth - 1) if 1 <= depth <= _DEEPEST and depth not in tried), None)

    @property
    def _best(self) -> Trial:
        return min(self.trials, key=lambda trial: trial.loss)

    def _penalties(self) -> tuple[float, ...]:
        """The penalties of the linear stage to try; none if the data is too large for a linear stage."""
        cells = len(self.data) * regressors(self.data.schema.features)
        if cells > MOST_CELLS or not self.with_linear_stage:
            return ()
        return _PENALTIES if cells <= _CELLS_FOR_PENALTIES and self.planned >= _MOST_TRIALS // 2 else (_USUAL_PENALTY,)

    def _try_linear(self, penalty: float) -> Trial:
        """The linear stage alone."""
        started = self._at_once(lambda number: self._started(number, penalty))
        terms = max(len(fold.starts[penalty][0].terms) for fold, _ in started)
        losses, scores = self._row_by_row([(fold, of_judged) for fold, of_judged in started])
        return Trial(TreeSettings(1, self.eta, linear=penalty), 0, losses, terms, self._taken[-1], scores)

    def _try(self, settings: TreeSettings) -> Trial:
        xgboost_settings = parameters(self.data.schema.features, settings, seed=self.seed, threads=self.threads)

        def watched(number: int) -> tuple[_Fold, xgboost.Booster, NDArray[np.float64]]:
            fold, _ = self._started(number, settings.linear)
            return fold, *fit_watched(xgboost_settings, fold.learned, fold.judged, patience=self.patience)

        fitted = self._at_once(watched)
        shortest = min(len(curve) for _, _, curve in fitted)
        rounds = int(np.argmin(np.mean([curve[:shortest] for _, _, curve in fitted], axis=0))) + 1
        terms = max(len(fold.starts[settings.linear][0].terms) for fold, *_ in fitted)
        losses, scores = self._row_by_row([(fold, margins(booster, fold.judged, rounds)) for fold, booster, _ in fitted])
        return Trial(settings, rounds, losses, terms, self._taken[-1], scores)

    def _at_once[T](self, work: Callable[[int], T]) -> list[T]:
        """Does the work for every judged fold, in parallel where one fold would use a single processor."""

        def timed(number: int) -> tuple[T, float]:
            started = time.thread_time()
            return work(number), time.thread_time() - started

        begun = time.monotonic()
        with ThreadPoolExecutor(self.side_by_side) as pool:
            done = list(pool.map(timed, range(self.judged_folds)))
        worked = sum(seconds for _, seconds in done) / self.side_by_side
        self._taken.append(Taken(worked, time.monotonic() - begun))
        return [result for result, _ in done]

    def _started(self, number: int, penalty: float | None) -> tuple[_Fold, NDArray[np.float64]]:
        """A fold whose matrices continue from the linear stage of this penalty, and the judged rows' margins after that stage."""
        fold = self._fold(number)
        if penalty not in fold.starts:
            learned = np.delete(np.arange(len(self.data)), fold.places)
            columns, rows, churned = self.data.schema.features, self.data.rows, self.data.churned
            if penalty is None:
                stage = constant_stage(churned[learned])
            else:
                linear = fold.linear or LinearFit(columns, rows[learned], churned[learned])
                stage = linear.stage(penalty)
                fold.linear = linear if len(self._penalties()) > 1 else None
            fold.starts[penalty] = stage, started_from(stage, rows[learned]), started_from(stage, rows[fold.places])
        _, of_learned, of_judged = fold.starts[penalty]
        fold.learned.set_base_margin(of_learned)
        fold.judged.set_base_margin(of_judged)
        return fold, of_judged

    def _division(self, number: int) -> NDArray[np.int64]:
        if not number:
            return self.fold_of
        keys = self.data.keys ^ np.uint64(number * _OTHER_FOLDS % 2**64)
        return folds_apart(keys, self.data.rows, self.data.churned, self.fold_count)

    def _row_by_row(self, margins_of: list[tuple[_Fold, NDArray[np.float64]]]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """The loss of each judged row (n,), the mean of its losses if it was judged more than once; and its margins (times, n)."""
        times = max(1, self.judged_folds // self.fold_count)
        scores = np.full((times, len(self.data)), np.nan, dtype=np.float32)
        losses = np.zeros(len(self.data))
        for number, (fold, of_rows) in enumerate(margins_of):
            scores[number // self.fold_count, fold.places] = of_rows
            losses[fold.places] += row_log_losses(fold.churned, sigmoid(of_rows)) / times
        judged = ~np.isnan(scores[0])
        return losses[judged], scores[:, judged]

    def _fold(self, number: int) -> _Fold:
        if number not in self._folds:
            columns, judged = self.data.schema.features, self._division(number // self.fold_count) == number % self.fold_count
            rows, churned = self.data.rows, self.data.churned
            learned_matrix = quantile_matrix(columns, rows[~judged], churned[~judged], threads=self.threads)
            judged_matrix = quantile_matrix(columns, rows[judged], churned[judged], threads=self.threads, like=learned_matrix)
            self._folds[number] = _Fold(learned_matrix, judged_matrix, np.flatnonzero(judged), churned[judged])
        return self._folds[number]
