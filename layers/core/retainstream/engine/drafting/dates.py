"""The format of a column's dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.tables.cells import date_in

_FORMATS = (
    "",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m",
    "%Y%m",
    "%b %Y",
)
_SHARE = 0.98
_TRIED = 200


@dataclass(frozen=True)
class Dates:
    """A strptime format ("" for ISO dates), and days since 1970 for each text, NaN where the text is not such a date."""

    form: str
    days: NDArray[np.float64]


def date_format(texts: Sequence[str]) -> Dates | None:
    """The first format in which nearly all texts are dates from 1900 to 2100; None if no format is."""
    if len(texts) < 2 or not all(any(character.isdigit() for character in text) for text in texts[:_TRIED]):
        return None
    for form in _FORMATS:
        if np.mean(~np.isnan(_days(texts[:_TRIED], form))) < _SHARE:
            continue
        days = _days(texts, form)
        if np.mean(~np.isnan(days)) >= _SHARE:
            return Dates(form, days)
    return None


def _days(texts: Sequence[str], form: str) -> NDArray[np.float64]:
    return np.array([_day(text, form) for text in texts])


def _day(text: str, form: str) -> float:
    day = date_in(text, form) if len(text) >= 6 else None
    if day is None or not "1900" <= day[:4] <= "2100":
        return np.nan
    return float(date.fromisoformat(day).toordinal() - 719163)
