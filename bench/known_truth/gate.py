"""The gate: candidates that are a little worse, equal or better than the champion, with binormal scores whose AUC is known.

Scores of stayers are normal with mean 0, those of churners with mean d; the AUC is Φ(d/√2), and the probability follows from Bayes' rule.
Champion and candidate share most of their scores, as two models of the same columns do.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from bench.known_truth.row import Row
from retainstream.engine.learning.comparison import compare
from retainstream.engine.learning.gate import Standard, judge
from retainstream.engine.learning.metrics import Floats, Outcomes, roc_auc

CHAMPION, CORRELATION = 0.80, 0.97
SIZES = ((40, 0.15), (100, 0.10), (200, 0.15), (1_000, 0.10), (5_000, 0.10))
LAG = 56
"""Days of newer outcomes in the table of single candidates: the champion is so old that the margin is widest."""

_SOURCE = "DeLong 1988; Blackwelder 1982"
_WEEKS, _LOST_WEEKLY, _SEED_SD = 52, 0.002, 0.005

type Decide = Callable[[Outcomes, Floats, Standard], bool]
"""Whether a candidate goes into service in place of the champion."""


class Population(NamedTuple):
    """Customers with outcomes, and the part of their scores that all models share."""

    churned: Outcomes
    shared: Floats
    rate: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, customers: int, rate: float, *, fewest: int = 2) -> "Population":
        while True:
            churned = rng.random(customers) < rate
            if churned.sum() >= fewest:
                return cls(churned, rng.normal(size=customers), rate)

    def scored(self, rng: np.random.Generator, auc: float) -> Floats:
        """The calibrated probabilities of a model with this AUC."""
        distance = np.sqrt(2) * norm.ppf(auc)
        scores = (
            np.sqrt(CORRELATION) * self.shared + np.sqrt(1 - CORRELATION) * rng.normal(size=len(self.churned)) + distance * self.churned
        )
        log_odds = np.log(self.rate / (1 - self.rate)) + distance * scores - distance**2 / 2
        probabilities: Floats = 1 / (1 + np.exp(-log_odds))
        return probabilities


def before(churned: Outcomes, candidate: Floats, standard: Standard) -> bool:
    """What the earlier version did: nothing within 0.005 or within the 10% of chance counts."""
    comparison = compare(churned, candidate, standard.probabilities)
    worse = comparison.auc.value < -0.005 and comparison.auc.chance < 0.1
    return not worse and not (comparison.log_loss.value > 0.005 and comparison.log_loss.chance < 0.1)


def after(churned: Outcomes, candidate: Floats, standard: Standard) -> bool:
    """The gate's decision."""
    return judge(churned, candidate, standard, parity_passed=True, alarms=[]).into_service


def share_promoted(
    decide: Decide, customers: int, rate: float, difference: float, repetitions: int, *, lag: int = LAG, seed: int = 1
) -> float:
    """The share of candidates with an AUC of .80 plus the difference that replace the champion."""
    rng = np.random.default_rng(seed)
    promoted = 0
    for _ in range(repetitions):
        population = Population.drawn(rng, customers, rate)
        champion, candidate = population.scored(rng, CHAMPION), population.scored(rng, CHAMPION + difference)
        promoted += decide(population.churned, candidate, Standard(champion, lag=lag))
    return promoted / repetitions


class Year(NamedTuple):
    """A year of weekly candidates. end: the true AUC of the champion after it. promotions: how often it was replaced."""

    end: float
    promotions: float

    def __str__(self) -> str:
        return f"{self.end:.3f}, {self.promotions:.1f}"


def year(decide: Decide, customers: int, rate: float, *, weekly: float, repetitions: int, seed: int = 5) -> Year:
    """The mean of years in which a candidate is judged each week on the same customers. Its true AUC is .80 plus `weekly` for each week
    since the beginning, plus a normal deviation of .005 where `weekly` is 0."""
    rng = np.random.default_rng(seed)
    years = [_year(decide, rng, Population.drawn(rng, customers, rate, fewest=10), weekly) for _ in range(repetitions)]
    return Year(float(np.mean([end for end, _ in years])), float(np.mean([promotions for _, promotions in years])))


def _year(decide: Decide, rng: np.random.Generator, population: Population, weekly: float) -> Year:
    aucs, models, weeks = [CHAMPION], [population.scored(rng, CHAMPION)], [0]
    for week in range(1, _WEEKS + 1):
        auc = CHAMPION + weekly * week + (0 if weekly else rng.normal(0, _SEED_SD))
        candidate = population.scored(rng, auc)
        if decide(population.churned, candidate, Standard(models[-1], lag=7 * (week - weeks[-1]), earlier=tuple(models[-13:-1]))):
            aucs.append(auc)
            models.append(candidate)
            weeks.append(week)
    return Year(aucs[-1], len(aucs) - 1)


def first_models(customers: int, rate: float, auc: float, repetitions: int, seed: int = 7) -> tuple[float, float]:
    """The share of first models with this AUC that go into service: by the earlier target of .70, and by the interval."""
    rng = np.random.default_rng(seed)
    reached = served = 0
    for _ in range(repetitions):
        population = Population.drawn(rng, customers, rate)
        probabilities = population.scored(rng, auc)
        reached += roc_auc(population.churned, probabilities) >= 0.7
        served += judge(population.churned, probabilities, None, parity_passed=True, alarms=[]).into_service
    return reached / repetitions, served / repetitions


def rows(repetitions: int | None = None) -> list[Row]:
    """Shares of candidates that replace the champion, and the year."""
    return [*_candidates(repetitions or 400), *_first_models(repetitions or 400), *_years(repetitions or 40)]


def _candidates(repetitions: int) -> Iterator[Row]:
    truths = {-0.02: "none", 0.0: "as many as can be proven", 0.02: "all"}
    for difference, truth in truths.items():
        for customers, rate in SIZES:
            old, new = (share_promoted(decide, customers, rate, difference, repetitions) for decide in (before, after))
            what = f"AUC {difference:+.2f}" if difference else "equal"
            figure = f"candidates that replace the champion: {what}, {customers:,} test rows, {rate:.0%} churn"
            yield Row(figure, f"{old:.0%}", f"{new:.0%}", truth, repetitions, _SOURCE)


def _first_models(repetitions: int) -> Iterator[Row]:
    for auc, truth in ((0.5001, "2.5%"), (0.65, "all")):
        old, new = first_models(1_000, 0.1, auc, repetitions)
        figure = f"first models that go into service: AUC {auc:.2f}, 1,000 test rows, 10% churn"
        yield Row(figure, f"{old:.0%}", f"{new:.0%}", truth, repetitions, "DeLong 1988; Pepe 2003")


def _years(repetitions: int) -> Iterator[Row]:
    for weekly, what in ((-_LOST_WEEKLY, "each .002 worse than the last"), (0.0, "all equal, ± .005")):
        for customers, rate in ((200, 0.15), (1_000, 0.10)):
            old, new = (year(decide, customers, rate, weekly=weekly, repetitions=repetitions) for decide in (before, after))
            figure = f"AUC and promotions after 52 weekly candidates: {what}, {customers:,} test rows"
            yield Row(figure, str(old), str(new), ".800", repetitions, _SOURCE)
