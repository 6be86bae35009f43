"""Whether a column's texts are dates, and which of them are not."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.dates import other_reading
from retainstream.engine.drafting.numeric import MOSTLY
from retainstream.engine.drafting.sentinels import stands_for_no_day
from retainstream.engine.tables.cells import NO_NUMBER
from retainstream.engine.tables.dates import date_in, formats_of, moment_reader
from retainstream.engine.traps.words import words_of

_LOOKED_AT = 200
_LIKELY = 0.3
_MOST_WAYS = 4
_FIRST, _LAST = 1900, 2100
_EPOCH = date(1970, 1, 1)
_SERIAL_0 = date(1899, 12, 30)
_SHORT = "%y%m%d"
_TIMES = frozenset(
    {"date", "day", "datum", "fecha", "timestamp", "since", "seit", "until", "start", "started", "begin", "beginn", "began", "end", "ende"}
    | {"ended", "joined", "join", "created", "updated", "signup", "registered", "registration", "opened", "activated", "activation"}
    | {
        "login",
        "seen",
        "renewed",
        "expired",
        "paid",
        "desde",
        "depuis",
        "sinds",
        "birth",
        "born",
        "birthday",
        "birthdate",
        "dob",
        "geburtsdatum",
        "expires",
        "expiry",
        "onboarded",
        "enrolled",
        "eintritt",
    }
    | {"eintrittsdatum", "vertragsbeginn", "startdate", "enddate", "joindate", "dt", "ts"}
)
_TIMES_AT_THE_END = frozenset({"at", "on", "am"})
_UNITS = {"epoch seconds": 1, "epoch milliseconds": 1_000, "epoch microseconds": 1_000_000, "epoch nanoseconds": 1_000_000_000}
_FIRST_SECOND, _LAST_SECOND = 631_152_000, 2_208_988_800
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 65_000


class Way(NamedTuple):
    """A format, the rows with a date in it that no more common format reads, and a text as example."""

    form: str
    rows: int
    example: str


@dataclass
class Dates:
    """Texts of which most are dates.

    form: the format of most. days: since 1970 per distinct text, NaN where it is missing or no date in this format. unset, odd: places of
    texts such as 0000-00-00 that mean "no day", and of texts that are no dates in this format. exchanged: the format with day and month
    exchanged if it reads all of them too. ways: each format with its rows and an example. share: of the rows with a day, those in any
    format.
    """

    form: str
    days: NDArray[np.float64]
    unset: list[int]
    odd: list[int]
    exchanged: str
    ways: list[Way]
    share: float


def dates_of(texts: list[str], counts: NDArray[np.intp], absent: NDArray[np.bool_], least: float = MOSTLY) -> Dates | None:
    """The dates of a column's distinct texts; None where they are fewer than the share `least` of the rows with a value."""
    blank = absent | np.array([text.lower() in NO_NUMBER for text in texts])
    unset = [code for code in np.flatnonzero(~absent).tolist() if stands_for_no_day(texts[code])]
    blank[unset] = True
    there = np.flatnonzero(~blank).tolist()
    if len(there) + len(unset) < 2 or not there:
        return None
    ways: list[Way] = []
    rest = there
    while rest and len(ways) < _MOST_WAYS:
        way, rest = _most_common_way(texts, counts, rest)
        if way is None:
            break
        ways.append(way)
    rows = sum(way.rows for way in ways)
    if not ways or rows < least * counts[there].sum():
        return None
    form = next((way.form for way in ways if way.form), "")
    read = moment_reader(form)
    moments = [None if gone else read(text) for text, gone in zip(texts, blank.tolist(), strict=True)]
    days = np.array([np.nan if moment is None else float(moment.toordinal() - _EPOCH.toordinal()) for moment in moments])
    odd = np.flatnonzero(np.isnan(days) & ~blank).tolist()
    exchanged = other_reading([texts[code] for code in there if not np.isnan(days[code])], form)
    return Dates(form, days, unset, odd, exchanged, ways, float(rows / counts[there].sum()))


def _most_common_way(texts: list[str], counts: NDArray[np.intp], codes: list[int]) -> tuple[Way | None, list[int]]:
    """The format of most of these texts, and the texts that it does not read."""
    best: tuple[Way | None, list[int]] = (None, codes)
    for form in formats_of([texts[code] for code in codes[:: 1 + len(codes) // _LOOKED_AT]], _LIKELY):
        read = moment_reader(form)
        fits = [(moment := read(texts[code])) is not None and _FIRST <= moment.year <= _LAST for code in codes]
        rows = int(counts[[code for code, fit in zip(codes, fits, strict=True) if fit]].sum())
        if rows > (best[0].rows if best[0] else 0):
            example = next(texts[code] for code, fit in zip(codes, fits, strict=True) if fit)
            best = Way(form, rows, example), [code for code, fit in zip(codes, fits, strict=True) if not fit]
        if not best[1]:
            break
    return best


@dataclass(frozen=True)
class Moments:
    """Whole numbers that may be moments: the format, the first and the last day, and whether the header speaks of a time."""

    form: str
    first: date
    last: date
    named: bool

    @property
    def is_read(self) -> bool:
        """Whether dates are read in this format."""
        return self.form not in ("epoch microseconds", "epoch nanoseconds")

    @property
    def in_words(self) -> str:
        """What the numbers count."""
        match self.form:
            case "excel serial":
                return "days as a spreadsheet counts them"
            case "%y%m%d":
                return "days, as year, month and day"
        return f"{self.form.removeprefix('epoch ')} since 1970"


def moments_in(header: str, texts: list[str], numbers: NDArray[np.float64]) -> Moments | None:
    """Whether the numbers of a column may be moments: seconds (or parts of them) since 1970, days as a spreadsheet counts them where the
    header speaks of a time, or days such as 240131 there."""
    low, high = float(numbers.min()), float(numbers.max())
    named = speaks_of_time(header)
    for form, unit in _UNITS.items():
        if _FIRST_SECOND * unit <= low and high <= _LAST_SECOND * unit:
            first, last = (_EPOCH + timedelta(seconds=int(number // unit)) for number in (low, high))
            return Moments(form, first, last, named)
    if named and low >= _FIRST_SERIAL and high <= _LAST_SERIAL:
        return Moments("excel serial", _SERIAL_0 + timedelta(days=int(low)), _SERIAL_0 + timedelta(days=int(high)), named)
    days = [date_in(text, _SHORT) or "" if len(text) == len("240131") else "" for text in texts] if named else [""]
    return Moments(_SHORT, date.fromisoformat(min(days)), date.fromisoformat(max(days)), named) if all(days) else None


def speaks_of_time(header: str) -> bool:
    """Whether a header names a moment: joined, start_date, created at."""
    words = words_of(header)
    named = any(word in _TIMES or word.endswith(("date", "datum")) for word in words)
    return named or "".join(words) in _TIMES or (len(words) > 1 and words[-1] in _TIMES_AT_THE_END)
