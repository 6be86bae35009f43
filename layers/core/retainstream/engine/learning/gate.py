"""The gate: whether a candidate is sound, and whether it replaces the champion.

The champion stays unless the candidate is better, or the champion is old and the candidate loses little. Both must be proven: on few rows
no proof that a candidate is worse is no proof that it is as good.
"""

from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.calibration_check import checked
from retainstream.engine.learning.comparison import Comparison, ComparisonDocument, Margins, compare
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.delong import FEWEST, auc_interval, fewest_of_an_outcome
from retainstream.engine.learning.doubts import doubts_about
from retainstream.engine.learning.metrics import Floats, Outcomes, gain, roc_auc

FEWEST_CHURNERS = FEWEST
"""Churners among the held-out customers that the gate needs. With five, the standard error is so uncertain that twice as many candidates as
the bound promises pass it; with ten the interval of an AUC begins to cover what it should."""

YEAR = 365
"""Days for which a champion's ranking is a standard. A champion that lags behind by so many days of outcomes is replaced by any sound
candidate."""


class VerdictDocument(TypedDict):
    """A `Verdict` as JSON."""

    passed: bool
    reasons: list[str]
    held_back: list[str]
    comparison: ComparisonDocument | None
    notes: list[str]
    doubts: list[str]


@dataclass(frozen=True)
class Standard:
    """The champion that a candidate is compared with on the held-out rows.

    probabilities: float64 (n,). comparable: the rows whose outcomes it has not learned, bool (n,); all if None. lag: days of outcomes that
    the candidate has learned and the champion has not. old_after: the lag from which an equal candidate replaces it. earlier:
    probabilities (n,) of other champions of the last year that have not learned the comparable rows.
    """

    probabilities: Floats
    comparable: NDArray[np.bool_] | None = None
    lag: int = 0
    old_after: int = 28
    earlier: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate is sound, and whether it goes into service.

    reasons: a sentence for each fault; with a fault a version cannot go into service. held_back: why a sound version does not go into
    service by itself. An administrator may put it there. doubts: whether its AUC is too good to be believed, or no better than chance.
    """

    passed: bool
    reasons: list[str]
    comparison: Comparison | None = None
    notes: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def into_service(self) -> bool:
        return self.passed and not self.held_back

    def document(self) -> VerdictDocument:
        return {
            "passed": self.passed,
            "reasons": self.reasons,
            "held_back": self.held_back,
            "comparison": self.comparison.document() if self.comparison else None,
            "notes": self.notes,
            "doubts": self.doubts,
        }


def judge(
    churned: Outcomes,
    candidate: Floats,
    champion: Standard | None,
    *,
    target_auc: float = 0.0,
    parity_passed: bool,
    alarms: list[str],
    linear_auc: float | None = None,
    cross_fitted: Interval | None = None,
    keys: Keys | None = None,
) -> Verdict:
    """The verdict on a candidate's probabilities for the held-out rows.

    A sound candidate reaches the target AUC, where there is one (not 0), passes the calibration check, agrees with shap, has no alarms, and
    is not proven worse than the champion by more than the `Margins`. If the champion fails the calibration check, too, it need not
    pass it: the level has moved since both learned. A linear model that does better is only noted.

    A sound candidate replaces the champion if it is better by the 95% interval and within the margins by the 95% bounds, or if the champion
    is old and it is within them. The margins of an old champion grow with its lag, up to twice `old_after`. Nor may it rank worse than the
    best champion of the last year by more than the margin. Without a champion, the 95% interval of its AUC must exclude chance.

    cross_fitted: of a small table, the AUC's interval over all rows. It decides about a first model where the held-out rows have too few
    churners; it comes second, since the settings were chosen on the same rows.
    keys: the rows' customers, for the tests of the differences.
    """
    if not np.isfinite(candidate).all():
        return Verdict(False, ["Some probabilities are not finite numbers."])
    auc = roc_auc(churned, candidate)
    reasons = [f"Alarm: {alarm}" for alarm in alarms]
    notes = _abilities(churned, candidate, keys)
    if target_auc and not auc >= target_auc:
        reasons.append(f"ROC AUC {auc:.3f} is below the target of {target_auc:.3f}.")
    if not parity_passed:
        reasons.append("The reasons differ from those of the shap package.")
    if linear_auc is not None and auc < linear_auc:
        notes.append(f"A linear model reaches ROC AUC {linear_auc:.3f} on the same rows, the candidate {auc:.3f}.")
    calibration = checked(churned, candidate, keys)
    interval = auc_interval(churned, candidate, keys)
    doubts = doubts_about(auc, interval, cross_fitted)
    duel = None if champion is None else _Duel.of(churned, candidate, champion, keys)
    if calibration.passed:
        pass
    elif duel and not duel.champion_calibrated:
        notes += ["The probabilities fail the calibration check, and so do the champion's on the same rows.", *calibration.sentences]
    else:
        reasons += calibration.sentences
    if duel is None:
        unproven = _no_better_than_chance(churned, keys, interval or cross_fitted)
        return Verdict(not reasons, reasons, None, notes, [] if reasons else unproven, doubts)
    if duel.comparison:
        reasons += _worse(duel.comparison, Margins.of(duel.churned, duel.champion))
    held_back = [] if reasons else duel.champion_stays()
    return Verdict(not reasons, reasons, duel.comparison, notes, held_back, doubts)


@dataclass(frozen=True)
class _Duel:
    """Candidate and champion on the rows on which they are comparable. comparison: None with too few churners for one."""

    churned: Outcomes
    candidate: Floats
    champion: Floats
    keys: Keys | None
    standard: Standard
    comparison: Comparison | None
    champion_calibrated: bool

    @classmethod
    def of(cls, churned: Outcomes, candidate: Floats, standard: Standard, keys: Keys | None) -> "_Duel":
        rows = np.ones(len(churned), dtype=bool) if standard.comparable is None else standard.comparable
        outcomes, first, second = churned[rows], candidate[rows], standard.probabilities[rows]
        same = None if keys is None else keys[rows]
        if fewest_of_an_outcome(outcomes, same) < FEWEST_CHURNERS:
            return cls(outcomes, first, second, same, standard, None, True)
        comparison, calibration = compare(outcomes, first, second, same), checked(outcomes, second, same)
        return cls(outcomes, first, second, same, standard, comparison, calibration.passed)

    def champion_stays(self) -> list[str]:
        """The reasons why the champion stays; none if the candidate replaces it."""
        if self.comparison is None:
            return [f"The champion stays: {_too_few(self.churned, self.keys)}"]
        lag, old_after = self.standard.lag, self.standard.old_after
        if lag >= YEAR:
            return []
        most = Margins.of(self.churned, self.champion)
        if not (self.comparison.better and most.hold(self.comparison)):
            if lag < old_after:
                return [_no_proof(self.comparison), _when_due(lag, old_after)]
            allowed = Margins.of(self.churned, self.champion, min(1.0, lag / (2 * old_after)) if old_after else 1.0)
            if not allowed.hold(self.comparison):
                return [_no_proof(self.comparison), _may_lose(self.comparison, allowed, lag)]
        return self._behind_an_earlier()

    def _behind_an_earlier(self) -> list[str]:
        """Steps within the margin would add up to a large loss. The level of an earlier model is that of its time, so only AUC counts."""
        rows = self.standard.comparable
        earlier = [probabilities if rows is None else probabilities[rows] for probabilities in self.standard.earlier]
        best = max([self.champion, *earlier], key=lambda probabilities: roc_auc(self.churned, probabilities))
        if best is self.champion:
            return []
        allowed = Margins.of(self.churned, best).auc
        least = compare(self.churned, self.candidate, best, self.keys).auc.at_least
        if least >= -allowed:
            return []
        return [
            f"The champion stays: on these rows the ROC AUC of this version may be {-least:.4f} below that of the best champion of the "
            f"last year, and {allowed:.4f} is allowed."
        ]


def _abilities(churned: Outcomes, candidate: Floats, keys: Keys | None) -> list[str]:
    """What the candidate can and cannot do, in words."""
    interval = auc_interval(churned, candidate, keys)
    if interval is None:
        return []
    share, riskiest = gain(churned, candidate, 10)[0]["found"], max(1, round(len(churned) / 10))
    left = share * float(churned.sum()) / riskiest
    return [
        f"Of a churner and a customer who stayed, it gives the churner the higher probability in {roc_auc(churned, candidate):.0%} of the "
        f"pairs (95% interval {interval.low:.0%} to {interval.high:.0%}); chance is 50%.",
        f"The riskiest tenth of the held-out customers holds {share:.0%} of the churners, {10 * share:.1f} times their share.",
        f"It orders a call list. It does not say who will leave: {left:.0%} of the riskiest tenth left, {churned.mean():.1%} of everybody.",
    ]


def _no_better_than_chance(churned: Outcomes, keys: Keys | None, interval: Interval | None) -> list[str]:
    """Why a sound candidate without a champion to compare it with does not go into service. interval: of its AUC."""
    if interval is None:
        return [f"There is no proof that this version ranks better than chance: {_too_few(churned, keys)}"]
    if interval.low > 0.5:
        return []
    return [
        "There is no proof that this version ranks better than chance: the 95% interval of its ROC AUC, "
        f"{interval.low:.3f} to {interval.high:.3f}, contains 0.5. Train again with more known outcomes, or with columns that say more "
        "about why customers leave."
    ]


def _too_few(churned: Outcomes, keys: Keys | None) -> str:
    fewest, left = fewest_of_an_outcome(churned, keys), bool(churned.sum() <= len(churned) / 2)
    return (
        f"only {fewest:,} of the held-out customers {'left' if left else 'stayed'}, and a judgement needs {FEWEST_CHURNERS}. Train again "
        "with more known outcomes. An administrator may put this version into service all the same."
    )


def _worse(comparison: Comparison, allowed: Margins) -> list[str]:
    auc, loss = comparison.auc, comparison.log_loss
    reasons = []
    for name, value, least, most, side in (
        ("ROC AUC", -auc.value, -auc.high, allowed.auc, "below"),
        ("Log loss", loss.value, loss.low, allowed.log_loss, "above"),
    ):
        if least > most:
            reasons.append(
                f"{name} is {value:.4f} {side} the champion's on the same rows, with 97.5% confidence at least {least:.4f}; "
                f"{most:.4f} is allowed."
            )
    return reasons


def _no_proof(comparison: Comparison) -> str:
    return (
        "The champion stays: there is no proof that this version is better. Differences on the same "
        f"{comparison.rows:,} rows: ROC AUC {comparison.auc}, log loss {comparison.log_loss}."
    )


def _when_due(lag: int, old_after: int) -> str:
    lags = f"this one lags by {max(0, lag)} days"
    return f"An equal version replaces a champion that has learned no outcome of the last {old_after} days; {lags}."


def _may_lose(comparison: Comparison, allowed: Margins, lag: int) -> str:
    return (
        f"The champion has learned no outcome of the last {lag} days, so an equal version would replace it. But this one may lose "
        f"{max(0.0, -comparison.auc.at_least):.4f} of ROC AUC, where {allowed.auc:.4f} is allowed, and "
        f"{max(0.0, comparison.log_loss.at_most):.4f} of log loss, where {allowed.log_loss:.4f} is allowed."
    )
