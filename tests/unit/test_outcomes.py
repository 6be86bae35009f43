"""The outcome in a cell of the label."""

from collections.abc import Mapping

import pytest

from retainstream.engine.records import Value
from retainstream.engine.schema import UnreadableSchema, schema_from_text
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.outcomes import Outcome, ReadOutcomes, lack_in_words, outcome_reader, outcomes_sentence

L, S, N, U = Outcome.LEFT, Outcome.STAYED, Outcome.NOT_KNOWN, Outcome.UNREADABLE

JA = {
    L: (
        "Ja",
        "ja",
        " JA ",
        "Yes",
        "yes",
        "Y",
        "J",
        "1",
        "1.0",
        "1,0",
        "true",
        "TRUE",
        "True.",
        "WAHR",
        "x",
        "✓",
        "是",
        "はい",
        "Да",
        "evet",
        "Yes\u200b",
        "１",
    ),
    S: (
        "Nein",
        "No",
        "no\u00a0",
        "N",
        "0",
        "0.0",
        "-0",
        "False.",
        "FALSCH",
        "否",
        "いいえ",
        "нет",
        "HAYIR",
        "não",
        "na\u0303o",
        "Nie",
        "Nej",
    ),
    N: ("", " ", "-", "n/a", "NA", "unbekannt", "offen", "tbd", "#N/A", "?", "不明"),
    U: ("Ja (30.11.)", "2", "-1", "vielleicht", "0.5", "Ja/Nein", "01.12.2026", "Yes, but"),
}


@pytest.mark.parametrize("positive", ["Ja", "yes", "1", True, 1, "true"])
def test_words_for_true_and_false_of_all_languages_are_read_where_the_positive_value_is_one(positive: Value) -> None:
    read = outcome_reader(Label(column="left", positive=positive))
    assert {text: read(text) for texts in JA.values() for text in texts} == {
        text: outcome for outcome, texts in JA.items() for text in texts
    }


def test_a_false_positive_turns_the_words_round() -> None:
    read = outcome_reader(Label(column="subscribed", positive="NO"))
    assert [read(text) for text in ("No", "nein", "0", "Yes", "1", "?")] == [L, L, L, S, S, N]


@pytest.mark.parametrize(
    ("label", "cells"),
    [
        (
            {"positive": "Churned", "stayed": ["Stayed"], "not_known": ["Joined"]},
            {"churned": L, "STAYED ": S, "Joined": N, "Active": U, "No": U, "0": U, "unknown": N},
        ),
        ({"positive": "2", "stayed": ["1"], "not_known": [-1, 9]}, {"2": L, "2.0": L, "1": S, "1,0": S, "-1": N, "9": N, "0": U, "Yes": U}),
        ({"positive": "Yes", "left": ["Cancelled"], "stayed": ["No", "Renewed"]}, {"cancelled": L, "renewed": S, "ja": L, "nein": S}),
        ({"positive": "x", "stayed": [""]}, {"X": L, "": S, "  ": S, "n/a": N, "yes": L}),
        ({"positive": "S", "stayed": ["N"]}, {"s": L, "n": S, "sim": U}),
        # without words for customers who stayed: those that speak of staying, and no others
        ({"positive": "Churned"}, {"Churned": L, "Not churned": S, "Active": S, "aktiv": S, "Joined": U, "Cancelled": U, "No": U, "": N}),
        ({"positive": "Gekündigt"}, {"gekündigt": L, "geku\u0308ndigt": L, "nicht gekündigt": S, "ungekündigt": S, "Plus": U}),
        ({"positive": 2}, {"2": L, "2.0": L, "1": U, "0": U}),
    ],
)
def test_the_words_of_the_schema_come_first(label: dict[str, object], cells: Mapping[str, Outcome]) -> None:
    read = outcome_reader(Label.model_validate({"column": "left", **label}))
    assert {text: read(text) for text in cells} == cells


def test_an_outcome_is_counted_by_value() -> None:
    assert outcomes_sentence({S: 60, N: 3, U: 2}, [("Ja (30.11.)", 2)]) == "0 left, 60 stayed, 3 not known, 2 unreadable ('Ja (30.11.)')"
    assert outcomes_sentence({L: 1_234}) == "1,234 left, 0 stayed, 0 not known"
    values = [(f"v{number}", number) for number in range(1, 8)]
    assert outcomes_sentence({U: 28}, values) == (
        "0 left, 0 stayed, 0 not known, 28 unreadable ('v7' 7, 'v6' 6, 'v5' 5, 'v4' 4, 'v3' 3 and 2 more values)"
    )


def test_a_note_says_where_the_meaning_of_a_word_is_written() -> None:
    label = Label(column="left", positive="Ja")
    assert ReadOutcomes({L: 2, S: 3}, {}).notes(label) == []
    (note,) = ReadOutcomes({L: 2, S: 3, U: 1}, {"weg": 1}).notes(label)
    assert note.startswith("1 rows have an unreadable left")
    assert "'weg'" in note
    assert "label.stayed" in note


def test_rows_of_one_outcome_say_which_words_to_write_where() -> None:
    label = Label(column="left", positive="Churned")
    assert lack_in_words(label, {L: 1, S: 1}, []) == ""
    said = lack_in_words(label, {S: 4}, [("Active", 4), ("gone", 3)])
    assert 'no row has the positive value "Churned"; the column holds "Active" (4), "gone" (3)' in said
    assert "as label.left (customers who left)" in said
    assert "as label.left (customers who left) and label.stayed (customers who stayed)" in lack_in_words(label, {}, [("a", 1)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("stayed: [Ja]", "'ja' is in two of the lists"),
        ("left: [weg], not_known: [WEG]", "'weg' is in two of the lists"),
        ("stayed: [a], not_known: [a]", "'a' is in two of the lists"),
        ('left: [""]', "at least 1 character"),
    ],
)
def test_a_word_means_one_thing(words: str, said: str) -> None:
    with pytest.raises(UnreadableSchema, match=said):
        schema_from_text(_document(words))


def test_numbers_and_booleans_are_words_too() -> None:
    label = schema_from_text(_document("left: [1, true], stayed: [0, false, 2.5], not_known: [-1]")).label
    assert (label.left, label.stayed, label.not_known) == (("1", "true"), ("0", "false", "2.5"), ("-1",))


def _document(words: str) -> str:
    return f"""
name: kunden
title: Kunden
id: {{column: id}}
label: {{column: left, positive: Ja, {words}}}
horizon_days: 30
columns: [{{name: fee, kind: number, label: Fee}}]
"""
