"""A blend: a model that is the mean of a few trials, where the mean has a lower loss than the trial that would be chosen alone.

The mean of different models errs less than each of them, because their errors differ.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.trials import Chosen, Trial

MOST_MEMBERS = 3

MOST_STEPS = 1_500_000
"""The most steps (`Trial.steps`) that a row's contributions may take. 500 complete trees of depth 6, the largest model whose single row
docs/performance.md measures, take 1,152,000; a scoring run spends up to a seventh of its time on reasons of this size."""

_NEAR = 1.005
"""A member's loss is at most this multiple of the lowest loss."""
_MOST_CANDIDATES = 8


def explainable(trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose models may explain a row within the limit; the smallest where none does."""
    return [trial for trial in trials if trial.steps <= MOST_STEPS] or [min(trials, key=lambda trial: trial.steps)]


def blended(trials: Sequence[Trial], alone: Trial, churned: NDArray[np.bool_], *, gain: float, most_members: int = MOST_MEMBERS) -> Chosen:
    """The blend with the lowest loss, if that is lower than the loss of `alone` by more than `gain`; otherwise `alone`.

    Members are trials that were judged on the same rows as `alone`, with a loss near the lowest, and together within the limit of a row's
    reasons. churned: bool (n,), of these rows.
    """
    comparable = sorted((trial for trial in trials if trial.scores.shape == alone.scores.shape), key=lambda trial: trial.loss)
    near = [trial for trial in comparable if trial.loss <= _NEAR * comparable[0].loss][:_MOST_CANDIDATES]
    blends = (
        Chosen.blend(members, churned)
        for number in range(2, most_members + 1)
        for members in combinations(near, number)
        if sum(trial.steps for trial in members) <= MOST_STEPS
    )
    best = min(blends, key=lambda blend: blend.loss, default=Chosen.single(alone))
    return best if best.loss < alone.loss - gain else Chosen.single(alone)
