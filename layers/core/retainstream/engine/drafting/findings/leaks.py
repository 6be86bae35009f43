"""Columns that know the outcome: they predict it almost alone, or are filled in because of it."""

from collections.abc import Collection, Container, Iterable

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.binding import some_of
from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.explained_gaps import explanation_of
from retainstream.engine.traps.gaps import Gap, gap_in_words
from retainstream.engine.traps.leaks import suspicion_of
from retainstream.engine.traps.linear_leaks import linear_leak


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


def leak_together(profiles: Iterable[Profile], outcome: Outcome, label: str) -> Finding | None:
    """Numbers that give the outcome exactly when they are added and subtracted."""
    numeric = [profile for profile in profiles if profile.is_numeric or profile.holds == "boolean"]
    leak = linear_leak([_numbers(profile)[outcome.known] for profile in numeric], outcome)
    if leak is None:
        return None
    headers = [profile.name for profile in numeric]
    names = tuple(headers[place] for place in leak.places)
    text = f"{some_of(names)} predict {label} together: {leak.formula(headers)} is 1 for customers who left and 0 for those who stayed"
    return Finding("leak", text, names, {"columns": len(names), "constant": round(leak.constant, 6)})


def _numbers(profile: Profile) -> NDArray[np.float64]:
    """The number of each row, of a truth value 0 or 1."""
    if profile.is_numeric:
        return profile.values()
    values = np.where(profile.absent, np.nan, np.cumsum(~profile.absent) - 1.0)
    numbers: NDArray[np.float64] = values[profile.text.codes]
    return numbers


def telling_gaps(profiles: Collection[Profile], outcome: Outcome, label: str, suspected: Container[str] = ()) -> list[Finding]:
    """Columns whose missing values are related to the outcome (see `Gap.tells`). Columns with the same missing rows are named together.

    A gap that another column explains (see `explanation_of`), one that is not `suspected`, is only a note.
    """
    gaps: dict[bytes, list[Profile]] = {}
    honest = [profile.coded for profile in profiles if profile.name not in suspected]
    for profile in profiles:
        if 0 < profile.missing_count < len(profile.text.codes):
            gaps.setdefault(profile.missing[outcome.known].tobytes(), []).append(profile)
    findings = []
    for together in gaps.values():
        gap = Gap.of(together[0].missing[outcome.known], outcome)
        if not gap or not gap.tells(len(gaps)):
            continue
        names = tuple(profile.name for profile in together)
        whether = f"{some_of(names)} {'is' if len(names) == 1 else 'are'} missing"
        explanation = explanation_of(together[0].missing[outcome.known], honest, outcome, len(gaps))
        if explanation:
            text = f"{whether} {explanation.sentence()}: that explains why fewer or more of these customers leave, so it is no trap"
            findings.append(Finding("note", text, names, {"explained_by": explanation.header, "missing": gap.missing.rows}))
            continue
        text = f"whether {whether} predicts {label}: {gap_in_words(gap)}. If it is filled in only after a customer left, set feature: false"
        evidence: dict[str, float | int | str] = {
            "missing": gap.missing.rows,
            "churn_rate_missing": round(gap.missing.rate, 4),
            "churn_rate_present": round(gap.known.rate, 4),
            "odds_ratio": round(gap.odds_ratio, 3),
        }
        findings.append(Finding("missingness", text, names, evidence))
    return findings
