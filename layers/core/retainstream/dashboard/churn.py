"""The churn rate, from the counters of lives."""

from collections import defaultdict
from datetime import UTC, date, datetime

from pydantic import BaseModel, Field

from retainstream.dashboard.fold import Counters
from retainstream.engine.lives.months import MonthOfChurn, churn_by_month, first_day, last_day, month_name, month_of_name


class ChurnCounts(BaseModel):
    """Lives of one calendar month."""

    left: int = Field(description="Customers who were active on the first day of the month and left in it")
    active_at_start: int = Field(description="Customers known to be active on the first day of the month")
    unknown: int = Field(description="Customers active on the first day of whom nothing is known at the end of the month")


class ChurnRateView(ChurnCounts):
    """Customers who left in a month ÷ customers who were active on its first day."""

    rate: float
    period: str = Field(examples=["2026-10"])
    starts_on: str = Field(description="First day of the period", examples=["2026-10-01"])
    ends_on: str = Field(description="Last day of the period", examples=["2026-10-31"])


class MonthOfChurnView(ChurnCounts):
    month: str = Field(examples=["2026-10"])
    rate: float | None = Field(description="left / active_at_start; null where `unknown` is more than a tenth of `left`")


def churn_months(counters: Counters, today: date | None = None) -> list[MonthOfChurn]:
    """The newest 24 months that are over and on whose first day a customer was active, oldest first. `today` in UTC by default."""
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    for name, amount in counters.items():
        if name.startswith("life/"):
            measure, month = name.split("/")[1].split(":")
            counts[measure][month_of_name(month)] = amount
    return churn_by_month(counts["first"], counts["seen"], counts["left"], counts["covered"], today or datetime.now(UTC).date())


def newest_rate(months: list[MonthOfChurn]) -> MonthOfChurn | None:
    """The newest month with a rate."""
    return next((month for month in reversed(months) if month.rate is not None), None)


def churn_rate_view(month: MonthOfChurn) -> ChurnRateView:
    """A month with a rate."""
    return ChurnRateView(
        **_counts(month),
        rate=round(month.rate or 0.0, 6),
        period=month_name(month.month),
        starts_on=first_day(month.month).isoformat(),
        ends_on=last_day(month.month).isoformat(),
    )


def month_view(month: MonthOfChurn) -> MonthOfChurnView:
    rate = month.rate
    return MonthOfChurnView(**_counts(month), month=month_name(month.month), rate=rate if rate is None else round(rate, 6))


def _counts(month: MonthOfChurn) -> dict[str, int]:
    return {"left": month.left, "active_at_start": month.active_at_start, "unknown": month.unknown}
