"""Expected performance of the predictions, before outcomes are known.

The method is confidence-based performance estimation (CBPE), published by NannyML: a calibrated probability p is the share of such
customers who leave, so every count of a confusion matrix, and every figure made of these counts, has an expected value. It assumes that
the probabilities stay calibrated: the distribution of the features may change, their relation to churn may not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import exp, log, sqrt
from typing import cast

from retainstream.engine.model.levels import CALLED
from retainstream.engine.monitoring.binned_auc import Z, binned_auc, interval
from retainstream.engine.monitoring.documents import ExpectationDocument, Interval, Recalibration, Reference
from retainstream.engine.monitoring.score_bins import SCORE_MIDDLES
from retainstream.engine.monitoring.tally import Tally

_MILLION = 1_000_000
_STEP = 1e-4
_LEAST_DETERMINANT = 1e-9


@dataclass(frozen=True)
class Expectation:
    """Expected figures of the `customers` that one run scored.

    roc_auc is None where no pair of outcomes is possible. Its 95% interval is for the AUC that these customers' outcomes will show;
    sampling_error and calibration_error are its two standard errors (the latter is None without a reference). churners_interval is the 95%
    interval of the number of customers who will leave.
    """

    customers: int
    churners: float
    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    brier: float
    log_loss: float
    roc_auc: float | None
    roc_auc_interval: Interval | None
    sampling_error: float | None
    calibration_error: float | None
    churners_interval: Interval

    def document(self) -> ExpectationDocument:
        return cast("ExpectationDocument", asdict(self))


def expectation(tally: Tally, levels: Mapping[str, int], reference: Reference | None) -> Expectation | None:
    """The expected figures of a run; None when it scored no customers.

    `levels` are the run's counts level:<level> and millionths:<level> (summed probability): customers at high risk or above count as
    predicted churners.
    """
    if not tally.customers:
        return None
    left = [millionths / _MILLION for millionths in tally.chances]
    stayed = [count - churned for count, churned in zip(tally.scores, left, strict=True)]
    called = sum(levels.get(f"level:{level}", 0) for level in CALLED)
    hits = sum(levels.get(f"millionths:{level}", 0) for level in CALLED) / _MILLION
    churners = sum(left)
    mean = [churned / count if count else 0.0 for count, churned in zip(tally.scores, left, strict=True)]
    auc = binned_auc(left, stayed)
    sampling_error = calibration_error = auc_interval = None
    if auc is not None:
        sampling_error = _outcome_error(left, stayed, auc)
        calibration_error = _calibration_error(tally.scores, mean, reference)
        auc_interval = interval(auc, sqrt(sampling_error**2 + (calibration_error or 0.0) ** 2))
    return Expectation(
        customers=tally.customers,
        churners=churners,
        true_positives=hits,
        false_positives=called - hits,
        false_negatives=churners - hits,
        true_negatives=tally.customers - called - (churners - hits),
        brier=sum(count * p * (1 - p) for count, p in zip(tally.scores, mean, strict=True)) / tally.customers,
        log_loss=sum(count * _entropy(p) for count, p in zip(tally.scores, mean, strict=True)) / tally.customers,
        roc_auc=auc,
        roc_auc_interval=auc_interval,
        sampling_error=sampling_error,
        calibration_error=calibration_error,
        churners_interval=churners_interval(tally.scores, mean, reference),
    )


def churners_interval(scores: Sequence[int], mean: Sequence[float], reference: Reference | None) -> Interval:
    """The 95% interval of the number of customers who will leave; it holds the sum of the probabilities.

    scores: customers by bin of probability. mean: the mean probability of each bin. The interval is around the sum of the recalibrated
    probabilities p (see `learning.recalibration`). Its variance is that of the outcomes, Σ p(1 − p), plus that of the recalibration by the
    delta method. It is normal in the square root of the number, as for a count. Without a reference only the outcomes vary.
    """
    found = _recalibration(reference)
    expected = variance = by_level = by_slope = 0.0
    for count, p in zip(scores, mean, strict=True):
        if not count:
            continue
        beyond = _logit(p) - found["centre"]
        chance = 1 / (1 + exp(-_logit(p) - found["level"] - found["slope"] * beyond))
        expected, variance = expected + count * chance, variance + count * chance * (1 - chance)
        by_level, by_slope = by_level + count * chance * (1 - chance), by_slope + count * chance * (1 - chance) * beyond
    variance += by_level**2 * found["level_variance"] + by_slope**2 * found["slope_variance"]
    variance += 2 * by_level * by_slope * found["covariance"]
    total = sum(count * p for count, p in zip(scores, mean, strict=True))
    root, reach = sqrt(expected), Z / 2 * sqrt(variance / expected)
    return {"low": min(total, max(0.0, root - reach) ** 2), "high": max(total, min(sum(scores), (root + reach) ** 2))}


def _recalibration(reference: Reference | None) -> Recalibration:
    """The stored one; for a version without, that of a perfect calibration with the information of its held-out rows."""
    if reference and "recalibration" in reference:
        return reference["recalibration"]
    centre = level_variance = slope_variance = 0.0
    first, both, second = _information(reference)
    if first * second - both**2 > _LEAST_DETERMINANT:
        centre, level_variance, slope_variance = both / first, 1 / first, 1 / (second - both**2 / first)
    variances = {"level_variance": level_variance, "slope_variance": slope_variance, "covariance": 0.0}
    return cast("Recalibration", {"centre": centre, "level": 0.0, "slope": 0.0, **variances})


def _information(reference: Reference | None) -> tuple[float, float, float]:
    """The Fisher information of the held-out rows in Cox's model at (0, 1): of a, of a and b, and of b."""
    first = both = second = 0.0
    for count, p in zip(reference["score"]["counts"] if reference else [], SCORE_MIDDLES, strict=False):
        weight = count * p * (1 - p)
        first, both, second = first + weight, both + weight * _logit(p), second + weight * _logit(p) ** 2
    return first, both, second


