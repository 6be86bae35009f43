"""Evaluation of a model on rows that were not used for fitting, tuning, calibration or the threshold."""

from typing import Any, TypedDict

import numpy as np

from retainstream.engine.business.truth import is_generated_for, truth_of
from retainstream.engine.learning import metrics
from retainstream.engine.learning.baseline import LinearBaseline, out_of_fold
from retainstream.engine.learning.bootstrap import resamples
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.card.curves import curves
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.delong import auc_interval
from retainstream.engine.learning.group_ratios import shrunk
from retainstream.engine.learning.judged_figures import judged, values_of
from retainstream.engine.learning.profit import profit_curve
from retainstream.engine.learning.reliability import bins, corp
from retainstream.engine.model.model import ScoringModel

type Document = dict[str, Any]

_WITH_INTERVAL = ("roc_auc", "pr_auc", "observed_to_expected", "calibration_slope")


class Ceiling(TypedDict):
    """The figures of the true probabilities."""

    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float


def evaluate(model: ScoringModel, development: DataSet, test: DataSet, *, seed: int = 0) -> Document:
    """The figures of a model on the test rows, and those of a linear model fitted to the development rows.

    held_out: the model's figures with curves. groups: the same per group, without curves. intervals: 95%, of the model's figures on all
    test rows. calibration: the calibration check. baseline: the linear model's figures. ceiling: figures of the true probabilities if
    every row was generated, otherwise None. curves: of the model and the linear model. profit: the profit curve, with the stored
    threshold marked.
    """
    probabilities = model.probabilities(test.rows)
    figures = judged(test.churned, probabilities, model.threshold, seed=seed, keys=test.keys)
    intervals = figures.intervals_document()
    baseline = LinearBaseline.fit(development.schema, development.rows, development.churned)
    linear = baseline.probabilities(test.rows)
    linear_threshold = metrics.best_f1_threshold(*out_of_fold(development))
    marked = {"stored": model.threshold}
    return {
        "held_out": {
            **figures.values,
            **{f"{name}_interval": intervals.get(name) for name in _WITH_INTERVAL},
            "resamples": resamples(len(test)),
            "threshold": model.threshold,
            "reliability": bins(test.churned, probabilities, test.keys),
            "corp": corp(test.churned, probabilities),
            "gain": metrics.gain(test.churned, probabilities),
        },
        "intervals": intervals,
        "calibration": figures.check.document(),
        "calibration_noise": calibration_noise(probabilities, seed),
        "curves": {"model": curves(test.churned, probabilities), "baseline": curves(test.churned, linear)},
        "groups": _by_group(model, test, probabilities),
        "baseline": {
            "method": "logistic regression",
            **values_of(test.churned, linear, linear_threshold, checked(test.churned, linear, test.keys)),
        },
        "ceiling": ceiling(test),
        "profit": profit_curve(test, probabilities, marked),
        "synthetic": bool(test.synthetic.any() or development.synthetic.any()),
    }


def ceiling(test: DataSet) -> Ceiling | None:
    """The figures of the true probabilities, which no model beats except by chance. None unless all rows were generated."""
    if not (is_generated_for(test.schema) and len(test) and test.synthetic.all()):
        return None
    truth = truth_of(test.schema, test.rows, test.anchors, test.churned)
    return {
        "roc_auc": metrics.roc_auc(test.churned, truth),
        "pr_auc": metrics.pr_auc(test.churned, truth),
        "log_loss": metrics.log_loss(test.churned, truth),
        "brier": metrics.brier(test.churned, truth),
    }


def _by_group(model: ScoringModel, test: DataSet, probabilities: metrics.Floats) -> Document:
    figures: Document = {}
    for place, group in enumerate(test.schema.groups):
        members = test.groups == place
        if members.any():
            churned, chances = test.churned[members], probabilities[members]
            interval = auc_interval(churned, chances, test.keys[members])
            figures[group] = {
                **metrics.summary(churned, chances, model.threshold),
                "roc_auc_interval": interval.document() if interval else None,
                "expected": float(chances.sum()),
            }
    ratios = shrunk({group: (entry["churned"], entry["expected"]) for group, entry in figures.items()})
    for group, ratio in ratios.items():
        figures[group] |= {"observed_to_expected": ratio.value, "observed_to_expected_interval": {"low": ratio.low, "high": ratio.high}}
    return figures


def calibration_noise(probabilities: metrics.Floats, seed: int, draws: int = 200, share: float = 0.99) -> float:
    """The ECE below which a perfectly calibrated model with these probabilities stays in this share of draws."""
    rng = np.random.default_rng(seed)
    bins = np.minimum((probabilities * metrics.ECE_BINS).astype(int), metrics.ECE_BINS - 1)
    expected = np.bincount(bins, weights=probabilities, minlength=metrics.ECE_BINS)
    errors = []
    for _ in range(draws):
        drawn = np.bincount(bins, weights=rng.random(len(probabilities)) < probabilities, minlength=metrics.ECE_BINS)
        errors.append(np.abs(drawn - expected).sum() / len(probabilities))
    return float(np.quantile(errors, share))
