"""The report of a churn definition as one HTML page without scripts and without requests."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from retainstream.engine.learning.card import numbers
from retainstream.engine.learning.card.page import policy, style
from retainstream.engine.silence import plots
from retainstream.engine.silence.report import Report


def page(report: Report) -> str:
    """The page: sentences, both plots, and a table of all candidates."""
    windows = sorted({returns["within_days"] for each in report.definition.curve.returns.values() for returns in each})
    return (
        _templates()
        .get_template("report.html.jinja")
        .render(
            report=report,
            definition=report.definition,
            windows=windows,
            style=style(),
            policy=policy(),
            by_window=plots.by_window(report),
            by_activity=plots.by_activity(report),
        )
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("retainstream.engine", "silence"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": numbers.percent, "count": numbers.count}
    return environment
