"""Rows that are not independent: groups that share an outcome, and outcomes from different times."""

import math
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.names import names_a_key, names_the_day_of_a_row
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.traps.copies import row_hashes
from retainstream.engine.traps.evidence import Outcome, single_column_auc
from retainstream.engine.traps.leaks import share

_TOO_GOOD = "The same customers in training and in test make the figures too good"
_FEWEST_GROUPS = 20
_LARGEST_GROUP = 50
_AGREEMENT = 0.3
_SIGMAS = 5.0
_FOLLOWS = 0.3
_TIME_AUC, _TIME_LOWER = 0.65, 0.62
_PERIODS = 60


def repeated_customers(table: TextTable, profile: Profile, days: NDArray[np.float64] | None = None) -> list[Finding]:
    """Ids on more than one row, unless these are of different days (n,)."""
    if days is not None and len(np.unique(np.stack([profile.text.codes, days]), axis=1).T) == len(table):
        return []
    counts = profile.counts[~profile.absent]
    repeated = int(np.count_nonzero(counts > 1))
    if not repeated:
        return []
    text = (
        f"{profile.name} is not unique: {repeated:,} of {len(counts):,} ids are on more than one row (up to {int(counts.max())}). "
        f"{_TOO_GOOD}; keep one row per customer, the latest before the outcome"
    )
    evidence: dict[str, float | int | str] = {"ids": repeated, "most_rows": int(counts.max()), "rows": len(table)}
    return [Finding("contamination", text, (profile.name,), evidence)]


def shared_outcomes(profiles: Collection[Profile], outcome: Outcome, label: str) -> list[Finding]:
    """Columns with many small groups whose members leave together, such as households.

    The measure is the intraclass correlation: the mean product of standardised outcomes over all pairs within groups. Without a link it
    is 0 with a standard error of 1/√pairs. Copies of a row count once, and groups of more than 50 not at all. Numbers are groups only
    where they are no measure (see `_is_a_measure`): customers with the same usage leave together because of the usage.
    """
    findings = []
    distinct = _first_of_each(profiles, outcome)
    left = outcome.churned.astype(float)
    if not 0 < left[distinct].mean() < 1:
        return []
    standard = (left - left[distinct].mean()) / left[distinct].std()
    for profile in profiles:
        if profile.holds not in ("identifier", "category", "integer", "text") or profile.distinct < _FEWEST_GROUPS:
            continue
        there = distinct & ~profile.missing[outcome.known]
        codes = profile.text.codes[outcome.known]
        small = (np.bincount(codes[there], minlength=len(profile.counts)) <= _LARGEST_GROUP)[codes]
        agreement, pairs, groups = _agreement(codes[there & small], standard[there & small])
        if groups < _FEWEST_GROUPS or agreement < _AGREEMENT or agreement * math.sqrt(pairs) < _SIGMAS:
            continue
        if profile.holds == "integer" and _is_a_measure(profile, profiles, agreement, there & small, standard, outcome):
            continue
        text = (
            f"rows with the same {profile.name} share their {label}: over {groups:,} groups the outcomes correlate "
            f"by {agreement:.2f} within a group. {_TOO_GOOD}; keep one row per group"
        )
        findings.append(Finding("contamination", text, (profile.name,), {"groups": groups, "correlation": round(agreement, 4)}))
    return findings


def _first_of_each(profiles: Iterable[Profile], outcome: Outcome) -> NDArray[np.bool_]:
    """Whether each row with a known outcome is the first with its values, apart from columns that identify rows."""
    columns = [profile.text.codes[outcome.known] for profile in profiles if profile.holds != "identifier"]
    first = np.zeros(len(outcome), dtype=bool)
    first[np.unique(row_hashes([*columns, outcome.churned.view(np.uint8)]), return_index=True)[1]] = True
    return first


def _agreement(codes: NDArray[np.integer], standard: NDArray[np.float64]) -> tuple[float, float, int]:
    """The mean product of standardised outcomes over the pairs within groups, the pairs, and the groups of two rows or more."""
    rows = np.bincount(codes)
    pairs = float((rows * (rows - 1.0)).sum() / 2)
    if not pairs:
        return 0.0, 0.0, 0
    sums, squares = np.bincount(codes, standard), np.bincount(codes, standard**2)
    return float((sums**2 - squares).sum() / 2 / pairs), pairs, int(np.count_nonzero(rows > 1))


