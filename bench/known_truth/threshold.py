"""The threshold and the number of expected churners, on customers whose churn probability is known."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bench.known_truth.row import Row
from retainstream.engine.learning.dataset import DataSet, Days, unknown_anchors
from retainstream.engine.learning.fit import Calibrated, calibrated_on_newest
from retainstream.engine.learning.metrics import Floats, best_f1_threshold
from retainstream.engine.learning.threshold import NO_TEAM, Champion, Team, threshold_for
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.money import offer_value
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.expectation import churners_interval
from retainstream.engine.monitoring.score_bins import SCORE_BINS, score_bin_of
from retainstream.engine.schema import FeatureSchema, Money, default_schema

CHURN_RATE, SPREAD = 0.058, 1.3
"""Of the log-odds, which are normal; the AUC of the true probabilities is .80."""
SAMPLE = 3_000
_POPULATION = 200_000
_MIDDLE = -3.4685
"""The mean of the log-odds, so that the mean probability is CHURN_RATE."""
_DAYS = 30
_OUTCOMES_ALONE = 1.959964

CHEAP = Money(price="monthly_price", offer_cost=2.0, contact_cost=0.5, save_rate=0.3)
DEAR = Money(price="monthly_price", offer_cost=6.0, contact_cost=0.5, save_rate=0.3)


class People(NamedTuple):
    """Customers with their true probabilities and prices, float64 (n,)."""

    chances: Floats
    prices: Floats


def people(rng: np.random.Generator, customers: int, middle: float = _MIDDLE) -> People:
    """Prices are lognormal around 30, and a little higher where the log-odds are."""
    log_odds = rng.normal(middle, SPREAD, customers)
    prices = 30 * np.exp(0.12 * rng.normal(size=customers) + 0.04 * (log_odds - middle) / SPREAD)
    return People(sigmoid(log_odds), prices)


def schema_with(money: Money | None) -> FeatureSchema:
    return default_schema().model_copy(update={"money": money})


@dataclass(frozen=True)
class Lost:
    """The share of the profit of offers to everybody whose expected value is positive that the threshold loses, on average."""

    before: float
    after: float


def profit_lost(money: Money, repetitions: int, seed: int = 0) -> Lost:
    """Best F1 against the product's threshold, both by samples with true probabilities, each judged on the whole population."""
    rng = np.random.default_rng([seed, 1])
    everybody = people(rng, _POPULATION)
    worth = offer_value(money, everybody.chances, everybody.prices, horizon_days=30)
    best, before, after = np.maximum(worth, 0).sum(), 0.0, 0.0
    for _ in range(repetitions):
        places = rng.integers(0, _POPULATION, SAMPLE)
        chances, prices = everybody.chances[places], everybody.prices[places]
        by_f1 = best_f1_threshold(rng.random(SAMPLE) < chances, chances)
        by_money = threshold_for(schema_with(money), chances, prices, NO_TEAM).levels.high
        before += 1 - worth[everybody.chances >= by_f1].sum() / best
        after += 1 - worth[everybody.chances >= by_money].sum() / best
    return Lost(before / repetitions, after / repetitions)


@dataclass(frozen=True)
class Steadiness:
    """Standard deviations over the versions: of the threshold, and of the share of customers at or above it. Their means beside them."""

    threshold: float
    size: float
    mean_threshold: float
    mean_size: float


def steadiness(money: Money | None, capacity: int, versions: int, seed: int = 0) -> tuple[Steadiness, Steadiness]:
    """Versions trained one after the other on samples of the same population: by best F1, and by the product's rule."""
    rng = np.random.default_rng([seed, 2])
    everybody = people(rng, _POPULATION)
    by_f1, by_rule, team = [], [], Team(capacity, 10_000)
    for _ in range(versions):
        places = rng.integers(0, _POPULATION, SAMPLE)
        chances = everybody.chances[places]
        by_f1.append(best_f1_threshold(rng.random(SAMPLE) < chances, chances))
        chosen = threshold_for(schema_with(money), chances, everybody.prices[places], team)
        by_rule.append(chosen.levels.high)
        team = replace(team, champion=Champion(chosen.levels.high, chosen.rule))
    return _steadiness(by_f1, everybody.chances), _steadiness(by_rule, everybody.chances)


def _steadiness(thresholds: list[float], chances: Floats) -> Steadiness:
    sizes = [float(np.mean(chances >= threshold)) for threshold in thresholds]
    return Steadiness(float(np.std(thresholds)), float(np.std(sizes)), float(np.mean(thresholds)), float(np.mean(sizes)))


@dataclass(frozen=True)
class Coverage:
    """The share of intervals that hold the number of customers who left. before: by the variance of the outcomes alone."""

    before: float
    after: float


