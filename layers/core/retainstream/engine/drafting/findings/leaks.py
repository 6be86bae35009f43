"""Columns that know the outcome: they tell it almost alone, or are filled in because of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from retainstream.engine.drafting.evidence import Auc, Cell, Outcome, cells_of, log_odds_ratio, single_column_auc
from retainstream.engine.drafting.findings.finding import Finding, share
from retainstream.engine.drafting.names import speaks_of_leaving
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.binding import some_of

FEWEST = 20
"""Customers of either outcome below which nothing is called a leak."""

_AUC, _LOWER = 0.90, 0.87
_AUC_BY_NAME, _LOWER_BY_NAME = 0.80, 0.75
_PURE, _LOWER_PURE = 0.97, 0.85
_COVERED = 0.10
_USUAL = 0.60
_ODDS = math.log(2.0)
_FALSE_ALARM = 0.01
_FEWEST_MISSING = 10


@dataclass(frozen=True)
class Suspicion:
    """Why a column is suspected."""

    auc: Auc
    pure: Cell | None
    by_name: bool

    def sentence(self, profile: Profile, outcome: Outcome) -> str:
        """The evidence, in a sentence."""
        said = f"alone it ranks customers with an AUC of {self.auc.value:.3f} (at least {self.auc.lower:.3f} with 95 % confidence)"
        if self.pure:
            where = f'where it is "{self.pure.name}"' if self.pure.name else "where it is missing"
            said = (
                f"{self.pure.churned:,} of {self.pure.rows:,} customers {where} left, {share(self.pure.churned, outcome.positives)} of all "
                f"who left (churn rate {share(outcome.positives, len(outcome))}); {said}"
            )
        if self.by_name:
            said += f", and its name speaks of the outcome ({profile.name})"
        return said


def suspicion_of(profile: Profile, outcome: Outcome, label: str) -> Suspicion | None:
    """Whether a column tells the outcome almost alone.

    Suspected is a column with a cross-fitted AUC of at least 0.90 (0.80 when its name speaks of leaving) that is surely above 0.87
    (0.75); and one with a value that nearly everybody who has it left, when these are a tenth or more of all who left.
    """
    if min(outcome.positives, outcome.negatives) < FEWEST:
        return None
    auc = single_column_auc(profile, outcome)
    named = speaks_of_leaving(profile.name, label)
    pure = _purest(profile, outcome)
    strong = auc.value >= _AUC and auc.lower >= _LOWER
    by_name = named and auc.value >= _AUC_BY_NAME and auc.lower >= _LOWER_BY_NAME
    return Suspicion(auc, pure, by_name and not strong) if strong or by_name or pure else None


def leaks(profiles: Iterable[Profile], outcome: Outcome, label: str) -> dict[str, Finding]:
    """A finding for each suspected column."""
    found = {}
    for profile in profiles:
        suspicion = suspicion_of(profile, outcome, label)
        if suspicion:
            text = f"{profile.name} predicts {label} almost alone: {suspicion.sentence(profile, outcome)}"
            evidence: dict[str, float | int | str] = {"auc": round(suspicion.auc.value, 4), "auc_lower": round(suspicion.auc.lower, 4)}
            if suspicion.pure:
                evidence |= {"value": suspicion.pure.name, "rows": suspicion.pure.rows, "churned": suspicion.pure.churned}
            found[profile.name] = Finding("leak", text, (profile.name,), evidence)
    return found


def telling_gaps(profiles: Iterable[Profile], outcome: Outcome, label: str) -> list[Finding]:
    """Columns whose being missing goes with the outcome: the odds of leaving differ twofold or more, beyond chance.

    Columns that are missing on the same rows are named together.
    """
    gaps: dict[bytes, list[Profile]] = {}
    for profile in profiles:
        if 0 < profile.missing_count < len(profile.text.codes):
            gaps.setdefault(profile.missing[outcome.known].tobytes(), []).append(profile)
    z = NormalDist().inv_cdf(1 - _FALSE_ALARM / (2 * max(len(gaps), 1)))
    found = []
    for together in gaps.values():
        missing = together[0].missing[outcome.known]
        inside = Cell("", int(missing.sum()), int(outcome.churned[missing].sum()))
        there = Cell("", len(outcome) - inside.rows, outcome.positives - inside.churned)
        if min(inside.rows, there.rows) < _FEWEST_MISSING or outcome.positives == 0:
            continue
        ratio, error = log_odds_ratio(inside, outcome)
        if abs(ratio) - z * error < _ODDS:
            continue
        names = tuple(profile.name for profile in together)
        text = (
            f"whether {some_of(names)} {'is' if len(names) == 1 else 'are'} missing predicts {label}: {share(inside.churned, inside.rows)} "
            f"of the {inside.rows:,} customers without left, {share(there.churned, there.rows)} of the {there.rows:,} with. If it is "
            "filled in only after a customer left, set feature: false"
        )
        evidence: dict[str, float | int | str] = {
            "missing": inside.rows,
            "churn_rate_missing": round(inside.rate, 4),
            "churn_rate_present": round(there.rate, 4),
            "odds_ratio": round(math.exp(ratio), 3),
        }
        found.append(Finding("missingness", text, names, evidence))
    return found


def _purest(profile: Profile, outcome: Outcome) -> Cell | None:
    if outcome.rate > _USUAL or profile.holds in ("identifier", "text"):
        return None
    pure = [
        cell
        for cell in cells_of(profile, outcome)
        if cell.rate >= _PURE and cell.lower_rate >= _LOWER_PURE and cell.churned >= _COVERED * outcome.positives
    ]
    return max(pure, key=lambda cell: cell.churned, default=None)
