"""Dates that know the outcome: those that exist because of it, and those that were not known on the day of their row."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.traps.evidence import Cell, Outcome, single_column_auc
from retainstream.engine.traps.gaps import Gap, gap_in_words
from retainstream.engine.traps.leaks import FEWEST, share
from retainstream.engine.traps.words import words_of

_ALL_LEFT, _ALL_LEFT_LOWER = 0.97, 0.85
_USUAL_RATE = 0.60
_HARDLY_ANY = 0.1
_LATER_ROWS = 0.01
_AUC, _AUC_LOWER = 0.75, 0.70
_MOVES_WITH_LEAVING = frozenset(
    {"last", "latest", "recent", "final", "end", "ends", "ended", "ending", "until", "to", "expires", "expired", "expiry", "expiration"}
    | {"updated", "modified", "changed", "status", "exit", "out", "letzte", "letzter", "letztes", "ende", "bis", "dernier", "fin", "ultimo"}
)


def telling_dates(profiles: Iterable[Profile], outcome: Outcome, label: str, days: NDArray[np.float64] | None) -> dict[str, Finding]:
    """A finding for each column of dates that gives the outcome away, by its header, besides those that `leaks` finds in any column.

    days: the day of each row (n,), since 1970-01-01; None where rows have none. Then it cannot be seen whether a date was known before the
    outcome, so that a date of a last event or of an end is suspected from a lower AUC on.
    """
    findings = {}
    for profile in profiles:
        if profile.holds != "date":
            continue
        text = _after_the_day(profile, days) if days is not None else ""
        if not text and min(outcome.positives, outcome.negatives) >= FEWEST:
            text = _there_for_one_outcome(profile, outcome, label) or (
                "" if days is not None else _moves_with_leaving(profile, outcome, label)
            )
        if text:
            findings[profile.name] = Finding("leak", f"{profile.name} {text}", (profile.name,))
    return findings


def _after_the_day(profile: Profile, days: NDArray[np.float64]) -> str:
    values = profile.values()
    later = np.flatnonzero(values > days)
    there = int((~np.isnan(values)).sum())
    if len(later) <= _LATER_ROWS * there:
        return ""
    example, day = (np.datetime64(int(number), "D") for number in (values[later[0]], days[later[0]]))
    return (
        f"is after the day of its row on {len(later):,} of {there:,} rows ({share(len(later), there)}), such as {example} on {day}: a date "
        "that was not known on that day gives the outcome away, and a date that was planned may move when a customer leaves"
    )


def _there_for_one_outcome(profile: Profile, outcome: Outcome, label: str) -> str:
    gap = Gap.of(profile.missing[outcome.known], outcome)
    if gap is None or not gap.tells(1):
        return ""
    stayed = gap.known if gap.leaving is gap.missing else gap.missing
    staying = Cell("", stayed.rows, stayed.rows - stayed.churned)
    all_left = outcome.rate <= _USUAL_RATE and gap.leaving.rate >= _ALL_LEFT and gap.leaving.lower_rate >= _ALL_LEFT_LOWER
    hardly_any_left = 1 - staying.lower_rate <= _HARDLY_ANY * outcome.rate
    if not all_left and not hardly_any_left:
        return ""
    return f"predicts {label} by whether it is filled in: {gap_in_words(gap)}"


def _moves_with_leaving(profile: Profile, outcome: Outcome, label: str) -> str:
    if not _MOVES_WITH_LEAVING & set(words_of(profile.name)):
        return ""
    auc = single_column_auc(profile.coded, outcome)
    if auc.value < _AUC or auc.lower < _AUC_LOWER:
        return ""
    return (
        f"predicts {label} (AUC {auc.value:.3f} alone), and its name speaks of a last event or an end: without the day of each row it "
        "cannot be seen whether the date was known before the outcome"
    )
