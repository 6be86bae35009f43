"""Predictions: the latest one of each customer, and the indexes of the customers at risk."""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Literal, cast

from retainstream.engine.model.levels import IndexKeys
from retainstream.engine.records import Prediction, PreviousPrediction
from retainstream.settings import settings
from retainstream.storage.by_customer import ByCustomer
from retainstream.storage.pace import UNLIMITED, Pace
from retainstream.storage.table import Key, Page, Table, side_by_side

type Order = Literal["probability", "value"]

_SHARDS_AT_A_TIME = 8
_KEPT = ("customer_id", "run_id", "scored_at", "features_on", "probability", "level", "model_version", "model_chosen_at", "history")


@dataclass(frozen=True)
class RiskKey:
    """A customer's place in an order of risk. Ranks compare as text and never repeat."""

    rank: str
    customer_id: str


@dataclass(frozen=True)
class RiskKeys:
    """Keys, highest rank first, and whether more follow."""

    keys: list[RiskKey]
    more: bool


class Predictions(ByCustomer[Prediction]):
    """The predictions table."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(table or Table(settings().predictions_table, ("customer_id",)))

    def earlier(self, customer_ids: Iterable[str]) -> dict[str, PreviousPrediction]:
        """The stored predictions of these customers, as the next ones need them, by customer id. Ids must not repeat."""
        items = self._table.get_many(({"customer_id": customer_id} for customer_id in customer_ids), attributes=_KEPT)
        return cast("dict[str, PreviousPrediction]", {item["customer_id"]: item for item in items})

    def put_many(self, predictions: Iterable[Prediction], pace: Pace = UNLIMITED) -> int:
        """Replaces whole items, no faster than `pace`. Returns the number written. Ids must not repeat."""
        return self._table.put_many(predictions, pace)

    def known_to_have_left(self, customer_ids: Iterable[str]) -> dict[str, bool]:
        """For each stored prediction, whether it says that its customer has left, by customer id. Ids must not repeat."""
        keys = ({"customer_id": customer_id} for customer_id in customer_ids)
        items = self._table.get_many(keys, attributes=("customer_id", "churned"), consistent=True)
        return {item["customer_id"]: item["churned"] for item in items}

    def set_churned(self, customer_id: str) -> None:
        """Marks the prediction of a customer who has left, and takes it out of the indexes of customers at risk.

        Raises:
            Conflict: the customer has no prediction.
        """
        self._table.update(
            {"customer_id": customer_id},
            "SET churned = :true REMOVE risk_shard, probability_rank, value_rank",
            {":true": True},
            condition="attribute_exists(customer_id)",
        )

    def set_present(self, prediction: Prediction, indexed: IndexKeys) -> None:
        """Marks the prediction of a customer who has not left after all. `indexed` are its index attributes; empty at low risk.

        Raises:
            Conflict: the stored prediction is another one: it was removed, or the customer was scored again.
        """
        sets = "".join(f", {name} = :{name}" for name in indexed)
        self._table.update(
            {"customer_id": prediction["customer_id"]},
            f"SET churned = :false{sets}",
            {":false": False, ":run_id": prediction["run_id"], ":scored_at": prediction["scored_at"]}
            | {f":{name}": value for name, value in indexed.items()},
            condition="run_id = :run_id AND scored_at = :scored_at",
        )

    def at_risk(
        self,
        shards: Sequence[str],
        *,
        limit: int,
        order: Order = "probability",
        after: str | None = None,
        lowest: str | None = None,
        skip: int = 0,
    ) -> RiskKeys:
        """Customers at risk in these index partitions, highest rank first, ties by customer id descending.

        There is one query per shard, several at a time, each for no more keys than the page may need. Their answers are merged.

        Args:
            after: only ranks below this one: the last rank of the previous page, or `levels.rank_beyond` of a highest amount.
            lowest: only this rank and those above it: `levels.rank_from` of a lowest amount.
            skip: leave out so many from the top. They are read all the same.
        """
        bounded = _bounded(f"{order}_rank", after, lowest)
        if bounded is None:
            return RiskKeys([], more=False)
        wanted = skip + limit + 1
        chunk = wanted if not skip else min(wanted, max(limit + 1, math.ceil(2 * wanted / len(shards))))
        condition, values, names = bounded

        def ask(shard: str, start: Key | None = None) -> Page:
            return self._table.query(
                condition, {**values, ":shard": shard}, names=names, index=f"by-{order}", limit=chunk, ascending=False, start=start
            )

        def keys_of(shard: str, page: Page) -> Iterator[RiskKey]:
            while True:
                for item in page.items:
                    if item[f"{order}_rank"] != after:  # BETWEEN includes its upper end
                        yield RiskKey(item[f"{order}_rank"], item["customer_id"])
                if page.next_key is None:
                    return
                page = ask(shard, page.next_key)

        first = side_by_side(ask, shards, at_a_time=_SHARDS_AT_A_TIME)
        merged = heapq.merge(*map(keys_of, shards, first), key=attrgetter("rank"), reverse=True)
        keys = list(islice(merged, skip, wanted))
        return RiskKeys(keys[:limit], more=len(keys) > limit)


def _bounded(rank: str, after: str | None, lowest: str | None) -> tuple[str, dict[str, str], dict[str, str] | None] | None:
    """The condition of a query for one shard, with its values and names; None where no rank can meet it."""
    bounds = {name: bound for name, bound in ((":after", after), (":lowest", lowest)) if bound is not None}
    if after is not None and lowest is not None:
        if lowest >= after:
            return None
        return "risk_shard = :shard AND #rank BETWEEN :lowest AND :after", bounds, {"#rank": rank}
    if not bounds:
        return "risk_shard = :shard", {}, None
    return f"risk_shard = :shard AND #rank {'< :after' if after is not None else '>= :lowest'}", bounds, {"#rank": rank}
