"""Cells that no spreadsheet takes for a formula."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.tables.safe_cells import safe_cell

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "−"]
LEADS = ["", " ", "  ", '"', "'", '" ', "\u00a0", "\u3000", "\u200b", "\ufeff", "“", "\x00", " '\" "]


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("start", STARTS)
def test_text_that_starts_like_a_formula_is_led_by_an_apostrophe(lead: str, start: str) -> None:
    for rest in ("", "cmd|' /C calc'!A0", "1+1", " "):
        assert safe_cell(f"{lead}{start}{rest}") == f"'{lead}{start}{rest}"


@given(lead=st.text(st.sampled_from(" \"'\u00a0\u200b"), max_size=6), start=st.sampled_from(STARTS), rest=st.text(max_size=20))
def test_whatever_follows(lead: str, start: str, rest: str) -> None:
    assert safe_cell(lead + start + rest) == f"'{lead}{start}{rest}"


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("=+-@\t\r\n \"'＝")), max_size=12))
def test_no_text_is_a_formula_and_none_is_lost(text: str) -> None:
    cell = safe_cell(text)
    assert cell in (text, f"'{text}")
    if cell == text:
        assert not normalize("NFKC", text).strip(" \"'").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(number=st.one_of(st.integers(), st.floats(), st.none()))
def test_numbers_stay_numbers(number: float | None) -> None:
    assert safe_cell(number) is number


@pytest.mark.parametrize("text", ["", " ", "basic", "a=b", "3 failed payments in 90 days: -2 points", '"quoted" - twice', "naïve", "５"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_truth_is_written_as_in_json() -> None:
    assert (safe_cell(True), safe_cell(False)) == ("true", "false")
