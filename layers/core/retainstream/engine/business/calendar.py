"""The anchors of the generated business, and its seasons."""

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

type Days = NDArray[np.int32]
"""Days since 1970-01-01."""

_EPOCH = date(1970, 1, 1)
_YEAR = 365.25
_MOST_VIEWED, _MOST_LEFT = 10, 200  # days after New Year


def number_of(day: date) -> int:
    """A day as the number of days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The inverse of `number_of`."""
    return _EPOCH + timedelta(days=int(number))


def monthly(until: date, count: int) -> Days:
    """`count` anchors, one in each calendar month, the last of them `until`.

    Each is on the same day of its month, or on the last day of a month that is too short.
    """
    months = [until.year * 12 + until.month - 1 - back for back in reversed(range(count))]
    anchors = [date(month // 12, month % 12 + 1, min(until.day, monthrange(month // 12, month % 12 + 1)[1])) for month in months]
    return np.array([number_of(anchor) for anchor in anchors], dtype=np.int32)


def season(days: Days) -> NDArray[np.float64]:
    """The season of viewing on these days: from -1 in July to 1 in January."""
    return _wave(days, _MOST_VIEWED)


def season_of_leaving(days: Days) -> NDArray[np.float64]:
    """The season of leaving that no feature shows: from -1 in January to 1 in July."""
    return _wave(days, _MOST_LEFT)


def _wave(days: Days, top: int) -> NDArray[np.float64]:
    dates = days.astype("datetime64[D]")
    after_new_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    wave: NDArray[np.float64] = np.cos(2 * np.pi * (after_new_year - top) / _YEAR)
    return wave
