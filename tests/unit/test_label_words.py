"""The draft of a label: its words, its direction, and the question where nothing decides."""

from typing import Any

import pytest

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.drafting.labels import UndecidedLabel
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import schema_from_text
from retainstream.engine.tables import UnreadableTable
from retainstream.engine.tables.columnar import customers_in
from tests.spreadsheets.outcomes import LEFT, ROWS, table


def words(drafted: Draft) -> tuple[object, ...]:
    label = drafted.schema.label
    return label.positive, set(label.left), set(label.stayed), set(label.not_known)


@pytest.mark.parametrize(
    ("header", "left", "stayed", "positive"),
    [
        ("Churn", ("True.",), ("False.",), "True."),
        ("Churn", ("Tak",), ("Nie",), "Tak"),
        ("Churn", ("是",), ("否",), "是"),
        ("Churn", ("Ja",), ("Nej",), "Ja"),
        ("Churn", ("WAHR",), ("FALSCH",), "WAHR"),
        ("Churn", ("1.0",), ("0.0",), True),
        ("Churn", ("yes\u200b",), ("no\u00a0",), "yes"),
        ("Résilié (oui/non)", ("Oui",), ("Non",), "Oui"),
        ("解約有無", ("有",), ("無",), "有"),
        ("是否流失", ("1",), ("0",), True),
        ("Cancelado", ("S",), ("N",), "S"),
        ("Disdetta", ("V",), ("F",), "V"),
        ("İptal", ("E",), ("H",), "E"),
        ("Subscription", ("Unsubscribed",), ("Subscribed",), "Unsubscribed"),
        ("not_churned", ("Churned",), ("Active",), "Churned"),
        ("Status", ("Abgewandert",), ("Bestand",), "Abgewandert"),
        ("status", ("Closed",), ("Open",), "Closed"),
        ("estado", ("Baja",), ("Alta",), "Baja"),
        ("left", ("TRUE", "Yes", "yes", "Y", "1"), ("No", "no", "N", "FALSE", "0"), "Yes"),
        ("type", ("Voluntary churn", "Involuntary churn"), ("Active",), "Voluntary churn"),
    ],
)
def test_a_header_or_a_value_that_speaks_of_leaving_decides(
    header: str, left: tuple[str, ...], stayed: tuple[str, ...], positive: object
) -> None:
    data = table(header, left, stayed)
    drafted = draft(data, header, id_header="id")
    assert (drafted.churned, drafted.known) == (LEFT, ROWS)
    assert drafted.schema.label.positive == positive
    assert not [finding for finding in drafted.findings if finding.sort in ("question", "churn_rate")]
    again = schema_from_text(yaml_of(drafted))
    assert again == drafted.schema
    read = customers_in(data, again)
    assert read.outcomes.document() == {"left": LEFT, "stayed": ROWS - LEFT, "not_known": 0, "unreadable": 0}


@pytest.mark.parametrize(
    ("header", "left", "stayed"),
    [
        ("Subscriber", "NO", "YES"),
        ("not_churned", "0", "1"),
        ("still_customer", "no", "yes"),
        ("Renewal", "False", "True"),
        ("alive", "0", "1"),
        ("abonné", "non", "oui"),
        ("ungekündigt", "Nein", "Ja"),
        ("未解約", "いいえ", "はい"),
        ("retained", "N", "Y"),
        ("TARGET", "2", "1"),
        ("Churn", "2", "1"),
        ("Churn", "-1", "1"),
        ("Churn (0=yes, 1=no)", "0", "1"),
        ("status", "Suspended", "Active"),
        ("outcome", "B", "A"),
    ],
)
def test_without_a_word_for_leaving_both_readings_are_shown(header: str, left: str, stayed: str) -> None:
    data = table(header, (left,), (stayed,))
    with pytest.raises(UndecidedLabel) as caught:
        draft(data, header, id_header="id")
    assert f"--positive {left} means that 29.8% of 600 left; --positive {stayed} means that 70.2% of 600 left" in str(caught.value)
    drafted = draft(data, header, id_header="id", positive=left)
    assert (drafted.churned, drafted.known) == (LEFT, ROWS)
    turned = draft(data, header, id_header="id", positive=stayed)
    assert [finding.sort for finding in turned.warnings if finding.columns == (header,)] == ["churn_rate"]
    assert draft(data, header, id_header="id", stayed=[stayed]).schema.label == drafted.schema.label


