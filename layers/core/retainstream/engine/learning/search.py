"""The search for the model's settings: inner cross-validation of a planned number of trials."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NotRequired, Self, TypedDict

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.learning.additive import MOST_CELLS, LinearFit, LinearStage, constant_stage, merged, regressors, started_from
from retainstream.engine.learning.blend import MOST_MEMBERS, blended, explainable
from retainstream.engine.learning.choice import TOLERANCE, preferred, why
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.draws import Space, candidates
from retainstream.engine.learning.inner_folds import Fold, InnerFolds, Start
from retainstream.engine.learning.metrics import row_log_losses
from retainstream.engine.learning.pairs import encoded, may_be_encoded
from retainstream.engine.learning.plan import Plan
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.trees import (
    Parameters,
    SettingsChange,
    TreeSettings,
    fit_rounds,
    fit_watched,
    leaves_of,
    margins,
    parameters,
    quantile_matrix,
)
from retainstream.engine.learning.trials import Chosen, Trial, TrialDocument
from retainstream.engine.learning.work import CORES, bins_of, seconds_a_round, seconds_of_a_matrix
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.schema import Column

_MANY_ROWS, _FEW_ROWS = 30_000, 2_000
_FOLDS, _FOLDS_OF_MANY, _SCREENING_FOLDS = 5, 4, 2
_DIVISIONS = 3
_FEWEST_TRIALS, _MOST_CANDIDATES = 2, 60
_AT_ONCE = 4
_PROMOTED_SHARE = 1 / 3
_SHARE_OF_OPENING, _SHARE_OF_SCREENING = 0.5, 0.6
_USUAL_ROUNDS = 150

_DEPTHS = (2, 1)
"""First depths after a linear stage; trees alone are one deeper."""
_DEEPEST_OF_OPENING = 6
_DEEPEST = 8
_CAREFUL: SettingsChange = {"penalty": 10.0, "min_child_weight": 20.0}
_PENALTIES, _USUAL_PENALTY = (64.0, 8.0, 1.0), 8.0
_CELLS_FOR_PENALTIES = 5_000_000
_LEVELS_TO_GROUP = 5
_CLOSE, _SHARE_OF_A_WINNER = 0.01, 0.8
"""Kinds of models whose losses differ by less than this share compete; otherwise this share of the candidates is of the better kind."""
_GROWTH = 0.75
"""How much of the growth in rows the growth in rounds is, where the chosen settings are fitted to all rows."""


class SearchRecord(TypedDict):
    """A search as JSON, for the run's record.

    blend: the members of the model, the best first, where it has several; the best is `chosen`. screened: the number of settings that were
    tried on a part of the folds before the best of them became trials.
    """

    chosen: TrialDocument
    blend: NotRequired[list[TrialDocument]]
    why: str
    trials: list[TrialDocument]
    screened: int
    stopped_by_clock: bool
    folds: int
    judged_folds: int
    seed: int
    seconds: float


@dataclass(frozen=True)
class _Fit:
    """Trees on a fold, stopped early. curve: the log loss of the judged rows by round."""

    fold: Fold
    booster: xgboost.Booster
    curve: NDArray[np.float64]


@dataclass(frozen=True)
class _Complete:
    """All rows, ready for trees. learned: their matrix, with the scores of the stage as base margins."""

    inputs: Inputs
    stage: LinearStage
    learned: xgboost.DMatrix

    @classmethod
    def of(cls, data: DataSet, start: Start, seed: int) -> Self:
        inputs, rows = Inputs(data.schema), data.rows
        if start.encoded:
            inputs, rows = encoded(data.schema, data.rows, data.churned, data.keys, seed)
        columns, churned = inputs.columns, data.churned
        stage = constant_stage(churned) if start.penalty is None else LinearFit(columns, rows, churned).stage(start.penalty)
        learned = quantile_matrix(columns, rows, churned, threads=1)
        learned.set_base_margin(started_from(stage, rows))
        return cls(inputs, stage, learned)


@dataclass
class Search:
    """Trials over the inner folds of the development rows.

    The search opens with a linear stage and small trees. Then come known settings and random ones, which are screened on a part of the
    folds; the better part of them goes on to all folds. With many rows a trial is judged on one fold; otherwise on all folds; with few rows
    and enough time on all folds of three divisions, because there chance in one division may decide.

    `seconds` cover everything up to the final model, on two processors. The plan depends on the data and on the rounds of the fits, by
    estimates of their work, so the result is the same on every machine. The clock stops the search only on a machine much slower than
    planned, and the record says so. trees_alone: the model has no linear stage, no derived inputs and no groups of levels.
    """

    data: DataSet
    seconds: float
    seed: int
    trees_alone: bool = False
    most_members: int = MOST_MEMBERS
    trials: list[Trial] = field(default_factory=list)
    screened: int = 0

    def __post_init__(self) -> None:
        many = len(self.data) > _MANY_ROWS
        self.fold_count = _FOLDS_OF_MANY if many else _FOLDS
        self.eta = 0.1 if many else 0.05
        self.patience = 20 if many else 40
        self._folds = InnerFolds(self.data, self.fold_count, self.seed)
        self._plan = Plan(self.data, self.seconds, len(self.data) * (self.fold_count - 1) // self.fold_count)
        usual = self._plan.of_a_fit(TreeSettings(3, self.eta), _USUAL_ROUNDS)
        self._plenty = self._plan.capacity > usual * self.fold_count * 2 * _FEWEST_TRIALS
        self._rungs = [1] if many else [_SCREENING_FOLDS, self.fold_count]
        if len(self.data) < _FEW_ROWS and self._plan.capacity > usual * self.fold_count * _DIVISIONS * 20:
            self._rungs = [self.fold_count, self.fold_count * _DIVISIONS]
        self.judged_folds = self._rungs[-1]

    @property
    def fold_of(self) -> NDArray[np.int64]:
        """The inner fold of each row, (n,)."""
        return self._folds.fold_of

    def run(self) -> Chosen:
        """The blend of trials with the lowest loss, or the smallest model within the tolerance of the best trial."""
        self._open()
        self._race()
        alone = preferred(explainable(self.trials))
        judged = np.sort(np.concatenate([self._folds.places(number) for number in range(min(self.judged_folds, self.fold_count))]))
        return blended(
            explainable(self.trials), alone, self.data.churned[judged], gain=TOLERANCE * alone.loss, most_members=self.most_members
        )

    def out_of_fold(self, chosen: Chosen) -> NDArray[np.float64]:
        """Margins (n,) of every development row, each from a model that was not fitted to it."""
        mean: NDArray[np.float64] = np.mean([self._out_of_fold(trial) for trial in chosen.trials], axis=0, dtype=np.float64)
        return mean

    def _out_of_fold(self, trial: Trial) -> NDArray[np.float64]:
        if any(trial is tried for tried in self.trials) and self.judged_folds >= self.fold_count:
            judged: NDArray[np.float64] = trial.scores[0].astype(np.float64)
            return judged
        scores = np.empty(len(self.data))

        def score(number: int) -> None:
            fold = self._folds.ready(number, Start.of(trial.settings))
            settings = self._parameters(trial.settings, fold.columns)
            scores[fold.places] = margins(fit_rounds(settings, fold.learned, trial.rounds), fold.judged)

        self._plan.in_parallel(score, range(self.fold_count))
        return scores

    def final(self, chosen: Chosen) -> xgboost.Booster:
        """The chosen settings, fitted to all development rows. The trees count these rows, so that reasons start from their mean score.

        There are more rows than in the folds that the rounds are chosen on, so they bear more rounds.
        """
        data = self.data
        starts = list(dict.fromkeys(Start.of(trial.settings) for trial in chosen.trials))
        made = dict(zip(starts, self._plan.in_parallel(lambda start: _Complete.of(data, start, self.seed), starts), strict=True))

        def fitted(trial: Trial) -> tuple[LinearStage, xgboost.Booster]:
            complete = made[Start.of(trial.settings)]
            named = self._parameters(trial.settings, complete.inputs.columns)
            return complete.stage, fit_rounds(named, complete.learned, self._final_rounds(trial))

        members = self._plan.in_parallel(fitted, chosen.trials)
        inputs = max((complete.inputs for complete in made.values()), key=lambda inputs: len(inputs.columns))
        booster = counted(merged(members), inputs.columns, inputs.rows(data.rows))
        inputs.store(booster)
        return booster

    def record(self, chosen: Chosen) -> SearchRecord:
        """The search as JSON."""
        record: SearchRecord = {
            "chosen": chosen.document(),
            "why": why(self.trials, chosen),
            "trials": [trial.document() for trial in self.trials],
            "screened": self.screened,
            "stopped_by_clock": self._plan.stopped_by_clock,
            "folds": self.fold_count,
            "judged_folds": self.judged_folds,
            "seed": self.seed,
            "seconds": self.seconds,
        }
        if len(chosen.trials) > 1:
            record["blend"] = chosen.members()
        return record

    def _open(self) -> None:
        """The linear stage alone, then linear stage with trees and trees alone, then depths around the best."""
        self.trials += [trial for trial in map(self._try_linear, self._penalties()) if trial.terms]
        kinds = [TreeSettings(_DEPTHS[0], self.eta), *([self._best.settings] if self.trials else [])]
        first, *more = [[kind.changed(depth=depth + (kind.linear is None)) for kind in kinds] for depth in _DEPTHS]
        if self.judged_folds == 1:  # both depths at once, for both processors
            first, more = [*first, *more[0]], []
        self._try_in_opening(first)
        if may_be_encoded(self.data.schema) and not self.trees_alone:
            self._try_pairs()
        if not all(map(self._try_in_opening, more)):
            return
        if not self._best.rounds:
            self._try_in_opening([self._best.settings.changed(depth=3).changed(**_CAREFUL)])
        while (next_depth := self._depth_to_try()) and self._try_in_opening([self._best.settings.changed(depth=next_depth)]):
            pass

    def _try_pairs(self) -> None:
        """The best trees with the numbers of pairs of columns. If no fold has such a pair, these are the same trees, and no trial."""
        plain = self._best_trees
        if self._try_in_opening([plain.settings.changed(encoded=True)]) and self.trials[-1].loss == plain.loss:
            self.trials.pop()

    def _try_in_opening(self, settings: Sequence[TreeSettings]) -> bool:
        """Judges settings on all folds; false if there is no time for them. The first ones, at least two, are judged in any case."""
        enough = sum(trial.rounds > 0 for trial in self.trials) >= _FEWEST_TRIALS
        if enough and not self._affordable(settings, self.judged_folds, _SHARE_OF_OPENING):
            return False
        self.trials += self._judged([{} for _ in settings], settings, self.judged_folds)
        return True

    def _race(self) -> None:
        """Successive halving: candidates on a part of the folds, the better part of them on all folds."""
        fits: list[dict[int, _Fit]] = []
        screened: list[Trial] = []
        coming, first, last = candidates(self._space(), self.seed), self._rungs[0], len(self._rungs) == 1
        until = 1.0 if last else _SHARE_OF_SCREENING
        while len(screened) < _MOST_CANDIDATES and self._affordable(batch := list(islice(coming, _AT_ONCE)), first, until):
            of_batch: list[dict[int, _Fit]] = [{} for _ in batch]
            screened += self._judged(of_batch, batch, first)
            fits += of_batch
            for place in np.argsort([trial.loss for trial in screened])[self._promoted(_MOST_CANDIDATES) :]:
                fits[place] = {}
        self.screened = len(screened)
        if last:
            self.trials += screened
            return
        order = np.argsort([trial.loss for trial in screened], kind="stable")[: self._promoted(len(screened))]
        for start in range(0, len(order), _AT_ONCE):
            places = order[start : start + _AT_ONCE]
            settings = [screened[place].settings for place in places]
            if not self._affordable(settings, self.judged_folds - first):
                return
            self.trials += self._judged([fits[place] for place in places], settings, self.judged_folds)

    def _promoted(self, count: int) -> int:
        return math.ceil(count * _PROMOTED_SHARE)

    def _depth_to_try(self) -> int | None:
        """A depth next to the best depth that was not tried yet."""
        best = self._best.settings
        tried = {trial.settings.depth for trial in self.trials if trial.rounds and trial.settings.linear == best.linear}
        near = (best.depth + 1, best.depth - 1)
        return next((depth for depth in near if 1 <= depth <= _DEEPEST_OF_OPENING and depth not in tried), None)

    def _space(self) -> Space:
        """The settings to draw from, by what the opening showed."""
        schema = self.data.schema
        grouped = any(len(column.levels) >= _LEVELS_TO_GROUP for column in schema.features if column.kind == "category")
        after_linear = [trial for trial in self.trials if trial.settings.linear is not None]
        with_pairs = [trial for trial in self.trials if trial.settings.encoded]
        best_linear = min(after_linear, key=lambda trial: trial.loss, default=None)
        return Space(
            self.eta,
            _DEEPEST,
            linear=best_linear.settings.linear if best_linear else None,
            share_of_linear=self._share_of(after_linear),
            share_of_encoded=self._share_of(with_pairs),
            grouped=grouped and not self.trees_alone,
        )

    def _share_of(self, kind: Sequence[Trial]) -> float:
        """The share of the candidates that are of a kind, by its lowest loss and that of the other trials."""
        ours, others = ([trial.loss for trial in self.trials if any(trial is one for one in kind) is of_kind] for of_kind in (True, False))
        if not ours or not others:
            return float(bool(ours))
        gain = min(others) / min(ours) - 1
        return _SHARE_OF_A_WINNER if gain > _CLOSE else (0.5 if gain > -_CLOSE else 0.0)

    @property
    def _best(self) -> Trial:
        return min(self.trials, key=lambda trial: trial.loss)

    @property
    def _best_trees(self) -> Trial:
        """The best trial with trees."""
        return min((trial for trial in self.trials if trial.rounds), key=lambda trial: trial.loss)

    def _penalties(self) -> tuple[float, ...]:
        """The penalties of the linear stage to try; none if the data is too large for a linear stage."""
        cells = len(self.data) * regressors(self.data.schema.features)
        if cells > MOST_CELLS or self.trees_alone:
            return ()
        return _PENALTIES if cells <= _CELLS_FOR_PENALTIES and self._plenty else (_USUAL_PENALTY,)

    def _try_linear(self, penalty: float) -> Trial:
        """The linear stage alone."""
        others = penalty != self._penalties()[-1]
        folds = self._plan.in_parallel(lambda number: self._folds.ready(number, Start(penalty), others=others), range(self.judged_folds))
        self._plan.spent += self.judged_folds * self._plan.of_a_linear_fit
        return self._trial(TreeSettings(1, self.eta, linear=penalty), 0, folds, [fold.scores for fold in folds])

    def _judged(self, fits: list[dict[int, _Fit]], settings: Sequence[TreeSettings], folds: int) -> list[Trial]:
        """A trial for each of the settings, on the first folds. fits: those by fold that each has already; the new ones are added."""
        missing = [(place, number) for place in range(len(settings)) for number in range(folds) if number not in fits[place]]
        self._plan.in_parallel(
            lambda pair: self._folds.ready(*pair), dict.fromkeys((number, Start.of(settings[place])) for place, number in missing)
        )

        def fitted(work: tuple[int, int]) -> _Fit:
            place, number = work
            fold = self._folds.ready(number, Start.of(settings[place]))
            named = self._parameters(settings[place], fold.columns)
            return _Fit(fold, *fit_watched(named, fold.learned, fold.judged, patience=self.patience))

        for (place, number), fit in zip(missing, self._plan.in_parallel(fitted, missing), strict=True):
            fits[place][number] = fit
            self._plan.spent += self._plan.of_a_fit(settings[place], len(fit.curve))
        return [self._trial_of(each, list(map(of_one.__getitem__, range(folds)))) for each, of_one in zip(settings, fits, strict=True)]

    def _trial_of(self, settings: TreeSettings, fits: Sequence[_Fit]) -> Trial:
        shortest = min(len(fit.curve) for fit in fits)
        rounds = int(np.argmin(np.mean([fit.curve[:shortest] for fit in fits], axis=0))) + 1
        scores = [margins(fit.booster, fit.fold.judged, rounds) for fit in fits]
        return self._trial(settings, rounds, [fit.fold for fit in fits], scores, leaves_of(fits[0].booster, rounds))

    def _trial(
        self,
        settings: TreeSettings,
        rounds: int,
        folds: Sequence[Fold],
        scores_of_folds: Sequence[NDArray[np.float64]],
        leaves: int = 0,
    ) -> Trial:
        """The trial of these margins of the folds' judged rows. A row's loss is the mean of its losses if it was judged more than once."""
        times = max(1, len(folds) // self.fold_count)
        scores = np.full((times, len(self.data)), np.nan, dtype=np.float32)
        losses = np.zeros(len(self.data))
        for number, (fold, of_rows) in enumerate(zip(folds, scores_of_folds, strict=True)):
            scores[number // self.fold_count, fold.places] = of_rows
            losses[fold.places] += row_log_losses(fold.churned, sigmoid(of_rows)) / times
        judged = ~np.isnan(scores[0])
        return Trial(settings, rounds, losses[judged], max(fold.terms for fold in folds), scores[:, judged], leaves)

    def _parameters(self, settings: TreeSettings, columns: Sequence[Column]) -> Parameters:
        return parameters(columns, settings, seed=self.seed, threads=1)

    def _final_rounds(self, trial: Trial) -> int:
        return round(trial.rounds * (1 + _GROWTH / (self.fold_count - 1)))

    def _affordable(self, settings: Sequence[TreeSettings], folds: int, share: float = 1.0) -> bool:
        """Whether there is time to judge the settings on so many folds, within a share of the time, and for the final model."""
        rounds = self._best.rounds + self.patience if self.trials and self._best.rounds else _USUAL_ROUNDS
        planned = sum(folds * self._plan.of_a_fit(each, rounds) for each in settings)
        last = sorted(self.trials, key=lambda trial: trial.loss)[:MOST_MEMBERS]
        fits = 1 + self.fold_count * (self.judged_folds < self.fold_count)
        reserved = sum(fits * self._plan.of_a_fit(trial.settings, self._final_rounds(trial)) for trial in last)
        reserved += fits * self._plan.of_a_matrix
        return self._plan.affords(planned, reserved, share)


def seconds_to_refit(data: DataSet) -> float:
    """Seconds to fit a chosen model to these rows, with its out-of-fold scores."""
    columns, bins = len(data.schema.features), bins_of(data.rows)
    of_a_fit = seconds_of_a_matrix(len(data), columns) + _USUAL_ROUNDS * seconds_a_round(TreeSettings(4, 0.1), len(data), columns, bins)
    return (_FOLDS + 1) * MOST_MEMBERS * of_a_fit / CORES
