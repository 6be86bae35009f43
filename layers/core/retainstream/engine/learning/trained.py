"""A training run's models: the one that is judged on the test rows, and the one that goes into service."""

from dataclasses import dataclass, replace

from retainstream.engine.learning.cross_fitted import cross_fitted
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.fit import Candidate, fit, refit
from retainstream.engine.learning.split import Split, split_of
from retainstream.engine.learning.threshold import NO_TEAM, Team


@dataclass(frozen=True)
class Trained:
    """judged: fitted to the development rows. service: goes into service.

    Where the split is by time, the model in service has the same settings, fitted to all rows: the newest period is the one most like the
    next. Where it is by customers, both are the same, so that the test customers stay apart from every model.
    """

    split: Split
    judged: Candidate
    service: Candidate


def train(data: DataSet, *, version: str, seconds: float, seed: int = 0, team: Team = NO_TEAM) -> Trained:
    """Trains on a data set as a training run does."""
    split = split_of(data)
    judged = fit(data.where(split.development(data)), version=version, seconds=seconds, seed=seed, team=team)
    if figures := cross_fitted(data, split, judged, seed=seed):
        judged = replace(judged, record={**judged.record, "cross_fitted": figures})
    return Trained(split, judged, judged if split.test_from is None else refit(judged, data, seed=seed, team=team))