def _is_a_measure(
    profile: Profile,
    profiles: Iterable[Profile],
    agreement: float,
    rows: NDArray[np.bool_],
    standard: NDArray[np.float64],
    outcome: Outcome,
) -> bool:
    """Whether the numbers of a column measure something: rows of neighbouring numbers agree half as much as rows of the same number, or the
    ranks of the numbers follow those of another column. The numbers of households do neither. A name of a key decides that they do not."""
    if names_a_key(profile.name):
        return False
    values = profile.values()[outcome.known]
    chosen = np.flatnonzero(rows)
    ordered = chosen[np.argsort(values[chosen], kind="stable")]
    changes = np.flatnonzero(np.diff(values[ordered]) != 0)
    beside = float((standard[ordered[changes]] * standard[ordered[changes + 1]]).mean()) if len(changes) else 0.0
    if beside >= agreement / 2:
        return True
    return any(
        abs(_rank_correlation(values, other.values()[outcome.known])) >= _FOLLOWS
        for other in profiles
        if other is not profile and other.is_numeric
    )


def _rank_correlation(numbers: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Spearman's correlation of two columns (n,) over the rows with both; 0 where one of them is constant. Drafting is shipped without
    SciPy."""
    both = ~np.isnan(numbers) & ~np.isnan(others)
    ranks, other_ranks = _mean_ranks(numbers[both]), _mean_ranks(others[both])
    constant = len(ranks) < 2 or np.ptp(ranks) == 0 or np.ptp(other_ranks) == 0
    return 0.0 if constant else float(np.corrcoef(ranks, other_ranks)[0, 1])


def _mean_ranks(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def separate_times(profiles: Iterable[Profile], outcome: Outcome, label: str) -> list[Finding]:
    """Columns with the time of the extract that differ between customers who left and customers who stayed."""
    findings = []
    for profile in profiles:
        is_period = profile.holds == "date" or (profile.is_numeric and profile.distinct <= _PERIODS)
        if not is_period or not names_the_day_of_a_row(profile.name, wholly=profile.holds != "date") or profile.distinct < 2:
            continue
        auc = single_column_auc(profile.coded, outcome)
        if auc.value < _TIME_AUC or auc.lower < _TIME_LOWER:
            continue
        values = profile.values()[outcome.known]
        there = ~np.isnan(values)
        values, left = values[there], outcome.churned[there]
        middle = np.median(values)
        late = values > middle if (values > middle).any() else values >= middle
        early_rate, late_rate = (share(int(left[side].sum()), int(side.sum())) for side in (~late, late))
        first = _spelled(profile, float(values[late].min()))
        text = (
            f"{profile.name} predicts {label} from the time alone (AUC {auc.value:.3f}): {early_rate} left before {first}, {late_rate} "
            "from then on. Customers who left and customers who stayed were extracted at different times; extract both at the same time, "
            "or each at the same distance from its outcome"
        )
        findings.append(Finding("contamination", text, (profile.name,), {"auc": round(auc.value, 4), "auc_lower": round(auc.lower, 4)}))
    return findings


def follows_file_order(table: TextTable, outcome: Outcome, label: str) -> list[Finding]:
    """A note if the outcome correlates with the order of the rows."""
    ranks = np.arange(len(outcome), dtype=float)
    area = (ranks[outcome.churned].mean() - (outcome.positives - 1) / 2) / outcome.negatives
    error = math.sqrt((len(outcome) + 1) / (12.0 * outcome.positives * outcome.negatives))
    strength = max(area, 1 - area)
    if strength < 0.6 or (strength - 0.5) / error < _SIGMAS:
        return []
    text = (
        f"{label} follows the order of the rows (AUC {strength:.3f} from the line number alone): harmless if the file is only sorted "
        "by it, but not if it was combined from two extracts"
    )
    return [Finding("note", text, (), {"auc": round(strength, 4), "rows": len(table)})]


def _spelled(profile: Profile, value: float) -> str:
    return profile.text.values[int(np.flatnonzero(profile.numbers == value)[0])]
