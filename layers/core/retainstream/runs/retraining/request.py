"""Asking for a training run, and how one stands. Needs neither numpy nor a model."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from retainstream.runs.starting import find_run, key_or_new, start_run
from retainstream.storage.runs import Runs
from retainstream.storage.workflows import Workflows
from retainstream.telemetry.correlation import FOLLOWED

STEPS = ("extract", "validate", "train", "evaluate", "gate", "register", "promote", "score", "notify")


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
    correlation_id: str | None = Field(default=None, description=FOLLOWED)
    finished_at: str | None = None
    reason: str | None = Field(default=None, description="Why it failed, as a sentence")
    result: TrainingResult | None = None


def start_training(runs: Runs, workflows: Workflows, machine_arn: str, by: str, idempotency_key: str | None = None) -> TrainingView:
    """Starts a training run, or returns the one this person started with the same key.

    Raises:
        StorageUnavailable: the state machine could not be started; the same call may be made again.
    """
    run_id = key_or_new("training", by, idempotency_key)
    return TrainingView.model_validate(start_run(runs, workflows, machine_arn, "training", run_id=run_id, started_by=by))


def training_view(runs: Runs, run_id: str) -> TrainingView:
    """How a training run stands.

    Raises:
        UnknownRun: there is none of that id.
    """
    return TrainingView.model_validate(find_run(runs, run_id, "training"))
