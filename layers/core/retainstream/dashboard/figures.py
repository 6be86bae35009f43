"""Figures from the counters."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from retainstream.dashboard.fold import BINS, MILLION, Counters
from retainstream.engine.model.levels import RISK_LEVELS
from retainstream.engine.records import RiskLevel


@dataclass(frozen=True)
class LevelFigures:
    """Customers of one risk level, or of several levels together."""

    customers: int = 0
    probability_millionths: int = 0
    value_cents: int = 0

    def __add__(self, other: "LevelFigures") -> "LevelFigures":
        return LevelFigures(
            self.customers + other.customers,
            self.probability_millionths + other.probability_millionths,
            self.value_cents + other.value_cents,
        )

    @property
    def expected_churners(self) -> float:
        """The sum of the probabilities."""
        return self.probability_millionths / MILLION

    @property
    def mean_probability(self) -> float | None:
        """None without customers."""
        return round(self.expected_churners / self.customers, 6) if self.customers else None

    @property
    def value_at_risk(self) -> float:
        """Expected revenue lost over the schema's months, in the currency."""
        return self.value_cents / 100


@dataclass(frozen=True)
class FactorFigures:
    """A column's influence on all scores. Strength and tilt are means in log-odds, reach is a mean in percentage points of probability."""

    column: str
    strength: float
    tilt: float
    reach: float


type Groups = Collection[str] | None
"""The groups to add up; None for all."""


@dataclass(frozen=True)
class PredictionFigures:
    """Figures of the predictions of customers who have not left."""

    counters: Counters

    @cached_property
    def _by_name(self) -> dict[str, dict[str, int]]:
        named: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, amount in self.counters.items():
            measure, which, group = name.split("/", 2)
            named[f"{measure}/{which}"][group] = amount
        return named

    def _sum(self, name: str, groups: Groups) -> int:
        return sum(amount for group, amount in self._by_name.get(name, {}).items() if groups is None or group in groups)

    def level(self, level: RiskLevel, groups: Groups = None) -> LevelFigures:
        return LevelFigures(*(self._sum(f"{measure}/{level}", groups) for measure in ("level", "probability", "value")))

    def all_levels(self, groups: Groups = None) -> LevelFigures:
        return sum((self.level(level, groups) for level in RISK_LEVELS), LevelFigures())

    def bins(self, groups: Groups = None) -> list[int]:
        """Customers by probability, in 20 bins from 0 to 1."""
        return [self._sum(f"bin/{place}", groups) for place in range(BINS)]

    @cached_property
    def groups(self) -> list[str]:
        """Every group that has predictions."""
        return sorted({group for level in RISK_LEVELS for group in self._by_name.get(f"level/{level}", {})})

    def factors(self) -> list[FactorFigures]:
        """Columns by their mean |contribution|, strongest first; empty without predictions."""
        customers = self.all_levels().customers
        if not customers:
            return []
        columns = sorted(name.split("/")[1] for name in self._by_name if name.startswith("strength/"))
        factors = [
            FactorFigures(
                column,
                strength=self._sum(f"strength/{column}", None) / MILLION / customers,
                tilt=self._sum(f"tilt/{column}", None) / MILLION / customers,
                reach=100 * self._sum(f"reach/{column}", None) / MILLION / customers,
            )
            for column in columns
        ]
        return sorted(factors, key=lambda factor: (-factor.strength, factor.column))


@dataclass(frozen=True)
class CustomerFigures:
    """Figures of the customers and of their outcomes."""

    counters: Counters

    def _sum(self, prefix: str) -> int:
        return sum(amount for name, amount in self.counters.items() if name.startswith(prefix))

    @property
    def churned(self) -> int:
        return self._sum("customers/churned/")

    @property
    def stayed(self) -> int:
        """Customers known to have stayed."""
        return self._sum("customers/stayed/")

    @property
    def unknown(self) -> int:
        """Customers without a known outcome."""
        return self._sum("customers/unknown/")

    @property
    def total(self) -> int:
        return self.churned + self.stayed + self.unknown
