"""The gate: whether a candidate may go into service."""

from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from retainstream.engine.learning.customer_errors import customers, error_of_sum
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.delong import auc_and_error, placements
from retainstream.engine.learning.metrics import Floats, Outcomes, ece, roc_auc, row_log_losses

AUC_MARGIN = 0.005
LOG_LOSS_MARGIN = 0.005
CHANCE = 0.10
"""A difference beyond the margin counts if the paired test gives a chance below this for equal models."""

ECE_LIMIT = 0.05
"""Allowed calibration error above the error that sampling explains."""


class DifferenceDocument(TypedDict):
    """A `Difference` as JSON."""

    difference: float
    standard_error: float
    chance: float


class ComparisonDocument(TypedDict):
    """A `Comparison` as JSON."""

    rows: int
    roc_auc: DifferenceDocument
    log_loss: DifferenceDocument


class VerdictDocument(TypedDict):
    """A `Verdict` as JSON."""

    passed: bool
    reasons: list[str]
    comparison: ComparisonDocument | None
    notes: list[str]


@dataclass(frozen=True)
class Difference:
    """Candidate minus champion on the same rows, its standard error, and the chance of a difference this bad if both were equal."""

    value: float
    error: float
    chance: float

    def document(self) -> DifferenceDocument:
        return {"difference": self.value, "standard_error": self.error, "chance": self.chance}


@dataclass(frozen=True)
class Comparison:
    """A paired comparison with the champion on the held-out rows."""

    rows: int
    auc: Difference
    log_loss: Difference

    def document(self) -> ComparisonDocument:
        return {"rows": self.rows, "roc_auc": self.auc.document(), "log_loss": self.log_loss.document()}


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate passes, with a sentence for each reason against it."""

    passed: bool
    reasons: list[str]
    comparison: Comparison | None = None
    notes: list[str] = field(default_factory=list)

    def document(self) -> VerdictDocument:
        compared = self.comparison.document() if self.comparison else None
        return {"passed": self.passed, "reasons": self.reasons, "comparison": compared, "notes": self.notes}


def compare(churned: Outcomes, candidate: Floats, champion: Floats, keys: Keys | None = None) -> Comparison:
    """Tests candidate against champion on the same rows: AUC by DeLong, DeLong and Clarke-Pearson (1988), log loss by the paired z-test.

    Where `keys` repeat, rows of one customer are not independent, and both tests go by customers: AUC as Obuchowski (1997), log loss with
    the standard error of a sum over customers.
    """
    losses = row_log_losses(churned, candidate) - row_log_losses(churned, champion)
    customer_of = customers(keys)
    loss_error = error_of_sum((losses - losses.mean()) / len(losses), customer_of)
    gained, gained_error = auc_and_error(churned, placements(churned, candidate) - placements(churned, champion), customer_of)
    return Comparison(
        rows=len(churned),
        auc=Difference(gained, gained_error, _lower_tail(gained, gained_error)),
        log_loss=Difference(float(losses.mean()), loss_error, _lower_tail(-float(losses.mean()), loss_error)),
    )


def judge(
    churned: Outcomes,
    candidate: Floats,
    champion: Floats | None,
    *,
    target_auc: float,
    parity_passed: bool,
    alarms: list[str],
    calibration_noise: float,
    linear_auc: float | None = None,
    comparable: NDArray[np.bool_] | None = None,
    keys: Keys | None = None,
) -> Verdict:
    """The verdict on a candidate's probabilities for the held-out rows.

    It must reach the target AUC, be calibrated up to sampling error, agree with shap and have no alarms, and it must not be worse than
    the champion by more than the margins and by more than chance. A linear model that does better is only noted.

    comparable: the rows on which the champion may be compared, bool (n,), since it learned from none of their outcomes; all if None.
    keys: the rows' customers, for the tests of the differences.
    """
    if not np.isfinite(candidate).all():
        return Verdict(False, ["Some probabilities are not finite numbers."])
    auc = roc_auc(churned, candidate)
    reasons = [f"Alarm: {alarm}" for alarm in alarms]
    notes = []
    if not auc >= target_auc:
        reasons.append(f"ROC AUC {auc:.3f} is below the target of {target_auc:.3f}.")
    error, limit = ece(churned, candidate), ECE_LIMIT + calibration_noise
    if error > limit:
        reasons.append(f"Calibration error {error:.3f} is above {limit:.3f}.")
    if not parity_passed:
        reasons.append("The reasons differ from those of the shap package.")
    if linear_auc is not None and auc < linear_auc:
        notes.append(f"A linear model reaches ROC AUC {linear_auc:.3f} on the same rows, the candidate {auc:.3f}.")
    comparison = None
    if champion is not None:
        same = np.ones(len(churned), dtype=bool) if comparable is None else comparable
        comparison = compare(churned[same], candidate[same], champion[same], None if keys is None else keys[same])
        reasons += _worse(comparison)
    return Verdict(not reasons, reasons, comparison, notes)


def _worse(comparison: Comparison) -> list[str]:
    reasons = []
    if -comparison.auc.value > AUC_MARGIN and comparison.auc.chance < CHANCE:
        reasons.append(f"ROC AUC is {-comparison.auc.value:.4f} below the champion's on the same rows; at most {AUC_MARGIN} is allowed.")
    if comparison.log_loss.value > LOG_LOSS_MARGIN and comparison.log_loss.chance < CHANCE:
        reasons.append(
            f"Log loss is {comparison.log_loss.value:.4f} above the champion's on the same rows; at most {LOG_LOSS_MARGIN} is allowed."
        )
    return reasons


def _lower_tail(value: float, error: float) -> float:
    if error == 0.0:
        return 0.0 if value < 0 else 1.0
    return float(norm.cdf(value / error))
