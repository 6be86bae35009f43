"""The card as one HTML page without scripts and without requests."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from retainstream.engine.learning.card import histograms, influence_plots, numbers, plots
from retainstream.engine.learning.card.document import Card

_WRITTEN = (
    "probability",
    "with_interval",
    "percent",
    "share",
    "factor",
    "factor_with_interval",
    "moment",
    "count",
    "quantity",
    "money",
    "signed",
)


def page(card: Card) -> str:
    """The page. All its numbers come from the card; text of the schema is escaped."""
    return (
        _templates()
        .get_template("card.html.jinja")
        .render(card=card, style=style(), policy=policy(), plots=_plots(card), shown=_shown_settings(card))
    )


@cache
def style() -> str:
    """The page's style sheet."""
    return files(__package__).joinpath("card.css").read_text("utf-8")


def policy() -> str:
    """The page's content security policy: no script, no request, its own style sheet alone."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _plots(card: Card) -> dict[str, Markup | list[Markup]]:
    drawn: dict[str, Markup | list[Markup]] = {
        "roc": plots.roc(card),
        "precision_recall": plots.precision_recall(card),
        "reliability": plots.reliability(card),
        "gain": plots.gain(card),
        "bars": influence_plots.bars(card),
        "beeswarm": influence_plots.beeswarm(card),
        "score": histograms.score(card),
        "features": histograms.features(card),
    }
    if any(point.roc_auc is not None for point in card.evaluation.by_period):
        drawn["by_period"] = plots.by_period(card)
    return drawn | ({"profit": plots.profit(card, card.profit)} if card.profit else {})


def _shown_settings(card: Card) -> list[str]:
    """The settings and figures of the trials, as columns of a table."""
    return list(dict.fromkeys(name for trial in card.choice.trials for name in trial))


def _written(value: object, name: str) -> str:
    """A setting or a figure of a trial, of any type."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return numbers.NO_VALUE if value is None else str(value)
    return f"{value:.4f}" if name.endswith("loss") else numbers.quantity(value)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("retainstream.engine.learning", "card"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(numbers, name) for name in _WRITTEN})
    environment.filters["written"] = _written
    return environment