def _outcome_error(left: Sequence[float], stayed: Sequence[float], auc: float) -> float:
    """Standard error of the AUC that outcomes drawn from the probabilities will show.

    By the delta method: the variance is the sum over customers of p (1 - p) (dAUC/dy)². Here y is the customer's outcome, P and N are
    the expected numbers of churners and stayers, and dAUC/dy = (stayers below - churners above - AUC (N - P)) / (P N); ties count half.
    """
    churners, stayers = sum(left), sum(stayed)
    variance = below_left = below_stayed = 0.0
    for churned, others in zip(left, stayed, strict=True):
        count = churned + others
        if count:
            change = below_stayed + others / 2 - (churners - below_left - churned / 2) - auc * (stayers - churners)
            variance += churned * others / count * (change / (churners * stayers)) ** 2
        below_left += churned
        below_stayed += others
    return sqrt(variance)


def _calibration_error(scores: Sequence[int], mean: Sequence[float], reference: Reference | None) -> float | None:
    """Standard error of the estimate that comes from estimating the calibration on the held-out rows.

    Cox's model of calibration (Biometrika 45, 1958) is logit(true p) = a + b logit(p). The covariance of a and b is the inverse of the
    Fisher information of the held-out rows at (0, 1); the gradient of the estimate in a and b turns it into a variance of the estimate.
    """
    first, both, second = _information(reference)
    determinant = first * second - both**2
    if determinant <= _LEAST_DETERMINANT:
        return None
    by_a = (_moved(scores, mean, _STEP, 1.0) - _moved(scores, mean, -_STEP, 1.0)) / (2 * _STEP)
    by_b = (_moved(scores, mean, 0.0, 1 + _STEP) - _moved(scores, mean, 0.0, 1 - _STEP)) / (2 * _STEP)
    return sqrt(max(0.0, (by_a**2 * second - 2 * by_a * by_b * both + by_b**2 * first) / determinant))


def _moved(scores: Sequence[int], mean: Sequence[float], a: float, b: float) -> float:
    """The estimate with log-odds of a + b times the present ones."""
    chances = [1 / (1 + exp(-a - b * _logit(p))) for p in mean]
    left = [count * chance for count, chance in zip(scores, chances, strict=True)]
    return binned_auc(left, [count - churned for count, churned in zip(scores, left, strict=True)]) or 0.0


def _logit(p: float) -> float:
    within = min(max(p, 1e-9), 1 - 1e-9)
    return log(within / (1 - within))


def _entropy(p: float) -> float:
    return -sum(q * log(q) for q in (p, 1 - p) if q > 0)
