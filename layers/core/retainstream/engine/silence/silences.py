"""Silences of customers, and the share of them that ends within a window."""

from dataclasses import dataclass
from typing import Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.shares import wilson

_NEVER = np.iinfo(np.int32).max

type Days = NDArray[np.int32]


class Returns(TypedDict):
    """Silences of `silence_days` that are observed for `within_days` more, and how many of them end in these days.

    `share` is returned ÷ silences with its 95% interval `low` to `high`; all three are None where there is no such silence.
    """

    silence_days: int
    within_days: int
    silences: int
    customers: int
    returned: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Silences:
    """The time after each day with an event: a row for each customer and day, in the order of customers and days.

    A silence of d days is d days in a row without an event, after a day with one. All arrays have the shape (n,).
    customers: the customer's number. gaps: days to the customer's next event, the largest int32 where there is none.
    observed: days from the event to the last day of the data. events: the customer's events up to and including that day.
    """

    customers: Days
    gaps: Days
    observed: Days
    events: Days

    @classmethod
    def of(cls, customers: Days, days: Days, last_day: int) -> Self:
        """The silences after events of `customers` (n,) on `days` (n,), in any order, none of them after `last_day`."""
        order = np.lexsort((days, customers))
        customers, days = customers[order], days[order]
        last_of_day = np.append((customers[1:] != customers[:-1]) | (days[1:] != days[:-1]), np.True_) if len(days) else np.zeros(0, bool)
        first_of_customer = np.append(np.True_, customers[1:] != customers[:-1])[: len(days)]
        place = np.arange(len(days))
        events = place - np.maximum.accumulate(np.where(first_of_customer, place, 0)) + 1
        customers, days, events = customers[last_of_day], days[last_of_day], events[last_of_day]
        gaps = np.full(len(days), _NEVER, np.int32)
        same = customers[1:] == customers[:-1]
        gaps[:-1][same] = (days[1:] - days[:-1])[same]
        return cls(customers, gaps, (last_day - days).astype(np.int32), events.astype(np.int32))

    def __len__(self) -> int:
        return len(self.gaps)

    def where(self, rows: NDArray[np.bool_]) -> "Silences":
        """The silences of these rows (n,)."""
        return Silences(self.customers[rows], self.gaps[rows], self.observed[rows], self.events[rows])

    def lasting(self, days: int) -> "Silences":
        """The silences of at least so many days."""
        return self.where((self.gaps > days) & (self.observed >= days))

    def after(self, fewest: int, most: int | None) -> "Silences":
        """The silences after at least `fewest` and at most `most` events of the customer."""
        return self.where((self.events >= fewest) & (self.events <= (_NEVER if most is None else most)))

    def returns(self, silence_days: int, within_days: int) -> Returns:
        """How many silences of `silence_days` end within `within_days` more.

        A silence counts only if both stretches lie within the data, whether it ends or not. So the share is a count, without an assumption
        about the days after the data; the product-limit estimate would assume that silences of late in the data end as those of early do.
        The interval is Wilson's (1927), with the number of silences divided by the design effect, because those of a customer are alike.
        """
        complete = (self.gaps > silence_days) & (self.observed >= silence_days + within_days)
        customers = self.customers[complete]
        returned = self.gaps[complete] <= silence_days + within_days
        firsts = np.flatnonzero(np.append(np.True_, customers[1:] != customers[:-1])[: len(customers)])
        count, ended = len(customers), int(returned.sum())
        share = low = high = None
        if count:
            share = ended / count
            low, high = _interval(share, np.diff(np.append(firsts, count)), np.add.reduceat(returned.astype(np.int64), firsts))
        return {
            "silence_days": silence_days,
            "within_days": within_days,
            "silences": count,
            "customers": len(firsts),
            "returned": ended,
            "share": share,
            "low": low,
            "high": high,
        }


def _interval(share: float, silences: NDArray[np.int64], returned: NDArray[np.int64]) -> tuple[float, float]:
    """Wilson's interval of a share, from the silences and returns of each customer (m,)."""
    count, customers = int(silences.sum()), len(silences)
    chance = share * (1 - share) / count
    effective = float(customers)
    if chance and customers > 1:
        variance = customers / (customers - 1) * float(((returned - share * silences) ** 2).sum()) / count**2
        effective = count / max(1.0, variance / chance)
    return wilson(share * effective, effective)
