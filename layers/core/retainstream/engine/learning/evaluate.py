"""What a model is worth, on rows it never saw in fitting, tuning, calibration or threshold choice."""

from typing import Any

import numpy as np

from retainstream.engine.learning import metrics
from retainstream.engine.learning.baseline import LinearBaseline
from retainstream.engine.learning.bootstrap import auc_intervals, figure_intervals, resamples
from retainstream.engine.learning.card.curves import curves
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.profit import profit_curve
from retainstream.engine.learning.synthetic import is_generated_for, true_probability
from retainstream.engine.model.model import ScoringModel

type Document = dict[str, Any]


def evaluate(
    model: ScoringModel, development: DataSet, test: DataSet, *, seed: int = 0, confidence_threshold: float | None = None
) -> Document:
    """The figures of a model on the test rows, and beside them those of a linear model fitted to the development rows.

    `held_out` are the model's figures with 95 % bootstrap intervals and curves; `groups` the same per group; `baseline` the linear
    model's; `ceiling` those of the true probabilities, where every row was generated (None otherwise); `curves` the model's and the
    linear model's, for plots; `intervals` hold for the model's figures on all test rows; `profit` says what the stored threshold and
    the confidence threshold would have earned.
    """
    probabilities = model.probabilities(test.rows)
    roc, pr = auc_intervals(test.churned, probabilities, seed)
    others = figure_intervals(test.churned, probabilities, model.threshold, seed)
    intervals = {"roc_auc": roc, "pr_auc": pr, **others}
    baseline = LinearBaseline.fit(development.schema, development.rows, development.churned)
    linear = baseline.probabilities(test.rows)
    linear_threshold = metrics.best_f1_threshold(development.churned, baseline.probabilities(development.rows))
    marked = {"stored": model.threshold} | ({"confidence": confidence_threshold} if confidence_threshold is not None else {})
    return {
        "held_out": {
            **metrics.summary(test.churned, probabilities, model.threshold),
            "roc_auc_interval": roc.document(),
            "pr_auc_interval": pr.document(),
            "resamples": resamples(len(test)),
            "threshold": model.threshold,
            "reliability": metrics.reliability(test.churned, probabilities),
            "gain": metrics.gain(test.churned, probabilities),
        },
        "intervals": {name: interval.document() for name, interval in intervals.items()},
        "calibration_noise": calibration_noise(probabilities, seed),
        "curves": {"model": curves(test.churned, probabilities), "baseline": curves(test.churned, linear)},
        "groups": _by_group(model, test, probabilities, seed),
        "baseline": {"method": "logistic regression", **metrics.summary(test.churned, linear, linear_threshold)},
        "ceiling": ceiling(test),
        "profit": profit_curve(test, probabilities, marked),
        "synthetic": bool(test.synthetic.any() or development.synthetic.any()),
    }


def ceiling(test: DataSet) -> Document | None:
    """What the true probabilities reach on these rows: no model does better but by chance. None unless all rows were generated."""
    if not (is_generated_for(test.schema) and len(test) and test.synthetic.all()):
        return None
    truth = true_probability(test.schema, test.rows)
    return {
        "roc_auc": metrics.roc_auc(test.churned, truth),
        "pr_auc": metrics.pr_auc(test.churned, truth),
        "log_loss": metrics.log_loss(test.churned, truth),
        "brier": metrics.brier(test.churned, truth),
    }


def _by_group(model: ScoringModel, test: DataSet, probabilities: metrics.Floats, seed: int) -> Document:
    found: Document = {}
    for place, group in enumerate(test.schema.groups):
        members = test.groups == place
        if members.any():
            churned, given = test.churned[members], probabilities[members]
            found[group] = metrics.summary(churned, given, model.threshold)
            if found[group]["roc_auc"] is not None:
                found[group]["roc_auc_interval"] = auc_intervals(churned, given, seed)[0].document()
    return found


def calibration_noise(probabilities: metrics.Floats, seed: int, draws: int = 200, share: float = 0.99) -> float:
    """The ECE that a perfectly calibrated model of these probabilities stays under in that share of draws, by chance alone."""
    rng = np.random.default_rng(seed)
    bins = np.minimum((probabilities * metrics.ECE_BINS).astype(int), metrics.ECE_BINS - 1)
    expected = np.bincount(bins, weights=probabilities, minlength=metrics.ECE_BINS)
    errors = []
    for _ in range(draws):
        drawn = np.bincount(bins, weights=rng.random(len(probabilities)) < probabilities, minlength=metrics.ECE_BINS)
        errors.append(np.abs(drawn - expected).sum() / len(probabilities))
    return float(np.quantile(errors, share))
