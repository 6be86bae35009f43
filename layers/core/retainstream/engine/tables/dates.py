"""Dates and moments as people and programs write them.

A format is "" for ISO 8601, one of strptime, or one of EPOCHS and SERIAL. Unlike strptime, months may be named in many languages (`%b` and
`%B` alike), and a 12-hour clock may say a.m. and p.m. with points. A date in ISO 8601 has one meaning and is read in every format.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from retainstream.engine.tables.month_names import MONTHS
from retainstream.engine.tables.numbers import number_in
from retainstream.engine.tables.spelling import cleaned, folded

EPOCHS = {"epoch seconds": 1, "epoch milliseconds": 1_000}
"""The formats of moments that are counted since 1970-01-01 in UTC, with the units of a second."""
SERIAL = "excel serial"
"""The format of days that a spreadsheet shows as numbers: 45292 is 2024-01-01."""

_EXCEL_BEGINS = datetime(1899, 12, 30)  # noqa: DTZ001 — a day, as a cell names it
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y. %m. %d.",
    "%Y年%m月%d日",
    "%Y년 %m월 %d일",
    "%d.%m.%Y",
    "%d. %m. %Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d. %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%d de %b de %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%a, %d %b %Y",
    "%a, %d. %b %Y",
    "%a, %b %d, %Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d-%m-%y",
    "%d-%b-%y",
    "%d %b %y",
)
_TIMES = (
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %H:%M",
    ", %H:%M:%S",
    ", %I:%M %p",
    " %H:%M:%S %Z",
    " %H:%M:%S %z",
)
FORMATS = (
    "",
    *_DATES[1:],
    "%Y%m%d",
    *(f"{day}{time}" for time in _TIMES for day in _DATES),
    "%a %b %d %Y %H:%M:%S GMT%z",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %Z %Y",
    "%Y-%m",
    "%Y%m",
    "%Y/%m",
    "%m/%Y",
    "%m.%Y",
    "%b %Y",
    "%b-%y",
)
"""The formats that a draft tries, in this order."""

_WORD = r"[^\W\d_]+\.?"
_FIELDS = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>1[0-2]|0?[1-9])",
    "d": r"(?P<d>3[01]|[12]\d|0?[1-9]| [1-9])",
    "b": rf"(?P<b>{_WORD})",
    "a": _WORD,
    "H": r"(?P<H>2[0-3]|[01]\d|\d)",
    "I": r"(?P<I>1[0-2]|0?[1-9])",
    "M": r"(?P<M>[0-5]?\d)",
    "S": r"(?P<S>6[01]|[0-5]?\d)",
    "f": r"\d{1,9}",
    "p": r"(?P<p>[ap]\.? ?m\.?|午前|午後|上午|下午|오전|오후|πμ|μμ|π\.μ\.|μ\.μ\.)",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2}(?::?\d{2})?)(?: ?\(.*\))?",
    "Z": r"(?![AP]M)[A-Z]{2,5}",
    "%": "%",
}
_FIELDS |= {"B": _FIELDS["b"], "h": _FIELDS["b"], "A": _FIELDS["a"]}
_AFTER_NOON = re.compile(r"p.*|午後|下午|오후|μ.*", re.IGNORECASE)
_UTC = re.compile(r" ?(?:UTC|GMT)$", re.IGNORECASE)


def date_in(text: str, form: str = "") -> str | None:
    """The date that a text spells, as 2026-01-31, or None: of a moment, the day that it names."""
    moment = moment_in(text, form)
    return moment.date().isoformat() if moment else None


def day_in(text: str, form: str = "") -> str | None:
    """The day (2026-01-31) that a date or a moment spells, or None. A moment with an offset belongs to its day in UTC, one without to the
    day that it names."""
    moment = moment_in(text, form)
    try:
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat() if moment else None
    except OverflowError:
        return None


def moment_in(text: str, form: str = "") -> datetime | None:
    """The moment that a text spells, at midnight where it is a date; with an offset if the text has one. None if it spells none."""
    return moment_reader(form)(text)


@lru_cache(256)
def moment_reader(form: str) -> Callable[[str], datetime | None]:
    """A function for texts in this format, or in ISO 8601."""
    own = own_reader(form)
    return own if own is _iso else lambda text: own(text) or _iso(text)


@lru_cache(256)
def own_reader(form: str) -> Callable[[str], datetime | None]:
    """A function for texts in this format alone."""
    if form in EPOCHS:
        return lambda text: _since_1970(text, EPOCHS[form])
    if form == SERIAL:
        return _serial
    if not form:
        return _iso
    pattern = _pattern(form)
    if pattern is None:
        return lambda text: _by_strptime(text, form)

    def moment(text: str) -> datetime | None:
        match = pattern.fullmatch(text) or pattern.fullmatch(cleaned(text))
        return _moment_of(match.groupdict()) if match else None

    return moment


def formats_of(texts: Sequence[str], share: float = 0.98) -> Iterator[str]:
    """The formats of FORMATS in which at least this share of the texts are dates from 1900 to 2100, and some of them not ISO 8601 for a
    format other than ""."""
    allowed = len(texts) * (1 - share)
    for form in FORMATS:
        if any(all(mark in text for mark in _marks(form)) for text in texts[:3]) and _fits(texts, form, allowed):
            yield form


def exchanged(form: str) -> str:
    """The format with day and month in the other order; "" where they have one order."""
    other = form.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")
    return other if other != form and other in FORMATS else ""


def spoken(form: str, day: datetime = datetime(2026, 1, 31)) -> str:  # noqa: DTZ001 — an example
    """A date in this format, as an example."""
    if form in EPOCHS:
        return str(int(day.replace(tzinfo=UTC).timestamp()) * EPOCHS[form])
    if form == SERIAL:
        return str((day - _EXCEL_BEGINS).days)
    return day.strftime(form) if form else day.date().isoformat()


def _marks(form: str) -> str:
    """The characters that every text of a format has."""
    return re.sub(r"%.|\s", "", form)


def _fits(texts: Sequence[str], form: str, allowed: float) -> bool:
    reader, misses, own = moment_reader(form), 0, not form
    for text in texts:
        moment = reader(text) if len(text) >= 6 else None
        if moment is None or not 1900 <= moment.year <= 2100:
            misses += 1
            if misses > allowed:
                return False
        own = own or _iso(text) != moment
    return own


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    spelled = cleaned(text)
    try:
        return datetime.fromisoformat(_UTC.sub("+00:00", spelled))
    except ValueError:
        return None


def _since_1970(text: str, units: int) -> datetime | None:
    number = number_in(text)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / units) if number is not None else None
    except OverflowError:
        return None


def _serial(text: str) -> datetime | None:
    number = number_in(text) if "," not in text else number_in(text, ",")
    if number is None or not 1 <= number < 2_958_466:
        return None
    return _EXCEL_BEGINS + timedelta(days=number + (number < 60))  # a spreadsheet counts a 29 February 1900


def _by_strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), form)  # noqa: DTZ007 — an offset where the text has one
    except ValueError:
        return None


def _pattern(form: str) -> re.Pattern[str] | None:
    """The format as an expression; None where it has a field that only strptime knows, or one twice."""
    parts: list[str] = []
    fields: list[str] = []
    place = 0
    while place < len(form):
        character = form[place]
        if character == "%":
            place += 1
            field = form[place : place + 1]
            if field not in _FIELDS:
                return None
            fields.append(field)
            parts.append(_FIELDS[field])
        else:
            parts.append(r"\s+" if character.isspace() else re.escape(character))
        place += 1
    named = [field for field in fields if field not in "aAfZ%"]
    if len(set(named)) != len(named) or {"b", "B", "h", "m"} & set(named) == set() or not {"Y", "y"} & set(named):
        return None
    return re.compile("".join(parts), re.IGNORECASE)


def _moment_of(fields: dict[str, str | None]) -> datetime | None:
    year = int(fields.get("Y") or 0)
    if short := fields.get("y"):
        year = int(short) + (1900 if int(short) >= 69 else 2000)
    name = fields.get("b")
    month = MONTHS.get(folded(name).rstrip("."), 0) if name else int(fields["m"] or 0)
    hour = int(fields.get("H") or 0)
    if twelve := fields.get("I"):
        hour = int(twelve) % 12 + (12 if _AFTER_NOON.fullmatch(fields.get("p") or "") else 0)
    zone = fields.get("z")
    try:
        moment = datetime(year, month, int(fields.get("d") or 1), hour, int(fields.get("M") or 0), min(int(fields.get("S") or 0), 59))  # noqa: DTZ001
        return moment.replace(tzinfo=_zone(zone)) if zone else moment
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    if text.upper() == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:] or 0))
    return timezone(-offset if text[0] == "-" else offset)
