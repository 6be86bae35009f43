"""Risk levels, confidence, and the keys by which customers at risk are found. Needs nothing but the standard library."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal
from zlib import crc32

type Order = Literal["probability", "value"]

LEVELS = ("low", "medium", "high", "critical")
RISK_SHARDS = 4
REASONS = 5
"""How many reasons a prediction has at most."""
INDEX_ATTRIBUTES = ("risk_shard", "probability_rank", "value_rank")


def level_bounds(threshold: float) -> tuple[float, float, float]:
    """The probabilities from which a customer is medium, high and critical, for the model's stored threshold.

    Medium begins at half the threshold, high at the threshold, critical half way from the threshold to 1.
    """
    return threshold / 2, threshold, threshold + (1 - threshold) / 2


def level_of(probability: float, threshold: float) -> str:
    """The risk level of a probability; a bound belongs to the level above it."""
    return LEVELS[sum(probability >= bound for bound in level_bounds(threshold))]


def confidence_of(probability: float) -> float:
    """How sure the model is of its more likely answer: max(p, 1 - p), from 0.5 to 1."""
    return max(probability, 1 - probability)


def ranks(customer_id: str, group: str, probability: float, value_at_risk: float) -> dict[str, str]:
    """The attributes by which the indexes of customers at risk find a prediction.

    Ranks compare as text in the order of their numbers: probability in millionths, value in cents, ties by customer id.
    """
    return {
        "risk_shard": f"{group}#{crc32(customer_id.encode()) % RISK_SHARDS}",
        "probability_rank": f"{_digits('probability', round(probability * 10**6))}#{customer_id}",
        "value_rank": f"{_digits('value', round(value_at_risk * 10**2))}#{customer_id}",
    }


def index_attributes(prediction: Mapping[str, Any]) -> dict[str, str]:
    """What puts the prediction of a customer who has not left into the indexes of those at risk: nothing at low risk."""
    if prediction["level"] == "low":
        return {}
    return ranks(prediction["customer_id"], prediction["group"], prediction["probability"], prediction["value_at_risk"])


def rank_from(order: Order, amount: float) -> str:
    """A rank below which no customer has this probability, or this value at risk, or more."""
    return _digits(order, int(_scaled(order, amount).to_integral_value(ROUND_CEILING)))


def rank_beyond(order: Order, amount: float) -> str:
    """A rank at or above which no customer has this probability, or this value at risk, or less."""
    return _digits(order, int(_scaled(order, amount).to_integral_value(ROUND_FLOOR)) + 1)


def shards_of(groups: Iterable[str]) -> list[str]:
    """Every index partition that may hold customers of these groups."""
    return [f"{group}#{shard}" for group in groups for shard in range(RISK_SHARDS)]


def _scaled(order: Order, amount: float) -> Decimal:
    return Decimal(repr(amount)).scaleb(6 if order == "probability" else 2)


def _digits(order: Order, number: int) -> str:
    return f"{number:07d}" if order == "probability" else f"{number:012d}"
