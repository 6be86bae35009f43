"""A feature schema with raw sources, and small files of them."""

from retainstream.engine.schema import FeatureSchema

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
