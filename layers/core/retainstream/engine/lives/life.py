"""One life, and the label of a training row.

A row is a customer's features of a day, its anchor. The row itself shows that the person was a customer on the anchor. The label says
what happened in the window (anchor, anchor + horizon]:

- no row: the life had not begun, or had ended, by the anchor;
- left: the life ended in the window. Where the day of leaving is only known as a range (left_after, left_on], the range is cut to begin
  on the anchor or later, and at least half of its days must lie in the window;
- stayed: the life ended after the window, or was observed at the end of the window or later;
- unknown: the life has no end, and was not observed for long enough.

Where churn is a number of days without an event (`silence_days`), the silence of a row counts from its anchor, so that the label depends on
no day before it. A customer whose next life is first seen within so many days after the anchor was not silent for as long: the life that
had not ended by the anchor continues as the next one.

The assumed day of leaving is ceil((left_on + max(left_after, anchor)) / 2), which is left_on itself where that day is exact, as
left_after is then left_on - 1. The half of the range lies in the window exactly when this day does.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import IntEnum

from retainstream.engine.records import Life

LONG_BEFORE = "0001-01-01"
"""The `left_after` of a life that had ended by `left_on`, where no earlier day of the customer is known."""

MOST_UNKNOWN = 0.2
"""The largest share of unknown labels with which the rows of an anchor are used: leavers are known earlier than stayers."""

_EPOCH = date(1970, 1, 1)


class Label(IntEnum):
    """The label of a life at an anchor."""

    STAYED = 0
    LEFT = 1
    UNKNOWN = 2
    NO_ROW = 3


def day_number(day: str) -> int:
    """Days since 1970-01-01 of an ISO day, or of the UTC day of an ISO moment that is in UTC."""
    return (date.fromisoformat(day[:10]) - _EPOCH).days


def iso_day(number: int) -> str:
    """The ISO day of days since 1970-01-01."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def start_of(life: Life) -> str | None:
    """The day on which a life began, or the first day for which anything is known of it; None where neither is known."""
    return life.get("began_on") or life.get("first_seen_on")


def churned_of(life: Life) -> bool | None:
    """Whether the customer left; False where an outcome "stayed" is recorded, None where no outcome of this life is recorded."""
    if "left_on" in life:
        return True
    return False if "stayed_on" in life else None


def outcome_day(life: Life) -> str | None:
    """The day of the outcome that `churned_of` reports."""
    return life.get("left_on") or life.get("stayed_on")


def label_of(life: Life, anchor: int, horizon_days: int) -> Label:
    """The label of the row of this anchor (days since 1970-01-01)."""
    start = start_of(life)
    if start is not None and day_number(start) > anchor:
        return Label.NO_ROW
    end = anchor + horizon_days
    if "left_on" in life:
        left_on = day_number(life["left_on"])
        if left_on <= anchor:
            return Label.NO_ROW
        after = max(day_number(life["left_after"]) if "left_after" in life else left_on - 1, anchor)
        return Label.LEFT if _middle(after, left_on) <= end else Label.STAYED
    observed = "observed_until" in life and day_number(life["observed_until"]) >= end
    return Label.STAYED if observed else Label.UNKNOWN


def label_of_lives(lives: Sequence[Life], anchor: int, horizon_days: int, silence_days: int = 0) -> Label:
    """The label of a customer's row: that of the oldest life that had begun and had not ended by the anchor. `lives` are oldest first."""
    for place, life in enumerate(lives):
        label = label_of(life, anchor, horizon_days)
        if label is not Label.NO_ROW:
            after = lives[place + 1] if place + 1 < len(lives) else Life()
            if silence_days and "first_seen_on" in after and day_number(after["first_seen_on"]) <= anchor + silence_days:
                return label_of({**after, "began_on": iso_day(anchor)}, anchor, horizon_days)
            return label
    return Label.NO_ROW


def had_left(lives: Iterable[Life], day: str) -> bool:
    """Whether the person had left by this day, and had not come back. `lives` are oldest first."""
    begun = [life for life in lives if (start_of(life) or "") <= day]
    return bool(begun) and begun[-1].get("left_on", "9999") <= day


def last_full_month(day: str) -> str:
    """The newest calendar month, as "2026-09", of which all days are over at the end of this day."""
    tomorrow = date.fromisoformat(day[:10]) + timedelta(days=1)
    return (tomorrow.replace(day=1) - timedelta(days=1)).isoformat()[:7]


def _middle(after: int, left_on: int) -> int:
    return (after + left_on + 1) // 2
