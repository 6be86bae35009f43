"""Columns that know the outcome: they predict it almost alone, or are filled in because of it."""

import math
from collections.abc import Iterable
from statistics import NormalDist

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.binding import some_of
from retainstream.engine.traps.evidence import Cell, Outcome, log_odds_ratio
from retainstream.engine.traps.leaks import share, suspicion_of

_ODDS = math.log(2.0)
_FALSE_ALARM = 0.01
_FEWEST_MISSING = 10


def leaks(profiles: Iterable[Profile], outcome: Outcome, label: str) -> dict[str, Finding]:
    """A finding for each suspected column."""
    findings = {}
    for profile in profiles:
        suspicion = suspicion_of(profile.coded, outcome, label)
        if suspicion:
            text = f"{profile.name} predicts {label} almost alone: {suspicion.sentence(outcome)}"
            evidence: dict[str, float | int | str] = {"auc": round(suspicion.auc.value, 4), "auc_lower": round(suspicion.auc.lower, 4)}
            if suspicion.pure:
                evidence |= {"value": suspicion.pure.name, "rows": suspicion.pure.rows, "churned": suspicion.pure.churned}
            findings[profile.name] = Finding("leak", text, (profile.name,), evidence)
    return findings


def telling_gaps(profiles: Iterable[Profile], outcome: Outcome, label: str) -> list[Finding]:
    """Columns whose missing values are related to the outcome: the odds of leaving differ twofold or more, beyond chance.

    Columns with the same missing rows are named together.
    """
    gaps: dict[bytes, list[Profile]] = {}
    for profile in profiles:
        if 0 < profile.missing_count < len(profile.text.codes):
            gaps.setdefault(profile.missing[outcome.known].tobytes(), []).append(profile)
    z = NormalDist().inv_cdf(1 - _FALSE_ALARM / (2 * max(len(gaps), 1)))
    findings = []
    for together in gaps.values():
        missing = together[0].missing[outcome.known]
        inside = Cell("", int(missing.sum()), int(outcome.churned[missing].sum()))
        outside = Cell("", len(outcome) - inside.rows, outcome.positives - inside.churned)
        if min(inside.rows, outside.rows) < _FEWEST_MISSING or outcome.positives == 0:
            continue
        ratio, error = log_odds_ratio(inside, outcome)
        if abs(ratio) - z * error < _ODDS:
            continue
        names = tuple(profile.name for profile in together)
        text = (
            f"whether {some_of(names)} {'is' if len(names) == 1 else 'are'} missing predicts {label}: {share(inside.churned, inside.rows)} "
            f"of the {inside.rows:,} customers without a value left, {share(outside.churned, outside.rows)} of the {outside.rows:,} "
            "with a value. If it is filled in only after a customer left, set feature: false"
        )
        evidence: dict[str, float | int | str] = {
            "missing": inside.rows,
            "churn_rate_missing": round(inside.rate, 4),
            "churn_rate_present": round(outside.rate, 4),
            "odds_ratio": round(math.exp(ratio), 3),
        }
        findings.append(Finding("missingness", text, names, evidence))
    return findings
