"""The day that a file describes, by its name: 2026-10-31, 20261031, or 2026-10 for the end of the month."""

import re
from calendar import monthrange
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime

_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})(-?)(\d{2})\2(\d{2})(?!\d)")
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d{2})-(\d{2})(?!-?\d)")


def day_in(name: str) -> str | None:
    """The ISO day in a file's name; None where the name has no day, or several. The present month ends today."""
    days = set(_days(name))
    return days.pop().isoformat() if len(days) == 1 else None


def _days(name: str) -> Iterator[date]:
    with suppress(ValueError):
        for year, _, month, day in _DAY.findall(name):
            yield date(int(year), int(month), int(day))
    today = datetime.now(UTC).date()
    with suppress(ValueError):
        for year, month in _MONTH.findall(name):
            end = date(int(year), int(month), 1).replace(day=monthrange(int(year), int(month))[1])
            yield today if (end.year, end.month) == (today.year, today.month) else end
