"""The customers at risk, highest first."""

from dataclasses import dataclass

from retainstream.dashboard.figures import PredictionFigures
from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import RISK_LEVELS, Order
from retainstream.engine.records import Prediction
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.at_risk import RankedPage, Ranking, ranked_page
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups


@dataclass(frozen=True)
class RiskPage:
    """A page of customers at risk, without those who left meanwhile, and their total number, where the counters hold it."""

    predictions: list[Prediction]
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
    """A page of the customers at medium risk or above, by probability or by value at risk, ties by id descending.

    Raises:
        UnknownGroup: the schema does not have the group.
        TooFar: page numbers do not reach this page.
    """
    groups = groups_of(schema, group)
    page: RankedPage = ranked_page(predictions, Ranking(groups, order, min_probability), limit=limit, after=after, number=number)
    total = None
    if min_probability is None:
        figures = PredictionFigures(rollups.counters("predictions").counters)
        total = sum(figures.level(level, groups).customers for level in RISK_LEVELS[1:])
    return RiskPage([prediction for prediction in page.predictions if not prediction["churned"]], page.after, total)
