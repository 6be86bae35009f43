"""Stored predictions, filtered, page by page."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TypedDict, final

from pydantic import ConfigDict, with_config

from retainstream.engine.model.levels import RISK_LEVELS, LevelBounds
from retainstream.engine.records import Prediction, RiskLevel
from retainstream.engine.schema.customer_id import CustomerId
from retainstream.predictions.at_risk import EXAMINED, Rank, Ranking, ranked_page
from retainstream.storage.predictions import Predictions
from retainstream.storage.table import Key

_CHUNK = 200


@final
@with_config(ConfigDict(extra="forbid"))
class InIndex(TypedDict):
    """The start of a page in the index of the customers at risk."""

    rank: Rank


@final
@with_config(ConfigDict(extra="forbid"))
class InTable(TypedDict):
    """The start of a page in the table of predictions."""

    customer_id: CustomerId


type Position = InIndex | InTable


@dataclass(frozen=True)
class Filters:
    """The conditions on a prediction. None sets no condition; bounds are inclusive."""

    level: RiskLevel | None = None
    group: str | None = None
    min_probability: float | None = None
    max_probability: float | None = None
    model_version: str | None = None

    def keep(self, prediction: Prediction) -> bool:
        """Whether the prediction meets every condition, and its customer has not left."""
        probability = prediction["probability"]
        return (
            not prediction["churned"]
            and self.level in (None, prediction["level"])
            and self.group in (None, prediction["group"])
            and (self.min_probability is None or probability >= self.min_probability)
            and (self.max_probability is None or probability <= self.max_probability)
            and self.model_version in (None, prediction["model_version"])
        )

    def scope(self) -> str:
        """A text that is different for different filters."""
        return repr(sorted(asdict(self).items()))


@dataclass(frozen=True)
class ResultsPage:
    """Predictions, the start of the next page (None on the last page), and the number of predictions read for the page."""

    predictions: list[Prediction]
    position: Position | None
    examined: int


def results_page(
    predictions: Predictions,
    groups: tuple[str, ...],
    filters: Filters,
    bounds: LevelBounds | None,
    *,
    limit: int,
    position: Position | None = None,
) -> ResultsPage:
    """One page of the predictions of customers who have not left.

    Where the filters allow only customers at medium risk and above, by the `bounds` of the model in service, the page comes from the index,
    highest probability first. Other pages are in the table's order. A filtered page may be short, or even empty, although more follow.

    Args:
        groups: the groups that the filters allow, by `groups.groups_of`.
        position: `position` of the previous page.
    """
    ranking = ranking_of(groups, filters, bounds)
    if position and "customer_id" in position:
        return _table_page(predictions, filters, limit, position)
    if position is None and ranking is None:
        return _table_page(predictions, filters, limit, None)
    ranking = ranking or Ranking(groups, "probability", filters.min_probability, filters.max_probability)
    keep = filters.keep if filters.level or filters.model_version else None
    page = ranked_page(predictions, ranking, limit=limit, after=position["rank"] if position else None, keep=keep)
    return ResultsPage(page.predictions, {"rank": page.after} if page.after else None, page.examined)


def every_result(predictions: Predictions, groups: tuple[str, ...], filters: Filters, bounds: LevelBounds | None) -> Iterator[ResultsPage]:
    """All pages, one after the other."""
    position: Position | None = None
    while True:
        page = results_page(predictions, groups, filters, bounds, limit=_CHUNK, position=position)
        yield page
        position = page.position
        if position is None:
            return


def ranking_of(groups: tuple[str, ...], filters: Filters, bounds: LevelBounds | None) -> Ranking | None:
    """The part of the index that holds every matching prediction; None where the index does not hold all."""
    if bounds is None:
        return None
    starts = (0.0, *bounds, 1.0)
    least, most = starts[RISK_LEVELS.index(filters.level) :][:2] if filters.level else (0.0, 1.0)
    lowest = max(filters.min_probability or 0.0, least)
    if lowest < bounds.medium:
        return None
    highest = 1.0 if filters.max_probability is None else filters.max_probability
    return Ranking(groups, "probability", lowest, min(highest, most))


def _table_page(predictions: Predictions, filters: Filters, limit: int, position: InTable | None) -> ResultsPage:
    matches: list[Prediction] = []
    start: Key | None = {"customer_id": position["customer_id"]} if position else None
    examined = 0
    while examined < EXAMINED:
        page = predictions.page(_CHUNK if filters != Filters() else limit - len(matches), start)
        examined += len(page.items)
        for index, prediction in enumerate(page.items):
            if not filters.keep(prediction):
                continue
            matches.append(prediction)
            if len(matches) == limit:
                more = index + 1 < len(page.items) or page.next_key is not None
                return ResultsPage(matches, {"customer_id": prediction["customer_id"]} if more else None, examined)
        start = page.next_key
        if start is None:
            break
    return ResultsPage(matches, {"customer_id": start["customer_id"]} if start else None, examined)