def coverage(rows: int, periods: int, repetitions: int, *, slope: float = 0.85, seed: int = 0) -> Coverage:
    """Models whose margins are too flat or too steep by `slope` and a shift, calibrated on `rows`, then scoring 10,000 customers.

    With several periods the rows are divided among them, and the level of churn moves by a normal step of .05 in log-odds from each to the
    next, the one that is scored included.
    """
    rng = np.random.default_rng([seed, 3])
    before = after = 0
    for _ in range(repetitions):
        steps = np.cumsum(rng.normal(0, 0.05 if periods > 1 else 0.0, periods + 1))
        period = np.repeat(np.arange(periods), rows // periods)
        log_odds = rng.normal(_MIDDLE, SPREAD, len(period))
        churned = rng.random(len(period)) < sigmoid(log_odds + steps[period])
        margins, anchors = (log_odds - 0.2) / slope, (20_000 + _DAYS * period).astype(np.int32)
        calibrated = _calibrated(margins, churned, anchors if periods > 1 else unknown_anchors(len(period)))
        scored = rng.normal(_MIDDLE, SPREAD, 10_000)
        left = int((rng.random(10_000) < sigmoid(scored + steps[-1])).sum())
        chances = calibrated.curve.probability((scored - 0.2) / slope)
        error = _OUTCOMES_ALONE * float(np.sqrt((chances * (1 - chances)).sum()))
        before += bool(abs(left - chances.sum()) <= error)
        after += _held(chances, calibrated, left)
    return Coverage(before / repetitions, after / repetitions)


def _calibrated(margins: Floats, churned: np.ndarray, anchors: Days) -> Calibrated:
    rows = len(margins)
    data = DataSet(
        schema_with(None),
        np.arange(rows, dtype=np.uint64),
        np.empty((rows, 0), dtype=np.float32),
        churned,
        np.zeros(rows, dtype=np.int16),
        np.full(rows, np.nan),
        np.ones(rows, dtype=bool),
        anchors,
    )
    return calibrated_on_newest(data, margins, NO_TEAM)


def _held(chances: Floats, calibrated: Calibrated, left: int) -> bool:
    places = np.array([score_bin_of(chance) for chance in chances.round(6).tolist()])
    counts = np.bincount(places, minlength=SCORE_BINS)
    sums = np.bincount(places, weights=chances, minlength=SCORE_BINS)
    means = np.divide(sums, counts, out=np.zeros(SCORE_BINS), where=counts > 0)
    reference: Reference = {
        "rows": 0,
        "stayed_rows": 0,
        "features": [],
        "score": {"rows": 0, "counts": [], "stayed": []},
        "recalibration": calibrated.recalibration,
    }
    ends = churners_interval(counts.tolist(), means.tolist(), reference)
    return ends["low"] <= left <= ends["high"]


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of the table in docs/model.md."""
    samples, versions, models = repetitions or 100, repetitions or 200, repetitions or 500
    found = [
        _of_profit("a cheap offer", CHEAP, samples),
        _of_profit("a dear offer", DEAR, samples),
        *_of_steadiness("money", CHEAP, 0, versions),
        *_of_steadiness("250 calls for 10,000 customers", None, 250, versions),
        *_of_steadiness("twice the base rate", None, 0, versions),
    ]
    return [*found, *(_of_coverage(rows, periods, models) for rows, periods in ((SAMPLE, 1), (20_000, 1), (36_000, 12)))]


def _of_profit(what: str, money: Money, repetitions: int) -> Row:
    lost = profit_lost(money, repetitions)
    figure = f"Profit lost by the threshold against offers wherever the expected value is positive: {what}"
    return Row(figure, f"{lost.before:.1%}", f"{lost.after:.1%}", "0%", repetitions, "`learning/threshold.py`")


def _of_steadiness(what: str, money: Money | None, capacity: int, versions: int) -> list[Row]:
    before, after = steadiness(money, capacity, versions)
    of = f"over versions trained on {SAMPLE:,} customers, {CHURN_RATE:.1%} churn, by {what}"
    source = "`learning/threshold.py`, damped"
    threshold, size = f"Threshold ± standard deviation {of}", f"Customers at high risk ± standard deviation {of}"
    return [
        Row(
            threshold,
            _around(before.mean_threshold, before.threshold),
            _around(after.mean_threshold, after.threshold),
            "± 0",
            versions,
            source,
        ),
        Row(size, _around(before.mean_size, before.size), _around(after.mean_size, after.size), "± 0", versions, source),
    ]


def _of_coverage(rows: int, periods: int, repetitions: int) -> Row:
    found = coverage(rows, periods, repetitions)
    of = f"{rows:,} rows of {periods} months whose churn moves" if periods > 1 else f"{rows:,} rows of one period"
    figure = f"95% interval of the expected churners holds the number who left; calibrated on {of}"
    return Row(figure, f"{found.before:.1%}", f"{found.after:.1%}", "95%", repetitions, "Cox 1958")


def _around(mean: float, deviation: float) -> str:
    return f"{mean:.1%} ± {deviation:.1%}"
