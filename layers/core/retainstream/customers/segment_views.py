"""How a segment is asked for and shown."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from retainstream.customers.criteria import Operator
from retainstream.customers.segment import EXAMINED_MOST, Segment
from retainstream.customers.views import AtRiskView, Order, at_risk_view
from retainstream.dashboard.figures import LevelFigures
from retainstream.dashboard.metrics import LevelView, level_view
from retainstream.engine.schema.whole import Whole
from retainstream.predictions.views import Level


class CriterionRequest(BaseModel):
    """A condition on a column of the schema. A value that is not known meets only `missing`."""

    model_config = ConfigDict(extra="forbid")

    column: str = Field(max_length=63, examples=["payment_failures"])
    op: Operator
    value: Any = Field(
        default=None, description="What to compare with; a list for in; true or false for missing (true when left out)", examples=[2]
    )

    def parts(self) -> tuple[str, Operator, Any]:
        return self.column, self.op, True if self.op == "missing" and self.value is None else self.value


class SegmentRequest(BaseModel):
    """Customers who meet all criteria and are at one of the levels. Without either: all who have a prediction and have not left."""

    model_config = ConfigDict(extra="forbid")

    criteria: list[CriterionRequest] = Field(default=[], max_length=20)
    levels: list[Level] = Field(default=[], max_length=4)
    sort: Order = "probability"
    limit: Whole = Field(default=10, ge=1, le=100, description="How many customers to show")
    cursor: str | None = Field(default=None, max_length=2000, description="`page.next` of the page before, with the same segment")

    def scope(self) -> str:
        """A text that is the same for the same segment only."""
        return repr(([criterion.parts() for criterion in self.criteria], sorted(set(self.levels)), self.sort))


class SegmentView(BaseModel):
    """A segment, summed up."""

    count: int = Field(description="Customers in the segment")
    mean_probability: float | None
    expected_churners: float = Field(description="The sum of the probabilities")
    value_at_risk: float
    currency: str | None = Field(description="Of every amount; null when the schema names no price")
    levels: list[LevelView] = Field(description="The levels asked for, from low to critical")
    estimated: bool = Field(
        description=f"Whether the figures are estimates: of a base with more than {EXAMINED_MOST:,} predictions as many are looked at for "
        "criteria, and what they show is scaled to the whole"
    )
    examined: int = Field(description="How many predictions were looked at; 0 when counters told")
    of: int = Field(description="How many predictions there are in all")
    customers: list[AtRiskView] = Field(
        description="The segment's customers, highest first; those at low risk only when criteria, or only they, are asked for"
    )


def segment_view(found: Segment, currency: str | None) -> SegmentView:
    everyone = sum(found.levels.values(), LevelFigures())
    return SegmentView(
        count=everyone.customers,
        mean_probability=everyone.mean_probability,
        expected_churners=everyone.expected_churners,
        value_at_risk=everyone.value_at_risk,
        currency=currency,
        levels=[level_view(level, figures) for level, figures in found.levels.items()],
        estimated=found.estimated,
        examined=found.examined,
        of=found.of,
        customers=[at_risk_view(prediction) for prediction in found.top],
    )
