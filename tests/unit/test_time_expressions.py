"""rate(), cron() and at() as EventBridge Scheduler reads them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.time_expressions import TimeExpressionError, parse

MOMENTS = st.integers(946_684_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def after(expression: str, moment: str, timezone: str = "UTC") -> str:
    time = parse(expression, timezone).after(datetime.fromisoformat(moment), ANCHOR)
    return time.astimezone(UTC).isoformat(timespec="minutes")[:16] if time else "never"


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("cron(0 4 ? * MON *)", "2026-11-21T10:00:00+00:00", "2026-11-23T04:00"),
        ("cron(0 4 ? * MON *)", "2026-11-23T04:00:00+00:00", "2026-11-30T04:00"),
        ("cron(0 4 ? * MON *)", "2026-11-23T03:59:59+00:00", "2026-11-23T04:00"),
        ("cron(*/15 9-17 ? * MON-FRI *)", "2026-11-20T17:45:00+00:00", "2026-11-23T09:00"),
        ("cron(0/20 * * * ? *)", "2026-11-20T17:40:00+00:00", "2026-11-20T18:00"),
        ("cron(5,35 0 1 JAN,jul ? *)", "2026-01-01T00:10:00+00:00", "2026-01-01T00:35"),
        ("cron(0 0 L * ? *)", "2027-02-01T00:00:00+00:00", "2027-02-28T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00+00:00", "2028-02-29T00:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00:00+00:00", "2026-11-16T00:00"),
        ("cron(0 0 1W * ? *)", "2026-07-31T12:00:00+00:00", "2026-08-03T00:00"),
        ("cron(0 0 ? * 6#3 *)", "2026-11-01T00:00:00+00:00", "2026-11-20T00:00"),
        ("cron(0 0 ? * FRIL *)", "2026-11-01T00:00:00+00:00", "2026-11-27T00:00"),
        ("cron(0 0 ? * L *)", "2026-11-01T00:00:00+00:00", "2026-11-07T00:00"),
        ("cron(0 0 1 1 ? 2030)", "2026-11-01T00:00:00+00:00", "2030-01-01T00:00"),
        ("cron(0 0 1 1 ? 2020)", "2026-11-01T00:00:00+00:00", "never"),
        ("cron(0 0 31 2 ? *)", "2026-11-01T00:00:00+00:00", "never"),
        ("cron(5-5 4 * * ? *)", "2026-11-01T04:05:00+00:00", "2026-11-02T04:05"),
        ("cron(59/15 4 * * ? *)", "2026-11-01T04:00:00+00:00", "2026-11-01T04:59"),
        ("cron(0 4 ? * 2/3 *)", "2026-11-02T04:00:00+00:00", "2026-11-05T04:00"),
        ("cron(0 4 ? * sun#1 2026-2027)", "2026-12-06T04:00:00+00:00", "2027-01-03T04:00"),
        ("cron(0 0 1 1 ? 2099)", "2026-11-01T00:00:00+00:00", "2099-01-01T00:00"),
        ("at(2027-01-31T12:00:00)", "2026-11-01T00:00:00+00:00", "2027-01-31T12:00"),
        ("at(2027-01-31T12:00:00)", "2027-01-31T12:00:00+00:00", "never"),
        ("rate(7 days)", "2026-01-01T00:00:00+00:00", "2026-01-08T00:00"),
        ("rate(7 days)", "2026-01-08T00:00:00+00:00", "2026-01-15T00:00"),
        ("rate(1 hour)", "2026-03-01T10:59:00+00:00", "2026-03-01T11:00"),
        ("rate(5 minutes)", "2025-01-01T00:00:00+00:00", "2026-01-01T00:05"),
    ],
)
def test_next_time(expression: str, moment: str, expected: str) -> None:
    assert after(expression, moment) == expected


def test_a_time_zone_moves_the_hours() -> None:
    assert after("cron(0 4 * * ? *)", "2026-07-01T00:00:00+00:00", "Europe/Berlin") == "2026-07-01T02:00"
    assert after("cron(0 4 * * ? *)", "2026-12-01T00:00:00+00:00", "Europe/Berlin") == "2026-12-01T03:00"
    assert after("at(2026-07-01T04:00:00)", "2026-01-01T00:00:00+00:00", "Asia/Tokyo") == "2026-06-30T19:00"


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "daily",
        "cron()",
        "cron(0 4 * * * *)",
        "cron(0 4 ? * ? *)",
        "cron(0 4 * * ?)",
        "cron(60 4 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 4 0 * ? *)",
        "cron(0 4 32 * ? *)",
        "cron(0 4 * 13 ? *)",
        "cron(0 4 ? * 8 *)",
        "cron(0 4 ? * MON#6 *)",
        "cron(0 4 * * ? 1969)",
        "cron(0 4 * * ? 2100)",
        "cron(5-1 4 * * ? *)",
        "cron(*/0 4 * * ? *)",
        "cron(*/x 4 * * ? *)",
        "cron(-1 4 * * ? *)",
        "cron(² 4 * * ? *)",
        "cron(0 4 40W * ? *)",
        "cron(0 4 0W * ? *)",
        "cron(0 4 1,15W * ? *)",
        "cron(0 4 ? * SAT-SUN *)",
        "cron(R 4 * * ? *)",
        "cron(H 4 * * ? *)",
        "rate(0 days)",
        "rate(1 days)",
        "rate(2 day)",
        "rate(1 week)",
        "rate(99999999999999 days)",
        "at(2026-02-30T00:00:00)",
        "at(tomorrow)",
        "cron(0 4 * * ? *) ",
    ],
)
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(TimeExpressionError):
        parse(expression)


def test_unknown_time_zones_are_refused() -> None:
    for zone in ("Nowhere/Else", "", "../etc/passwd"):
        with pytest.raises(TimeExpressionError):
            parse("rate(1 day)", zone)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.one_of(st.just("*"), number.map(str), span), st.integers(1, high)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return st.one_of(st.just("*"), st.lists(st.one_of(number.map(str), span, step), min_size=1, max_size=3).map(",".join))


CRONS = st.one_of(
    st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12)).map(lambda parts: f"cron({' '.join(parts)} ? *)"),
    st.tuples(field(0, 59), field(0, 23), field(1, 12), field(1, 7)).map(
        lambda parts: f"cron({parts[0]} {parts[1]} ? {parts[2]} {parts[3]} *)"
    ),
)


@given(CRONS, MOMENTS)
@settings(max_examples=100, deadline=None)
def test_the_next_time_is_later_whole_minutes_and_nothing_lies_between(expression: str, moment: datetime) -> None:
    times = parse(expression)
    found = times.after(moment, ANCHOR)
    assert found is not None
    assert found > moment
    assert (found.second, found.microsecond) == (0, 0)
    assert times.after(found - timedelta(microseconds=1), ANCHOR) == found
    assert times.after(moment + (found - moment) / 2, ANCHOR) == found


@given(st.integers(1, 500), st.sampled_from(["minute", "hour", "day"]), MOMENTS, MOMENTS)
@settings(deadline=None)
def test_rates_count_from_their_anchor(number: int, unit: str, moment: datetime, anchor: datetime) -> None:
    period = timedelta(**{f"{unit}s": number})
    found = parse(f"rate({number} {unit}{'s' if number > 1 else ''})").after(moment, anchor)
    assert found is not None
    assert found > moment
    assert found > anchor
    assert (found - anchor) % period == timedelta(0)
    assert found - period <= max(moment, anchor)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for expression in (text, f"rate({text})", f"cron({text})", f"at({text})", f"cron({text} {text} ? * {text} *)"):
        try:
            parse(expression).after(ANCHOR, ANCHOR)
        except TimeExpressionError:
            continue


@pytest.mark.parametrize("day", [27, 24], ids=["a skipped hour", "a repeated hour"])
def test_clock_changes_do_not_repeat_or_lose_a_day(day: int) -> None:
    times = parse("cron(30 2 * * ? *)", "Europe/Berlin")
    moment = datetime(2026, 3 if day == 27 else 10, day, tzinfo=ZoneInfo("Europe/Berlin"))
    days = []
    for _ in range(4):
        time = times.after(moment, ANCHOR)
        assert time is not None
        days.append(time.day)
        moment = time
    assert days == [day, day + 1, day + 2, day + 3]
