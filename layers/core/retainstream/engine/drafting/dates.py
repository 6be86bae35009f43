"""Which format a column's dates are in."""

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
    """A strptime format ("" for ISO dates) and, for each text, days since 1970, NaN where it is no such date."""

    form: str
    days: NDArray[np.float64]


def date_format(texts: Sequence[str]) -> Dates | None:
    """The first format by which nearly all texts are dates of 1900 to 2100; None when there is none."""
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
    found = date_in(text, form) if len(text) >= 6 else None
    if found is None or not "1900" <= found[:4] <= "2100":
        return np.nan
    return float(date.fromisoformat(found).toordinal() - 719163)
