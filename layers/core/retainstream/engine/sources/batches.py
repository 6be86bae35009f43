"""The rows of customers at anchors, computed for some customers at once so that memory is bounded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import ANY, Churn, Origin
from retainstream.engine.sources.present import Active, Present, Subscribed
from retainstream.engine.sources.reading import EVENTS, SPANS, kinds_of_events
from retainstream.engine.sources.tiles import Days, Events, Numbers, Tiles, aggregate, boundaries

ROWS = "feature_rows"
"""customer, anchor (day), label (TINYINT, null where not known), and e0, e1, …: the aggregates of events."""

_EVENTS_AT_ONCE = 4_000_000
_TILES_AT_ONCE = 8_000_000
_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Batches:
    """The work of a table. labelled: whether the window of each anchor is over."""

    connection: DuckDBPyConnection
    schema: FeatureSchema
    churn: Churn
    origins: list[Origin]
    anchors: list[int]
    labelled: dict[int, bool]

    @cached_property
    def kinds(self) -> dict[str, int]:
        return kinds_of_events(self.connection) if self._has_events else {}

    @cached_property
    def cuts(self) -> Days:
        return boundaries(self.origins, self.anchors)

    @property
    def _has_events(self) -> bool:
        return bool(self.schema.sources and self.schema.sources.events)

    def ranges(self, customers: int) -> list[tuple[int, int]]:
        """Ranges of customers with so many events and tiles as fit the memory, and at least a customer each."""
        if not customers:
            return []
        counts = np.zeros(customers, dtype=np.int64)
        if self._has_events:
            counted = self.connection.execute(f"SELECT customer, COUNT(*) AS events FROM {EVENTS} GROUP BY customer").fetchnumpy()
            counts[counted["customer"]] = counted["events"]
        load = np.cumsum(counts / _EVENTS_AT_ONCE + (len(self.cuts) + 1) / _TILES_AT_ONCE)
        bounds = np.flatnonzero(np.diff(np.floor(load), prepend=0.0, append=np.inf)).tolist()
        starts = sorted({0, *bounds} - {customers})
        return [(first, last) for first, last in zip(starts, [*starts[1:], customers], strict=True) if last > first]

    def keep_rows(self, first: int, last: int) -> None:
        """Computes the rows of the customers from `first` to before `last`."""
        events = self._events(first, last)
        known: dict[frozenset[int] | None, Tiles] = {}

        def tiles(kinds: frozenset[int] | None) -> Tiles:
            if kinds not in known:
                known[kinds] = Tiles(events.of(kinds), self.cuts)
            return known[kinds]

        present = self._present(events, first, last)
        parts: list[dict[str, NDArray[np.generic]]] = []
        for anchor in self.anchors:
            customers, left = present.at(anchor, self.schema.horizon_days)
            parts.append(
                {
                    "customer": customers + first,
                    "anchor": np.full(len(customers), anchor),
                    "label": left.astype(np.float64) if self.labelled[anchor] else np.full(len(customers), np.nan),
                }
                | {f"e{place}": self._aggregate(origin, tiles, anchor)[customers] for place, origin in enumerate(self.origins)}
            )
        rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self.connection.register("computed_rows", rows)
        self.connection.execute(f"INSERT INTO {ROWS} SELECT * FROM computed_rows")
        self.connection.unregister("computed_rows")

    def _aggregate(self, origin: Origin, tiles: Callable[[frozenset[int] | None], Tiles], anchor: int) -> Numbers:
        kinds = None if origin.kinds is None else frozenset(self.kinds.get(kind, -1) for kind in origin.kinds)
        return aggregate(origin, tiles, kinds, [place for name, place in self.kinds.items() if name], anchor)

    def _events(self, first: int, last: int) -> Events:
        if not self._has_events:
            places, days, amounts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0)
            return Events(last - first, places, days, days, amounts)
        columns = self._fetched(f"SELECT customer, day, kind, COALESCE(amount, 'NaN'::DOUBLE) FROM {EVENTS}", first, last)
        customer, day, kind, amount = columns
        return Events(
            last - first, customer.astype(np.int64) - first, day.astype(np.int32), kind.astype(np.int32), amount.astype(np.float64)
        )

    def _present(self, events: Events, first: int, last: int) -> Present:
        if self.churn.when == "no-event":
            kinds = None if self.churn.kind == ANY else frozenset({self.kinds.get(self.churn.kind, -1)})
            return Active(events.of(kinds), self.churn, self.schema.horizon_days, self.anchors)
        days = f"start, COALESCE(stop, {_NEVER}), life_start, COALESCE(life_stop, {_NEVER})"
        customer, *spans = self._fetched(f"SELECT customer, {days} FROM {SPANS}", first, last)
        start, stop, life_start, life_stop = (column.astype(np.int32) for column in spans)
        return Subscribed(customer.astype(np.int64) - first, start, stop, life_start, life_stop)

    def _fetched(self, query: str, first: int, last: int) -> list[NDArray[np.generic]]:
        """The columns of a query, of the customers from `first` to before `last`. Columns must have no nulls."""
        columns = self.connection.execute(f"{query} WHERE customer >= {first} AND customer < {last}").fetchnumpy()
        return [np.ma.getdata(column) for column in columns.values()]
