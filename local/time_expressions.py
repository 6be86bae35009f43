"""The time expressions of EventBridge Scheduler: rate(), cron() and at()."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_UNITS = {"minute": "minutes", "hour": "hours", "day": "days"}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_LAST_YEAR = 2199


class TimeExpressionError(ValueError):
    """Not a time expression that EventBridge Scheduler knows."""


@dataclass(frozen=True)
class TimeExpression:
    """When something happens. `after(moment, anchor)` gives the first time after `moment`, or None when there is none.

    `anchor` is when the schedule was made; rates count from it.
    """

    after: Callable[[datetime, datetime], datetime | None]


def parse(expression: str, timezone: str = "UTC") -> TimeExpression:
    """Read a time expression.

    Raises:
        TimeExpressionError: it is none, or a field is out of range.
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
    minutes = sorted(_field(fields[0], 0, 59))
    hours = sorted(_field(fields[1], 0, 23))
    months = _field(fields[3], 1, 12, _MONTHS)
    years = _field(fields[5], 1970, _LAST_YEAR)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise TimeExpressionError(f"cron({text}): exactly one of day-of-month and day-of-week has to be ?")
    on_day = _day_of_week(fields[4]) if fields[2] == "?" else _day_of_month(fields[2])

    def after(moment: datetime, _anchor: datetime) -> datetime | None:
        local = moment.astimezone(zone)
        day = local.date()
        while day.year <= max(years):
            if day.year not in years or day.month not in months:
                day = _next_month(day)
                continue
            if on_day(day):
                for hour in hours:
                    for minute in minutes:
                        found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                        if found > moment:
                            return found
            day += timedelta(days=1)
        return None

    return TimeExpression(after)


def _next_month(day: date) -> date:
    return date(day.year + 1, 1, 1) if day.month == 12 else date(day.year, day.month + 1, 1)


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    def number(part: str) -> int:
        value = (names or {}).get(part.upper())
        if value is None:
            if not part.isascii() or not part.isdigit():
                raise TimeExpressionError(f"{part!r} is not a number")
            value = int(part)
        if not low <= value <= high:
            raise TimeExpressionError(f"{part} is not between {low} and {high}")
        return value

    values: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (number(end) for end in span.split("-", 1))
            if first > last:
                raise TimeExpressionError(f"{span} runs backwards")
        else:
            first = number(span)
            last = high if slash else first
        if slash and (not step.isascii() or not step.isdigit() or int(step) == 0):
            raise TimeExpressionError(f"{part!r} has no step after the slash")
        values.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(values)


def _day_of_month(text: str) -> Callable[[date], bool]:
    if text == "L":
        return lambda day: day.day == _days_in(day)
    if matched := re.fullmatch(r"(\d{1,2})W", text):
        wanted = int(matched[1])
        if not 1 <= wanted <= 31:
            raise TimeExpressionError(f"{text} is not a day of a month")
        return lambda day: wanted <= _days_in(day) and day == _nearest_weekday(day.replace(day=wanted))
    days = _field(text, 1, 31)
    return lambda day: day.day in days


def _day_of_week(text: str) -> Callable[[date], bool]:
    if matched := re.fullmatch(r"([1-7]|[A-Za-z]{3})(L|#([1-5]))", text):
        wanted = next(iter(_field(matched[1], 1, 7, _DAYS)))
        if matched[2] == "L":
            return lambda day: _weekday(day) == wanted and day.day + 7 > _days_in(day)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == int(matched[3])
    days = _field("SAT" if text == "L" else text, 1, 7, _DAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _days_in(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date) -> date:
    """The weekday nearest to `day` in its month."""
    match day.isoweekday():
        case 6:
            return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
        case 7:
            return day + timedelta(days=1) if day.day < _days_in(day) else day - timedelta(days=2)
    return day
