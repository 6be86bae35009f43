"""The sampling error of an AUC by DeLong, DeLong and Clarke-Pearson (1988), and by customers as Obuchowski (1997)."""

from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.customer_errors import customers, error_of_sum
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.shares import wilson

FEWEST = 10
"""Customers of each outcome that the interval of an AUC needs: with fewer its coverage is far below 95%."""


def placements(churned: Outcomes, scores: Floats) -> Floats:
    """For a row that left the share of stayers below, for one that stayed the share of churners above, (n,); ties count half.

    The mean over either outcome is the AUC. Ranks as in Sun and Xu (2014).
    """
    left, stayed = scores[churned], scores[~churned]
    among_all = rankdata(np.concatenate([left, stayed]))
    placed = np.empty(len(scores))
    placed[churned] = (among_all[: len(left)] - rankdata(left)) / len(stayed)
    placed[~churned] = 1.0 - (among_all[len(left) :] - rankdata(stayed)) / len(left)
    return placed


def auc_and_error(churned: Outcomes, placed: Floats, customer_of: NDArray[np.intp] | None = None) -> tuple[float, float]:
    """The AUC and its standard error from `placements`, or those of a difference from the difference of two models' placements."""
    value = float(placed[churned].mean())
    if customer_of is None:
        parts = (placed[churned], placed[~churned])
        return value, float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts if len(part) > 1)))
    shares = np.empty(len(placed))
    for members in (churned, ~churned):
        shares[members] = (placed[members] - placed[members].mean()) / members.sum()
    return value, error_of_sum(shares, customer_of)


def auc_interval(churned: Outcomes, scores: Floats, keys: Keys | None = None) -> Interval | None:
    """DeLong's 95% interval on the scale of log-odds (Pepe 2003); None with fewer than `FEWEST` customers of an outcome.

    keys: the rows' customers; without them each row is a customer. The standard error of a few churners varies itself, so the reach is that
    of Student's t with Satterthwaite's degrees of freedom (1946). At an AUC of 1 or 0, where the standard error is 0, it is Wilson's
    interval of a share of the rarer outcome's customers.
    """
    few = fewest_of_an_outcome(churned, keys)
    if few < FEWEST:
        return None
    placed = placements(churned, scores)
    auc, error = auc_and_error(churned, placed, customers(keys))
    if error == 0 or not 0 < auc < 1:
        return Interval(*wilson(auc * few, few))
    middle, reach = log(auc / (1 - auc)), float(t.ppf(0.975, _freedom(churned, placed, keys))) * error / (auc * (1 - auc))
    return Interval(1 / (1 + exp(reach - middle)), 1 / (1 + exp(-middle - reach)))


def fewest_of_an_outcome(churned: Outcomes, keys: Keys | None = None) -> int:
    """The number of customers of the rarer outcome."""
    return min(_customers_of(churned, keys))


def _customers_of(churned: Outcomes, keys: Keys | None) -> tuple[int, int]:
    """The customers with a row that left, and those with a row that stayed."""
    if keys is None:
        return int(churned.sum()), int((~churned).sum())
    return len(np.unique(keys[churned])), len(np.unique(keys[~churned]))


def _freedom(churned: Outcomes, placed: Floats, keys: Keys | None) -> float:
    """Satterthwaite's degrees of freedom of the standard error of an AUC."""
    counts = _customers_of(churned, keys)
    parts = [placed[members].var() / count for members, count in zip((churned, ~churned), counts, strict=True)]
    return float(sum(parts) ** 2 / sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True)))
