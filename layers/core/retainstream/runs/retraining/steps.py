"""The steps that make a candidate: extract, validate, train, evaluate, gate. Each reads what the one before left and may run twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from retainstream.engine.learning.card.columns import column_facts
from retainstream.engine.learning.card.curves import score_histogram
from retainstream.engine.learning.card.influence import explanation
from retainstream.engine.learning.checks import check
from retainstream.engine.learning.dataset import DataSet, Provenance, collect, merged
from retainstream.engine.learning.evaluate import calibration_noise, evaluate
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.gate import judge
from retainstream.engine.learning.importance import importance
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.reference import reference
from retainstream.engine.model.model import ScoringModel
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import Champion, champion
from retainstream.registry.errors import CorruptModel, UnknownVersion
from retainstream.registry.loading import load_version
from retainstream.registry.versions import version_name
from retainstream.runs.retraining.large import planned_parts
from retainstream.runs.retraining.workbench import Document, Workbench, sides
from retainstream.settings import settings
from retainstream.storage.stores import Stores

SEED = 0
_SEGMENTS = 4


def extract(stores: Stores, given: Document) -> Document:
    """Reads every customer and keeps those with a known outcome; of a base too large for that, says in which parts to read it."""
    if parts := planned_parts(stores):
        stores.runs.step_started(given["run_id"], "extract")
        return {"in_parts": True, "parts": parts}
    bench = Workbench(stores.documents, given["run_id"])
    with stores.runs.step(given["run_id"], "extract") as detail:
        schema = active_schema(stores.documents)

        def segment(number: int) -> tuple[DataSet, Provenance]:
            return collect(schema, stores.customers.segment_pages(number, _SEGMENTS))

        with ThreadPoolExecutor(_SEGMENTS) as pool:
            data, provenance = merged(list(pool.map(segment, range(_SEGMENTS))))
        stored = bench.put_data(data)
        bench.put_json("provenance.json", {**provenance.document(), "sha256": stored.sha256})
        detail.update(provenance.document())
    return {"in_parts": False, "data": stored.key}


def validate(stores: Stores, given: Document) -> Document:
    """Looks for what forbids or spoils learning.

    Raises:
        UnfitData: no model can be made of the data.
    """
    bench = Workbench(stores.documents, given["run_id"])
    with stores.runs.step(given["run_id"], "validate") as detail:
        findings = check(bench.data(), fewest_rows=settings().training_fewest_rows)
        bench.put_json("findings.json", [finding.document() for finding in findings])
        detail["findings"] = [finding.detail for finding in findings]
    return {"findings": bench.key("findings.json")}


def train(stores: Stores, given: Document) -> Document:
    """Fits a candidate to the development rows."""
    bench = Workbench(stores.documents, given["run_id"])
    with stores.runs.step(given["run_id"], "train") as detail:
        started = datetime.fromisoformat(given["started_at"])
        development, _ = sides(bench.data())
        candidate = fit(development, version=version_name(started, given["run_id"]), seconds=settings().training_seconds, seed=SEED)
        bench.put_candidate(candidate.model, candidate.record)
        detail.update(
            version=candidate.model.version,
            chosen=candidate.record["chosen"],
            trials=len(candidate.record["trials"]),
            calibration=candidate.record["calibration"],
        )
    return {"version": candidate.model.version}


def evaluate_candidate(stores: Stores, given: Document) -> Document:
    """Judges the candidate on the test rows."""
    bench = Workbench(stores.documents, given["run_id"])
    with stores.runs.step(given["run_id"], "evaluate") as detail:
        data = bench.data()
        development, test = sides(data)
        model = bench.candidate(data)
        agreement = parity(model, test.rows)
        document = {
            **evaluate(model, development, test, seed=SEED, confidence_threshold=settings().confidence_threshold),
            "importance": importance(model, test.rows),
            "parity": agreement.document(),
            "fit": bench.get_json("candidate/fit.json")["record"],
            "data": bench.get_json("provenance.json"),
            "findings": bench.get_json("findings.json"),
        }
        bench.put_json("candidate/metrics.json", document)
        bench.put_json("candidate/reference.json", reference(model, development, test))
        bench.put_json(
            "candidate/seen.json",
            {
                "explanation": explanation(model, test.rows),
                "columns": column_facts(data),
                "score": score_histogram(model.probabilities(test.rows)),
            },
        )
        held_out = document["held_out"]
        detail.update({name: held_out[name] for name in ("rows", "roc_auc", "pr_auc", "log_loss", "ece")})
    return {"metrics": bench.key("candidate/metrics.json")}


def gate(stores: Stores, given: Document) -> Document:
    """Decides whether the candidate may go into service."""
    bench = Workbench(stores.documents, given["run_id"])
    with stores.runs.step(given["run_id"], "gate") as detail:
        data = bench.data()
        _, test = sides(data)
        figures = bench.get_json("candidate/metrics.json")
        probabilities = bench.candidate(data).probabilities(test.rows)
        current = champion(stores.models)
        rival, notes = _champion_probabilities(stores, current, test)
        verdict = judge(
            test.churned,
            probabilities,
            rival,
            target_auc=settings().target_auc,
            parity_passed=figures["parity"]["passed"],
            alarms=[finding["detail"] for finding in figures["findings"] if finding["level"] == "alarm"],
            calibration_noise=calibration_noise(probabilities, SEED),
            linear_auc=figures["baseline"]["roc_auc"],
        )
        document: Document = {
            **verdict.document(),
            "champion": current.version if current else None,
            "expected_revision": current.revision if current else 0,
        }
        document["notes"] += notes
        bench.put_json("candidate/gate.json", document)
        detail.update(passed=verdict.passed, reasons=verdict.reasons, notes=document["notes"])
    return {"passed": verdict.passed}


def _champion_probabilities(stores: Stores, current: Champion | None, test: DataSet) -> tuple[Floats | None, list[str]]:
    if current is None:
        return None, ["There is no champion to compare with."]
    try:
        model = load_version(stores.models, stores.documents, current.version)
    except (CorruptModel, UnknownVersion):
        return None, [f"The champion {current.version} cannot be read, so there is nothing to compare with."]
    if _inputs(model) != _inputs_of(test):
        return None, [f"The champion {current.version} was trained on other columns, so the two cannot be compared."]
    return model.probabilities(test.rows), []


def _inputs(model: ScoringModel) -> list[Any]:
    return [(column.name, column.kind, column.levels) for column in model.schema.features]


def _inputs_of(data: DataSet) -> list[Any]:
    return [(column.name, column.kind, column.levels) for column in data.schema.features]


STEPS: dict[str, Callable[[Stores, Document], Document]] = {
    "extract": extract,
    "validate": validate,
    "train": train,
    "evaluate": evaluate_candidate,
    "gate": gate,
}
