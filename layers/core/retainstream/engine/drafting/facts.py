"""Figures about delivered sources, for a draft."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.schema import ANY, FeatureSchema
from retainstream.engine.sources.delivered import Delivered
from retainstream.engine.sources.lives import lives
from retainstream.engine.sources.reading import EVENTS, KINDS, SUBSCRIPTIONS


@dataclass(frozen=True)
class CustomerLives:
    """The customers of the sources: id → whether the newest life has ended. `ended` counts the lives that ended, earlier ones too."""

    left: dict[str, bool]
    ended: int


def lives_of(connection: DuckDBPyConnection, schema: FeatureSchema, delivered: Delivered) -> CustomerLives:
    """The lives by the schema's churn rule."""
    table = lives(connection, schema, delivered)
    rows = connection.execute(f"SELECT customer_id, left_on IS NOT NULL FROM {table} ORDER BY first_seen_on").fetchall()
    return CustomerLives(dict(rows), sum(ended for _, ended in rows))


def rhythms_of(connection: DuckDBPyConnection) -> dict[str, Rhythm]:
    """The rhythm of all events (*), and of each kind, most customers first. Events without a kind count among all events only."""
    every = _rhythms(connection, f"SELECT customer, day, amount, '{ANY}' AS kind FROM {EVENTS}")
    named = _rhythms(connection, f"SELECT customer, day, amount, name AS kind FROM {EVENTS} JOIN {KINDS} USING (kind) WHERE name <> ''")
    return {rhythm.kind: rhythm for rhythm in [*every, *named]}


def _rhythms(connection: DuckDBPyConnection, events: str) -> list[Rhythm]:
    rows = connection.execute(
        f"""
        WITH days AS (SELECT customer, kind, day, COUNT(*) AS events, COUNT(amount) AS amounts FROM ({events}) GROUP BY ALL),
        gaps AS (SELECT *, day - LAG(day) OVER (PARTITION BY customer, kind ORDER BY day) AS gap FROM days)
        SELECT kind, SUM(events), COUNT(DISTINCT customer), MEDIAN(gap), SUM(amounts), MAX(day) - MIN(day)
        FROM gaps GROUP BY kind ORDER BY 3 DESC, 2 DESC, 1
        """
    ).fetchall()
    return [
        Rhythm(kind, int(events), int(customers), None if gap is None else float(gap), int(amounts), int(days))
        for kind, events, customers, gap, amounts, days in rows
    ]


def pauses_of(connection: DuckDBPyConnection, longest: int) -> tuple[list[int], int]:
    """Days between the end of a subscription and the beginning of the customer's next, from 1 to `longest`; and the number of all ends that
    no subscription begins on."""
    rows = connection.execute(
        f"""
        SELECT next - stop FROM (
            SELECT stop, LEAD(start) OVER (PARTITION BY customer ORDER BY start) AS next FROM {SUBSCRIPTIONS}
        ) WHERE stop IS NOT NULL AND (next IS NULL OR next > stop)
        """
    ).fetchall()
    return [int(days) for (days,) in rows if days is not None and days <= longest], len(rows)
