"""Texts that look the same are the same; texts that do not are not."""

import pytest

from retainstream.engine.tables.spelling import Spellings, cleaned, folded


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plan", "plan"),
        ("", ""),
        ("  Gold \t Plus\n", "Gold Plus"),
        ("Mu\u0308nchen", "München"),
        ("\ufeff\ufeffid", "id"),
        ("A\u200b", "A"),
        ("A\u200dB", "AB"),
        ("\u00a0Gold\u202fPlus\u3000", "Gold Plus"),
        ("Ver\u00adtrag", "Vertrag"),
        ("\u200e42\u200f", "42"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200b", ""),
    ],
)
def test_a_text_is_cleaned_to_what_a_person_sees(text: str, seen: str) -> None:
    assert cleaned(text) == seen
    assert cleaned(seen) == seen


def test_a_folded_text_has_no_case() -> None:
    assert folded(" STRASSE\u00a0Ä ") == folded("straße a\u0308")


def test_a_name_is_recognised_in_other_spellings_where_they_have_one_meaning() -> None:
    names = Spellings(["Gold", "gold", "München", "7Day", "A", "A\u200b"])
    assert names.name_of("Gold") == "Gold"
    assert names.name_of("gold\u00a0") == "gold"
    assert names.name_of("GOLD") is None, "two levels differ in case alone"
    assert names.name_of("MU\u0308NCHEN") == "München"
    assert names.name_of("7DAY") == "7Day"
    assert names.name_of("A\u200b") == "A\u200b"
    assert names.name_of("A\u2060") is None, "two levels look the same"
    assert names.name_of("8Day") is None
