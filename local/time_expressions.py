"""The time expressions of EventBridge Scheduler: rate(), cron() and at().

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes them. croniter searches the next time, so years
end with 2099, not 2199, and a time that a clock change skips falls on the moment of the change, where AWS leaves it out.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

_UNITS = {"minute": "minutes", "hour": "hours", "day": "days"}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2099
_PART = re.compile(r"(?:\*|(\d+|[A-Z]{3})(?:-(\d+|[A-Z]{3}))?)(?:/0*([1-9]\d*))?", re.ASCII)


class TimeExpressionError(ValueError):
    """Not a time expression of EventBridge Scheduler."""


@dataclass(frozen=True)
class TimeExpression:
    """The times of a schedule. `after(moment, anchor)` gives the first time after `moment`, or None if there is none.

    `anchor` is the moment at which the schedule was made; rates count from it.
    """

    after: Callable[[datetime, datetime], datetime | None]


def parse(expression: str, timezone: str = "UTC") -> TimeExpression:
    """Read a time expression.

    Raises:
        TimeExpressionError: the text is no time expression, or a field is out of range.
    """
    matched = re.fullmatch(r"(rate|cron|at)\((.+)\)", expression)
    if not matched:
        raise TimeExpressionError(f"{expression!r} is not rate(), cron() or at()")
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise TimeExpressionError(f"{timezone!r} is not a time zone") from error
    kind, inner = matched.groups()
    match kind:
        case "rate":
            return _rate(inner)
        case "at":
            return _at(inner, zone)
    return _cron(inner, zone)


def _rate(text: str) -> TimeExpression:
    matched = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", text)
    if not matched or (matched[1] == "1") == bool(matched[3]):
        raise TimeExpressionError(f"rate({text}) is not like rate(1 hour) or rate(7 days)")
    try:
        period = timedelta(**{_UNITS[matched[2]]: int(matched[1])})
    except OverflowError as error:
        raise TimeExpressionError(f"rate({text}) is too long") from error

    def after(moment: datetime, anchor: datetime) -> datetime | None:
        periods = max(1, (moment - anchor) // period + 1)
        try:
            return anchor + periods * period
        except OverflowError:
            return None

    return TimeExpression(after)


def _at(text: str, zone: ZoneInfo) -> TimeExpression:
    try:
        moment_set = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
    except ValueError as error:
        raise TimeExpressionError(f"at({text}) is not like at(2026-01-31T12:00:00)") from error
    return TimeExpression(lambda moment, _: moment_set if moment_set > moment else None)


def _cron(text: str, zone: ZoneInfo) -> TimeExpression:
    fields = text.split()
    if len(fields) != 6:
        raise TimeExpressionError(f"cron({text}) does not have six fields")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise TimeExpressionError(f"cron({text}): exactly one of day-of-month and day-of-week has to be ?")
    translated = " ".join(
        [
            _field(minute, 0, 59),
            _field(hour, 0, 23),
            _day_of_month(day),
            _field(month, 1, 12, _MONTHS),
            _day_of_week(weekday),
            "0",
            _field(year, _FIRST_YEAR, _LAST_YEAR),
        ]
    )

    def after(moment: datetime, _anchor: datetime) -> datetime | None:
        times = croniter(translated, moment.astimezone(zone), ret_type=datetime, max_years_between_matches=_LAST_YEAR - _FIRST_YEAR)
        try:
            return next(time for time in times if not time.fold)  # an hour that a clock change repeats counts once
        except CroniterBadDateError:
            return None

    return TimeExpression(after)


def _field(text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> str:
    """The values of a field, separated by commas. croniter reads `5-5` as all values and lets ranges run backwards; AWS does neither."""
    values: set[int] = set()
    for part in text.upper().split(","):
        matched = _PART.fullmatch(part)
        if not matched:
            raise TimeExpressionError(f"{part!r} is not a value, a range or a step")
        start, end, step = matched.groups()
        first = _number(start, names) if start else low
        last = _number(end, names) if end else first if start and not step else high
        if not low <= first <= last <= high:
            raise TimeExpressionError(f"{part!r} is not between {low} and {high}")
        values.update(range(first, last + 1, int(step or 1)))
    return ",".join(map(str, sorted(values)))


def _number(text: str, names: Mapping[str, int] | None) -> int:
    try:
        return int(text) if text.isdigit() else (names or {})[text]
    except KeyError as error:
        raise TimeExpressionError(f"{text!r} is not a number") from error


def _day_of_month(text: str) -> str:
    """`L` is the last day, `15W` the weekday nearest to the 15th, in croniter's small letters."""
    return text.lower() if text in ("?", "L") or re.fullmatch(r"([1-9]|[12]\d|3[01])W", text, re.ASCII) else _field(text, 1, 31)


def _day_of_week(text: str) -> str:
    """Days from 1 (Sunday) to 7, which croniter counts from 0: `6#3` is the third Friday, `6L` the last one, `L` Saturday."""
    if text == "?":
        return text
    matched = re.fullmatch(r"([1-7]|[A-Za-z]{3})(L|#[1-5])", text)
    days = _field(matched[1] if matched else "SAT" if text == "L" else text, 1, 7, _DAYS)
    numbers = ",".join(str(int(day) - 1) for day in days.split(","))
    if not matched:
        return numbers
    return f"l{numbers}" if matched[2] == "L" else f"{numbers}{matched[2]}"
