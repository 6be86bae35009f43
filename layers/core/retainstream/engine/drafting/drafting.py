"""Drafts a feature schema, with findings about the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from retainstream.engine.drafting.findings import Finding, Findings
from retainstream.engine.drafting.findings.balance import few_outcomes
from retainstream.engine.drafting.findings.contamination import follows_file_order, repeated_customers, separate_times, shared_outcomes
from retainstream.engine.drafting.findings.duplicates import duplicates, repeated_columns
from retainstream.engine.drafting.findings.leaks import leak_together, leaks, telling_gaps
from retainstream.engine.drafting.kinds import LEFT_OUT, ChosenKind, profile_as
from retainstream.engine.drafting.labels import LabelChoice, label_of
from retainstream.engine.drafting.names import label_for, likely_group, likely_price, name_for, names_a_key, names_the_customer, unit_in
from retainstream.engine.drafting.profiles import KEPT_LEVELS, MOST_LEVELS, Profile, profile_of, profiles_of
from retainstream.engine.schema import MAX_COLUMNS, Column, FeatureSchema, Id
from retainstream.engine.tables.binding import nearest, some_of
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.leaks import share

HORIZON_DAYS = 30
_MOST_GROUPS = 12
_OTHER = "other"


@dataclass
class Draft(Findings):
    """A drafted schema with remarks and findings.

    left_out: header → reason, for columns outside the schema. remarks: column name → notes for a person.
    seen: column name → range of its numbers in the file. price: the header of a possible price column.
    """

    schema: FeatureSchema
    findings: list[Finding]
    left_out: dict[str, str]
    remarks: dict[str, list[str]]
    seen: dict[str, tuple[float, float]]
    price: str | None
    source: str
    rows: int
    churned: int
    known: int

    @property
    def counted(self) -> str:
        """As in "1,000 rows"."""
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'}"

    def figures(self) -> dict[str, int]:
        return {"rows": self.rows, "known": self.known, "churned": self.churned}


def draft(
    table: TextTable,
    label: str,
    *,
    id_header: str | None = None,
    positive: str | Sequence[str] | None = None,
    stayed: Sequence[str] = (),
    not_known: Sequence[str] = (),
    name: str = "customers",
    kinds: Mapping[str, ChosenKind] = MappingProxyType({}),
) -> Draft:
    """Draft a schema for a table.

    Args:
        label: header of the column with the outcome.
        positive: the label's values for customers who left; detected when absent, like the next two.
        stayed: its values for customers who stayed; "" is a blank cell.
        not_known: its values for outcomes that are not known.
        id_header: header of the id column; detected when absent. Without one, rows are numbered.
        name: the schema's name, in lower case.
        kinds: header → the kind that a person chose. A column with one is in the model, unless it is a date or left out.

    Raises:
        UndecidedLabel: a person has to say what the values of the label mean.
        UnreadableTable: no such label or id column, a label without two outcomes, no usable column, or too many columns.
    """
    for role, header in (("label", label), ("id", id_header)):
        if header is not None and header not in table.columns:
            near = nearest(header, list(table.columns))
            advice = f"did you mean {near}?" if near else f"the header has {some_of(list(table.columns))}"
            problems = [f"there is no column {header} for the {role}; {advice}", *([table.hint] if table.hint else [])]
            raise UnreadableTable(table.source, list(map(TableProblem, problems)))
    if label == id_header:
        raise UnreadableTable(table.source, [TableProblem(f"{label} cannot be both the label and the id")])
    chosen = label_of(table, label, positive, stayed, not_known)
    outcome = Outcome.of(chosen.churned)
    profiles = [_as_chosen(profile, kinds, table) for profile in profiles_of(table) if profile.name != label]
    findings = [Finding("note", text) for text in table.notes] + list(chosen.findings)
    identity, id_findings = _identity(table, profiles, id_header)
    findings += id_findings
    candidates = [profile for profile in profiles if profile is not identity]
    findings += few_outcomes(outcome, len(table), label)
    findings += duplicates(table, identity.name if identity else None, candidates, label)
    suspected = leaks([profile for profile in candidates if profile.holds not in ("empty", "constant")], outcome, label)
    findings += suspected.values()
    together = leak_together([profile for profile in candidates if profile.name not in suspected], outcome, label)
    if together:
        findings.append(together)
        suspected |= dict.fromkeys(together.columns, together)
    twice = repeated_columns(candidates)
    findings += twice
    if outcome.positives and outcome.negatives:
        findings += telling_gaps(candidates, outcome, label, suspected)
        findings += shared_outcomes(candidates, outcome, label)
        findings += separate_times(candidates, outcome, label)
        findings += follows_file_order(table, outcome, label)
    copies = {finding.columns[0]: finding.columns[1] for finding in twice if finding.is_warning}
    return _assembled(table, chosen, outcome, identity, candidates, suspected, copies, findings, name, kinds)


def _as_chosen(profile: Profile, kinds: Mapping[str, ChosenKind], table: TextTable) -> Profile:
    kind = kinds.get(profile.name)
    return profile if kind is None else profile_as(profile, kind, table.decimal, table.source)


def _identity(table: TextTable, profiles: list[Profile], header: str | None) -> tuple[Profile | None, list[Finding]]:
    if header is not None:
        profile = profile_of(table.columns[header], table.decimal)
        identity = next(other for other in profiles if other.name == header)
        findings = repeated_customers(table, profile)
        if profile.missing_count:
            findings.append(Finding("note", f"{profile.missing_count:,} rows have no {header}; an import will refuse them", (header,)))
        return identity, findings
    unique = [profile for profile in profiles if profile.holds == "identifier" and profile.missing_count == 0]
    by_name = [profile for profile in unique if names_the_customer(profile.name)] or [
        profile for profile in unique if names_a_key(profile.name)
    ]
    chosen = next(iter(by_name or [profile for profile in unique if profile.distinct == len(table)]), None)
    if chosen is None:
        return None, [Finding("note", "there is no id column, so customers are numbered by row; name an id column with --id")]
    return chosen, [
        Finding("note", f"{chosen.name} is the id column; name another one with --id", (chosen.name,)),
        *repeated_customers(table, chosen),
    ]


def _assembled(
    table: TextTable,
    chosen: LabelChoice,
    outcome: Outcome,
    identity: Profile | None,
    candidates: list[Profile],
    suspected: dict[str, Finding],
    copies: dict[str, str],
    findings: list[Finding],
    name: str,
    kinds: Mapping[str, ChosenKind],
) -> Draft:
    taken: set[str] = set()
    label_name = name_for(chosen.header, taken)
    taken.add(label_name)
    id_name = name_for(identity.name if identity else "customer_id", taken)
    taken.add(id_name)
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    remarks: dict[str, list[str]] = {}
    seen: dict[str, tuple[float, float]] = {}
    for profile in candidates:
        kind = kinds.get(profile.name)
        reason = LEFT_OUT if kind == "leave out" else reason_to_leave_out(profile)
        if reason:
            left_out[profile.name] = reason
            if kind is None and profile.holds in ("identifier", "text"):
                findings.append(identifies_rows(profile, len(table)))
            continue
        column_name = name_for(profile.name, taken)
        taken.add(column_name)
        column, notes = column_of(profile, column_name, None if kind else suspected.get(profile.name))
        if profile.name in copies:
            column = column.model_copy(update={"feature": False})
            notes.append(f"A copy of {copies[profile.name]}, so it is left out of the model.")
        columns.append(column)
        remarks[column_name] = notes
        if profile.is_numeric:
            seen[column_name] = profile.range
    _check_count(table, columns, left_out)
    idle = [header for header, reason in left_out.items() if reason.startswith(("always", "empty"))]
    if idle:
        findings.append(Finding("note", f"left out because they have a single value or none: {some_of(idle)}", tuple(idle)))
    sources = {column.header: column for column in columns}
    group = likely_group([header for header, column in sources.items() if column.kind == "category" and len(column.levels) <= _MOST_GROUPS])
    price = likely_price([header for header, column in sources.items() if column.kind in ("number", "integer")])
    schema = FeatureSchema(
        name=name,
        title=f"{label_for(name)} customers" if not name.startswith("customer") else "Customers",
        id=Id(column=id_name, source=_source(identity.name, id_name) if identity else "", numbered=identity is None),
        label=chosen.label(label_name, _source(chosen.header, label_name)),
        group=sources[group].name if group else None,
        horizon_days=HORIZON_DAYS,
        columns=tuple(columns),
    )
    price_name = sources[price].name if price else None
    return Draft(schema, findings, left_out, remarks, seen, price_name, table.source, len(table), outcome.positives, len(outcome))


def reason_to_leave_out(profile: Profile) -> str:
    """Why a column cannot be in a schema; "" if it can."""
    match profile.holds:
        case "empty":
            return "empty on every row"
        case "constant":
            missing = f" where it is not missing ({profile.missing_count:,} rows)" if profile.missing_count else ""
            return f'always "{profile.levels[0][0]}"{missing}'
        case "identifier":
            return f"identifies rows: {profile.distinct:,} values on {int(profile.counts.sum()):,} rows"
        case "text":
            return f"free text: {profile.distinct:,} values on {int(profile.counts.sum()):,} rows"
    return ""


def identifies_rows(profile: Profile, rows: int) -> Finding:
    """A finding for a column that identifies rows, or holds free text."""
    known = rows - profile.missing_count
    like = "looks like free text" if profile.holds == "text" else "identifies rows"
    text = (
        f"{profile.name} {like}: {profile.distinct:,} different values on {known:,} rows ({share(profile.distinct, known)}). "
        "A model would memorise rows by it, so it is left out"
    )
    return Finding("identifier", text, (profile.name,), {"distinct": profile.distinct, "rows": known})


def column_of(profile: Profile, name: str, suspicion: Finding | None) -> tuple[Column, list[str]]:
    """The column of a profile, with notes for a person. A suspected leak is no feature."""
    notes = []
    if suspicion:
        notes.append(f"Left out of the model as a suspected leak: {suspicion.text}.")
        notes.append(
            "If its value is known before the outcome, at the time of every prediction, include it: delete the line feature: false."
        )
    if profile.sentinels:
        rows = int(profile.counts[np.isin(profile.text.values, profile.sentinels)].sum())
        notes.append(f"{', '.join(profile.sentinels)} is far from all other values and counts as missing ({rows:,} rows).")
    if profile.odd:
        shown = ", ".join(f'"{text}"' for text in profile.odd[:5])
        notes.append(f"Not numbers, so they count as missing: {shown}{' …' if len(profile.odd) > 5 else ''}.")
    missing_values = tuple(dict.fromkeys([*profile.sentinels, *profile.odd[:50]]))
    levels = [level for level, _ in profile.levels] if profile.holds == "category" else []
    other = ""
    if len(levels) > MOST_LEVELS:
        notes.append(f"The {KEPT_LEVELS} most frequent of {len(levels):,} values; all others count as {_OTHER}.")
        levels = levels[:KEPT_LEVELS]
        other = _OTHER if _OTHER not in levels else next(level for level in levels if level == _OTHER)
        levels = [*dict.fromkeys([*levels, other])]
    low, high = limits_of(profile) if profile.is_numeric else (None, None)
    if profile.holds == "date":
        notes.append("A date is not a feature. Use its age in days, as a number, instead.")
    if len(levels) == 1:
        notes.append(f'Always "{levels[0]}" or missing ({profile.missing_count:,} rows); the information is whether it is missing.')
    unit = unit_in(profile.name) if profile.is_numeric else ""
    column = Column(
        name=name,
        source=_source(profile.name, name),
        kind="category" if levels else profile.holds,
        label=label_for(profile.name, unit),
        unit=unit,
        min=low,
        max=high,
        levels=tuple(sorted(levels) if not other else levels),
        other=other,
        format=profile.form if profile.holds == "date" else "",
        missing=profile.missing_count > 0,
        missing_values=missing_values,
        feature=suspicion is None and profile.holds != "date",
    )
    return column, notes


def limits_of(profile: Profile) -> tuple[float | None, float | None]:
    """Generous limits: zero is the lower limit of columns without negative values; the upper limit leaves room to grow."""
    low, high = profile.range
    return (0.0 if low >= 0 else -_roomy(-low)), (_roomy(high) if high > 0 else 0.0)


def _roomy(number: float) -> float:
    power: float = 10.0 ** np.floor(np.log10(2 * number))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= 2 * number * (1 - 1e-9)))


def _check_count(table: TextTable, columns: list[Column], left_out: dict[str, str]) -> None:
    if not any(column.feature for column in columns):
        reasons = "; ".join(f"{header}: {reason}" for header, reason in list(left_out.items())[:5]) or "there are only the label and the id"
        raise UnreadableTable(table.source, [TableProblem(f"no column can be a feature ({reasons})")])
    if len(columns) > MAX_COLUMNS:
        detail = (
            f"{len(columns):,} of its {len(table.columns):,} columns could be used, and a schema has at most {MAX_COLUMNS}; "
            "keep the columns that the business knows by name and whose values are known at the time of a prediction"
        )
        raise UnreadableTable(table.source, [TableProblem(detail)])


def _source(header: str, name: str) -> str:
    return header if header != name else ""
