"""The parts of a schema document that describe raw sources."""

import pytest

from retainstream.engine.schema import FeatureSchema, UnreadableSchema, schema_from_text
from retainstream.engine.schema.changes import changes

DOCUMENT = """
name: stream
title: Subscribers
id: {column: customer_id}
label: {column: churned, positive: true}
horizon_days: 90
sources:
  profile: {file: profile.csv, id: customer_id}
  subscriptions: {file: subscriptions.csv, id: customer_id, start: started_on, end: ended_on, price: monthly_price, plan: plan}
  events: {file: events.csv, id: customer_id, at: occurred_at, kind: event, amount: amount}
churn: {when: subscription-ended, grace_days: 7}
anchors: monthly
columns:
  - {name: country, kind: category, levels: [DE, FR], label: Country}
  - {name: plan, kind: category, levels: [basic, premium], label: Plan, from: {subscriptions: plan}}
  - {name: logins_30d, kind: integer, label: Logins, from: {events: login, count: true, days: 30}}
"""


def test_a_schema_with_sources_survives_json() -> None:
    schema = schema_from_text(DOCUMENT)
    assert FeatureSchema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.model_dump(mode="json", exclude_defaults=True)["columns"][2]["from"] == {"events": "login", "count": True, "days": 30}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("count: true, days: 30", "days: 30", "column logins_30d, from: needs an aggregate: count, sum"),
        ("count: true", "count: true, distinct: day", "column logins_30d, from: has count, distinct; give one aggregate"),
        ("days: 30", "days: 0", "column logins_30d, from, days: should be greater than or equal to 1"),
        ("days: 30", "of: 30", "column logins_30d, from: of belongs to share"),
        ("count: true, days: 30", "share: count, days: 30, of: 30", "column logins_30d, from: of must be more than days"),
        ("count: true, days: 30", "trend: count", "column logins_30d, from: trend needs days, the length of its window"),
        ("count: true, days: 30", "mean: amount", "column logins_30d: from gives a number with a fraction; the kind must be number"),
        ("count: true", "days_since_last: true", "column logins_30d: a customer without such events has no value; add missing: true"),
        ("kind: integer", "kind: boolean", "column logins_30d: from gives a number; the kind must be number or integer"),
        ("kind: integer", "kind: integer, source: Logins", "column logins_30d: source is the header in a file of customers"),
        ("events: login", "events: []", "column logins_30d, from: events names no kind"),
        ("events: login", "events: login, profile: a", "column logins_30d, from: needs exactly one of events, subscriptions and profile"),
        ("kind: event, ", "", 'column logins_30d: the events have no column of kinds; write events: "*"'),
        (", plan: plan", "", "column plan: from needs the column plan in sources.subscriptions"),
        ("  profile: {file: profile.csv, id: customer_id}\n", "", "column country: needs from, or sources.profile"),
        ("at: occurred_at, ", "", "sources, events, at: is required"),
        ("at: occurred_at", "at: occurred_at, zone: 'no zone'", "sources, events, zone: must be a time zone such as Europe/Berlin"),
        ("anchors: monthly", "anchors: daily", "anchors: must be monthly, weekly or a list of days such as 2026-01-31"),
        ("anchors: monthly", "anchors: [2026-02-30]", "anchors: must be monthly, weekly or a list of days such as 2026-01-31"),
        ("anchors: monthly", "anchors: []", "anchors: must be monthly, weekly or a list of days such as 2026-01-31"),
        ("when: subscription-ended, grace_days: 7", "when: gone", "churn: when must be subscription-ended or no-event"),
        ("when: subscription-ended, grace_days: 7", "days: 9", "churn: when is required: subscription-ended or no-event"),
        ("grace_days: 7", "grace_days: -1", "grace_days: should be greater than or equal to 0"),
        ("when: subscription-ended, grace_days: 7", "when: no-event, days: 91", "horizon_days must be at least 91"),
        ("churn: {when: subscription-ended, grace_days: 7}\n", "", "sources need churn, which says when a customer has left"),
        ("positive: true", "positive: gone", "label.positive must be true or 1"),
        ("id: {column: customer_id}", "id: {column: customer_id, numbered: true}", "sources need an id that tells customers apart"),
        ("name: country", "name: anchor", "the computed table has a column anchor of its own"),
    ],
)
def test_a_fault_is_a_sentence_that_names_its_place(old: str, new: str, sentence: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(UnreadableSchema) as refused:
        schema_from_text(DOCUMENT.replace(old, new))
    assert sentence in str(refused.value)


def test_parts_without_sources_are_refused() -> None:
    without = "\n".join(line for line in DOCUMENT.splitlines() if not line.startswith(("sources", "  profile", "  subscr", "  events")))
    for removed, sentence in ((("anchors",), "add sources"), (("churn", "anchors"), "column plan: from needs sources")):
        with pytest.raises(UnreadableSchema, match=sentence):
            schema_from_text("\n".join(line for line in without.splitlines() if not line.startswith(removed)))


def test_kinds_and_blanks_of_a_column() -> None:
    def origin(text: str) -> object:
        column = schema_from_text(DOCUMENT.replace("from: {events: login, count: true, days: 30}", text)).column("logins_30d")
        assert column.origin
        return column.origin.kinds, column.origin.aggregate, column.origin.may_be_blank

    assert origin("from: {events: login, count: true}") == (("login",), "count", False)
    assert origin("from: {events: [view, login, view], distinct: kind}") == (("login", "view"), "distinct", False)
    assert origin('missing: true, from: {events: "*", days_since_last: true}') == (None, "days_since_last", True)


def test_another_computation_is_a_change() -> None:
    before, after = (
        schema_from_text(text) for text in (DOCUMENT, DOCUMENT.replace("days: 30", "days: 7").replace("grace_days: 7", "grace_days: 8"))
    )
    assert [(change.column, change.details) for change in changes(before, after)] == [
        ("", ("meaning of leaving changed",)),
        ("logins_30d", ("computation from the sources changed",)),
    ]
