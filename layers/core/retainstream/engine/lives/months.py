"""The churn rate of a calendar month: customers who left in it ÷ customers who were active on its first day.

A life enters the rates by the first month on whose first day it was active, and by the month in which it ends, by leaving or because
nothing is known afterwards. So counts of lives by these months give the rate of every month, and they add up in any
order. A life that begins after the first day of a month and ends within it is active on no first day and enters no rate.

Of the time before anything was recorded only those are known who stayed until then, so its rate would be too low. Such a month has many
customers who began before it and were first seen after it; it is left out.

Months are numbered from January of the year 0. Days are ISO text, and a month is written as "2026-09".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from retainstream.engine.lives.life import LONG_BEFORE, last_full_month, start_of
from retainstream.engine.records import Life

EARLIER: Final = 1989 * 12 + 11
"""All months before 1990 count as this one."""
MOST_UNKNOWN: Final = 0.1
"""A month has a rate where the customers of whom nothing is known at its end are at most this share of those who left in it."""
MOST_SEEN_LATER: Final = 0.1
"""A month is left out where a larger share of the customers active on its first day was first seen after that day."""
NEWEST: Final = 24


class LifeMonths(NamedTuple):
    """The months by which a life enters the rates.

    first: the first month on whose first day the customer was active. seen: the first such month after the customer was first seen, but no
    later than the first month after the life's end. left: the month of leaving, or None. covered: where it is None, the last month to whose
    end the customer is known to have been a customer.
    """

    first: int
    seen: int
    left: int | None
    covered: int | None


@dataclass(frozen=True)
class MonthOfChurn:
    """The churn of a month that is over. `unknown` customers were active on its first day, and nothing is known of them at its end."""

    month: int
    left: int
    active_at_start: int
    unknown: int

    @property
    def rate(self) -> float | None:
        """From 0 to 1. None where too many customers are unknown: the shown rate is at most a tenth below the true one."""
        return self.left / self.active_at_start if self.unknown <= MOST_UNKNOWN * self.left else None


def months_of(life: Life) -> LifeMonths | None:
    """The months of a life. None where it was active on no first day of a month, and where its beginning or any day before its end is not
    known.

    Where the day of leaving is known as a range, the month of leaving is the one with at least half of the range's days. Where no month has
    so many, it is not known, and the life counts as known until the range begins.

    Raises:
        ValueError: a day is not an ISO date.
    """
    start = start_of(life)
    if start is None or life.get("left_after") == LONG_BEFORE:
        return None
    first, seen = (_first_of(day) for day in (start, max(start, life.get("first_seen_on", start))))
    if "left_on" in life:
        left = _month_of_leaving(life)
        known_until = life.get("left_after", life["left_on"])
    else:
        left, known_until = None, life.get("observed_until", start)
    if left is not None:
        last = max(EARLIER, left)
        return LifeMonths(first, min(seen, last + 1), last, None) if last >= first else None
    covered = max(EARLIER, month_of_name(last_full_month(known_until)))
    return LifeMonths(first, min(seen, covered + 2), None, covered) if covered >= first - 1 else None


def churn_by_month(
    first: Mapping[int, int], seen: Mapping[int, int], left: Mapping[int, int], covered: Mapping[int, int], today: date
) -> list[MonthOfChurn]:
    """The newest 24 recorded months that were over on `today` and on whose first day a customer was active, oldest first. Each of the other
    arguments has the number of lives by one of the months of `LifeMonths`."""
    months: list[MonthOfChurn] = []
    active = seen_later = 0
    for month in range(min(first, default=0), _month(today)):
        active += first.get(month, 0) - left.get(month - 1, 0) - covered.get(month - 2, 0)
        seen_later += first.get(month, 0) - seen.get(month, 0)
        if active > 0 and seen_later <= MOST_SEEN_LATER * active:
            months.append(MonthOfChurn(month, left.get(month, 0), active, covered.get(month - 1, 0)))
    return months[-NEWEST:]


def month_name(month: int) -> str:
    """As in "2026-09"."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_of_name(name: str) -> int:
    """Raises:
    ValueError: the text is not such a name.
    """
    return _month(date.fromisoformat(f"{name}-01"))


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    return first_day(month + 1) - timedelta(days=1)


def _first_of(day: str) -> int:
    """The first month that begins on the day or later."""
    began = date.fromisoformat(day)
    return max(EARLIER, _month(began) + (began.day > 1))


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month_of_leaving(life: Life) -> int | None:
    last = date.fromisoformat(life["left_on"])
    after = date.fromisoformat(life["left_after"]) if "left_after" in life else last - timedelta(days=1)
    days = (last - after).days
    if days < 1:
        return _month(last)
    middle = after + timedelta(days=(days + 1) // 2)
    for month in sorted({_month(middle), _month(middle + timedelta(days=1 - days % 2))}):
        inside = (min(last, last_day(month)) - max(after, first_day(month) - timedelta(days=1))).days
        if 2 * inside >= days:
            return month
    return None
