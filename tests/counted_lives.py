"""Lives of customers, and the churn rate of a month as a count of them, day by day."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

type Row = dict[str, Any]
type Count = tuple[int, int, int]

FIRST, TODAY = date(2025, 11, 15), date(2026, 7, 10)
DAY = timedelta(days=1)

days = st.one_of(
    st.integers(0, (TODAY - FIRST).days).map(lambda number: FIRST + number * DAY),
    st.sampled_from([date(2026, month, 1) + shift for month in range(1, 8) for shift in (-DAY, 0 * DAY, DAY)]),
)


@st.composite
def a_life(draw: st.DrawFn) -> Row:
    first, second, third = sorted(draw(st.tuples(days, days, days)))
    life: Row = {"first_seen_on": first.isoformat()}
    if draw(st.booleans()):
        life["began_on"] = (first - draw(st.integers(0, 40)) * DAY).isoformat()
    match draw(st.sampled_from(["here", "left", "range"])):
        case "here":
            life["observed_until"] = second.isoformat()
        case "left":
            life |= {"left_on": third.isoformat(), "observed_until": second.isoformat()}
        case "range":
            life |= {"left_on": third.isoformat(), "left_after": second.isoformat(), "observed_until": second.isoformat()}
    return life


def month_of_leaving(life: Row) -> tuple[int, int] | None:
    """The month with at least half of the days on which the customer can have left."""
    last = date.fromisoformat(life["left_on"])
    after = date.fromisoformat(life["left_after"] if "left_after" in life else life["left_on"])
    possible = [after + number * DAY for number in range(1, (last - after).days + 1)] or [last]
    by_month = Counter((day.year, day.month) for day in possible)
    return next((month for month, count in sorted(by_month.items()) if 2 * count >= len(possible)), None)


def count_of_lives(lives: list[Row], year: int, month: int) -> Count:
    """Lives that were active on the first day of a month: those that left in it, all, and those of which nothing is known at its end."""
    start = date(year, month, 1)
    end = (start + 31 * DAY).replace(day=1) - DAY
    left = active = unknown = 0
    for life in lives:
        if date.fromisoformat(life["began_on"] if "began_on" in life else life["first_seen_on"]) > start:
            continue
        gone = month_of_leaving(life) if "left_on" in life else None
        if gone:
            active += gone >= (year, month)
            left += gone == (year, month)
        else:
            known_until = date.fromisoformat(life["left_after"] if "left_after" in life else life["observed_until"])
            active += known_until >= start - DAY
            unknown += start - DAY <= known_until < end
    return left, active, unknown


def seen_later(lives: list[Row], year: int, month: int) -> int:
    """Lives that were active on the first day of a month, and of which nothing was recorded by then."""
    start = date(year, month, 1)
    return count_of_lives([life for life in lives if date.fromisoformat(life["first_seen_on"]) > start], year, month)[1]
