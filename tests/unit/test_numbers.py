"""Numbers in the spellings of people and spreadsheets."""

from collections import Counter

import pytest

from retainstream.engine.tables.numbers import (
    Decimal,
    Marks,
    Writing,
    decided,
    mark_of_file,
    number_in,
    number_reader,
    two_readings,
    votes,
)


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("5", 5, 5),
        ("-5", -5, -5),
        ("00501", 501, 501),
        ("5.25", 5.25, None),
        ("5,25", None, 5.25),
        ("1.234", 1.234, 1234),
        ("1,234", 1234, 1.234),
        ("0.123", 0.123, None),
        ("1,234.5", 1234.5, None),
        ("1.234.567,89 €", None, 1234567.89),
        ("4,41,840.00", 441840, None),
        ("₹1,23,456.78", 123456.78, None),
        ("1'234.50", 1234.5, None),
        ("1\u2019234", 1234, 1234),
        ("1\u00a0234,50", None, 1234.5),
        ("1\u2009234.50", 1234.5, None),
        ("12 34", None, None),
        ("9.00 EUR", 9, None),
        ("USD 9", 9, 9),
        ("CHF 9.\u2014", 9, None),
        ("kr 5", 5, 5),
        ("5 kr.", 5, 5),
        ("5 zł", 5, 5),
        ("R$ 5", 5, 5),
        ("A$5", 5, 5),
        ("Rs.500", 500, 500),
        ("12001円", 12001, 12001),
        ("-$5", -5, -5),
        ("$-5", -5, -5),
        ("(5.00)", -5, None),
        ("$(5.00)", -5, None),
        ("(5,00) €", None, -5),
        ("5.00-", -5, None),
        ("5,00- EUR", None, -5),
        ("5,00 €-", None, -5),
        ("5,-", None, 5),
        ("5,\u2014 €", None, 5),
        ("'5.00", 5, None),
        ("\u22125", -5, -5),
        ("5 %", 5, 5),
        ("89,66%", None, 89.66),
        ("5 €/Monat", 5, 5),
        ("5 EUR per month", 5, 5),
        ("1.2k", 1200, None),
        ("$1.2M", 1_200_000, None),
        ("5 Mio. €", 5_000_000, 5_000_000),
        ("3.792e-02", 0.03792, None),
        ("٣٩", 39, 39),
        ("１２．５", 12.5, None),
        ("١٬٢٣٤٫٥", 1234.5, 1234.5),
        ("12 months", None, None),
        ("5GB", None, None),
        ("1e999", None, None),
        ("Infinity", None, None),
        ("10-20", None, None),
        ("10+", None, None),
        ("<5", None, None),
        ("1st", None, None),
        ("12A", None, None),
        ("5-Jan", None, None),
        ("2024-01-05", None, None),
        ("0x1f", None, None),
        ("$5 €", None, None),
        ("-", None, None),
        ("", None, None),
    ],
)
def test_a_number_is_read_by_the_decimal_mark(text: str, point: float | None, comma: float | None) -> None:
    assert number_in(text, ".") == (None if point is None else pytest.approx(point))
    assert number_in(text, ",") == (None if comma is None else pytest.approx(comma))


def marks(*texts: str) -> Marks:
    counted = Counter(texts)
    return votes(counted.keys(), counted.values())


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (("1.5", "1.234"), "."),
        (("1,5", "1.234"), ","),
        (("8.267", "984"), ","),
        (("8,267", "984"), "."),
        (("8.267", "12345"), "."),
        (("8.217.050", "730.050"), ","),
        (("4,41,840", "5"), "."),
        (("0.123", "1.234"), "."),
        (("5,00 €", "1.234 €"), ","),
    ],
)
def test_the_cells_of_a_column_decide_its_mark(texts: tuple[str, ...], mark: Decimal) -> None:
    assert decided(marks(*texts)).decimal == mark


def test_the_files_other_columns_decide_where_a_column_can_be_read_both_ways() -> None:
    both = marks("1.054", "2.797")
    assert decided(both, mark_of_file([both, marks("129.15")])).decimal == "."
    assert decided(both, mark_of_file([both, marks("129,15")])).decimal == ","
    assert mark_of_file([both]) is None
    assert two_readings(both, Writing(",")) == '"1.054" is read as 1,054, and could also mean 1.054'
    assert two_readings(marks("1.5", "1.054"), Writing(".")) == ""


def test_most_cells_against_a_mark_contradict_it() -> None:
    assert marks("5.00", "6.50", "7,1").contradict(",") == "5.00"
    assert marks("5.00", "6,50", "7,1").contradict(",") == ""
    assert marks("1.234", "5").contradict(",") == ""


@pytest.mark.parametrize(
    ("texts", "form", "numbers"),
    [
        (("12 months", "1 month", "7"), "# months", [12, 1, 7]),
        (("5GB", "7 GB", "500 MB"), "# GB", [5, 7, None]),
        (("5 Monate", "1 Monat", "2 Jahre"), "# Monate", [5, 1, None]),
        (("$5", "6", "€7", "US$8"), "# $", [5, 6, None, 8]),
        (("9 €/Monat", "9 EUR", "9 €/Jahr"), "# EUR/Monat", [9, 9, None]),
        (("1", "2", "3", "4 years"), "", [1, 2, 3, None]),
        (("01:30:00", "00:45", "x"), "h:mm:ss", [90, 45, None]),
    ],
)
def test_a_column_has_one_unit(texts: tuple[str, ...], form: str, numbers: list[float | None]) -> None:
    weighted = votes(texts, [10, *[1] * (len(texts) - 1)]) if form.startswith("#") else votes(texts, [1] * len(texts))
    writing = decided(weighted)
    assert writing.form == form
    assert [number_reader(writing)(text) for text in texts] == numbers
