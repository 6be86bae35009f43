"""The metrics of the tasks of counters and history, in their answers."""

from collections.abc import Mapping
from typing import Any

from retainstream.telemetry.metrics import Figures


def of_batch(answer: Mapping[str, Any]) -> Figures:
    """The delay of the counters behind the tables."""
    return known(answer, {"CountersLag": "lag"})


def of_day(standing: Mapping[str, Any]) -> Figures:
    """The ages of the model and of the predictions."""
    return known(standing, {"ModelAge": "model_age_days", "TimeSinceScoring": "days_since_scoring"})


def of_judgement(judged: Mapping[str, Any]) -> Figures:
    """The AUC of the newest judged month, and whether it broke what its model version promised; see `engine.history.promise`."""
    return known(judged, {"RealisedAuc": "realised_auc", "RealisedOutsidePromise": "outside_promise"})


def known(answer: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, float]:
    """The figures of an answer that are not None; `named` are their fields by metric."""
    return {metric: answer[name] for metric, name in named.items() if answer.get(name) is not None}
