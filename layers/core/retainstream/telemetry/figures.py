"""The metrics in a task's answer."""

from collections.abc import Mapping
from typing import Any

from retainstream.telemetry.metrics import Figures


def of_import(answer: Mapping[str, Any]) -> Figures:
    """Rows of an import that has ended."""
    counts = answer["counts"]
    return {
        "ImportRowsAccepted": counts["accepted"],
        "ImportRowsRejected": counts["rejected"],
        **({"ImportRejectedShare": round(100 * counts["rejected"] / counts["rows"], 3)} if counts["rows"] else {}),
    }


def of_scoring(answer: Mapping[str, Any]) -> Figures:
    """Metrics of a scoring run: customers scored, drift, and the estimated AUC."""
    named = {"LargestDrift": "largest_drift", "DriftedColumns": "drifted_columns", "EstimatedAuc": "estimated_auc"}
    return {"PredictionsMade": answer["scored"], **_known(answer, named)}


def of_training(answer: Mapping[str, Any]) -> Figures:
    """Metrics of a training run: the new version's AUC, and whether it went into service."""
    result = answer["result"]
    return {
        "TrainedAuc": result["roc_auc"],
        "ModelsPromoted": int(result["promoted"]),
        "ModelsNotPromoted": int(not result["promoted"]),
    }


def of_batch(answer: Mapping[str, Any]) -> Figures:
    """The delay of the counters behind the tables."""
    return _known(answer, {"CountersLag": "lag"})


def of_day(standing: Mapping[str, Any]) -> Figures:
    """The ages of the model and of the predictions, and the realised AUC."""
    return _known(standing, {"ModelAge": "model_age_days", "TimeSinceScoring": "days_since_scoring", "RealisedAuc": "realised_auc"})


def _known(answer: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, float]:
    return {metric: answer[name] for metric, name in named.items() if answer.get(name) is not None}
