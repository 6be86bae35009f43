"""The customers at risk, highest first."""

from dataclasses import dataclass
from typing import Any

from retainstream.dashboard.figures import PredictionFigures
from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import Order
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.at_risk import RankedPage, Ranking, ranked_page
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups


@dataclass(frozen=True)
class RiskPage:
    """A page of customers at risk (those who have left in the meantime left out), and how many there are, where the counters tell."""

    predictions: list[dict[str, Any]]
    after: str | None
    total: int | None


def high_risk(
    schema: FeatureSchema,
    predictions: Predictions,
    rollups: Rollups,
    *,
    group: str | None,
    min_probability: float | None,
    order: Order,
    limit: int,
    number: int = 1,
    after: str | None = None,
) -> RiskPage:
    """A page of the customers at medium risk or above, in the order of probability or of value at risk; ties by id descending.

    Raises:
        UnknownGroup: the schema does not have it.
        TooFar: the page number lies further from the top than page numbers reach.
    """
    groups = groups_of(schema, group)
    page: RankedPage = ranked_page(predictions, Ranking(groups, order, min_probability), limit=limit, after=after, number=number)
    total = None
    if min_probability is None:
        figures = PredictionFigures(rollups.counters("predictions").counters)
        total = sum(figures.level(level, groups).customers for level in ("medium", "high", "critical"))
    return RiskPage([prediction for prediction in page.predictions if not prediction["churned"]], page.after, total)
