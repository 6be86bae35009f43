"""The tasks that make a candidate: extract, validate, train, evaluate, gate. Each reads the files that the one before left."""

from datetime import date, datetime
from typing import TypedDict

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.card.columns import column_facts
from retainstream.engine.learning.card.curves import score_histogram
from retainstream.engine.learning.card.influence import explanation
from retainstream.engine.learning.checks import check
from retainstream.engine.learning.evaluate import evaluate
from retainstream.engine.learning.gate import judge
from retainstream.engine.learning.importance import importance
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.reference import reference
from retainstream.engine.learning.rolling import figures_of, periods_judged
from retainstream.engine.learning.split import split_of
from retainstream.engine.learning.trained import train as trained_on
from retainstream.registry.champion import champion
from retainstream.registry.versions import version_name
from retainstream.runs.retraining.rival import rival
from retainstream.runs.retraining.team import team_of
from retainstream.runs.retraining.workbench import TrainingEvent, Workbench, sides
from retainstream.settings import settings
from retainstream.storage.models import CrossFitted
from retainstream.storage.stores import Stores

SEED = 0


class Validated(TypedDict):
    """The key of the findings."""

    findings: str


class Trained(TypedDict):
    version: str


class Evaluated(TypedDict):
    """The key of the figures."""

    metrics: str


class Judged(TypedDict):
    passed: bool


def validate(stores: Stores, event: TrainingEvent) -> Validated:
    """Checks the data for faults that forbid or spoil learning.

    Raises:
        UnfitData: no model can be trained on the data.
    """
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "validate") as detail:
        findings = check(bench.data(), fewest_rows=settings().training_fewest_rows)
        bench.put_json("findings.json", [finding.document() for finding in findings])
        detail["findings"] = [finding.detail for finding in findings]
    return {"findings": bench.key("findings.json")}


def train(stores: Stores, event: TrainingEvent) -> Trained:
    """Fits a candidate to the development rows, and where the split is by time, its settings to all rows."""
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "train") as detail:
        started = datetime.fromisoformat(event["started_at"])
        seconds = settings().training_seconds
        trained = trained_on(bench.data(), version=version_name(started, event["run_id"]), seconds=seconds, seed=SEED, team=team_of(stores))
        candidate, judged = trained.service, trained.judged
        bench.put_candidate(candidate.model, candidate.record)
        if candidate.record.get("refitted"):
            bench.put_judged(judged.model, judged.record)
            bench.put_json("candidate/by_period.json", periods_judged(bench.data(), judged, seconds=seconds, seed=SEED))
        detail.update(
            version=candidate.model.version,
            chosen=candidate.record["chosen"],
            trials=len(candidate.record["trials"]),
            calibration=candidate.record["calibration"],
        )
    return {"version": candidate.model.version}


def evaluate_candidate(stores: Stores, event: TrainingEvent) -> Evaluated:
    """Judges the candidate on the test rows."""
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "evaluate") as detail:
        data = bench.data()
        split = split_of(data)
        development, test = split.sides(data)
        model, judged, refitted = bench.candidate(data), bench.judged(data), bench.refitted()
        by_period = []
        if refitted:
            by_period = bench.get_json("candidate/by_period.json")
        elif period := split.document().get("period"):
            by_period = [figures_of(period, test, judged.probabilities(test.rows), learned=len(development))]
        document = {
            **evaluate(judged, development, test, seed=SEED),
            "split": {**split.document(), "development": len(development)},
            "importance": importance(model, test.rows),
            "parity": parity(model, test.rows).document(),
            "fit": bench.get_json("candidate/fit.json")["record"],
            "data": bench.get_json("provenance.json"),
            "findings": bench.get_json("findings.json"),
            "by_period": by_period,
        }
        if crossed := document["fit"].get("cross_fitted"):
            document["held_out"]["cross_fitted"] = crossed
        bench.put_json("candidate/metrics.json", document)
        expected = {"recalibration": document["fit"]["recalibration"]}
        bench.put_json("candidate/reference.json", {**reference(judged, data if refitted else development, test), **expected})
        bench.put_json(
            "candidate/seen.json",
            {
                "explanation": explanation(model, test.rows),
                "columns": column_facts(data),
                "score": score_histogram(judged.probabilities(test.rows)),
            },
        )
        held_out = document["held_out"]
        detail.update({name: held_out[name] for name in ("rows", "roc_auc", "pr_auc", "log_loss", "ece")})
        detail.update(split=split.document()["by"])
    return {"metrics": bench.key("candidate/metrics.json")}


def gate(stores: Stores, event: TrainingEvent) -> Judged:
    """Decides whether the candidate may go into service."""
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "gate") as detail:
        data = bench.data()
        _, test = sides(data)
        figures = bench.get_json("candidate/metrics.json")
        probabilities = bench.judged(data).probabilities(test.rows)
        current = champion(stores.models)
        learned_until = figures["fit"]["learned"]["until"] or event["started_at"][:10]
        against = rival(
            stores, current, test, learned_until=date.fromisoformat(learned_until), old_after=settings().champion_old_after_days
        )
        verdict = judge(
            test.churned,
            probabilities,
            against.standard,
            target_auc=settings().target_auc,
            parity_passed=figures["parity"]["passed"],
            alarms=[finding["detail"] for finding in figures["findings"] if finding["level"] == "alarm"],
            linear_auc=figures["baseline"]["roc_auc"],
            cross_fitted=_cross_fitted_auc(figures["held_out"].get("cross_fitted")),
            keys=test.keys,
        )
        notes = [*verdict.notes, *against.notes]
        document = {
            **verdict.document(),
            "notes": notes,
            "champion": current.version if current else None,
            "expected_revision": current.revision if current else 0,
        }
        bench.put_json("candidate/gate.json", document)
        detail.update(passed=verdict.passed, reasons=verdict.reasons, held_back=verdict.held_back, notes=notes)
    return {"passed": verdict.passed}


def _cross_fitted_auc(figures: CrossFitted | None) -> Interval | None:
    interval = figures["intervals"].get("roc_auc") if figures else None
    return Interval(**interval) if interval else None
