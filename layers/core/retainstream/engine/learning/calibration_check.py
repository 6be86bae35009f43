"""The calibration check: whether probabilities agree with outcomes, on average and from low to high."""

from dataclasses import dataclass
from math import erfc, exp, sqrt
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.customer_errors import customers, design_effect
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.metrics import Floats, Outcomes
from retainstream.engine.learning.shares import Z
from retainstream.engine.model.calibration import log_odds, sigmoid

LOWEST, HIGHEST = 0.8, 1.25
"""The allowed ratio of observed to expected churners, and the allowed slope."""

FAR = 1.4
CHANCE = 0.01
"""A ratio that is off by the factor `FAR` counts if Cox's test gives a chance below this for calibrated probabilities."""

_NEARLY_CERTAIN = 1e-9
_NEWTON_STEPS = 50
_HALVINGS = 30
_TWICE = 2.0


class EstimateDocument(TypedDict):
    """An `Estimate` as JSON."""

    value: float
    low: float
    high: float


class CalibrationCheckDocument(TypedDict):
    """A `CalibrationCheck` as JSON."""

    observed: int
    expected: float
    ratio: EstimateDocument
    slope: EstimateDocument | None
    chance: float
    passed: bool
    sentences: list[str]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def outside(self) -> bool:
        """Whether the interval lies outside `LOWEST`–`HIGHEST`."""
        return self.high < LOWEST or self.low > HIGHEST

    def document(self) -> EstimateDocument:
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.2f} (95% interval {self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class CalibrationCheck:
    """Observed churners against the sum of the probabilities, their ratio, and the slope.

    slope: None where the rows determine none. chance: the chance of a deviation this large if the probabilities were calibrated.
    passed: False if the interval of the ratio or of the slope lies outside `LOWEST`–`HIGHEST`, or if the ratio is off by `FAR` beyond
    chance. sentences: the result in words; where the check failed, the reasons.
    """

    observed: int
    expected: float
    ratio: Estimate
    slope: Estimate | None
    chance: float
    passed: bool
    sentences: list[str]

    def document(self) -> CalibrationCheckDocument:
        return {
            "observed": self.observed,
            "expected": self.expected,
            "ratio": self.ratio.document(),
            "slope": self.slope.document() if self.slope else None,
            "chance": self.chance,
            "passed": self.passed,
            "sentences": self.sentences,
        }


def checked(churned: Outcomes, probabilities: Floats, keys: Keys | None = None) -> CalibrationCheck:
    """The check of probabilities (n,) against outcomes (n,), on rows that the model was not fitted to.

    The rows of a customer, by `keys`, are not independent; without keys each row is a customer. The slope and the test are Cox's
    (Biometrika 45, 1958); Van Calster et al. (BMC Medicine 17:230, 2019) recommend the ratio and the slope. A binned calibration error
    misses probabilities that are twice too high where churn is rare. Rao and Scott (1984) divide the test by the design effect.
    """
    customer_of = customers(keys)
    ratio, recalibrated = observed_to_expected(churned, probabilities, customer_of), _recalibrated(churned, probabilities, customer_of)
    slope = recalibrated.slope if recalibrated else None
    design = design_effect(churned - probabilities, customer_of)
    if recalibrated:
        chance = exp(-max(0.0, recalibrated.gained) / design)
    else:
        variance = float((probabilities * (1 - probabilities)).sum()) * design
        chance = erfc(abs(float(churned.sum() - probabilities.sum())) / sqrt(2 * max(variance, _NEARLY_CERTAIN)))
    observed, expected = int(churned.sum()), float(probabilities.sum())
    of_ratio = ratio.outside or (chance < CHANCE and not 1 / FAR < ratio.value < FAR)
    of_slope = slope is not None and slope.outside
    passed = not (of_ratio or of_slope)
    sentences = []
    if passed or of_ratio:
        sentences.append(_of_ratio(observed, expected, ratio, wrong=of_ratio))
    if slope is not None and (passed or of_slope):
        sentences.append(_of_slope(slope, wrong=of_slope))
    if passed and (ratio.low < 1 / _TWICE or ratio.high > _TWICE):
        sentences.append(f"{observed:,} churners are too few to tell whether the probabilities are twice too high or too low.")
    return CalibrationCheck(observed, expected, ratio, slope, chance, passed, sentences)


def observed_to_expected(churned: Outcomes, probabilities: Floats, customer_of: NDArray[np.intp] | None = None) -> Estimate:
    """Observed churners divided by the sum of the probabilities, which must not be zero.

    The interval holds the ratios r for which the churners are no surprise, |O − r·E| ≤ 1.96·√(r·E − r²·Σp²): Wilson's score interval (1927)
    for probabilities that differ. Where rows share a customer, the variance is multiplied by their design effect (Kish 1965).
    """
    observed, expected = float(churned.sum()), max(float(probabilities.sum()), _NEARLY_CERTAIN)
    squares = min(float((probabilities**2).sum()), expected**2 / max(observed, 1.0))
    z2 = Z**2 * design_effect(churned - probabilities * observed / expected, customer_of)
    middle, scale = observed * expected + z2 * expected / 2, expected**2 + z2 * squares
    reach = np.sqrt(max(0.0, middle**2 - scale * observed**2))
    return Estimate(observed / expected, max(0.0, float(middle - reach) / scale), float(middle + reach) / scale)


@dataclass(frozen=True)
class _Recalibrated:
    """Cox's regression: its slope, and how far its log likelihood exceeds that of the probabilities themselves."""

    slope: Estimate
    gained: float


def slope_of(churned: Outcomes, probabilities: Floats, customer_of: NDArray[np.intp] | None = None) -> Estimate | None:
    """Cox's calibration slope: b of the logistic regression logit P(left) = a + b · logit(probability), with Wald's interval.

    Below 1 the probabilities are too extreme, above 1 too alike. Where rows share a customer, the interval is Liang and Zeger's (1986).
    None where the regression has no finite solution: equal probabilities, a single outcome, or outcomes that a threshold separates.
    """
    recalibrated = _recalibrated(churned, probabilities, customer_of)
    return recalibrated.slope if recalibrated else None


def _recalibrated(churned: Outcomes, probabilities: Floats, customer_of: NDArray[np.intp] | None) -> _Recalibrated | None:
    odds = log_odds(probabilities)
    left, stayed = odds[churned], odds[~churned]
    if not (len(left) and len(stayed) and left.min() < stayed.max() and stayed.min() < left.max()):
        return None
    columns = np.column_stack([np.ones_like(odds), odds - odds.mean()])
    weights = np.array([float(log_odds(np.array([churned.mean()]))[0]), 1.0])
    loss = _loss(columns @ weights, churned)
    for _ in range(_NEWTON_STEPS):
        fitted = sigmoid(columns @ weights)
        information = columns.T @ (columns * (fitted * (1 - fitted))[:, None])
        step = np.linalg.solve(information + 1e-12 * np.eye(2), columns.T @ (churned - fitted))
        for _ in range(_HALVINGS):
            if (tried := _loss(columns @ (weights + step), churned)) <= loss:
                break
            step /= 2
        weights, gained = weights + step, loss - tried
        loss = tried
        if gained < 1e-10 * max(1.0, loss):
            break
    fitted = sigmoid(columns @ weights)
    variance: Floats = np.linalg.inv(columns.T @ (columns * (fitted * (1 - fitted))[:, None]))
    if customer_of is not None:
        variance = variance @ _scores_by_customer(columns * (churned - fitted)[:, None], customer_of) @ variance
    reach = Z * float(np.sqrt(variance[1, 1]))
    slope = float(weights[1])
    return _Recalibrated(Estimate(slope, slope - reach, slope + reach), _loss(odds, churned) - loss)


def _of_ratio(observed: int, expected: float, ratio: Estimate, *, wrong: bool) -> str:
    text = f"{observed:,} customers left, and the probabilities add up to {expected:,.1f}: observed to expected is {ratio}."
    return f"{text} The probabilities are too {'high' if ratio.value < 1 else 'low'}." if wrong else text


def _of_slope(slope: Estimate, *, wrong: bool) -> str:
    text = f"The calibration slope is {slope}."
    if not wrong:
        return text
    if slope.value < 1:
        return f"{text} The probabilities are too extreme: low ones are too low, and high ones are too high."
    return f"{text} The probabilities are too close to their average."


def _scores_by_customer(scores: Floats, customer_of: NDArray[np.intp]) -> Floats:
    """The sum of the outer products of the customers' scores, shape (2, 2)."""
    of_customer = np.column_stack([np.bincount(customer_of, weights=column) for column in scores.T])
    count = len(of_customer)
    products: Floats = of_customer.T @ of_customer * count / (count - 1)
    return products


def _loss(odds: Floats, churned: Outcomes) -> float:
    return float(np.logaddexp(0.0, np.where(churned, -odds, odds)).sum())
