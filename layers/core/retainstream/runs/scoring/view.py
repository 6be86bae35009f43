"""A scoring run as the interface shows it."""

from typing import Literal

from pydantic import Field

from retainstream.runs.record import StartedRunView, StepView


class ScoringStepView(StepView):
    detail: dict[str, object] | None = None


class ScoringRunView(StartedRunView[ScoringStepView]):
    """A run that scores every customer."""

    run_id: str
    kind: Literal["scoring"]
    counts: dict[str, int] | None = Field(default=None, description="Customers read, scored, left out because they have left, and refused")
    result: dict[str, object] | None = None
