"""The real template's daily schedule, in the local stack."""

from datetime import UTC, datetime

from local.stack import LocalStack
from retainstream.engine.records import Life
from retainstream.storage.customers import Customers
from retainstream.storage.rollups import Rollups
from tests.small_models import some_features

HERE: Life = {"first_seen_on": "2026-09-10", "observed_until": "2026-11-01"}
LEFT: Life = {**HERE, "observed_until": "2026-10-01", "left_on": "2026-10-20"}


def test_a_day_ends_with_a_point_in_the_trend() -> None:
    told: list[str] = []
    with LocalStack(report=told.append) as stack:
        features = some_features(4)
        Customers().put_many(
            {"customer_id": f"c{number}", "group": row["plan"], "features": row, "life": life, "source": "api"}
            for number, (row, life) in enumerate(zip(features, [LEFT, *[HERE] * 3], strict=True))
        )
        assert stack.feeder.wait_until_drained(30)
        stack.scheduler.run_now("retainstream-daily", datetime(2026, 11, 20, 23, 50, tzinfo=UTC))
        [day] = Rollups().dashboard().days
    assert (day["day"], day["churn_rate"], day["churn_period"], day["model_version"]) == ("2026-11-20", 0.25, "2026-10", None)
    assert told == []
