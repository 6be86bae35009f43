"""Customers at risk, in the order of their risk, a page at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retainstream.engine.model.levels import Order, rank_beyond, rank_from, shards_of
from retainstream.storage.predictions import Predictions, RiskKey

FURTHEST = 10_000
"""How many customers from the top may be reached by page number; cursors reach everybody."""
EXAMINED = 2_000
"""How many predictions one page may look at to fill itself, when they have to pass a filter that no index knows."""
_CHUNK = 100

type Stored = dict[str, Any]
type Filter = Callable[[Mapping[str, Any]], bool]


class TooFar(ValueError):
    """A page number beyond FURTHEST customers."""


@dataclass(frozen=True)
class Ranking:
    """Which customers, in which order: those at medium risk or above in `groups`, with a probability within the bounds."""

    groups: Sequence[str]
    order: Order = "probability"
    min_probability: float | None = None
    max_probability: float | None = None


@dataclass(frozen=True)
class RankedPage:
    """Predictions, highest rank first. `after` is where the next page goes on; None when nothing is left.

    `examined` is how many predictions were read for the page.
    """

    predictions: list[Stored]
    after: str | None
    examined: int


def ranked_page(
    predictions: Predictions, ranking: Ranking, *, limit: int, after: str | None = None, number: int = 1, keep: Filter | None = None
) -> RankedPage:
    """One page of customers at risk, ties by customer id descending.

    What is read grows with the page (by cursor) or with its distance from the top (by number), never with the base. With a filter, or a
    probability bound on another order than that of probability, a page may be short, or empty, although `after` says there is more.

    Args:
        after: `after` of the page before.
        number: the page to show, counted from 1, when there is no `after`.
        keep: a further condition on the stored prediction.

    Raises:
        TooFar: the page number is beyond FURTHEST customers.
    """
    if number * limit > FURTHEST:
        raise TooFar
    passes = _passes(ranking, keep)
    skip = 0 if after else (number - 1) * limit
    if passes is None:
        return _plain_page(predictions, ranking, limit, after, skip)
    return _filtered_page(predictions, ranking, limit, after, skip, passes)


def _plain_page(predictions: Predictions, ranking: Ranking, limit: int, after: str | None, skip: int) -> RankedPage:
    found = predictions.at_risk(shards_of(ranking.groups), limit=limit, skip=skip, **_bounds(ranking, after))
    stored = predictions.get_many(key.customer_id for key in found.keys)
    page = [stored[customer_id] for customer_id in _still_at_risk(found.keys, stored)]
    return RankedPage(page, found.keys[-1].rank if found.more else None, len(page))


def _filtered_page(predictions: Predictions, ranking: Ranking, limit: int, after: str | None, skip: int, passes: Filter) -> RankedPage:
    page: list[Stored] = []
    examined = 0
    while examined < EXAMINED + skip:
        found = predictions.at_risk(shards_of(ranking.groups), limit=_CHUNK, **_bounds(ranking, after))
        stored = predictions.get_many(key.customer_id for key in found.keys)
        examined += len(found.keys)
        current = set(_still_at_risk(found.keys, stored)) - {prediction["customer_id"] for prediction in page}
        for key in found.keys:
            prediction = stored[key.customer_id] if key.customer_id in current else None
            current.discard(key.customer_id)
            if prediction is not None and passes(prediction):
                if skip:
                    skip -= 1
                elif len(page) == limit:
                    return RankedPage(page, after, examined)
                else:
                    page.append(prediction)
            after = key.rank
        if not found.more:
            return RankedPage(page, None, examined)
    return RankedPage(page, after, examined)


def _still_at_risk(keys: Sequence[RiskKey], stored: Mapping[str, Stored]) -> list[str]:
    """Each customer once whom the table has at risk: an index may for a moment hold what was, even beside what is."""
    return [found for found in dict.fromkeys(key.customer_id for key in keys) if "risk_shard" in stored.get(found, {})]


def _bounds(ranking: Ranking, after: str | None) -> dict[str, Any]:
    bounds: dict[str, Any] = {"order": ranking.order, "after": after}
    if ranking.order == "probability":
        if after is None and ranking.max_probability is not None:
            bounds["after"] = rank_beyond("probability", ranking.max_probability)
        if ranking.min_probability is not None:
            bounds["lowest"] = rank_from("probability", ranking.min_probability)
    return bounds


def _passes(ranking: Ranking, keep: Filter | None) -> Filter | None:
    lowest, highest = ranking.min_probability, ranking.max_probability
    if ranking.order == "probability" or (lowest is None and highest is None):
        return keep

    def passes(prediction: Mapping[str, Any]) -> bool:
        probability = prediction["probability"]
        within = (lowest is None or probability >= lowest) and (highest is None or probability <= highest)
        return within and (keep is None or keep(prediction))

    return passes
