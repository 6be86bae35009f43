"""`retainstream metrics`: the headline figures of the dashboard, and the churn rate by month."""

from datetime import date

from cli.account import AsJson, Url
from cli.answers import ChurnRate, DashboardMetrics, MonthOfChurn
from cli.output import money, print_json, print_line, print_table, say
from cli.session import signed_in


def metrics(url: Url = None, as_json: AsJson = False) -> None:
    """Show the headline figures: customers, expected churners, revenue at risk, and the churn rate by month."""
    with signed_in(url) as client:
        answer: DashboardMetrics = client.get("/api/dashboard/metrics").data
    if as_json:
        print_json(answer)
        return
    customers, churners, revenue, rate = answer["customers"], answer["predicted_churners"], answer["revenue_at_risk"], answer["churn_rate"]
    print_line(f"customers: {customers['active']:,} active, {customers['scored']:,} of them scored; {customers['churned']:,} have left")
    if churners["horizon_days"] is not None:
        ends = churners["expected_interval"]
        interval = f" (95% interval {ends['low']:,.0f} to {ends['high']:,.0f})" if ends else ""
        above = f"{churners['count']:,} customers at high risk or above"
        print_line(f"expected churners within {churners['horizon_days']} days: {churners['expected']:,.0f}{interval}; {above}")
    if churners["level_meanings"]:
        print_line(f"high risk: {_lower(churners['level_meanings']['high'])}")
    if revenue:
        print_line(f"revenue at risk: {money(revenue['total'], revenue['currency'])} over {revenue['months']:g} months")
    print_line(f"churn rate: {_in_words(rate)}" if rate else "churn rate: not known yet for any month that is over")
    months = answer["churn_by_month"]
    if months:
        numbers = ("churn rate", "left", "active on the first day", "not known")
        print_table(("month", *numbers), map(_row, reversed(months)), numbers=numbers)
    if any(month["rate"] is None for month in months):
        say("A month has no rate while the customers of whom nothing is known at its end are more than a tenth of those who left.")


def _lower(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"


def _in_words(rate: ChurnRate) -> str:
    start = date.fromisoformat(rate["starts_on"])
    return (
        f"{start:%B %Y}: {rate['rate']:.1%}, {rate['left']:,} of {rate['active_at_start']:,} customers who were active on "
        f"{start.day} {start:%B} left"
    )


def _row(month: MonthOfChurn) -> list[object]:
    rate = month["rate"]
    shown = None if rate is None else f"{rate:.1%}"
    return [month["month"], shown, f"{month['left']:,}", f"{month['active_at_start']:,}", f"{month['unknown']:,}"]
