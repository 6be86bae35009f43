"""Risk levels, and the index keys of customers at risk. This module needs the standard library alone."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, TypedDict
from zlib import crc32

from retainstream.engine.records import RiskKeys, RiskLevel, Score

type Order = Literal["probability", "value"]

RISK_LEVELS: tuple[RiskLevel, ...] = ("low", "medium", "high", "critical")
CALLED: tuple[RiskLevel, ...] = ("high", "critical")
"""The levels at or above the model's threshold: these customers are expected to leave."""
RISK_SHARDS = 4
REASONS = 5
"""The most reasons of a prediction."""
INDEX_ATTRIBUTES = ("risk_shard", "probability_rank", "value_rank")


class IndexKeys(TypedDict, total=False):
    """The `RiskKeys` of a prediction that the indexes hold; empty for others."""

    risk_shard: str
    probability_rank: str
    value_rank: str


def level_bounds(threshold: float) -> tuple[float, float, float]:
    """The probabilities at which the levels medium, high and critical begin, for the model's stored threshold.

    Medium begins at half the threshold, high at the threshold, critical half way from the threshold to 1.
    """
    return threshold / 2, threshold, threshold + (1 - threshold) / 2


def level_of(probability: float, threshold: float) -> RiskLevel:
    """The risk level of a probability; a bound belongs to the level above it."""
    return RISK_LEVELS[sum(probability >= bound for bound in level_bounds(threshold))]


def ranks(customer_id: str, group: str, probability: float, value_at_risk: float) -> RiskKeys:
    """The index attributes of a prediction.

    Ranks are texts in the order of their numbers: probability in millionths, value in cents, ties by customer id.
    """
    return {
        "risk_shard": f"{group}#{crc32(customer_id.encode()) % RISK_SHARDS}",
        "probability_rank": f"{_digits('probability', round(probability * 10**6))}#{customer_id}",
        "value_rank": f"{_digits('value', round(value_at_risk * 10**2))}#{customer_id}",
    }


def index_keys(score: Score, customer_id: str, group: str) -> IndexKeys:
    """The index attributes of a customer who has not left: none at low risk, which the indexes do not hold."""
    if score["level"] == "low":
        return {}
    return {**ranks(customer_id, group, score["probability"], score["value_at_risk"])}


def rank_from(order: Order, amount: float) -> str:
    """The lowest rank of a customer with at least this probability, or this value at risk."""
    return _digits(order, int(_scaled(order, amount).to_integral_value(ROUND_CEILING)))


def rank_beyond(order: Order, amount: float) -> str:
    """The lowest rank above every customer with at most this probability, or this value at risk."""
    return _digits(order, int(_scaled(order, amount).to_integral_value(ROUND_FLOOR)) + 1)


def shards_of(groups: Iterable[str]) -> list[str]:
    """Every index partition that may hold customers of these groups."""
    return [f"{group}#{shard}" for group in groups for shard in range(RISK_SHARDS)]


def _scaled(order: Order, amount: float) -> Decimal:
    return Decimal(repr(amount)).scaleb(6 if order == "probability" else 2)


def _digits(order: Order, number: int) -> str:
    return f"{number:07d}" if order == "probability" else f"{number:012d}"
