"""Segments in the API."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from retainstream.customers.criteria import Operator
from retainstream.customers.segment import EXAMINED_MOST, Segment
from retainstream.customers.views import AtRiskView, Order, at_risk_view
from retainstream.dashboard.figures import LevelFigures
from retainstream.dashboard.metrics import LevelView, level_view
from retainstream.engine.records import RiskLevel
from retainstream.engine.schema.whole import Whole


class CriterionRequest(BaseModel):
    """A condition on a column of the schema. A missing value meets only `missing`."""

    model_config = ConfigDict(extra="forbid")

    column: str = Field(max_length=63, examples=["payment_failures"])
    op: Operator
    value: Any = Field(
        default=None, description="The value to compare with: a list for in, true or false for missing (default: true)", examples=[2]
    )

    def parts(self) -> tuple[str, Operator, Any]:
        return self.column, self.op, True if self.op == "missing" and self.value is None else self.value


class SegmentRequest(BaseModel):
    """Customers who meet all criteria and are at one of the levels. Default: all customers who have a prediction and have not left."""

    model_config = ConfigDict(extra="forbid")

    criteria: list[CriterionRequest] = Field(default=[], max_length=20)
    levels: list[RiskLevel] = Field(default=[], max_length=4)
    sort: Order = "probability"
    limit: Whole = Field(default=10, ge=1, le=100, description="The number of customers to list")
    cursor: str | None = Field(default=None, max_length=2000, description="`page.next` of the previous page, with the same segment")

    def scope(self) -> str:
        """A text that is different for different segments."""
        return repr(([criterion.parts() for criterion in self.criteria], sorted(set(self.levels)), self.sort))


class SegmentView(BaseModel):
    """A segment's figures and first customers."""

    count: int = Field(description="Customers in the segment")
    mean_probability: float | None
    expected_churners: float = Field(description="The sum of the probabilities")
    value_at_risk: float
    currency: str | None = Field(description="Currency of all amounts; null where the schema has no price")
    levels: list[LevelView] = Field(description="The levels of the request, from low to critical")
    estimated: bool = Field(
        description=f"Whether the figures are estimates: with criteria at most {EXAMINED_MOST:,} predictions are read, and their "
        "figures are scaled to all"
    )
    examined: int = Field(description="Predictions read; 0 where the figures come from counters")
    of: int = Field(description="Predictions in all")
    customers: list[AtRiskView] = Field(
        description="The segment's customers, highest first; those at low risk only with criteria, or for that level alone"
    )


def segment_view(segment: Segment, currency: str | None) -> SegmentView:
    everyone = sum(segment.levels.values(), LevelFigures())
    return SegmentView(
        count=everyone.customers,
        mean_probability=everyone.mean_probability,
        expected_churners=everyone.expected_churners,
        value_at_risk=everyone.value_at_risk,
        currency=currency,
        levels=[level_view(level, figures) for level, figures in segment.levels.items()],
        estimated=segment.estimated,
        examined=segment.examined,
        of=segment.of,
        customers=[at_risk_view(prediction) for prediction in segment.top],
    )
