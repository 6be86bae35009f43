"""Risk levels, and the index keys of customers at risk. This module needs the standard library alone."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple, TypedDict
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


class LevelsRecord(TypedDict):
    """The probabilities at which the levels begin, as a version's record keeps them."""

    medium: float
    high: float
    critical: float


class LevelBounds(NamedTuple):
    """The probabilities at which the levels begin, each of them at least the one before. `high` is the model's threshold."""

    medium: float
    high: float
    critical: float

    def document(self) -> LevelsRecord:
        return {"medium": self.medium, "high": self.high, "critical": self.critical}


def bounds_for(threshold: float, base_rate: float) -> LevelBounds:
    """The bounds around a threshold, with six decimals. base_rate: the average probability.

    Medium begins at half the threshold, but at least at the base rate and at most at twice the base rate, so that it is the part above the
    average of which the threshold leaves something. Critical begins at twice the threshold, but at least at twice the base rate. Twice a
    probability is never more than half way from it to 1.
    """
    medium = min(threshold, max(base_rate, min(threshold / 2, twice(base_rate))))
    return LevelBounds(round(medium, 6), round(threshold, 6), round(max(twice(threshold), twice(base_rate)), 6))


def twice(probability: float) -> float:
    """Twice a probability, and not more than half way from it to 1."""
    return min(2 * probability, (1 + probability) / 2)


def bounds_of_threshold(threshold: float) -> LevelBounds:
    """The bounds of a version whose record has a threshold alone, as those of earlier releases have.

    Medium begins at half the threshold, critical half way from the threshold to 1.
    """
    return LevelBounds(threshold / 2, threshold, threshold + (1 - threshold) / 2)


def bounds_of(record: Mapping[str, object]) -> LevelBounds:
    """The bounds in a version's record.

    Raises:
        ValueError: they cannot be read, or are not ascending numbers between 0 and 1.
    """
    threshold, levels = _probability(record.get("threshold")), record.get("levels")
    if levels is None:
        return bounds_of_threshold(threshold)
    if not isinstance(levels, Mapping):
        raise ValueError("the levels are not an object")
    bounds = LevelBounds(*(_probability(levels.get(level)) for level in LevelBounds._fields))
    if list(bounds) != sorted(bounds) or bounds.high != threshold:
        raise ValueError("the bounds of the levels do not ascend, or high does not begin at the threshold")
    return bounds


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError("a bound of a level is not a number between 0 and 1")
    return float(value)


def level_of(probability: float, bounds: LevelBounds) -> RiskLevel:
    """The risk level of a probability; a bound belongs to the level above it."""
    return RISK_LEVELS[sum(probability >= bound for bound in bounds)]


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
