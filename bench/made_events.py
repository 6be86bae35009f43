"""Dated files of a made-up business: events and subscriptions of customers, of any size."""

from pathlib import Path

import duckdb

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sql import literal

EVENTS_A_CUSTOMER = 100
ANCHORS = tuple(f"2026-{month:02d}-01" for month in range(1, 13))
AS_OF = "2026-12-31"

type Origin = dict[str, str | int | bool]

AGGREGATES: dict[str, Origin] = {
    "logins_7d": {"events": "login", "count": True, "days": 7},
    "logins_30d": {"events": "login", "count": True, "days": 30},
    "logins_90d": {"events": "login", "count": True, "days": 90},
    "logins_365d": {"events": "login", "count": True, "days": 365},
    "views_30d": {"events": "view", "count": True, "days": 30},
    "views_180d": {"events": "view", "count": True, "days": 180},
    "viewed_30d": {"events": "view", "sum": "amount", "days": 30},
    "view_mean_90d": {"events": "view", "mean": "amount", "days": 90},
    "paid_365d": {"events": "payment", "sum": "amount", "days": 365},
    "paid_max_365d": {"events": "payment", "max": "amount", "days": 365},
    "login_days_30d": {"events": "login", "distinct": "day", "days": 30},
    "days_since_login": {"events": "login", "days_since_last": True},
    "login_gap_180d": {"events": "login", "mean_gap": True, "days": 180},
    "login_trend_30d": {"events": "login", "trend": "count", "days": 30},
    "view_share_30d": {"events": "view", "share": "count", "days": 30, "of": 365},
    "days_since_first": {"events": "*", "days_since_first": True},
    "kinds_30d": {"events": "*", "distinct": "kind", "days": 30},
}
"""Columns from events; the first ten are those that featuretools computes by a window before a cutoff."""
SIMPLE = tuple(AGGREGATES)[:10]
FACTS = ("price", "age", "tenure")


def schema(columns: tuple[str, ...]) -> FeatureSchema:
    """A schema with some of the columns from events, and three from subscriptions."""
    described = [
        *({"name": fact, "kind": "number", "label": fact, "from": {"subscriptions": fact}} for fact in FACTS),
        *({"name": name, "kind": "number", "label": name, "missing": True, "from": AGGREGATES[name]} for name in columns),
    ]
    return FeatureSchema.model_validate(
        {
            "name": "made",
            "title": "Made up",
            "id": {"column": "customer_id"},
            "label": {"column": "churned", "positive": 1},
            "horizon_days": 30,
            "sources": {
                "subscriptions": {
                    "file": "subscriptions.csv",
                    "id": "customer_id",
                    "start": "started_on",
                    "end": "ended_on",
                    "price": "price",
                },
                "events": {"file": "events.csv", "id": "customer_id", "at": "occurred_at", "kind": "event", "amount": "amount"},
            },
            "churn": {"when": "subscription-ended", "grace_days": 7},
            "columns": described,
        }
    )


def write_files(folder: Path, events: int) -> None:
    """events.csv with so many lines over two years, and subscriptions.csv. The same number gives the same lines, in any order."""
    customers = max(1, events // EVENTS_A_CUSTOMER)
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / "spilled")}) as connection:
        connection.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        connection.execute(f"""
            COPY (
                SELECT printf('c%07d', hash(i) % {customers}) AS customer_id,
                    strftime(TIMESTAMP '2025-01-01' + to_seconds((hash(i * 7 + 1) % (730 * 86400))::BIGINT), '%Y-%m-%dT%H:%M:%SZ')
                        AS occurred_at,
                    ['login', 'view', 'payment'][1 + (hash(i * 3 + 5) % 3)::INTEGER] AS event, (hash(i * 11) % 400)::INTEGER / 4 AS amount
                FROM range({events}) AS r(i)
            ) TO {literal(str(folder / "events.csv"))} (HEADER)
        """)
        connection.execute(f"""
            COPY (
                SELECT printf('c%07d', i) AS customer_id, DATE '2024-06-01' + (hash(i) % 200)::INTEGER AS started_on,
                    CASE WHEN hash(i * 3) % 3 = 0 THEN DATE '2025-06-01' + (hash(i * 5) % 400)::INTEGER END AS ended_on,
                    5 + hash(i * 13) % 5 AS price
                FROM range({customers}) AS r(i)
            ) TO {literal(str(folder / "subscriptions.csv"))} (HEADER)
        """)
