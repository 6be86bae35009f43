"""How good the predictions ought to be, before any outcome is known.

Confidence-based performance estimation (CBPE), the method that NannyML publishes: a calibrated probability p says how often such a
customer leaves, so every count of a confusion matrix, and every figure made of them, has an expected value. It assumes that the
probabilities stay calibrated: customers may change (their features' distribution), what features say about churn may not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import exp, log, sqrt
from typing import Any

from retainstream.engine.monitoring.binned_auc import binned_auc, interval
from retainstream.engine.monitoring.score_bins import SCORE_MIDDLES
from retainstream.engine.monitoring.tally import Tally

_CALLED = ("high", "critical")
_MILLION = 1_000_000
_STEP = 1e-4


@dataclass(frozen=True)
class Expectation:
    """Expected figures of the customers of one run, who are `customers`.

    roc_auc is None while there is nobody, or no doubt about anybody. Its 95 % interval is for the AUC that these customers' outcomes
    will show; sampling_error and calibration_error are the standard errors it is made of (the latter None without a reference).
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
    roc_auc_interval: dict[str, float] | None
    sampling_error: float | None
    calibration_error: float | None

    def document(self) -> dict[str, Any]:
        return asdict(self)


def expectation(tally: Tally, levels: Mapping[str, int], reference: Mapping[str, Any] | None) -> Expectation | None:
    """The expected figures of a run; None when it scored nobody.

    `levels` are the run's counts level:<level> and millionths:<level> (summed probability), which tell exactly who is called a churner.
    """
    if not tally.customers:
        return None
    left = [millionths / _MILLION for millionths in tally.chances]
    stayed = [count - gone for count, gone in zip(tally.scores, left, strict=True)]
    called = sum(levels.get(f"level:{level}", 0) for level in _CALLED)
    hits = sum(levels.get(f"millionths:{level}", 0) for level in _CALLED) / _MILLION
    churners = sum(left)
    mean = [gone / count if count else 0.0 for count, gone in zip(tally.scores, left, strict=True)]
    auc = binned_auc(left, stayed)
    drawn = calibrated = within = None
    if auc is not None:
        drawn = _outcome_error(left, stayed, auc)
        calibrated = _calibration_error(tally.scores, mean, reference)
        within = interval(auc, sqrt(drawn**2 + (calibrated or 0.0) ** 2))
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
        roc_auc_interval=within,
        sampling_error=drawn,
        calibration_error=calibrated,
    )


def _outcome_error(left: Sequence[float], stayed: Sequence[float], auc: float) -> float:
    """Standard error of the AUC that outcomes drawn from the probabilities will show.

    By the delta method: the variance is the sum over customers of p (1 - p) (dAUC/dy)², where y is whether one left and, with P and N
    those expected to leave and to stay, dAUC/dy = (stayed below - left above - AUC (N - P)) / (P N), equals counting half.
    """
    gone, here = sum(left), sum(stayed)
    variance = below_left = below_stayed = 0.0
    for churners, others in zip(left, stayed, strict=True):
        count = churners + others
        if count:
            change = below_stayed + others / 2 - (gone - below_left - churners / 2) - auc * (here - gone)
            variance += churners * others / count * (change / (gone * here)) ** 2
        below_left += churners
        below_stayed += others
    return sqrt(variance)


def _calibration_error(scores: Sequence[int], mean: Sequence[float], reference: Mapping[str, Any] | None) -> float | None:
    """Standard error of the estimate that comes from knowing the calibration only as well as the held-out rows tell it.

    Cox's model of calibration (Biometrika 45, 1958) is logit(true p) = a + b logit(p). The held-out rows determine a and b up to the
    inverse of their Fisher information at (0, 1), and the estimate's gradient in a and b carries that over.
    """
    held_out = reference["score"]["counts"] if reference else []
    first = second = both = 0.0
    for count, p in zip(held_out, SCORE_MIDDLES, strict=False):
        weight = count * p * (1 - p)
        first, both, second = first + weight, both + weight * _logit(p), second + weight * _logit(p) ** 2
    determinant = first * second - both**2
    if determinant <= 1e-9:
        return None
    by_a = (_moved(scores, mean, _STEP, 1.0) - _moved(scores, mean, -_STEP, 1.0)) / (2 * _STEP)
    by_b = (_moved(scores, mean, 0.0, 1 + _STEP) - _moved(scores, mean, 0.0, 1 - _STEP)) / (2 * _STEP)
    return sqrt(max(0.0, (by_a**2 * second - 2 * by_a * by_b * both + by_b**2 * first) / determinant))


def _moved(scores: Sequence[int], mean: Sequence[float], a: float, b: float) -> float:
    """The estimate if the log-odds were a + b times what they are."""
    chances = [1 / (1 + exp(-a - b * _logit(p))) for p in mean]
    left = [count * chance for count, chance in zip(scores, chances, strict=True)]
    return binned_auc(left, [count - gone for count, gone in zip(scores, left, strict=True)]) or 0.0


def _logit(p: float) -> float:
    within = min(max(p, 1e-9), 1 - 1e-9)
    return log(within / (1 - within))


def _entropy(p: float) -> float:
    return -sum(q * log(q) for q in (p, 1 - p) if q > 0)
