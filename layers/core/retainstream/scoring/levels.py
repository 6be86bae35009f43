"""Risk levels, confidence, and the keys by which customers at risk are found. Needs nothing but the standard library."""

from collections.abc import Iterable
from zlib import crc32

LEVELS = ("low", "medium", "high", "critical")
RISK_SHARDS = 4
INDEX_ATTRIBUTES = ("risk_shard", "probability_rank", "value_rank")

_PROBABILITY_STEPS = 1_000_000
_CENTS = 100


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
        "probability_rank": f"{rank_prefix('probability', probability)}#{customer_id}",
        "value_rank": f"{rank_prefix('value', value_at_risk)}#{customer_id}",
    }


def rank_prefix(order: str, amount: float) -> str:
    """The part of a rank that holds the number: the lowest rank of any customer with this probability, or this value at risk."""
    return f"{round(amount * _PROBABILITY_STEPS):07d}" if order == "probability" else f"{round(amount * _CENTS):012d}"


def shards_of(groups: Iterable[str]) -> list[str]:
    """Every index partition that may hold customers of these groups."""
    return [f"{group}#{shard}" for group in groups for shard in range(RISK_SHARDS)]
