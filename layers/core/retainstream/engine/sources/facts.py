"""The columns of a computed table: from aggregates of events, facts of subscriptions, and profiles."""

from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.schema.sources import SubscriptionFact
from retainstream.engine.sources.read_profile import profile_columns, sql_kind
from retainstream.engine.sources.reading import CUSTOMERS, PROFILE, SPANS, SUBSCRIPTIONS
from retainstream.engine.sql import literal, quoted
from retainstream.engine.tables.cells import MISSING


def table_query(schema: FeatureSchema, rows: str, aggregates: list[Column]) -> str:
    """A query for the table: the id, the anchor, the schema's columns and the label, sorted by anchor and id.

    Args:
        rows: the table with customer, anchor, label and e0, e1, …
        aggregates: the columns that are e0, e1, …
    """
    cells = [
        f"c.id AS {quoted(schema.id.header)}",
        f"CAST(make_date(r.anchor) AS VARCHAR) AS {quoted(schema.anchor_header)}",
        *(f"{_cell(schema, column, aggregates)} AS {quoted(column.header)}" for column in schema.columns),
        f"r.label AS {quoted(schema.label.header)}",
    ]
    return f"SELECT {', '.join(cells)} {_joined(schema, rows)} ORDER BY r.anchor, c.id"


def unlisted_plans(schema: FeatureSchema, column: Column, rows: str) -> str:
    """A query for the number of rows whose plan is not among the levels of its column."""
    return f"SELECT COUNT(*) {_joined(schema, rows)} WHERE f.plan <> '' AND {_plan(column)} IS NULL AND {_is_value(column)}"


def _joined(schema: FeatureSchema, rows: str) -> str:
    joins = [f"FROM {rows} AS r JOIN {CUSTOMERS} AS c ON c.customer = r.customer"]
    facts = {column.origin.subscriptions for column in schema.columns if column.origin and column.origin.subscriptions}
    if facts - {"tenure"}:
        joins.append(f"LEFT JOIN ({_present(rows)}) AS f ON f.customer = r.customer AND f.anchor = r.anchor")
    if "tenure" in facts:
        joins.append(f"LEFT JOIN ({_tenure(rows)}) AS t ON t.customer = r.customer AND t.anchor = r.anchor")
    if schema.sources and schema.sources.profile and schema.sources.profile.at:
        joins.append(f"ASOF LEFT JOIN {PROFILE} AS p ON p.customer = r.customer AND r.anchor > p.since")
    elif schema.sources and schema.sources.profile:
        joins.append(f"LEFT JOIN {PROFILE} AS p ON p.customer = r.customer")
    return " ".join(joins)


def _present(rows: str) -> str:
    """The present subscription: of those begun before the anchor the newest that has not ended before it, or else the newest."""
    return f"""
        SELECT r.customer, r.anchor, s.plan, s.price, r.anchor - s.start AS age,
            COUNT(*) OVER (PARTITION BY r.customer, r.anchor) - 1 AS earlier
        FROM {rows} AS r JOIN {SUBSCRIPTIONS} AS s ON s.customer = r.customer AND s.start < r.anchor
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY r.customer, r.anchor
            ORDER BY CASE WHEN s.stop < r.anchor THEN 1 ELSE 0 END, s.start DESC, s.price DESC NULLS LAST, s.plan
        ) = 1
    """


def _tenure(rows: str) -> str:
    return f"""
        SELECT r.customer, r.anchor, SUM(LEAST(COALESCE(s.stop, r.anchor), r.anchor) - s.start) AS tenure
        FROM {rows} AS r JOIN {SPANS} AS s ON s.customer = r.customer AND s.start < r.anchor GROUP BY r.customer, r.anchor
    """


def _cell(schema: FeatureSchema, column: Column, aggregates: list[Column]) -> str:
    if column.origin is None or column.origin.profile is not None:
        return f"p.p{[other.name for other in profile_columns(schema)].index(column.name)}"
    if column.origin.events is not None:
        return f"CAST(r.e{[other.name for other in aggregates].index(column.name)} AS {sql_kind(column)})"
    if column.origin.subscriptions == "plan":
        return _plan(column)
    return f"CAST({_FACTS[column.origin.subscriptions or 'age']} AS {sql_kind(column)})"


_FACTS: dict[SubscriptionFact, str] = {"price": "f.price", "age": "f.age", "earlier": "f.earlier", "tenure": "t.tenure"}


def _plan(column: Column) -> str:
    levels = ", ".join(literal(level) for level in column.levels)
    other = literal(column.other) if column.other else "NULL"
    return f"CASE WHEN f.plan IN ({levels}) THEN f.plan WHEN {_is_value(column)} THEN {other} END"


def _is_value(column: Column) -> str:
    missing = ", ".join(literal(text) for text in sorted(MISSING))
    named = "".join(f" AND f.plan <> {literal(text)}" for text in column.missing_values)
    return f"(lower(f.plan) NOT IN ({missing}){named})"
