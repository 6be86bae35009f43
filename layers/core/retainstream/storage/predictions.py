"""Predictions: the latest one of each customer, and the indexes of those at risk."""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Literal

from retainstream.settings import settings
from retainstream.storage.by_customer import ByCustomer
from retainstream.storage.pace import UNLIMITED, Pace
from retainstream.storage.table import Item, Page, Table, side_by_side

type Order = Literal["probability", "value"]

_SHARDS_AT_A_TIME = 8
_KEPT = ("customer_id", "run_id", "scored_at", "probability", "level", "model_version", "model_chosen_at", "history")


@dataclass(frozen=True)
class RiskKey:
    """Where a customer stands in an order of risk. Ranks compare as text and never repeat."""

    rank: str
    customer_id: str


@dataclass(frozen=True)
class RiskKeys:
    """Keys in the order asked for, highest first, and whether there are more after them."""

    keys: list[RiskKey]
    more: bool


class Predictions(ByCustomer):
    """The predictions table; see `retainstream.engine.model.predictions` for what an item holds."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(settings().predictions_table, table)

    def earlier(self, customer_ids: Iterable[str]) -> dict[str, Item]:
        """Of the predictions that exist among the ids, what the next ones keep of them; by customer id. Ids must not repeat."""
        found = self._table.get_many(({"customer_id": customer_id} for customer_id in customer_ids), attributes=_KEPT)
        return {item["customer_id"]: item for item in found}

    def put_many(self, predictions: Iterable[Mapping[str, Any]], pace: Pace = UNLIMITED) -> int:
        """Writes whole items in place of what was there, no faster than `pace`. Returns how many were written. Ids must not repeat."""
        return self._table.put_many(predictions, pace)

    def known_to_have_left(self, customer_ids: Iterable[str]) -> dict[str, bool]:
        """What the predictions there are at this moment say of their customers, by customer id. Ids must not repeat."""
        keys = ({"customer_id": customer_id} for customer_id in customer_ids)
        found = self._table.get_many(keys, attributes=("customer_id", "churned"), consistent=True)
        return {item["customer_id"]: item["churned"] for item in found}

    def set_churned(self, customer_id: str) -> Item:
        """Marks the prediction of a customer who has left, and takes it out of the indexes of those at risk.

        Raises:
            Conflict: there is no prediction of this customer.
        """
        return self._table.update(
            {"customer_id": customer_id},
            "SET churned = :true REMOVE risk_shard, probability_rank, value_rank",
            {":true": True},
            condition="attribute_exists(customer_id)",
        )

    def set_present(self, prediction: Mapping[str, Any], indexed: Mapping[str, object]) -> Item:
        """Marks the prediction of a customer who has not left after all; `indexed` are its index attributes, or none.

        Raises:
            Conflict: this prediction is not the stored one: it was removed, or the customer scored anew.
        """
        sets = "".join(f", {name} = :{name}" for name in indexed)
        return self._table.update(
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
        """Customers at risk in the given index partitions, highest rank first, ties by customer id descending.

        One query per shard, several at a time and each for no more keys than the page may need; their answers are merged.

        Args:
            after: keep to ranks lower than this one: the last rank of the page before, or `levels.rank_beyond` of a highest amount.
            lowest: keep to this rank and above: `levels.rank_from` of a lowest amount.
            skip: leave out this many from the top; they are read all the same.
        """
        bounded = _bounded(f"{order}_rank", after, lowest)
        if bounded is None:
            return RiskKeys([], more=False)
        wanted = skip + limit + 1
        chunk = wanted if not skip else min(wanted, max(limit + 1, math.ceil(2 * wanted / len(shards))))
        condition, values, names = bounded

        def ask(shard: str, start: Item | None = None) -> Page:
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
    """The condition of a query for one shard, with its values and names; None when no rank can meet it."""
    bounds = {name: bound for name, bound in ((":after", after), (":lowest", lowest)) if bound is not None}
    if after is not None and lowest is not None:
        if lowest >= after:
            return None
        return "risk_shard = :shard AND #rank BETWEEN :lowest AND :after", bounds, {"#rank": rank}
    if not bounds:
        return "risk_shard = :shard", {}, None
    return f"risk_shard = :shard AND #rank {'< :after' if after is not None else '>= :lowest'}", bounds, {"#rank": rank}
