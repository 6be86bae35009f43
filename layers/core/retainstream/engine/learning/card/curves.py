"""The curves of a card, reduced to the points of a plot."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.metrics import Floats, GainPoint, Outcomes, gain

MOST_POINTS = 200
_DIGITS = 6
_SCORE_BINS = 20


class CurvesDocument(TypedDict):
    """Curves, for `card.document.Curves`: the coordinates of the points by name, and the gain."""

    roc: dict[str, list[float | None]]
    precision_recall: dict[str, list[float | None]]
    gain: list[GainPoint]


class ScoreHistogram(TypedDict):
    """Rows per bin of the probability, for `card.document.ScoreBins`."""

    rows: int
    edges: list[float]
    counts: list[int]


def curves(churned: Outcomes, probabilities: Floats) -> CurvesDocument:
    """ROC, precision–recall and gain of probabilities (n,) against outcomes (n,). Both outcomes must be present."""
    return {
        "roc": roc_curve(churned, probabilities),
        "precision_recall": precision_recall_curve(churned, probabilities),
        "gain": gain(churned, probabilities),
    }


def roc_curve(churned: Outcomes, probabilities: Floats) -> dict[str, list[float | None]]:
    """At most MOST_POINTS points of scikit-learn's `roc_curve`, both ends included."""
    from sklearn import metrics

    false_positive, true_positive, thresholds = metrics.roc_curve(churned, probabilities)
    kept = _along(false_positive, true_positive)
    return {
        "false_positive_rate": _rounded(false_positive[kept]),
        "true_positive_rate": _rounded(true_positive[kept]),
        "threshold": _rounded(thresholds[kept]),
    }


def precision_recall_curve(churned: Outcomes, probabilities: Floats) -> dict[str, list[float | None]]:
    """At most MOST_POINTS points of scikit-learn's `precision_recall_curve`, both ends included."""
    from sklearn import metrics

    precision, recall, thresholds = metrics.precision_recall_curve(churned, probabilities, drop_intermediate=True)
    kept = _along(recall, precision)
    return {
        "recall": _rounded(recall[kept]),
        "precision": _rounded(precision[kept]),
        "threshold": _rounded(np.append(thresholds, np.inf)[kept]),
    }


def score_histogram(probabilities: Floats) -> ScoreHistogram:
    """The number of probabilities (n,) in each of twenty bins of equal width."""
    edges = np.arange(1, _SCORE_BINS) / _SCORE_BINS
    counts = np.bincount(np.searchsorted(edges, probabilities, side="right"), minlength=_SCORE_BINS)
    return {"rows": len(probabilities), "edges": edges.tolist(), "counts": counts.tolist()}


def _along(x: Floats, y: Floats) -> NDArray[np.intp]:
    """Places of points at about equal distances along the curve."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    walked = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0.0, walked[-1], MOST_POINTS - 1)
    return np.unique(np.append(np.searchsorted(walked, wanted), len(x) - 1))


def _rounded(values: Floats) -> list[float | None]:
    return [round(float(value), _DIGITS) if np.isfinite(value) else None for value in values]
