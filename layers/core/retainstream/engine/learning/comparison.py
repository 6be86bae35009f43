"""A paired comparison of a candidate with another model on the same rows, and the margins within which it counts as equal."""

from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np
from scipy.stats import norm

from retainstream.engine.learning.customer_errors import customers, error_of_sum
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.delong import auc_and_error, placements
from retainstream.engine.learning.metrics import Floats, Outcomes, log_loss, roc_auc, row_log_losses
from retainstream.engine.learning.shares import Z

MOST_OF_AUC, MOST_OF_LOG_LOSS = 0.05, 0.10
"""The largest shares that may be lost of the champion's gain over chance in AUC, and over the base rate in log loss.

Both describe the same loss: the gain in AUC grows with the distance of churners and stayers, the gain in log loss with its square. With 100
churners an equal candidate proves it in two of three cases. A share of 2% in log loss would need more than 1,000 churners.
"""

_ONE_SIDED = 1.644854
"""Standard deviations between a value and its 95% bound."""


class DifferenceDocument(TypedDict):
    """A `Difference` as JSON. Versions of earlier releases lack the interval."""

    difference: float
    standard_error: float
    chance: float
    low: NotRequired[float]
    high: NotRequired[float]


class ComparisonDocument(TypedDict):
    """A `Comparison` as JSON."""

    rows: int
    roc_auc: DifferenceDocument
    log_loss: DifferenceDocument


@dataclass(frozen=True)
class Difference:
    """Candidate minus champion on the same rows, its standard error, and the chance of a difference this bad if both were equal."""

    value: float
    error: float
    chance: float

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.value - Z * self.error

    @property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return self.value + Z * self.error

    @property
    def at_least(self) -> float:
        """The one-sided lower 95% bound."""
        return self.value - _ONE_SIDED * self.error

    @property
    def at_most(self) -> float:
        """The one-sided upper 95% bound."""
        return self.value + _ONE_SIDED * self.error

    def document(self) -> DifferenceDocument:
        return {
            "difference": self.value,
            "standard_error": self.error,
            "chance": self.chance,
            "low": self.low,
            "high": self.high,
        }

    def __str__(self) -> str:
        return f"{self.value:+.4f} (95% interval {self.low:+.4f} to {self.high:+.4f})"


@dataclass(frozen=True)
class Comparison:
    """A paired comparison with the champion on the held-out rows."""

    rows: int
    auc: Difference
    log_loss: Difference

    @property
    def better(self) -> bool:
        """Whether the candidate is better in AUC or in log loss, beyond chance: 2.5% each, so at most 5% for an equal candidate."""
        return self.auc.low > 0 or self.log_loss.high < 0

    def document(self) -> ComparisonDocument:
        return {"rows": self.rows, "roc_auc": self.auc.document(), "log_loss": self.log_loss.document()}


@dataclass(frozen=True)
class Margins:
    """The largest allowed losses of AUC and of log loss."""

    auc: float
    log_loss: float

    @classmethod
    def of(cls, churned: Outcomes, champion: Floats, share: float = 1.0) -> "Margins":
        """A share of `MOST_OF_AUC` and `MOST_OF_LOG_LOSS` of the champion's gains on these rows."""
        base_rate = np.full(len(churned), churned.mean())
        gained = log_loss(churned, base_rate) - log_loss(churned, champion)
        return cls(
            auc=share * MOST_OF_AUC * max(0.0, roc_auc(churned, champion) - 0.5),
            log_loss=share * MOST_OF_LOG_LOSS * max(0.0, gained),
        )

    def hold(self, comparison: Comparison) -> bool:
        """Whether the losses stay within the margins by their 95% bounds: non-inferiority."""
        return comparison.auc.at_least >= -self.auc and comparison.log_loss.at_most <= self.log_loss


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


def _lower_tail(value: float, error: float) -> float:
    if error == 0.0:
        return 0.0 if value < 0 else 1.0
    return float(norm.cdf(value / error))
