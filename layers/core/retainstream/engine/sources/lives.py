"""The lives of customers, from their sources."""

from duckdb import DuckDBPyConnection

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import ANY, NoEvent
from retainstream.engine.sources.delivered import Delivered, UnusableSources
from retainstream.engine.sources.reading import CUSTOMERS, EVENTS, KINDS, SPANS
from retainstream.engine.sql import literal

LIVES = "source_lives"


def lives(connection: DuckDBPyConnection, schema: FeatureSchema, delivered: Delivered) -> str:
    """The name of a DuckDB table with a row for each life: customer_id (VARCHAR) and began_on, first_seen_on, left_on and observed_until
    (INTEGER days since 1970-01-01, null where not known), sorted by customer_id and first_seen_on.

    With `subscription-ended` a customer leaves on the day on which the last subscription ends. With `no-event` a customer leaves on the day
    on which the silence is complete, and began_on is not known where the first event lies in the first `days` days of the sources.

    Raises:
        UnusableSources: the schema has no sources.
    """
    if schema.churn is None:
        raise UnusableSources("the schema has no sources")
    known = (
        _from_events(schema.churn, delivered)
        if schema.churn.when == "no-event"
        else _from_subscriptions(max(1, schema.churn.grace_days), delivered)
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {LIVES} AS
        SELECT id AS customer_id, began_on, first_seen_on, left_on, observed_until
        FROM ({known}) AS l JOIN {CUSTOMERS} USING (customer) ORDER BY customer_id, first_seen_on
    """)
    return LIVES


def _from_subscriptions(grace: int, delivered: Delivered) -> str:
    stop = f"CASE WHEN life_stop + {grace} <= {delivered.through} THEN life_stop END"
    return f"""
        SELECT customer, life_start AS began_on, life_start AS first_seen_on, {stop} AS left_on,
            LEAST(COALESCE(life_stop, {delivered.through}), {delivered.through}) AS observed_until
        FROM {SPANS} GROUP BY customer, life_start, life_stop
    """


def _from_events(churn: NoEvent, delivered: Delivered) -> str:
    kind = "TRUE" if churn.kind == ANY else f"kind IN (SELECT kind FROM {KINDS} WHERE name = {literal(churn.kind)})"
    complete = f"last_day + {churn.days}"
    return f"""
        SELECT customer, CASE WHEN number > 1 OR first_day > {delivered.first + churn.days} THEN first_day END AS began_on,
            first_day AS first_seen_on, CASE WHEN {complete} <= {delivered.through} THEN {complete} END AS left_on,
            LEAST({complete}, {delivered.through}) AS observed_until
        FROM (
            SELECT customer, number, MIN(day) AS first_day, MAX(day) AS last_day
            FROM (
                SELECT customer, day, SUM(CASE WHEN day <= before + {churn.days} THEN 0 ELSE 1 END)
                    OVER (PARTITION BY customer ORDER BY day ROWS UNBOUNDED PRECEDING) AS number
                FROM (
                    SELECT customer, day, LAG(day) OVER (PARTITION BY customer ORDER BY day) AS before
                    FROM (SELECT DISTINCT customer, day FROM {EVENTS} WHERE {kind}) AS days
                ) AS gaps
            ) AS numbered GROUP BY customer, number
        ) AS l
    """
