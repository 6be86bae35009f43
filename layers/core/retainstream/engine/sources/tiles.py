"""Aggregates of events in windows before anchors.

The days at which any window begins or ends divide time into segments. Events are counted once into tiles, customer × segment; every window
of every anchor is then a run of tiles. The cost is that of the events plus that of the tiles, not events × anchors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.schema.sources import Origin

type Days = NDArray[np.int32]
type Places = NDArray[np.int64]
type Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Events:
    """Events of customers 0 … customers-1, sorted by customer and time. amount is NaN where missing. All arrays have shape (n,)."""

    customers: int
    customer: Places
    day: Days
    kind: NDArray[np.int32]
    amount: Numbers

    def of(self, kinds: frozenset[int] | None) -> "Events":
        """The events of these kinds; all for None."""
        if kinds is None:
            return self
        wanted = np.isin(self.kind, np.array(sorted(kinds), dtype=np.int32))
        return Events(self.customers, self.customer[wanted], self.day[wanted], self.kind[wanted], self.amount[wanted])


def boundaries(origins: Sequence[Origin], anchors: Sequence[int]) -> Days:
    """The days at which a window of a column begins or ends, in order."""
    days = set(anchors)
    for origin in origins:
        for anchor in anchors:
            days.update(_beginnings(origin, anchor))
    return np.array(sorted(days), dtype=np.int32)


def _beginnings(origin: Origin, anchor: int) -> list[int]:
    if origin.days is None:
        return []
    before = [2 * origin.days] if origin.trend else [origin.of] if origin.of else []
    return [anchor - days for days in (origin.days, *before)]


class Tiles:
    """Events in tiles. `cuts` are the boundaries of segments in order; a window must begin and end at some of them."""

    def __init__(self, events: Events, cuts: Days) -> None:
        self._events, self._cuts = events, cuts
        self._width = len(cuts) + 1
        self._tile = events.customer * self._width + _segments(cuts, events.day)
        counts = np.bincount(self._tile, minlength=events.customers * self._width).reshape(events.customers, self._width)
        self._until = np.cumsum(counts.ravel()).reshape(counts.shape)
        self._first = self._until[:, -1] - counts.sum(axis=1)

    def cut(self, day: int) -> int:
        """The place of a boundary.

        Raises:
            KeyError: the day is none.
        """
        place = int(np.searchsorted(self._cuts, day))
        if place == len(self._cuts) or self._cuts[place] != day:
            raise KeyError(day)
        return place

    def place(self, cut: int | None) -> Places:
        """For each customer, the number of events in the arrays before the first event on or after the boundary; of any day for None."""
        return self._first if cut is None else self._until[:, cut]

    def days(self) -> Days:
        """The day of each event."""
        return self._events.day

    @cached_property
    def _new_days(self) -> Places:
        customer, day = self._events.customer, self._events.day
        new = np.ones(len(day), dtype=bool)
        new[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
        return np.concatenate([[0], np.cumsum(new)])

    def distinct_days(self, begin: Places, end: Places) -> Places:
        """The number of different days of the events from place `begin` to before `end`."""
        return self._new_days[end] - self._new_days[begin]

    @cached_property
    def _sums(self) -> list[Numbers]:
        parts = _parts(np.nan_to_num(self._events.amount))
        return [self._by_tile(np.bincount(self._tile, part, minlength=self._until.size)) for part in parts]

    @cached_property
    def _amounts(self) -> Numbers:
        return self._by_tile(np.bincount(self._tile, ~np.isnan(self._events.amount), minlength=self._until.size))

    @cached_property
    def _largest(self) -> Numbers:
        largest = np.full(self._until.size, -np.inf)
        begins = np.flatnonzero(np.diff(self._tile, prepend=-1))
        if len(begins):
            amount = np.where(np.isnan(self._events.amount), -np.inf, self._events.amount)
            largest[self._tile[begins]] = np.maximum.reduceat(amount, begins)
        return self._by_tile(largest)

    def _by_tile(self, values: Numbers) -> Numbers:
        return values.reshape(self._until.shape)

    def total(self, begin: int | None, end: int) -> Numbers:
        """The sum of amounts of each customer between two boundaries, whatever the boundaries in between."""
        ten_thousandths, *rest = (part[:, _run(begin, end)].sum(axis=1) for part in self._sums)
        return np.asarray(sum(rest, ten_thousandths / _TEN_THOUSAND))

    def amounts(self, begin: int | None, end: int) -> Numbers:
        """The number of amounts of each customer between two boundaries."""
        return np.asarray(self._amounts[:, _run(begin, end)].sum(axis=1))

    def largest(self, begin: int | None, end: int) -> Numbers:
        """The largest amount of each customer between two boundaries; -inf without an amount."""
        return np.asarray(self._largest[:, _run(begin, end)].max(axis=1, initial=-np.inf))


_TEN_THOUSAND = 10_000.0
_SHIFTS = (1.5 * 2.0**5, 1.5 * 2.0**-28)
"""Adding such a number to a smaller one, and subtracting it again, rounds the smaller one to a multiple of 2^-47, and of 2^-80."""


def _parts(amounts: Numbers) -> list[Numbers]:
    """Amounts as ten-thousandths and, where they have more digits, further parts, all of shape (n,).

    The numbers of a part are multiples of one number. So their sums are exact in any order, as long as a customer has less than a million
    events and 9e11 in all, and events of later days or other anchors change no digit of an earlier sum.
    """
    whole = np.where(np.abs(amounts) < 1e15, np.rint(amounts * _TEN_THOUSAND), 0.0)
    parts, rest = [whole], amounts - whole / _TEN_THOUSAND
    for shift in _SHIFTS:
        if rest.any():
            parts.append((rest + shift) - shift)
            rest = rest - parts[-1]
    return parts


def _segments(cuts: Days, days: Days) -> Places:
    """The segment of each day: the number of boundaries at or before it."""
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    first, last = int(days.min()), int(days.max())
    return np.searchsorted(cuts, np.arange(first, last + 1), side="right")[days - first]


def _run(begin: int | None, end: int) -> slice:
    return slice(0 if begin is None else begin + 1, end + 1)


def aggregate(
    origin: Origin, tiles: Callable[[frozenset[int] | None], Tiles], kinds: frozenset[int] | None, every: Sequence[int], anchor: int
) -> Numbers:
    """The value of a column for each customer at an anchor; NaN where there is none.

    Args:
        tiles: the tiles of some kinds of events.
        kinds: the kinds of the column; None for all. every: the places of all kinds.
    """
    of_kinds = tiles(kinds)
    begin_cut = None if origin.days is None else of_kinds.cut(anchor - origin.days)
    end_cut = of_kinds.cut(anchor)
    begin, end = of_kinds.place(begin_cut), of_kinds.place(end_cut)
    match origin.aggregate:
        case "count":
            return (end - begin).astype(np.float64)
        case "sum":
            return of_kinds.total(begin_cut, end_cut)
        case "mean":
            return _quotient(of_kinds.total(begin_cut, end_cut), of_kinds.amounts(begin_cut, end_cut))
        case "max":
            largest = of_kinds.largest(begin_cut, end_cut)
            return np.where(np.isinf(largest), np.nan, largest)
        case "distinct":
            if origin.distinct == "day":
                return of_kinds.distinct_days(begin, end).astype(np.float64)
            parts = (tiles(frozenset({kind})) for kind in (every if kinds is None else sorted(kinds)))
            return sum(((part.place(end_cut) > part.place(begin_cut)).astype(np.float64) for part in parts), np.zeros(len(end)))
        case "days_since_last":
            return np.where(end > begin, anchor - _day(of_kinds, end - 1), np.nan)
        case "days_since_first":
            return np.where(end > begin, anchor - _day(of_kinds, begin), np.nan)
        case "mean_gap":
            return _quotient(_day(of_kinds, end - 1) - _day(of_kinds, begin), np.maximum(end - begin - 1, 0))
        case "share":
            longer = None if origin.of is None else of_kinds.cut(anchor - origin.of)
            return _quotient(_measure(origin.share, of_kinds, begin_cut, end_cut), _measure(origin.share, of_kinds, longer, end_cut))
        case "trend":
            before = of_kinds.cut(anchor - 2 * (origin.days or 0))
            return _quotient(_measure(origin.trend, of_kinds, begin_cut, end_cut), _measure(origin.trend, of_kinds, before, begin_cut)) - 1


def _measure(measure: str | None, tiles: Tiles, begin: int | None, end: int | None) -> Numbers:
    if end is None:
        raise ValueError("a window needs an end")
    if measure == "amount":
        return tiles.total(begin, end)
    return (tiles.place(end) - tiles.place(begin)).astype(np.float64)


def _day(tiles: Tiles, places: Places) -> Numbers:
    days = tiles.days()
    if not len(days):
        return np.zeros(len(places))
    return days[np.clip(places, 0, len(days) - 1)].astype(np.float64)


def _quotient(dividend: Numbers, divisor: Numbers) -> Numbers:
    return np.asarray(np.divide(dividend, divisor, out=np.full(len(dividend), np.nan), where=divisor != 0))
