"""Missing values that are related to the outcome, by exact tests: they hold on small tables and for rates of 0 and 1 too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.traps.evidence import Cell, Outcome
from retainstream.engine.traps.leaks import share

FALSE_ALARMS = 0.01
"""The chance that any of the compared gaps is called telling where none is related to the outcome."""

_TELLING_RATIO = 2.0
_GIVEAWAY_RATIO = 20.0
_GIVEAWAY_RATE = 0.5
_COVERED = 0.10


@dataclass(frozen=True)
class Gap:
    """The rows without a value (`missing`) and with a value (`known`) of a column; neither is empty."""

    missing: Cell
    known: Cell

    @classmethod
    def of(cls, missing: NDArray[np.bool_], outcome: Outcome) -> "Gap | None":
        """The gap of a column from whether each row with a known outcome (n,) lacks a value. None where all rows do, or none does."""
        rows, churned = int(missing.sum()), int(outcome.churned[missing].sum())
        if not 0 < rows < len(outcome):
            return None
        return cls(Cell("", rows, churned), Cell("", len(outcome) - rows, outcome.positives - churned))

    @property
    def leaving(self) -> Cell:
        """The side with the higher churn rate."""
        return max(self.missing, self.known, key=lambda cell: cell.rate)

    @property
    def odds_ratio(self) -> float:
        """Odds of leaving without a value, as a multiple of those with a value; half a row is added to each count (Haldane, 1956)."""
        left, stayed = self.missing.churned + 0.5, self.missing.rows - self.missing.churned + 0.5
        others_left, others_stayed = self.known.churned + 0.5, self.known.rows - self.known.churned + 0.5
        return left * others_stayed / (stayed * others_left)

    def tells(self, comparisons: int) -> bool:
        """Whether the odds of leaving differ twofold or more, and not by chance.

        By Fisher's exact test (two-sided, at FALSE_ALARMS / comparisons), and by the exact conditional 99% limit of the odds ratio.
        """
        return 2 * self._chance(1.0) < FALSE_ALARMS / comparisons and 2 * self._chance(_TELLING_RATIO) < FALSE_ALARMS

    def gives_away(self, comparisons: int) -> bool:
        """Whether the gap tells so much that it was probably made by leaving.

        Most customers of one side left, by Wilson's lower bound; their odds are 20 times those of the other side or more, by the exact
        conditional 99% limit; and they are a tenth or more of all who left.
        """
        side, positives = self.leaving, self.missing.churned + self.known.churned
        most_left = side.lower_rate >= _GIVEAWAY_RATE and side.churned >= _COVERED * positives
        return most_left and self.tells(comparisons) and 2 * self._chance(_GIVEAWAY_RATIO) < FALSE_ALARMS

    def _chance(self, ratio: float) -> float:
        """The chance of so many or more leavers on the side with the higher rate, if its odds of leaving are `ratio` times the other's.

        Given all totals their number has Fisher's noncentral hypergeometric distribution, for a ratio of 1 the hypergeometric one.
        """
        side, positives = self.leaving, self.missing.churned + self.known.churned
        rows = self.missing.rows + self.known.rows
        least, most = max(0, side.rows + positives - rows), min(side.rows, positives)
        counts = np.arange(least, most, dtype=np.float64)
        steps = np.log((side.rows - counts) * (positives - counts) * ratio / ((counts + 1) * (rows - side.rows - positives + counts + 1)))
        logs = np.concatenate([[0.0], np.cumsum(steps)])
        weights = np.exp(logs - logs.max())
        return float(weights[side.churned - least :].sum() / weights.sum())


def gap_in_words(gap: Gap) -> str:
    """The churn rates without and with a value."""
    missing, known = gap.missing, gap.known
    return (
        f"{share(missing.churned, missing.rows)} of the {missing.rows:,} customers without a value left, "
        f"{share(known.churned, known.rows)} of the {known.rows:,} with a value"
    )
