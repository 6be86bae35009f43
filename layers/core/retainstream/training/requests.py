"""Asking for a training run, and how one stands. Needs neither numpy nor a model."""

import hashlib
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from retainstream.storage.runs import Runs
from retainstream.storage.workflows import Workflows

STEPS = ("extract", "validate", "train", "evaluate", "gate", "register", "promote", "score", "notify")


class UnknownRun(LookupError):
    """There is no training run of that id."""


class StepView(BaseModel):
    """One step of a run."""

    model_config = ConfigDict(extra="ignore")

    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str
    finished_at: str | None = None
    detail: dict[str, Any] = {}


class TrainingResult(BaseModel):
    """What a run that came to its end decided."""

    version: str
    promoted: bool
    reasons: list[str] = Field(description="Why the version was not put into service")
    roc_auc: float = Field(description="On held-out customers")


class TrainingView(BaseModel):
    """A training run."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    step: str | None = Field(default=None, description="The step in progress, or the last one")
    planned_steps: list[str] = list(STEPS)
    steps: list[StepView]
    started_at: str
    started_by: str
    finished_at: str | None = None
    reason: str | None = Field(default=None, description="Why it failed, as a sentence")
    result: TrainingResult | None = None


def start_training(runs: Runs, workflows: Workflows, machine_arn: str, by: str, idempotency_key: str | None = None) -> TrainingView:
    """Starts a training run, or returns the one this person started with the same key.

    Raises:
        StorageUnavailable: the state machine could not be started; the same call may be made again.
    """
    run_id = hashlib.sha256(f"{by}\n{idempotency_key}".encode()).hexdigest()[:32] if idempotency_key else uuid.uuid4().hex
    run = runs.get(run_id) if idempotency_key else None
    if run is None:
        # The machine first: where it cannot be started no run is left behind that never ends.
        workflows.start(machine_arn, run_id, {"run_id": run_id, "started_by": by})
        run, _ = runs.start(run_id, "training", by)
    return TrainingView.model_validate(run)


def training_view(runs: Runs, run_id: str) -> TrainingView:
    """How a training run stands.

    Raises:
        UnknownRun: there is none of that id.
    """
    run = runs.get(run_id)
    if run is None or run["kind"] != "training":
        raise UnknownRun(run_id)
    return TrainingView.model_validate(run)
