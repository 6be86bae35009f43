"""The figures of a scoring run: its snapshot in the trend, its drift report, and the performance to be expected of its predictions."""

from collections.abc import Mapping

from retainstream.dashboard.drift_reports import Report, put_report
from retainstream.dashboard.trend import churn_of_snapshot
from retainstream.engine.model.levels import RISK_LEVELS
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.drift import drift
from retainstream.engine.monitoring.expectation import expectation
from retainstream.engine.monitoring.tally import Tally
from retainstream.predictions.generate import now
from retainstream.runs.scoring.partials import Partials
from retainstream.storage.rollups import RunSnapshot
from retainstream.storage.stores import Stores


class Finished(RunSnapshot):
    """`largest_drift` is a PSI; `drifted_columns` counts strong drift, the score included. Each is None where it is not known."""

    largest_drift: float | None
    drifted_columns: int | None
    estimated_auc: float | None


def summarise(
    stores: Stores,
    run_id: str,
    model_version: str,
    counts: Mapping[str, int],
    reference: Reference | None,
    roc_auc: float | None = None,
) -> Finished:
    """Writes the run's drift report, adds the run to the trend and ends it.

    The result in the run's record is the snapshot with `estimate`, the figures to be expected of these predictions (see `expectation`).
    There is no drift without a `reference`. `roc_auc` is the model's on held-out customers. The churn rate is that of the
    counters, which may lag some seconds behind the customers.
    """
    tally = Partials(stores.documents, run_id).whole().tally
    expected = expectation(tally, counts, reference)
    churn = churn_of_snapshot(stores.rollups.counters("customers").counters)
    snapshot: RunSnapshot = {**snapshot_of(run_id, model_version, counts), **churn, "roc_auc": roc_auc}
    if expected:
        snapshot["expected_ends"] = [round(expected.churners_interval["low"], 1), round(expected.churners_interval["high"], 1)]
    report = _drift_report(tally, reference, snapshot)
    if report:
        put_report(stores.documents, report)
        snapshot["drift"] = report.level
    stores.rollups.add_trend(snapshot)
    result = {name: value for name, value in snapshot.items() if name not in ("run_id", "at")}
    estimate = {**expected.document(), "synthetic": tally.synthetic > 0} if expected else None
    stores.runs.finish(
        run_id,
        counts={name: counts.get(name, 0) for name in ("read", "scored", "churned", "refused")},
        result={**result, "estimate": estimate},
    )
    parts = [report.score, *report.features] if report else []
    return {
        **snapshot,
        "largest_drift": max((part.psi for part in parts), default=None),
        "drifted_columns": sum(part.level == "strong" for part in parts) if parts else None,
        "estimated_auc": expected.roc_auc if expected else None,
    }


def _drift_report(tally: Tally, reference: Reference | None, snapshot: RunSnapshot) -> Report | None:
    if not reference or not tally.customers:
        return None
    of_run = {"run_id": snapshot["run_id"], "at": snapshot["at"], "model_version": snapshot["model_version"]}
    return Report.model_validate({**drift(tally, reference), **of_run, "synthetic": tally.synthetic > 0})


def snapshot_of(run_id: str, model_version: str, counts: Mapping[str, int]) -> RunSnapshot:
    """The snapshot of a run that ends now, from its counts."""
    scored = counts.get("scored", 0)
    days = {name.removeprefix("on:"): count for name, count in counts.items() if name.startswith("on:")}
    expected = sum(counts.get(f"millionths:{level}", 0) for level in RISK_LEVELS) / 1_000_000
    return {
        "run_id": run_id,
        "at": now(),
        "model_version": model_version,
        "scored": scored,
        "features_on": max(days, key=lambda day: (days[day], day), default=None),
        "by_level": {level: counts.get(f"level:{level}", 0) for level in RISK_LEVELS},
        "predicted_churners": round(expected, 2),
        "mean_probability": round(expected / scored, 6) if scored else None,
        "high_risk": sum(counts.get(f"level:{level}", 0) for level in RISK_LEVELS[2:]),
        "value_at_risk": sum(counts.get(f"cents:{level}", 0) for level in RISK_LEVELS[2:]) / 100,
        "value_at_risk_of_all": sum(counts.get(f"cents:{level}", 0) for level in RISK_LEVELS) / 100,
    }
