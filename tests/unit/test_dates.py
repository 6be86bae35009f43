"""Dates and moments as people and programs write them."""

from datetime import date, timedelta

import pytest

from retainstream.engine.tables.dates import FORMATS, SERIAL, date_in, day_in, exchanged, formats_of, spoken


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("2024-02-29", "", "2024-02-29"),
        ("2022-06-10 23:30:00 UTC", "", "2022-06-10"),
        ("2022-06-10 23:30:00.123+00", "", "2022-06-10"),
        ("29.02.2024", "%d.%m.%Y", "2024-02-29"),
        ("2024-02-29", "%d.%m.%Y", "2024-02-29"),
        ("31.02.2024", "%d.%m.%Y", None),
        ("2024. 02. 03.", "%Y. %m. %d.", "2024-02-03"),
        ("2022年6月10日", "%Y年%m月%d日", "2022-06-10"),
        ("10. Juni 2022", "%d. %b %Y", "2022-06-10"),
        ("29 févr. 2024", "%d %B %Y", "2024-02-29"),
        ("10 de junio de 2022", "%d de %b de %Y", "2022-06-10"),
        ("10 июня 2022", "%d %b %Y", "2022-06-10"),
        ("5 PAŹDZIERNIKA 2022", "%d %b %Y", "2022-10-05"),
        ("10 Nonsense 2022", "%d %b %Y", None),
        ("6/10/2022 12:05:00 AM", "%m/%d/%Y %I:%M:%S %p", "2022-06-10"),
        ("6/10/2022 5:05 p.\u00a0m.", "%m/%d/%Y %I:%M %p", "2022-06-10"),
        ("Thu Feb 29 2024 10:00:00 GMT+0100 (CET)", "%a %b %d %Y %H:%M:%S GMT%z", "2024-02-29"),
        ("1420070400", "epoch seconds", "2015-01-01"),
        ("1420070400000", "epoch milliseconds", "2015-01-01"),
        ("45292", SERIAL, "2024-01-01"),
        ("45292.75", SERIAL, "2024-01-01"),
        ("61", SERIAL, "1900-03-01"),
        ("1", SERIAL, "1900-01-01"),
        ("0", SERIAL, None),
        ("9" * 30, "epoch seconds", None),
        ("31-024", "%y-%j", "2031-01-24"),
        ("29.02.69", "%d.%m.%y", None),
        ("28.02.69", "%d.%m.%y", "1969-02-28"),
        ("0000-00-00", "", None),
        ("", "%d.%m.%Y", None),
    ],
)
def test_a_date_is_read_in_its_format(text: str, form: str, day: str | None) -> None:
    assert date_in(text, form) == day


def test_a_moment_with_an_offset_belongs_to_its_day_in_utc() -> None:
    assert day_in("29.02.2024 00:30:00 +0100", "%d.%m.%Y %H:%M:%S %z") == "2024-02-28"
    assert day_in("6/10/2022 11:30 PM", "%m/%d/%Y %I:%M %p") == "2022-06-10"


DAYS = [date(2021, 3, 13) + timedelta(days=37 * place) for place in range(30)]


@pytest.mark.parametrize("form", [form for form in FORMATS if "%Z" not in form and "%f" not in form])
def test_the_format_of_a_column_is_one_of_those_that_its_dates_have(form: str) -> None:
    texts = [day.strftime(form.replace("%z", "+0000")) if form else day.isoformat() for day in DAYS]
    forms = list(formats_of(texts))
    assert form in forms or forms[:1] == [""]
    wanted = [day.replace(day=1).isoformat() if "d" not in form and form else day.isoformat() for day in DAYS]
    assert [date_in(text, form) for text in texts] == wanted


def test_other_columns_have_no_format() -> None:
    assert not list(formats_of(["41000", "41007", "41014"]))
    assert not list(formats_of(["1420070400", "1420156800"]))
    assert not list(formats_of(["5-Jan", "10-Jun", "21+"]))
    assert not list(formats_of(["Basic", "Plus"]))
    assert next(formats_of(["10.06.2022", "2021-05-09", "27.01.2020"])) == "%d.%m.%Y"


def test_day_and_month_may_be_exchanged() -> None:
    assert list(formats_of(["04/10/2015", "07/05/2016"]))[:2] == ["%d/%m/%Y", "%m/%d/%Y"]
    assert exchanged("%d/%m/%Y") == "%m/%d/%Y"
    assert exchanged("%d. %b %Y") == ""


def test_a_format_has_an_example() -> None:
    assert [spoken(form) for form in ("", "%d.%m.%Y", SERIAL, "epoch seconds")] == ["2026-01-31", "31.01.2026", "46053", "1769817600"]
