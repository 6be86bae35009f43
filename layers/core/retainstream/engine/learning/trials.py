"""Trials: settings of the model with their loss."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.trees import SettingsDocument, TreeSettings


class TrialDocument(SettingsDocument):
    """A trial as JSON. log_loss: its mean over the judged rows. size: leaves plus slopes."""

    rounds: int
    log_loss: float
    size: int


@dataclass(frozen=True)
class Taken:
    """Seconds of a piece of work: of processor time, and of wall-clock time."""

    worked: float = 0.0
    waited: float = 0.0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.worked + other.worked, self.waited + other.waited)

    def __mul__(self, times: float) -> "Taken":
        return Taken(self.worked * times, self.waited * times)


@dataclass(frozen=True)
class Trial:
    """Settings of the model, judged on rows that it was not fitted to.

    losses: float64 (n,), the log loss of each judged row. terms: columns in the linear stage, 0 without one.
    """

    settings: TreeSettings
    rounds: int
    losses: NDArray[np.float64]
    terms: int = 0
    taken: Taken = Taken()

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def work(self) -> int:
        return self.settings.work(self.rounds, self.terms)

    def document(self) -> TrialDocument:
        return {**self.settings.document(trees=self.rounds > 0), "rounds": self.rounds, "log_loss": round(self.loss, 6), "size": self.work}
