"""Source files that were delivered, without a state machine."""

import hashlib

import boto3

from retainstream.runs.deliveries.steps import TASKS, TURNS
from retainstream.runs.deliveries.work import upload_key
from retainstream.settings import settings
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.made_sources import schema_with_sources

PROFILE = (
    "customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price\n"
    "{0},standard,6.5,14,2,19,1,26,12.99\n{1},basic,1,1,1,1,0,1,9.99\n"
)
SUBSCRIPTIONS = "customer_id,started_on,ended_on\n{0},2026-01-05,\n{1},2026-02-01,2026-05-20\n"


def deliver_profile_and_subscriptions(first: str, second: str) -> None:
    """Delivers the files of two customers, of whom the second has left, for the schema `streaming_with_sources`."""
    for kind, content in (("profile", PROFILE), ("subscriptions", SUBSCRIPTIONS)):
        deliver(kind, content.format(first, second))


def deliver(kind: str, content: str) -> None:
    """Does all tasks of a delivery."""
    delivery_id = hashlib.sha256(content.encode()).hexdigest()[:32]
    asked = {"kind": kind, "file_name": f"{kind}.csv", "size": len(content), "as_of": "2026-07-01T00:00:00.000000+00:00"}
    Runs().expect(delivery_id, "delivery", "ann@example.com", asked)
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=upload_key(delivery_id), Body=content.encode())
    stores = Stores()
    with schema_with_sources():
        turn = TASKS["read_delivery"](stores, {"run_id": delivery_id})
        while not turn.get("done"):
            turn = TURNS["merge_delivery"](stores, {"run_id": delivery_id, "turn": turn}, lambda: 900.0)
        TASKS["finish_delivery"](stores, {"run_id": delivery_id})
