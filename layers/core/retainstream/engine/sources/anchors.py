"""The days at which features are computed."""

from datetime import date

from retainstream.engine.schema.sources import MAX_ANCHORS, Anchors
from retainstream.engine.sources.delivered import Delivered, UnusableSources, day_number, iso_day

_MONDAY = 4
"""1970-01-05 was a Monday."""


def anchor_days(anchors: Anchors, delivered: Delivered) -> list[int]:
    """The anchors, as days since 1970-01-01, in order: those after the first day of the sources for which the sources are complete.

    Of more than `MAX_ANCHORS` the newest count.

    Raises:
        UnusableSources: a day of a list is no such day, or no day is.
    """
    first, last = delivered.first + 1, delivered.through + 1
    if anchors == "monthly":
        days = [day for day in _months(first, last) if first <= day <= last]
    elif anchors == "weekly":
        days = list(range(first + (_MONDAY - first) % 7, last + 1, 7))
    else:
        days = [day_number(date.fromisoformat(day)) for day in anchors]
        if outside := [day for day in days if not first <= day <= last]:
            span = f"from {iso_day(first)} to {iso_day(last)}" if first <= last else "on any day"
            raise UnusableSources(f"the anchor {iso_day(outside[0])} has no complete data before it; anchors are possible {span}")
    if not days:
        raise UnusableSources(f"no {anchors} anchor lies between {iso_day(first)} and {iso_day(last)}; the history is too short")
    return days[-MAX_ANCHORS:]


def _months(first: int, last: int) -> list[int]:
    year, month = divmod(int(iso_day(first)[:4]) * 12 + int(iso_day(first)[5:7]) - 1, 12)
    months = range(year * 12 + month, year * 12 + month + (max(0, last - first) // 28) + 2)
    return [day_number(date(place // 12, place % 12 + 1, 1)) for place in months]
