"""A shape of the model that was tried, with how it did."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retainstream.training.trees import TreeSettings


@dataclass(frozen=True)
class Trial:
    """One shape of the model, judged on rows it had not seen.

    losses: float64 (n,), each judged row's log loss. terms: columns in the linear stage, 0 without one.
    """

    settings: TreeSettings
    rounds: int
    losses: NDArray[np.float64]
    terms: int = 0

    @property
    def loss(self) -> float:
        return float(self.losses.mean())

    @property
    def work(self) -> int:
        return self.settings.work(self.rounds, self.terms)

    def document(self) -> dict[str, Any]:
        """The settings that had a say, the rounds, the log loss and the size."""
        return {**self.settings.document(trees=self.rounds > 0), "rounds": self.rounds, "log_loss": round(self.loss, 6), "size": self.work}
