"""The churn rate of a month: lives that ended in it, divided by lives active at its start."""

from dataclasses import dataclass

import numpy as np

from retainstream.engine.lives.labels import ABSENT, LifeArrays


@dataclass(frozen=True)
class ChurnRate:
    """`left` lives ended in the month; `active_at_start` had begun before its first day, and had not ended before it."""

    month: str
    left: int
    active_at_start: int

    @property
    def rate(self) -> float | None:
        """From 0 up; None where no life was active at the start."""
        return self.left / self.active_at_start if self.active_at_start else None


def churn_rate(lives: LifeArrays, month: str) -> ChurnRate:
    """The churn rate of a calendar month such as "2026-09".

    A life that had ended at some unknown time before a day, and one without a start, is in no month's figures. A range of days of leaving
    counts in the month of its middle.
    """
    first = np.datetime64(month, "M")
    begin, end = (int(day.astype("datetime64[D]").astype(np.int32)) for day in (first, first + np.timedelta64(1, "M")))
    starts, leaving = lives.starts, lives.leaving_days
    counted = (starts != ABSENT) & ((lives.left_on == ABSENT) | (leaving != ABSENT))
    left = counted & (leaving >= begin) & (leaving < end)
    active = counted & (starts < begin) & ((leaving == ABSENT) | (leaving >= begin))
    return ChurnRate(month, int(left.sum()), int(active.sum()))
