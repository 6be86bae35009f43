"""The customers at an anchor, with their labels: what leaving means, for some customers at once."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.schema.sources import NoEvent
from retainstream.engine.sources.tiles import Days, Events, Places, Tiles

type Flags = NDArray[np.bool_]


class Present(Protocol):
    """What leaving means."""

    def at(self, anchor: int, horizon_days: int) -> tuple[Places, Flags]:
        """The customers at an anchor, and whether each leaves in (anchor, anchor + horizon_days], if that window is over."""


@dataclass(frozen=True)
class Subscribed:
    """Spans under subscription, and the lives that they are in: customers, days. All arrays have shape (spans,)."""

    customer: Places
    start: Days
    stop: Days
    life_start: Days
    life_stop: Days

    def at(self, anchor: int, horizon_days: int) -> tuple[Places, Flags]:
        """Customers are those under subscription on the anchor whose life began before it. They leave when the life ends."""
        here = (self.start <= anchor) & (self.stop > anchor) & (self.life_start < anchor)
        return self.customer[here], self.life_stop[here] <= anchor + horizon_days


class Active:
    """Customers with events. They leave when `days` days pass without one."""

    def __init__(self, events: Events, churn: NoEvent, horizon_days: int, anchors: list[int]) -> None:
        self._days = churn.days
        cuts = {day for anchor in anchors for day in self._cuts(anchor, horizon_days)}
        self._tiles = Tiles(events, np.array(sorted(cuts), dtype=np.int32))
        last = np.ones(len(events.day), dtype=bool)
        last[:-1] = (events.customer[1:] != events.customer[:-1]) | (events.day[1:] > events.day[:-1] + churn.days)
        self._silences = np.concatenate([[0], np.cumsum(last)])

    def _cuts(self, anchor: int, horizon_days: int) -> tuple[int, ...]:
        return (anchor - self._days + 1, anchor, anchor + 1, anchor + self._days + 1, anchor + horizon_days - self._days + 1)

    def at(self, anchor: int, horizon_days: int) -> tuple[Places, Flags]:
        """Customers are those with an event in the `days` - 1 days before the anchor: their silence is not complete on it. They leave when
        a silence that begins at the anchor, or at an event after it, is complete in the window."""
        recent, before, after, silent, latest = (self._tiles.place(self._tiles.cut(day)) for day in self._cuts(anchor, horizon_days))
        here = np.flatnonzero(before > recent)
        left = (silent == after) | (self._silences[np.maximum(latest, after)] > self._silences[after])
        return here, left[here]
