"""Stored predictions, filtered, a page at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from retainstream.engine.model.levels import LEVELS, level_bounds
from retainstream.predictions.at_risk import EXAMINED, Ranking, Stored, ranked_page
from retainstream.storage.predictions import Predictions

_CHUNK = 200

type Position = dict[str, Any]


@dataclass(frozen=True)
class Filters:
    """What a prediction must be like. None asks nothing; bounds are inclusive."""

    level: str | None = None
    group: str | None = None
    min_probability: float | None = None
    max_probability: float | None = None
    model_version: str | None = None

    def keep(self, prediction: Mapping[str, Any]) -> bool:
        """Whether the prediction of a customer who has not left meets every filter."""
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
        """A text that is the same for the same filters only."""
        return repr(sorted(asdict(self).items()))


@dataclass(frozen=True)
class ResultsPage:
    """Predictions, the position from which the next page goes on (None when nothing is left), and how many were read for the page."""

    predictions: list[Stored]
    position: Position | None
    examined: int


def results_page(
    predictions: Predictions,
    groups: tuple[str, ...],
    filters: Filters,
    threshold: float | None,
    *,
    limit: int,
    position: Position | None = None,
) -> ResultsPage:
    """One page of the predictions of customers who have not left.

    Filters that leave only customers at medium risk and above, by `threshold` of the model in service, are answered from the index, highest
    probability first; all others in the table's own order. A filtered page may be short, or empty, although there is more.

    Args:
        groups: those the filters leave, by `groups.groups_of`.
        position: `position` of the page before.
    """
    ranking = ranking_of(groups, filters, threshold)
    if (ranking is not None and position is None) or (position and "rank" in position):
        ranking = ranking or Ranking(groups, "probability", filters.min_probability, filters.max_probability)
        keep = filters.keep if filters.level or filters.model_version else None
        page = ranked_page(predictions, ranking, limit=limit, after=position["rank"] if position else None, keep=keep)
        return ResultsPage(page.predictions, {"rank": page.after} if page.after else None, page.examined)
    return _table_page(predictions, filters, limit, position)


def every_result(predictions: Predictions, groups: tuple[str, ...], filters: Filters, threshold: float | None) -> Iterator[ResultsPage]:
    """All pages, one after the other."""
    position: Position | None = None
    while True:
        page = results_page(predictions, groups, filters, threshold, limit=_CHUNK, position=position)
        yield page
        position = page.position
        if position is None:
            return


def ranking_of(groups: tuple[str, ...], filters: Filters, threshold: float | None) -> Ranking | None:
    """The part of the index that holds every prediction that passes; None when some are not in the index."""
    if threshold is None:
        return None
    bounds = (0.0, *level_bounds(threshold), 1.0)
    least, most = bounds[LEVELS.index(filters.level) :][:2] if filters.level else (0.0, 1.0)
    lowest = max(filters.min_probability or 0.0, least)
    if lowest < bounds[1]:
        return None
    highest = 1.0 if filters.max_probability is None else filters.max_probability
    return Ranking(groups, "probability", lowest, min(highest, most))


def _table_page(predictions: Predictions, filters: Filters, limit: int, position: Position | None) -> ResultsPage:
    found: list[Stored] = []
    start = position
    examined = 0
    while examined < EXAMINED:
        page = predictions.page(_CHUNK if filters != Filters() else limit - len(found), start)
        examined += len(page.items)
        for index, prediction in enumerate(page.items):
            if not filters.keep(prediction):
                continue
            found.append(prediction)
            if len(found) == limit:
                more = index + 1 < len(page.items) or page.next_key is not None
                return ResultsPage(found, {"customer_id": prediction["customer_id"]} if more else None, examined)
        start = page.next_key
        if start is None:
            break
    return ResultsPage(found, start, examined)
