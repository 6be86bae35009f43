"""The format of a column's dates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.tables.dates import exchanged, formats_of, moment_reader, own_reader

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
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m",
    "%Y%m",
    "%b %Y",
)
"""How source files may write their moments."""
_SHARE = 0.98
_TRIED = 200
_SAMPLED = 2_000


@dataclass(frozen=True)
class Dates:
    """A strptime format ("" for ISO dates), and days since 1970 for each text, NaN where the text is not such a date."""

    form: str
    days: NDArray[np.float64]


def date_format(texts: Sequence[str]) -> Dates | None:
    """The first format in which nearly all texts are dates from 1900 to 2100; None if no format is."""
    if len(texts) < 2 or not all(any(character.isdigit() for character in text) for text in texts[:_TRIED]):
        return None
    for form in formats_of(texts[:_TRIED], _SHARE):
        days = np.array([_day(text, moment_reader(form)) for text in texts])
        if np.mean(~np.isnan(days)) >= _SHARE:
            return Dates(form, days)
    return None


def has_one_format(texts: Sequence[str], form: str) -> bool:
    """Whether nearly all texts are dates in this format, rather than in ISO 8601 beside it."""
    return bool(np.mean(~np.isnan(_days(texts, form))) >= _SHARE)


@dataclass(frozen=True)
class Written:
    """The rows whose text is a date in a format, with a text as example. Without a format: rows whose text is no date."""

    form: str | None
    rows: int
    example: str


def ways_of_writing(counted: Sequence[tuple[str, int]]) -> list[Written]:
    """How dates are written in texts, each given with its rows: each format with the rows that no earlier one reads, most rows first, and
    rows that are no dates."""
    rest, ways = list(counted), list[Written]()
    while rest:
        sample = [text for text, _ in rest[:: 1 + len(rest) // _SAMPLED]]
        form = max(_FORMATS, key=lambda form: int(np.count_nonzero(~np.isnan(_days(sample, form)))))
        fits = ~np.isnan(_days([text for text, _ in rest], form))
        if not fits.any():
            break
        ways.append(Written(form, sum(rest[place][1] for place in np.flatnonzero(fits)), rest[int(np.argmax(fits))][0]))
        rest = [entry for entry, fit in zip(rest, fits.tolist(), strict=True) if not fit]
    others = [Written(None, sum(count for _, count in rest), rest[0][0])] if rest else []
    return [*sorted(ways, key=lambda way: -way.rows), *others]


def other_reading(texts: Sequence[str], form: str) -> str:
    """The format with day and month exchanged, if all texts are dates in it as well; otherwise ""."""
    other = exchanged(form)
    return other if other and not np.isnan(_days(texts, other)).any() else ""


def _days(texts: Sequence[str], form: str) -> NDArray[np.float64]:
    return np.array([_day(text, own_reader(form)) for text in texts])


def _day(text: str, reader: Callable[[str], datetime | None]) -> float:
    moment = reader(text) if len(text) >= 6 else None
    if moment is None or not 1900 <= moment.year <= 2100:
        return np.nan
    return float(moment.toordinal() - 719163)
