"""Feature schemas with raw sources."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import duckdb

from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.registry.active_schema import KEY, active_schema, set_active_schema
from retainstream.settings import settings
from retainstream.storage.documents import Documents

SOURCES_SCHEMA = FeatureSchema.model_validate(
    {
        "name": "club",
        "title": "A club",
        "id": {"column": "customer_id"},
        "label": {"column": "left", "positive": "1"},
        "group": "plan",
        "horizon_days": 30,
        "money": {"price": "price", "currency": "EUR", "months": 12, "offer_cost": 5, "save_rate": 0.3},
        "sources": {
            "profile": {"file": "profile.csv", "id": "customer_id"},
            "subscriptions": {
                "file": "subscriptions.csv",
                "id": "customer_id",
                "start": "started_on",
                "end": "ended_on",
                "price": "monthly_price",
                "plan": "plan",
            },
            "events": {"file": "events.csv", "id": "customer_id", "at": "occurred_at", "kind": "event", "amount": "amount"},
        },
        "churn": {"when": "subscription-ended", "grace_days": 7},
        "anchors": "monthly",
        "columns": [
            {"name": "plan", "kind": "category", "levels": ["basic", "premium"], "label": "Plan", "from": {"subscriptions": "plan"}},
            {"name": "price", "kind": "number", "min": 0, "max": 100, "label": "Price", "from": {"subscriptions": "price"}},
            {"name": "tenure", "kind": "integer", "min": 0, "max": 40000, "label": "Tenure", "from": {"subscriptions": "tenure"}},
            {
                "name": "country",
                "kind": "category",
                "levels": ["NO", "SE", "other"],
                "other": "other",
                "missing": True,
                "label": "Country",
            },
            {
                "name": "logins",
                "kind": "integer",
                "min": 0,
                "max": 100000,
                "label": "Logins in 30 days",
                "from": {"events": "login", "count": True, "days": 30},
            },
            {
                "name": "paid",
                "kind": "number",
                "label": "Paid in 90 days",
                "from": {"events": "payment", "sum": "amount", "days": 90},
            },
        ],
    }
)


def streaming_with_sources() -> FeatureSchema:
    """The default schema, whose columns come from a profile, and outcomes from subscriptions."""
    document = default_schema().model_dump(mode="json", exclude_defaults=True)
    sources = {
        "profile": {"file": "profile.csv", "id": "customer_id"},
        "subscriptions": {"file": "subscriptions.csv", "id": "customer_id", "start": "started_on", "end": "ended_on"},
        "events": {"file": "events.csv", "id": "customer_id", "at": "occurred_at", "kind": "event", "amount": "amount"},
    }
    return FeatureSchema.model_validate({**document, "sources": sources, "churn": {"when": "subscription-ended"}, "anchors": "monthly"})


@contextmanager
def schema_with_sources() -> Iterator[None]:
    """`streaming_with_sources` is active in place of the schema before it, for as long as the context lasts."""
    before = active_schema(Documents())
    set_active_schema(Documents(), streaming_with_sources())
    yield
    if before == default_schema():
        Documents().withdraw(KEY)
    else:
        set_active_schema(Documents(), before)


def stored_rows(prefix: str, folder: Path) -> list[dict[str, Any]]:
    """The rows of all Parquet files of the bucket below a prefix, each with the key of its file."""
    client, rows = boto3.client("s3"), list[dict[str, Any]]()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=settings().bucket, Prefix=prefix):
        for stored in page.get("Contents", []):
            if stored["Key"].endswith(".parquet"):
                client.download_file(settings().bucket, stored["Key"], str(folder / "part"))
                found = duckdb.execute(f"SELECT * FROM read_parquet('{folder / 'part'}')")
                names = [column[0] for column in found.description or ()]
                rows += [{"key": stored["Key"], **dict(zip(names, row, strict=True))} for row in found.fetchall()]
    return rows
