"""The part of a run that the interface shows for every kind of run."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from retainstream.storage.runs import Run
from retainstream.telemetry.correlation import FOLLOWED

_ABSENT = dict.fromkeys(("step", "correlation_id", "finished_at", "reason"))


class StepView(BaseModel):
    """One step of a run."""

    model_config = ConfigDict(extra="ignore")

    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str = Field(description="ISO 8601, UTC")
    finished_at: str | None = None


class RunState(BaseModel):
    """When a run began, and how it ended."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str = Field(description="ISO 8601, UTC")
    finished_at: str | None
    correlation_id: str | None = Field(description=FOLLOWED)
    reason: str | None = Field(description="Why it failed, as a sentence")

    @classmethod
    def of(cls, run: Run, **more: object) -> Self:
        """The view of a run, from its record and from what the record does not have."""
        return cls.model_validate({**_ABSENT, **run, **more})


class RunView[Steps: StepView = StepView](RunState):
    """A run with its steps."""

    step: str | None = Field(description="The step in progress, or the last one")
    steps: list[Steps]
    started_by: str


class StartedRunView[Steps: StepView = StepView](RunView[Steps]):
    """A run of a kind of which one is under way at a time."""

    already_running: bool = Field(
        default=False, description="In the answer to a start: this run was under way, started by another request, and no other was started"
    )
