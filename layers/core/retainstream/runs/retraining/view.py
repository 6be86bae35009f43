"""A training run as the interface shows it."""

from typing import Literal

from pydantic import BaseModel, Field

from retainstream.runs.record import StartedRunView, StepView

STEPS = ("extract", "validate", "train", "evaluate", "gate", "register", "promote", "score", "notify")


class TrainingStepView(StepView):
    detail: dict[str, object] = Field(default_factory=dict)


class TrainingResult(BaseModel):
    """The decision of a run that came to its end."""

    version: str
    promoted: bool
    reasons: list[str] = Field(description="Why the version was not put into service")
    doubts: list[str] = Field(default=[], description="Whether the ROC AUC is too good to be believed, or no better than chance")
    roc_auc: float = Field(description="On held-out customers")
    status: Literal["registered", "rejected"] | None = Field(
        default=None,
        description="rejected: the gate found a fault; registered: the version is sound, also where the champion stays; "
        "null for trainings of earlier releases",
    )


class TrainingView(StartedRunView[TrainingStepView]):
    """A training run."""

    run_id: str
    planned_steps: list[str] = Field(default=list(STEPS))
    result: TrainingResult | None = None