@pytest.mark.parametrize(
    ("left", "stayed", "others", "expected"),
    [
        (("Churned",), ("Stayed",), ("Joined",), ("Churned", set(), {"Stayed"}, {"Joined"})),
        (("Gekündigt",), ("Aktiv",), ("Neu", "unbekannt"), ("Gekündigt", set(), {"Aktiv"}, {"Neu", "unbekannt"})),
        (("Yes",), ("No",), ("open", "-", "tbd"), ("Yes", set(), {"No"}, {"open", "-", "tbd"})),
        (("1",), ("0",), ("-1",), (True, {"1"}, {"0"}, {"-1"})),
        (("Lost", "Cancelled"), ("Renewed", "Active"), ("Prospect",), ("Lost", {"Cancelled"}, {"Renewed", "Active"}, {"Prospect"})),
    ],
)
def test_words_for_outcomes_that_are_not_known_are_listed(
    left: tuple[str, ...], stayed: tuple[str, ...], others: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    drafted = draft(table("churn", left, stayed, others), "churn", id_header="id")
    assert words(drafted) == expected
    assert (drafted.churned, drafted.known) == (LEFT, ROWS)
    assert schema_from_text(yaml_of(drafted)) == drafted.schema


def test_other_words_stay_unread_and_are_asked_about() -> None:
    data = table("churn", ("Ja",), ("Nein",), ("Ja (30.11.)", "vielleicht"))
    drafted = draft(data, "churn", id_header="id")
    assert words(drafted) == ("Ja", set(), {"Nein"}, set())
    (asked,) = [finding for finding in drafted.questions if finding.columns == ("churn",)]
    assert '"Ja (30.11.)", "vielleicht" is not understood (20 rows, 3.2%)' in asked.text
    read = customers_in(data, drafted.schema)
    assert read.outcomes.sentence == "179 left, 421 stayed, 0 not known, 20 unreadable ('Ja (30.11.)' 10, 'vielleicht' 10)"
    assert any("20 rows have an unreadable churn" in note for note in read.notes)
    answered = draft(data, "churn", id_header="id", positive=["Ja", "Ja (30.11.)"], not_known=["vielleicht"])
    assert words(answered) == ("Ja", {"Ja (30.11.)"}, {"Nein"}, {"vielleicht"})


def test_one_word_and_blanks_are_asked_about() -> None:
    data = table("gekündigt", ("x",), ("",))
    with pytest.raises(UndecidedLabel, match='add --positive x --stayed ""'):
        draft(data, "gekündigt", id_header="id")
    drafted = draft(data, "gekündigt", id_header="id", positive="x", stayed=[""])
    assert (drafted.churned, drafted.known) == (LEFT, ROWS)
    assert words(drafted) == ("x", set(), {""}, set())
    assert customers_in(data, schema_from_text(yaml_of(drafted))).outcomes.counts["stayed"] == ROWS - LEFT


def test_the_caller_may_name_a_word_of_the_same_meaning() -> None:
    data = table("left", ("TRUE", "Yes", "Y", "1"), ("No", "N", "FALSE", "0"))
    for positive in ("Yes", "true", "ja"):
        drafted = draft(data, "left", id_header="id", positive=positive)
        assert (drafted.churned, drafted.known) == (LEFT, ROWS)
    with pytest.raises(UnreadableTable, match='no row has "gone", the positive value'):
        draft(data, "left", positive="gone")
    with pytest.raises(UnreadableTable, match='no row has "gone", a value of outcomes that are not known'):
        draft(data, "left", not_known=["gone"])


def test_several_values_without_a_meaning_are_asked_about() -> None:
    data = table("segment", ("A",), ("B", "C"))
    with pytest.raises(UndecidedLabel, match=r"left with --positive VALUE and the values for customers who stayed with --stayed VALUE"):
        draft(data, "segment")
    with pytest.raises(UndecidedLabel, match=r"name the value for customers who stayed with --stayed VALUE"):
        draft(data, "segment", positive="A")
    assert words(draft(data, "segment", positive="A", stayed=["B", "C"])) == ("A", set(), {"B", "C"}, set())


def test_further_numbers_are_asked_about_unless_they_are_few() -> None:
    many = table("churn", ("1", "2"), ("0",))
    with pytest.raises(UndecidedLabel, match="more numbers than two; name the values"):
        draft(many, "churn")
    assert words(draft(many, "churn", positive=["1", "2"])) == ("1", {"2"}, {"0"}, set())
    few = draft(table("churn", ("1",), ("0",), ("99",)), "churn", id_header="id")
    assert (few.churned, few.known) == (LEFT, ROWS)
    assert [finding.columns for finding in few.questions if '"99"' in finding.text] == [("churn",)]
