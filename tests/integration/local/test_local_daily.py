"""The real template's daily schedule, in the local stack."""

from datetime import UTC, datetime

from local.stack import LocalStack
from retainstream.storage.customers import Customers
from retainstream.storage.rollups import Rollups
from tests.small_models import some_features


def test_a_day_ends_with_a_point_in_the_trend() -> None:
    told: list[str] = []
    with LocalStack(report=told.append) as stack:
        features = some_features(4)
        Customers().put_many(
            {"customer_id": f"c{number}", "group": row["plan"], "features": row, "churned": number == 0, "source": "api"}
            for number, row in enumerate(features)
        )
        assert stack.feeder.wait_until_drained(30)
        stack.scheduler.run_now("retainstream-daily", datetime(2026, 11, 20, 23, 50, tzinfo=UTC))
        [day] = Rollups().dashboard().days
    assert (day["day"], day["churned"], day["stayed"], day["model_version"]) == ("2026-11-20", 1, 3, None)
    assert told == []
