"""A segment of the customers: its size, risk levels, value at risk, and first customers."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from retainstream.customers.criteria import Criterion, all_hold
from retainstream.dashboard.figures import LevelFigures, PredictionFigures
from retainstream.dashboard.fold import fixed
from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import RISK_LEVELS, LevelBounds, Order, ranks
from retainstream.engine.records import Prediction, RiskLevel
from retainstream.engine.schema import ALL, FeatureSchema
from retainstream.predictions.at_risk import Ranking, ranked_page
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups

EXAMINED_MOST = 20_000
"""The most predictions that a segment with criteria reads. Where there are more, the figures are estimated from these."""
_CHUNK = 1000
_READ = ("customer_id", "group", "level", "probability", "value_at_risk", "features", "churned")

type Levels = dict[RiskLevel, LevelFigures]


@dataclass(frozen=True)
class Segment:
    """A segment's sums by level, and a page of its customers.

    `examined` of all `of` predictions were read; 0 where the sums come from the counters. Where `estimated`, the sums of the examined part
    are scaled to all. `top` holds customers, highest rank first; `after` is the rank after which the next page begins.
    """

    levels: Levels
    estimated: bool
    examined: int
    of: int
    top: list[Prediction]
    after: str | None


@dataclass(frozen=True)
class Wanted:
    """The customers of a segment: those that meet all criteria, at one of the levels. Empty sets no condition."""

    criteria: Sequence[Criterion] = ()
    levels: Sequence[RiskLevel] = ()
    order: Order = "probability"

    def keep(self, prediction: Prediction) -> bool:
        at_level = not self.levels or prediction["level"] in self.levels
        return at_level and not prediction["churned"] and all_hold(self.criteria, prediction["features"])

    @property
    def shown(self) -> Sequence[RiskLevel]:
        return self.levels or RISK_LEVELS


def segment(
    schema: FeatureSchema,
    predictions: Predictions,
    rollups: Rollups,
    in_service: Callable[[], LevelBounds | None],
    wanted: Wanted,
    *,
    limit: int,
    after: str | None = None,
) -> Segment:
    """A segment of the customers who have a prediction and have not left.

    Without criteria, or with criteria on the group column alone, the counters and the index give the answer, whatever the number of
    customers. Customers at low risk are then counted but not listed, unless `wanted` names only that level. With other criteria up to
    EXAMINED_MOST predictions are read; the criteria apply to the features as they were scored.
    """
    counted = PredictionFigures(rollups.counters("predictions").counters)
    groups = _groups(schema, counted.groups, wanted.criteria)
    if groups is None or list(wanted.levels) == ["low"]:
        return _examined(predictions, wanted, counted, limit, after)
    bounds = _bounds(wanted.levels, in_service) if wanted.order == "probability" else (None, None)
    ranking = Ranking(groups, wanted.order, *bounds)
    page = ranked_page(predictions, ranking, limit=limit, after=after, keep=wanted.keep)
    return Segment(
        levels={level: counted.level(level, groups) for level in wanted.shown},
        estimated=False,
        examined=0,
        of=counted.all_levels().customers,
        top=page.predictions,
        after=page.after,
    )


def _groups(schema: FeatureSchema, counted: Sequence[str], criteria: Sequence[Criterion]) -> tuple[str, ...] | None:
    """The groups whose customers meet the criteria; None where a criterion is on another column than the group."""
    if any(criterion.column.name != schema.group for criterion in criteria):
        return None

    def features(group: str) -> dict[str, str]:
        return {} if schema.group is None or (group == ALL and ALL not in schema.groups) else {schema.group: group}

    return tuple(group for group in dict.fromkeys([*groups_of(schema), *counted]) if all_hold(criteria, features(group)))


def _bounds(levels: Sequence[RiskLevel], in_service: Callable[[], LevelBounds | None]) -> tuple[float | None, float | None]:
    """The probabilities of these levels by the model in service."""
    if not levels or "low" in levels:
        return None, None
    bounds_in_service = in_service()
    if bounds_in_service is None:
        return None, None
    bounds = (0.0, *bounds_in_service, 1.0)
    places = [RISK_LEVELS.index(level) for level in levels]
    return bounds[min(places)], bounds[max(places) + 1]


@dataclass
class _Best:
    """The highest ranks below a bound: a page and one more."""

    limit: int
    after: str | None
    heap: list[tuple[str, str]] = field(default_factory=list)

    def offer(self, rank: str, customer_id: str) -> None:
        if self.after is not None and rank >= self.after:
            return
        push = heapq.heappush if len(self.heap) <= self.limit else heapq.heappushpop
        push(self.heap, (rank, customer_id))

    def page(self) -> tuple[list[str], str | None]:
        """Customer ids, highest rank first, and the rank after which the next page begins."""
        ranked = sorted(self.heap, reverse=True)
        shown = ranked[: self.limit]
        return [customer_id for _, customer_id in shown], shown[-1][0] if len(ranked) > self.limit else None


def _examined(predictions: Predictions, wanted: Wanted, counted: PredictionFigures, limit: int, after: str | None) -> Segment:
    best = _Best(limit, after)
    sums: Levels = {level: LevelFigures() for level in wanted.shown}
    examined = 0
    start = None
    while examined < EXAMINED_MOST:
        page = predictions.page(min(_CHUNK, EXAMINED_MOST - examined), start, attributes=_READ)
        examined += sum(not prediction["churned"] for prediction in page.items)
        for prediction in page.items:
            if wanted.keep(prediction):
                sums[prediction["level"]] += _figures(prediction)
                best.offer(_rank(prediction, wanted.order), prediction["customer_id"])
        start = page.next_key
        if start is None:
            break
    estimated = start is not None
    of = max(examined, counted.all_levels().customers) if estimated else examined
    ids, onward = best.page()
    stored = predictions.get_many(ids)
    return Segment(
        levels={level: _scaled(figures, of, examined) for level, figures in sums.items()} if estimated else sums,
        estimated=estimated,
        examined=examined,
        of=of,
        top=[stored[customer_id] for customer_id in ids if customer_id in stored],
        after=onward,
    )


def _figures(prediction: Prediction) -> LevelFigures:
    return LevelFigures(1, fixed(prediction["probability"]), round(prediction["value_at_risk"] * 100))


def _rank(prediction: Prediction, order: Order) -> str:
    keys = ranks(prediction["customer_id"], prediction["group"], prediction["probability"], prediction["value_at_risk"])
    return keys["probability_rank"] if order == "probability" else keys["value_rank"]


def _scaled(figures: LevelFigures, of: int, examined: int) -> LevelFigures:
    def scaled(amount: int) -> int:
        return round(amount * of / examined) if examined else 0

    return LevelFigures(scaled(figures.customers), scaled(figures.probability_millionths), scaled(figures.value_cents))
