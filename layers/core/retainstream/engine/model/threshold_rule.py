"""The rule by which a version's threshold was chosen, as it is stored, and what its levels mean in words."""

from typing import Literal, TypedDict

from retainstream.engine.model.levels import LevelBounds

type Rule = Literal["money", "capacity", "base_rate"]


class MoneyTerms(TypedDict):
    """The schema's money and horizon that the worth of an offer depends on; see `engine.schema.Money`."""

    price: str
    currency: str
    months: float
    margin: float
    save_rate: float
    offer_cost: float
    contact_cost: float
    horizon_days: int


class ThresholdTerms(TypedDict):
    """The numbers that the choice of a threshold was asked to follow.

    money: None without money in the schema. capacity: customers that the team can call after a scoring, 0 where that is not stated.
    multiple: of the base rate, where there is neither.
    """

    money: MoneyTerms | None
    capacity: int
    multiple: float


class ThresholdRule(ThresholdTerms):
    """How a threshold was chosen.

    by: the term that decided. base_rate: the average probability of the rows behind the calibration. customers: of a scoring, for the
    capacity. undamped: the threshold by these rows alone. damped_from: the champion's, from which the threshold went half of the way.
    """

    by: Rule
    base_rate: float
    customers: int
    undamped: float
    damped_from: float | None


class LevelMeanings(TypedDict):
    """A sentence for each level above low."""

    medium: str
    high: str
    critical: str


def meanings(bounds: LevelBounds, rule: ThresholdRule | None) -> LevelMeanings:
    """What the levels mean, for a page. rule: None for a version of an earlier release."""
    if rule is None:
        return {
            "medium": f"From {_percent(bounds.medium)}: half the threshold.",
            "high": f"From {_percent(bounds.high)}: the threshold with the best balance of precision and recall (F1).",
            "critical": f"From {_percent(bounds.critical)}: half way from the threshold to 100%.",
        }
    average = f"the average probability is {_percent(rule['base_rate'])}"
    below = "no customer, because high risk begins at or below the average" if bounds.medium == bounds.high else "above the average"
    return {
        "medium": f"From {_percent(bounds.medium)}: {below}.",
        "high": f"From {_percent(bounds.high)}: {_high(rule)}.",
        "critical": f"From {_percent(bounds.critical)}: at least twice the threshold and twice the average; {average}.",
    }


def _high(rule: ThresholdRule) -> str:
    match rule["by"]:
        case "money":
            return "an offer is expected to pay, by the price, save rate and costs in the schema"
        case "capacity":
            return f"about {rule['capacity']:,} of {rule['customers']:,} customers, as many as the team can call"
        case "base_rate":
            return f"about {rule['multiple']:g} times the average probability"


def _percent(probability: float) -> str:
    return f"{probability:.1%}"
