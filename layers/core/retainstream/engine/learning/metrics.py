"""Metrics of probabilities against outcomes. All take churned, bool (n,), and probabilities, float64 (n,)."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

type Outcomes = NDArray[np.bool_]
type Floats = NDArray[np.float64]

ECE_BINS = 10
_SMALLEST = float(np.finfo(np.float64).eps)


class ThresholdFigures(TypedDict):
    """The figures at a threshold. called: customers at or above it."""

    precision: float
    recall: float
    f1: float
    called: int


class GainPoint(TypedDict):
    """share: riskiest share of the customers. found: share of all churners among them."""

    share: float
    found: float


class Summary(ThresholdFigures):
    """Every single figure. The AUCs are None where only one outcome is present."""

    rows: int
    churned: int
    churn_rate: float
    roc_auc: float | None
    pr_auc: float | None
    log_loss: float
    brier: float
    ece: float
    top_decile_lift: float


def roc_auc(churned: Outcomes, scores: Floats) -> float:
    """The chance that a customer who left scores above one who stayed; ties count half. NaN if one outcome is absent."""
    return float(weighted_aucs(churned, scores, np.ones((1, len(churned))))[0][0])


def pr_auc(churned: Outcomes, scores: Floats) -> float:
    """Average precision: precision weighted by the steps of recall, without interpolation. NaN if no customer left."""
    return float(weighted_aucs(churned, scores, np.ones((1, len(churned))))[1][0])


def weighted_aucs(churned: Outcomes, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """ROC AUC and average precision under each of b weightings of the rows: weights (b, n) → two arrays (b,)."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = ends_of_ties(ranked)
    ordered = weights[:, order]
    left = np.cumsum(ordered * churned[order], axis=1)[:, ends]
    seen = np.cumsum(ordered, axis=1)[:, ends]
    stayed = seen - left
    left_step = np.diff(left, axis=1, prepend=0.0)
    stayed_step = np.diff(stayed, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = stayed[:, -1:] - stayed + stayed_step / 2
        roc = (left_step * below).sum(axis=1) / (left[:, -1] * stayed[:, -1])
        precision = np.divide(left, seen, out=np.zeros_like(left), where=seen > 0)
        pr = (left_step * precision).sum(axis=1) / left[:, -1]
    return roc, pr


def row_log_losses(churned: Outcomes, probabilities: Floats) -> Floats:
    """For each row, −log of the probability of the actual outcome, shape (n,)."""
    probability = np.clip(np.where(churned, probabilities, 1 - probabilities), _SMALLEST, 1)
    losses: Floats = -np.log(probability)
    return losses


def log_loss(churned: Outcomes, probabilities: Floats) -> float:
    return float(row_log_losses(churned, probabilities).mean())


def brier(churned: Outcomes, probabilities: Floats) -> float:
    return float(np.mean((probabilities - churned) ** 2))


def ece(churned: Outcomes, probabilities: Floats) -> float:
    """Expected calibration error: |mean probability - churn rate| over ten bins of equal width, weighted by their rows."""
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    return float(np.abs(np.bincount(bins, weights=probabilities - churned)).sum() / len(churned))


def at_threshold(churned: Outcomes, probabilities: Floats, threshold: float) -> ThresholdFigures:
    """Precision, recall and F1 if every customer at or above the threshold counts as a churner; 0 where a figure has no rows."""
    called = probabilities >= threshold
    hits = int((called & churned).sum())
    precision = hits / int(called.sum()) if called.any() else 0.0
    recall = hits / int(churned.sum()) if churned.any() else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "called": int(called.sum())}


def best_f1_threshold(churned: Outcomes, probabilities: Floats) -> float:
    """The threshold that maximises F1; the highest among equals."""
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    ends = ends_of_ties(ranked)
    hits = np.cumsum(churned[order])[ends]
    f1 = 2 * hits / (ends + 1 + churned.sum())
    best = int(np.argmax(f1))
    following = ranked[ends[best] + 1] if ends[best] + 1 < len(ranked) else ranked[ends[best]]
    return float((ranked[ends[best]] + following) / 2)


def gain(churned: Outcomes, probabilities: Floats, steps: int = 20) -> list[GainPoint]:
    """The share of all churners among the riskiest customers, at `steps` equal shares of the customers; see `churners_among`."""
    shares = np.arange(1, steps + 1) / steps
    counts = np.maximum(1, np.round(shares * len(churned)))
    gained = churners_among(churned, probabilities, counts) / max(1, int(churned.sum()))
    return [{"share": float(share), "found": float(found)} for share, found in zip(shares, gained, strict=True)]


def top_decile_lift(churned: Outcomes, probabilities: Floats) -> float:
    """Churn rate of the riskiest tenth of the customers, divided by the churn rate of all; see `churners_among`."""
    top, overall = max(1, round(len(churned) / 10)), churned.mean()
    riskiest = float(churners_among(churned, probabilities, np.array([top], dtype=np.float64))[0])
    return riskiest / top / float(overall) if overall else 0.0


def churners_among(churned: Outcomes, probabilities: Floats, counts: Floats) -> Floats:
    """The churners among the riskiest customers, for each of `counts` (k,) customers.

    Where the last places go to customers of equal probability, it is the mean over all their orders.
    """
    order = np.argsort(-probabilities, kind="stable")
    ends = ends_of_ties(probabilities[order])
    left = np.append(0, np.cumsum(churned[order])[ends])
    among: Floats = np.interp(counts, np.append(0, ends + 1), left)
    return among


def ends_of_ties(ranked: Floats) -> NDArray[np.intp]:
    """The last place of each run of equal values."""
    return np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))


def summary(churned: Outcomes, probabilities: Floats, threshold: float) -> Summary:
    """Every single figure."""
    both = bool(churned.any() and not churned.all())
    return {
        "rows": len(churned),
        "churned": int(churned.sum()),
        "churn_rate": float(churned.mean()),
        "roc_auc": roc_auc(churned, probabilities) if both else None,
        "pr_auc": pr_auc(churned, probabilities) if both else None,
        "log_loss": log_loss(churned, probabilities),
        "brier": brier(churned, probabilities),
        "ece": ece(churned, probabilities),
        **at_threshold(churned, probabilities, threshold),
        "top_decile_lift": top_decile_lift(churned, probabilities),
    }
