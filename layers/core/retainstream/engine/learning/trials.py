"""Trials: settings of the model with their loss; and those that make up the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.metrics import row_log_losses
from retainstream.engine.learning.trees import SettingsDocument, TreeSettings
from retainstream.engine.model.calibration import sigmoid


class TrialDocument(SettingsDocument):
    """A trial as JSON. log_loss: its mean over the judged rows. size: leaves plus slopes."""

    rounds: int
    log_loss: float
    size: int


@dataclass(frozen=True)
class Trial:
    """Settings of the model, judged on rows that it was not fitted to.

    losses: float64 (n,), the log loss of each judged row. terms: columns in the linear stage, 0 without one. scores: float32
    (times, n), the margins of the judged rows, once for each division into folds. leaves: of all rounds; None: as many as the depth allows.
    """

    settings: TreeSettings
    rounds: int
    losses: NDArray[np.float64]
    terms: int = 0
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32), repr=False)
    leaves: int | None = None

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def work(self) -> int:
        """The size: leaves plus slopes."""
        return self.settings.work(self.rounds, self.terms) if self.leaves is None else self.leaves + self.terms

    @property
    def steps(self) -> int:
        """The work of a row's contributions: for each leaf the square of the depth (see `walked` of `engine.model.contributions`)."""
        return (self.work - self.terms) * self.settings.depth**2

    def document(self) -> TrialDocument:
        return {**self.settings.document(trees=self.rounds > 0), "rounds": self.rounds, "log_loss": round(self.loss, 6), "size": self.work}


@dataclass(frozen=True)
class Chosen:
    """The trials that make up the model, which is the mean of their margins: one, or a blend of a few. The best comes first.

    losses: float64 (n,), the log loss of the mean on each judged row.
    """

    trials: tuple[Trial, ...]
    losses: NDArray[np.float64] = field(repr=False)

    @classmethod
    def single(cls, trial: Trial) -> "Chosen":
        return cls((trial,), trial.losses)

    @classmethod
    def blend(cls, trials: Sequence[Trial], churned: NDArray[np.bool_]) -> "Chosen":
        """The mean of several trials' margins. churned: bool (n,), of the rows that all of them were judged on."""
        scores = np.mean([trial.scores for trial in trials], axis=0, dtype=np.float64)
        losses = np.mean([row_log_losses(churned, sigmoid(of_division)) for of_division in scores], axis=0)
        return cls(tuple(sorted(trials, key=lambda trial: trial.loss)), losses)

    @property
    def best(self) -> Trial:
        """The member with the lowest loss."""
        return self.trials[0]

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    def document(self) -> TrialDocument:
        """The best member, as JSON."""
        return self.best.document()

    def members(self) -> list[TrialDocument]:
        """All members, as JSON."""
        return [trial.document() for trial in self.trials]
