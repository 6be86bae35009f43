"""A shape of the model that was tried, with how it did."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.trees import TreeSettings


@dataclass(frozen=True)
class Taken:
    """Seconds that something took: at work, and by the clock on the wall."""

    worked: float = 0.0
    waited: float = 0.0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.worked + other.worked, self.waited + other.waited)

    def __mul__(self, times: float) -> "Taken":
        return Taken(self.worked * times, self.waited * times)


@dataclass(frozen=True)
class Trial:
    """One shape of the model, judged on rows it had not seen.

    losses: float64 (n,), each judged row's log loss. terms: columns in the linear stage, 0 without one.
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

    def document(self) -> dict[str, Any]:
        """The settings that had a say, the rounds, the log loss and the size."""
        return {**self.settings.document(trees=self.rounds > 0), "rounds": self.rounds, "log_loss": round(self.loss, 6), "size": self.work}
