"""The tasks that bring a candidate into service: register, promote, score everyone, notify."""

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Literal, NotRequired, TypedDict, cast

from retainstream.engine.learning.card.assemble import CardSources, assemble
from retainstream.engine.learning.card.page import page, policy
from retainstream.engine.learning.gate import VerdictDocument
from retainstream.registry import loading
from retainstream.registry.champion import promote
from retainstream.registry.versions import CALIBRATION_FILE, JUDGED_FIT_FILE, JUDGED_MODEL_FILE, MODEL_FILE, SCHEMA_FILE, register
from retainstream.runs.keys import Request
from retainstream.runs.retraining.workbench import TrainingEvent, Workbench
from retainstream.runs.scoring.request import start_scoring
from retainstream.settings import settings
from retainstream.storage.errors import Conflict, RequestRefused, StorageUnavailable
from retainstream.storage.models import Figures, MoneyRecord, Version, VersionFile
from retainstream.storage.runs import Status
from retainstream.storage.stores import Stores

_CURVES = ("reliability", "corp", "gain")
_MOST_HOURS = 6
_CONTENT_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}


class VersionEvent(TrainingEvent):
    version: str


class Registered(TypedDict):
    """`passed`: whether the version goes into service: it is sound, and nothing holds it back."""

    version: str
    passed: bool


class Promotion(TypedDict):
    """`reasons` why the version was not put into service."""

    promoted: bool
    reasons: NotRequired[list[str]]


class ScoringState(TypedDict):
    """The run that scores all customers, and its status."""

    scoring_run: str
    status: Status


class ScoringEvent(TrainingEvent):
    scoring_run: NotRequired[str]


class NotifyEvent(VersionEvent):
    promotion: NotRequired[Promotion]


class Result(TypedDict):
    """The result in the run's record."""

    version: str
    promoted: bool
    reasons: list[str]
    doubts: NotRequired[list[str]]
    roc_auc: float
    status: NotRequired[Literal["registered", "rejected"]]


class Notified(TypedDict):
    result: Result


class ScoringFailed(RuntimeError):
    """The model is in service but scoring everyone with it failed; the message says why."""


def register_version(stores: Stores, event: TrainingEvent) -> Registered:
    """Stores the candidate as a version, also where it did not pass the gate."""
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "register") as detail:
        data = bench.data()
        figures, verdict = bench.get_json("candidate/metrics.json"), bench.get_json("candidate/gate.json")
        fitted = bench.get_json("candidate/fit.json")
        contents = {
            MODEL_FILE: bench.get("candidate/model.ubj"),
            SCHEMA_FILE: data.schema.model_dump_json(indent=1).encode(),
            CALIBRATION_FILE: _json(fitted["calibration"]),
            loading.METRICS_FILE: _json({**figures, "gate": verdict}),
            loading.REFERENCE_FILE: bench.get("candidate/reference.json"),
        }
        if bench.refitted():
            contents |= {name: bench.get(f"candidate/{name}") for name in (JUDGED_MODEL_FILE, JUDGED_FIT_FILE)}
        version = fitted["version"]
        identity = {
            "version": version,
            "run_id": event["run_id"],
            "created_at": event["started_at"],
            "status": _status(verdict),
        }
        card = assemble(
            CardSources(
                schema=data.schema,
                identity=identity,
                figures=figures,
                seen=bench.get_json("candidate/seen.json"),
                fitted=fitted,
                verdict=verdict,
                reference=bench.get_json("candidate/reference.json"),
                target_auc=settings().target_auc,
            )
        )
        contents |= {loading.CARD_FILE: card.model_dump_json().encode(), loading.CARD_PAGE_FILE: page(card).encode()}
        record: Version = {
            "version": version,
            "run_id": event["run_id"],
            "created_at": event["started_at"],
            "status": identity["status"],
            "created_by": event["started_by"],
            "schema_name": data.schema.name,
            "horizon_days": data.schema.horizon_days,
            "money": cast("MoneyRecord", data.schema.money.model_dump()) if data.schema.money else None,
            "feature_names": [column.name for column in data.schema.features],
            "threshold": fitted["threshold"],
            "average_probability": fitted.get("average_probability"),
            "threshold_rule": fitted["record"]["threshold_rule"],
            "levels": fitted["levels"],
            "calibration": fitted["calibration"]["method"],
            "metrics": cast("Figures", {name: value for name, value in figures["held_out"].items() if name not in _CURVES}),
            "group_metrics": figures["groups"],
            "baseline_metrics": figures["baseline"],
            "ceiling": figures["ceiling"],
            "synthetic": figures["synthetic"],
            "importance": figures["importance"],
            "rows": {**fitted["record"]["rows"], "test": figures["held_out"]["rows"]},
            "data": figures["data"],
            "split": figures["split"],
            "learned": fitted["record"]["learned"],
            "gate": verdict,
            "card_policy": policy(),
            "files": {name: _file(version, name, content) for name, content in contents.items()},
        }
        for name, content in contents.items():
            stores.documents.put_bytes(record["files"][name]["key"], content, _content_type(name))
        register(stores.models, record)
        detail.update(version=version, status=record["status"])
    return {"version": version, "passed": verdict["passed"] and not verdict.get("held_back")}


