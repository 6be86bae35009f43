"""Assembles the card of a version from the documents of its training run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retainstream import __version__
from retainstream.engine.learning.bootstrap import LEVEL
from retainstream.engine.learning.card import purpose
from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.delong import FEWEST
from retainstream.engine.schema import FeatureSchema

type Document = Mapping[str, Any]

FEW_CHURNERS = 20
"""Churners of a group below which it is not judged."""

_RARE = 0.1

_FIGURES = (
    ("roc_auc", "ROC AUC", "Chance that a churner is ranked above a customer who stayed", "higher"),
    ("pr_auc", "PR AUC", "Average precision over all thresholds", "higher"),
    ("log_loss", "Log loss", "Mean of −log of the probability of the actual outcome", "lower"),
    ("brier", "Brier score", "Mean squared error of the probability", "lower"),
    ("observed_to_expected", "Observed to expected", "Customers who left, divided by the sum of the probabilities; 1 is best", ""),
    ("calibration_slope", "Calibration slope", "1 is best; below 1 the probabilities are too extreme, above 1 too alike", ""),
    ("ece", "Calibration error", "Mean distance between probability and churn rate over ten equal bins (ECE)", "lower"),
    ("precision", "Precision", "Share of called customers who left", "higher"),
    ("recall", "Recall", "Share of churners who were called", "higher"),
    ("f1", "F1", "Harmonic mean of precision and recall", "higher"),
    ("called", "Customers called", "Held-out customers at or above the stored threshold", ""),
    ("top_decile_lift", "Top-decile lift", "Churn rate of the riskiest tenth, divided by the churn rate of all customers", "higher"),
)
_MARKS = {"best": "Best threshold", "stored": "Stored threshold"}


@dataclass(frozen=True)
class CardSources:
    """The documents of a training run.

    identity: version, run_id, created_at, status. figures: the evaluation. seen: SHAP values, columns and score histogram.
    fitted: threshold, calibration and record of the fit. verdict: the verdict of the gate. reference: the drift reference.
    """

    schema: FeatureSchema
    identity: Document
    figures: Document
    seen: Document
    fitted: Document
    verdict: Document
    reference: Document
    target_auc: float


def assemble(sources: CardSources) -> Card:
    """The card of a version, from the documents of its training run."""
    schema, figures, held_out = sources.schema, sources.figures, sources.figures["held_out"]
    record = sources.fitted["record"]
    card = {
        **{name: sources.identity[name] for name in ("version", "run_id", "created_at", "status")},
        "made_by": f"RetainStream {__version__}",
        "synthetic": figures["synthetic"],
        "schema_name": schema.name,
        "schema_title": schema.title,
        "outcome": schema.label.meaning or f"{schema.label.column} is {schema.label.positive}",
        "horizon_days": schema.horizon_days,
        "group": schema.column(schema.group).label if schema.group else None,
        "threshold": sources.fitted["threshold"],
        "threshold_by": record["threshold_rule"]["by"],
        "baseline_method": figures["baseline"]["method"],
        "figures": [_figure(figures, *described) for described in _FIGURES],
        "cross_fitted": _cross_fitted(held_out.get("cross_fitted")),
        "evaluation": _evaluation(figures, record),
        "intervals": {
            "level": LEVEL,
            "resamples": held_out["resamples"],
            "fewest_churners": FEWEST,
            "calibration_error_by_chance": figures.get("calibration_noise"),
        },
        **{name: _with_lift(curves) for name, curves in figures["curves"].items()},
        "calibration": {name: figures["calibration"][name] for name in ("passed", "chance", "sentences")},
        "reliability": held_out["reliability"],
        "reliability_scale": "log" if held_out["churn_rate"] < _RARE else "linear",
        "corp": held_out["corp"],
        "profit": _profit(schema, figures["profit"]),
        "groups": [_group(name, group) for name, group in figures["groups"].items()],
        "explanation": sources.seen["explanation"],
        "parity": figures["parity"],
        "columns": sources.seen["columns"],
        "data": _data(figures, record),
        "findings": figures["findings"],
        "choice": {
            **{name: record[name] for name in ("chosen", "trials", "folds", "seed", "seconds", "stopped_by_clock")},
            "blend": record.get("blend", []),
            "why": record.get("why", ""),
            "calibration": {name: number for name, number in sources.fitted["calibration"].items() if name != "interval"},
            "calibrated_on": record["rows"]["calibrate"],
        },
        "gate": {
            "target_auc": sources.target_auc,
            **{name: sources.verdict.get(name, []) for name in ("held_back", "doubts")},
            **{name: sources.verdict[name] for name in ("passed", "reasons", "notes", "champion", "comparison")},
        },
        "drift_reference": {
            "rows": sources.reference["rows"],
            "features": [_bins(schema, entry) for entry in sources.reference["features"]],
            "score": sources.seen["score"],
        },
        "intended_use": [],
        "limits": [],
    }
    facts = Card.model_validate(card)
    return facts.model_copy(update={"intended_use": purpose.intended_use(facts), "limits": purpose.limits(facts)})


def _figure(figures: Document, name: str, label: str, meaning: str, better: str) -> Document:
    interval = figures["intervals"].get(name, {})
    return {
        "name": name,
        "label": label,
        "meaning": meaning,
        "better": better,
        "value": figures["held_out"][name],
        "low": interval.get("low"),
        "high": interval.get("high"),
        "baseline": figures["baseline"][name],
        "ceiling": (figures["ceiling"] or {}).get(name),
    }


def _cross_fitted(figures: Document | None) -> Document | None:
    if figures is None:
        return None
    return {
        "rows": figures["rows"],
        "churned": figures["churned"],
        "figures": [
            {
                "name": name,
                "value": figures[name],
                "low": figures["intervals"].get(name, {}).get("low"),
                "high": figures["intervals"].get(name, {}).get("high"),
            }
            for name, *_ in _FIGURES
        ],
    }


def _with_lift(curves: Document) -> Document:
    return {**curves, "gain": [{**point, "lift": point["found"] / point["share"]} for point in curves["gain"]]}


def _profit(schema: FeatureSchema, curve: Document | None) -> Document | None:
    if curve is None or schema.money is None:
        return None
    return {
        **{name: getattr(schema.money, name) for name in ("currency", "months", "margin", "offer_cost", "contact_cost", "save_rate")},
        "points": curve["points"],
        "marks": [{"name": name, "label": _MARKS[name], **point} for name, point in {"best": curve["best"], **curve["marked"]}.items()],
        "expected_maximum": curve["expected_maximum"],
    }


def _group(name: str, group: Document) -> Document:
    interval, ratio = group["roc_auc_interval"] or {}, group["observed_to_expected_interval"]
    named = (
        "rows",
        "churned",
        "churn_rate",
        "roc_auc",
        "pr_auc",
        "log_loss",
        "ece",
        "called",
        "recall",
        "top_decile_lift",
        "expected",
        "observed_to_expected",
    )
    figures = {figure: group[figure] for figure in named}
    precision = group["precision"] if group["called"] else None
    return {
        "group": name,
        **figures,
        "precision": precision,
        "low": interval.get("low"),
        "high": interval.get("high"),
        "few": group["churned"] < FEW_CHURNERS,
        "observed_to_expected_low": ratio["low"],
        "observed_to_expected_high": ratio["high"],
    }


def _data(figures: Document, record: Document) -> Document:
    data = figures["data"]
    return {
        **{name: data[name] for name in ("customers", "labelled", "churned", "sources", "synthetic_share", "sha256")},
        "churn_rate": data["churned"] / data["labelled"],
        "rows": {**record["rows"], "test": figures["held_out"]["rows"]},
        "moments": data.get("moments", {}),
    }


def _evaluation(figures: Document, record: Document) -> Document:
    split = figures.get("split", {"by": "customers"})
    by_time = split["by"] == "time"
    return {
        **{name: split.get(name) for name in ("by", "period", "test_from", "development")},
        "refitted": bool(record.get("refitted")),
        "periods": record.get("periods"),
        "calibrated_on": record.get("calibrated_on"),
        "by_customers": record.get("out_of_fold") if by_time else None,
        "by_period": [_period(entry) for entry in figures.get("by_period", [])],
    }


def _period(entry: Document) -> Document:
    named = ("period", "rows", "churned", "roc_auc", "log_loss", "ece", "expected", "observed", "observed_to_expected", "learned")
    interval, ratio = entry["roc_auc_interval"] or {}, entry["observed_to_expected_interval"]
    return {
        **{name: entry[name] for name in named},
        "low": interval.get("low"),
        "high": interval.get("high"),
        "observed_to_expected_low": ratio["low"],
        "observed_to_expected_high": ratio["high"],
    }


def _bins(schema: FeatureSchema, entry: Document) -> Document:
    bins = {name: entry[name] for name in ("feature", "missing", "counts", "edges", "levels") if name in entry}
    return {**bins, "label": schema.column(entry["feature"]).label}
