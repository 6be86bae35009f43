"""Figures over all rows of a small table, each row scored by a model that was not fitted to its customer."""

from typing import cast

import numpy as np

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.fit import CROSS_FITTED_BELOW, Candidate, CrossFitted
from retainstream.engine.learning.judged_figures import judged
from retainstream.engine.learning.split import Split


def cross_fitted(data: DataSet, split: Split, candidate: Candidate, *, seed: int = 0) -> CrossFitted | None:
    """The figures of all rows: development rows by their out-of-fold probabilities, test rows by the candidate.

    The settings were chosen on the development rows, so the figures of a few hundred rows are a little too good. None where the split is by
    time, from `fit.CROSS_FITTED_BELOW` rows on, and for a candidate of a training job.
    """
    if split.test_from is not None or len(data) >= CROSS_FITTED_BELOW or candidate.out_of_fold is None:
        return None
    development, test = split.development(data), split.test(data)
    probabilities = np.empty(len(data))
    probabilities[development] = candidate.out_of_fold
    probabilities[test] = candidate.model.probabilities(data.where(test).rows)
    figures = judged(data.churned, probabilities, candidate.model.threshold, seed=seed, keys=data.keys)
    return cast("CrossFitted", {**figures.values, "intervals": figures.intervals_document()})
