"""The intervals of all figures of `metrics.summary`."""

import numpy as np

from retainstream.engine.learning.bootstrap import Interval, resampled
from retainstream.engine.learning.customer_errors import customers, design_effect
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.delong import FEWEST, auc_interval, fewest_of_an_outcome
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.shares import wilson

_NEED_CHURNERS = ("pr_auc", "top_decile_lift")


def figure_intervals(
    churned: Outcomes, probabilities: Floats, threshold: float, seed: int, keys: Keys | None = None
) -> dict[str, Interval]:
    """95% intervals by figure. `keys` are the rows' customers; without them each row is a customer.

    ROC AUC by `delong.auc_interval`; precision and recall by Wilson, and F1 through the share of churners among the customers who left or
    were called (Jaccard's index j, F1 = 2j / (1 + j)), each with the design effect of its customers; the others by resampling. A figure has
    none without rows: the precision where no customer is called. AUCs and lift have none with fewer than `delong.FEWEST` customers of an
    outcome. The calibration error has none: resampling raises it.
    """
    intervals = resampled(churned, probabilities, seed, keys)
    if fewest_of_an_outcome(churned, keys) < FEWEST:
        intervals = {name: interval for name, interval in intervals.items() if name not in _NEED_CHURNERS}
    if auc := auc_interval(churned, probabilities, keys):
        intervals["roc_auc"] = auc
    called = probabilities >= threshold
    hits = called & churned
    for name, of in (("precision", called), ("recall", churned)):
        if of.any():
            intervals[name] = share_interval(hits[of], None if keys is None else keys[of])
    if (either := called | churned).any():
        shared = share_interval(hits[either], None if keys is None else keys[either])
        intervals["f1"] = Interval(2 * shared.low / (1 + shared.low), 2 * shared.high / (1 + shared.high))
    return intervals


def share_interval(successes: Outcomes, keys: Keys | None = None) -> Interval:
    """Wilson's interval of the share of successes, bool (n,), of which there must be rows, by as many rows as the design effect leaves."""
    effect = design_effect(successes - np.mean(successes), customers(keys))
    return Interval(*wilson(successes.sum() / effect, len(successes) / effect))
