"""The distribution of the churn probabilities, by group."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from retainstream.dashboard.figures import PredictionFigures
from retainstream.dashboard.fold import BINS, Counters


class GroupHistogram(BaseModel):
    group: str = Field(description="A value of the schema's group column, or all")
    customers: int
    counts: list[int] = Field(description="Customers by bin")


class DistributionView(BaseModel):
    """A histogram for each group. Bin i holds probabilities from edges[i] up to (not including) edges[i + 1]; the last bin includes 1."""

    edges: list[float]
    groups: list[GroupHistogram]
    counts: list[int] = Field(description="The sum over these groups")
    customers: int


def distribution(counters: Counters, groups: Sequence[str], *, only: bool) -> DistributionView:
    """Histograms of `groups`, and, unless `only` these, of every other group that has predictions."""
    figures = PredictionFigures(counters)
    shown = [*groups, *([] if only else [group for group in figures.groups if group not in groups])]
    histograms = [GroupHistogram(group=group, customers=sum(bins), counts=bins) for group in shown for bins in [figures.bins([group])]]
    return DistributionView(
        edges=[place / BINS for place in range(BINS + 1)],
        groups=histograms,
        counts=[sum(column) for column in zip(*(histogram.counts for histogram in histograms), strict=True)],
        customers=sum(histogram.customers for histogram in histograms),
    )
