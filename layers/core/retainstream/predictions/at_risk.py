"""Customers at risk in the order of their risk, page by page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from retainstream.engine.model.levels import Order, rank_beyond, rank_from, shards_of
from retainstream.engine.records import Prediction
from retainstream.storage.predictions import Predictions, RiskKey, RiskKeys

FURTHEST = 10_000
"""The number of customers from the top that page numbers reach. Cursors reach all."""
EXAMINED = 2_000
"""The most predictions that one page may read to fill itself, when they must pass a filter without an index."""
_CHUNK = 100

type Filter = Callable[[Prediction], bool]

Rank = Annotated[str, Field(pattern=r"^[0-9]{7,20}#[^\x00-\x1f\x7f-\x9f]{1,128}$")]
"""A customer's rank, as `levels.ranks` writes it: where a page by cursor begins."""


class TooFar(ValueError):
    """A page number beyond FURTHEST customers."""


@dataclass(frozen=True)
class Ranking:
    """The customers of a list and their order: medium risk or above, in `groups`, with a probability within the bounds."""

    groups: Sequence[str]
    order: Order = "probability"
    min_probability: float | None = None
    max_probability: float | None = None


@dataclass(frozen=True)
class RankedPage:
    """Predictions, highest rank first.

    `after` is the rank after which the next page begins; None on the last page. `examined` is the number of predictions read for the page.
    """

    predictions: list[Prediction]
    after: str | None
    examined: int


def ranked_page(
    predictions: Predictions, ranking: Ranking, *, limit: int, after: str | None = None, number: int = 1, keep: Filter | None = None
) -> RankedPage:
    """One page of customers at risk, ties by customer id descending.

    The number of reads grows with the size of the page (by cursor) or its distance from the top (by number), never with the number of
    customers. With a filter, or with a probability bound in another order than by probability, a page may be short, or even empty,
    although `after` says that more follow.

    Args:
        after: `after` of the previous page.
        number: the page number, counted from 1, where `after` is None.
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
    ranked = _at_risk(predictions, ranking, after, limit=limit, skip=skip)
    stored = predictions.get_many(key.customer_id for key in ranked.keys)
    page = [stored[customer_id] for customer_id in _still_at_risk(ranked.keys, stored)]
    return RankedPage(page, ranked.keys[-1].rank if ranked.more else None, len(page))


def _filtered_page(predictions: Predictions, ranking: Ranking, limit: int, after: str | None, skip: int, passes: Filter) -> RankedPage:
    page: list[Prediction] = []
    examined = 0
    while examined < EXAMINED + skip:
        ranked = _at_risk(predictions, ranking, after, limit=_CHUNK)
        stored = predictions.get_many(key.customer_id for key in ranked.keys)
        examined += len(ranked.keys)
        current = set(_still_at_risk(ranked.keys, stored)) - {prediction["customer_id"] for prediction in page}
        for key in ranked.keys:
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
        if not ranked.more:
            return RankedPage(page, None, examined)
    return RankedPage(page, after, examined)


def _still_at_risk(keys: Sequence[RiskKey], stored: Mapping[str, Prediction]) -> list[str]:
    """The customers that are at risk in the table, each once. For a moment the index may hold an old entry, even beside the new one."""
    distinct = dict.fromkeys(key.customer_id for key in keys)
    return [customer_id for customer_id in distinct if customer_id in stored and "risk_shard" in stored[customer_id]]


def _at_risk(predictions: Predictions, ranking: Ranking, after: str | None, *, limit: int, skip: int = 0) -> RiskKeys:
    lowest = None
    if ranking.order == "probability":
        if after is None and ranking.max_probability is not None:
            after = rank_beyond("probability", ranking.max_probability)
        if ranking.min_probability is not None:
            lowest = rank_from("probability", ranking.min_probability)
    return predictions.at_risk(shards_of(ranking.groups), limit=limit, order=ranking.order, after=after, lowest=lowest, skip=skip)


def _passes(ranking: Ranking, keep: Filter | None) -> Filter | None:
    lowest, highest = ranking.min_probability, ranking.max_probability
    if ranking.order == "probability" or (lowest is None and highest is None):
        return keep

    def passes(prediction: Prediction) -> bool:
        probability = prediction["probability"]
        within = (lowest is None or probability >= lowest) and (highest is None or probability <= highest)
        return within and (keep is None or keep(prediction))

    return passes