def promote_version(stores: Stores, event: VersionEvent) -> Promotion:
    """Puts the version into service, unless another was put there since it was compared with the champion."""
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "promote") as detail:
        expected = bench.get_json("candidate/gate.json")["expected_revision"]
        try:
            pointer = promote(stores.models, event["version"], event["started_by"], expected_revision=expected)
        except Conflict:
            reason = "Another version was put into service while this one was being judged."
            detail.update(promoted=False, reasons=[reason])
            return {"promoted": False, "reasons": [reason]}
        detail.update(promoted=True, revision=pointer.revision)
    return {"promoted": True, "reasons": []}


def score_everyone(stores: Stores, event: TrainingEvent) -> ScoringState:
    """Starts the scoring of all customers with the new model, unless a run that began after the promotion is under way; that one counts.

    A run that began before the promotion goes on beside it. The same task again starts nothing new.
    """
    stores.runs.step_started(event["run_id"], "score")
    request = Request(scoring_run_of(event["run_id"]))
    run = start_scoring(stores, request, started_by=event["started_by"], counted=False)
    return {"scoring_run": run.run_id, "status": "RUNNING"}


def check_scoring(stores: Stores, event: ScoringEvent) -> ScoringState:
    """The state of the scoring of all customers.

    Raises:
        ScoringFailed: it failed; the new model stays in service.
    """
    scoring_run = event.get("scoring_run") or scoring_run_of(event["run_id"])
    run, _ = stores.runs.start(scoring_run, "scoring", event["started_by"])
    if run["status"] == "RUNNING" and _hours_since(run["started_at"]) > _MOST_HOURS:
        raise ScoringFailed(f"The new model is in service, but scoring everyone with it did not end within {_MOST_HOURS} hours.")
    if run["status"] == "FAILED":
        raise ScoringFailed(f"The new model is in service, but scoring everyone with it failed: {run.get('reason', 'no reason was given')}")
    if run["status"] == "SUCCEEDED":
        stores.runs.step_finished(event["run_id"], "score", {"scoring_run": scoring_run, "counts": run.get("counts", {})})
    return {"scoring_run": scoring_run, "status": run["status"]}


def notify(stores: Stores, event: NotifyEvent) -> Notified:
    """Publishes the outcome, where there is a topic, and ends the run. A topic that does not answer does not fail the run; where its answer
    is lost, it may get the message twice."""
    run_id = event["run_id"]
    run = stores.runs.existing(run_id)
    if run["status"] == "SUCCEEDED":
        return {"result": run["result"]}
    bench = Workbench(stores.documents, run_id)
    verdict = bench.get_json("candidate/gate.json")
    promotion = event.get("promotion", Promotion(promoted=False))
    promoted = promotion["promoted"]
    reasons = [*verdict["reasons"], *verdict.get("held_back", []), *promotion.get("reasons", [])]
    doubts = verdict.get("doubts", [])
    auc = bench.get_json("candidate/metrics.json")["held_out"]["roc_auc"]
    with stores.runs.step(run_id, "notify") as detail:
        outcome = "is in service" if promoted else "was not put into service" if verdict["passed"] else "was rejected"
        figure = f"ROC AUC on held-out customers: {auc:.3f}."
        lines = [f"Model {event['version']} {outcome}.", figure, *doubts, *reasons, f"Training run {run_id}."]
        try:
            detail["sent"] = stores.notifications.publish(f"RetainStream: the new model {outcome}", "\n".join(lines))
        except StorageUnavailable:
            detail.update(sent=False, problem="The notification topic did not answer.")
        except RequestRefused:
            detail.update(sent=False, problem="The notification topic refused the message. A permission is missing.")
    result: Result = {
        "version": event["version"],
        "promoted": promoted,
        "reasons": reasons,
        "doubts": doubts,
        "roc_auc": auc,
        "status": _status(verdict),
    }
    stores.runs.finish(run_id, result=result)
    return {"result": result}


def scoring_run_of(run_id: str) -> str:
    """The id of the scoring run that a training run starts."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"scoring after {run_id}").hex


def _status(verdict: VerdictDocument) -> Literal["registered", "rejected"]:
    return "registered" if verdict["passed"] else "rejected"


def _hours_since(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() / 3600


def _file(version: str, name: str, content: bytes) -> VersionFile:
    return {"key": f"models/{version}/{name}", "sha256": hashlib.sha256(content).hexdigest()}


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, allow_nan=False).encode()


def _content_type(name: str) -> str:
    return _CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
