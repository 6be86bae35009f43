"""Drafts a feature schema, with findings about the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.columns import (
    DAYS_OF_A_DATE,
    LONGEST_HEADER,
    column_of,
    findings_of,
    identifies_rows,
    reason_to_leave_out,
    source_of,
)
from retainstream.engine.drafting.findings import Finding, Findings
from retainstream.engine.drafting.findings.balance import few_outcomes
from retainstream.engine.drafting.findings.contamination import follows_file_order, repeated_customers, separate_times, shared_outcomes
from retainstream.engine.drafting.findings.dates import telling_dates
from retainstream.engine.drafting.findings.duplicates import duplicates, repeated_columns
from retainstream.engine.drafting.findings.leaks import leak_together, leaks, telling_gaps
from retainstream.engine.drafting.kinds import LEFT_OUT, ChosenKind, profile_as
from retainstream.engine.drafting.labels import LabelChoice, label_of
from retainstream.engine.drafting.names import label_for, likely_group, likely_price, name_for, names_a_key, names_the_customer
from retainstream.engine.drafting.profiles import Profile, profiles_of
from retainstream.engine.schema import ALL, ANCHOR, MAX_COLUMNS, Column, FeatureSchema, Id
from retainstream.engine.schema.feature_schema import MAX_GROUP_BYTES
from retainstream.engine.tables.binding import nearest, some_of
from retainstream.engine.tables.columnar import TextTable, no_customers_in
from retainstream.engine.tables.dates import date_in
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.spelling import Spellings
from retainstream.engine.traps.evidence import Outcome

HORIZON_DAYS = 30
_MOST_GROUPS = 12
_NA = "NA"
_LONGEST_CODE = 5
_SHOWN_LINES = 5


@dataclass
class Draft(Findings):
    """A drafted schema with remarks and findings.

    left_out: header → reason, for columns outside the schema. remarks: column name → notes for a person.
    seen: column name → range of its numbers in the file.
    odd: column name → texts that are not of its kind, and their rows. price: the header of a possible price column.
    """

    schema: FeatureSchema
    findings: list[Finding]
    left_out: dict[str, str]
    remarks: dict[str, list[str]]
    seen: dict[str, tuple[float, float]]
    odd: dict[str, dict[str, int]]
    price: str | None
    source: str
    rows: int
    churned: int
    known: int

    @property
    def counted(self) -> str:
        """As in "1,000 rows"."""
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'}"

    def figures(self) -> dict[str, object]:
        """The figures for scripts. `not_read` is `odd`."""
        return {
            "rows": self.rows,
            "known": self.known,
            "churned": self.churned,
            "not_read": {name: odd for name, odd in self.odd.items() if odd},
        }


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
    label = _header(table, "label", label)
    id_header = None if id_header is None else _header(table, "id", id_header)
    if label == id_header:
        raise UnreadableTable(table.source, [TableProblem(f"{label} cannot be both the label and the id")])
    table = _customers_only(table, id_header)
    chosen = label_of(table, label, positive, stayed, not_known)
    outcome = Outcome.of(chosen.churned)
    profiles = [_as_chosen(profile, kinds, table) for profile in profiles_of(table) if profile.name != label]
    findings = [Finding("note", text) for text in table.notes] + list(chosen.findings)
    identity, id_findings = _identity(table, profiles, id_header)
    if identity and id_header is None and no_customers_in(table, identity.name):
        return draft(table, label, id_header=identity.name, positive=positive, stayed=stayed, not_known=not_known, name=name, kinds=kinds)
    findings += id_findings
    candidates = [profile for profile in profiles if profile is not identity]
    findings += few_outcomes(outcome, len(table), label)
    findings += duplicates(table, identity.name if identity else None, candidates, label)
    suspected = leaks([profile for profile in candidates if profile.holds not in ("empty", "constant")], outcome, label)
    suspected = telling_dates(candidates, outcome, label, _days_of_rows(table)) | suspected
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
    return profile if kind is None else profile_as(profile, kind, table.source)


def header_of(table: TextTable, role: str, asked: str) -> str:
    """The header of the table that a person asks for.

    Raises:
        UnreadableTable: no column has this header, even in another spelling.
    """
    header = Spellings(table.columns).name_of(asked)
    if header is None:
        near = nearest(asked, list(table.columns))
        advice = f"did you mean {near}?" if near else f"the header has {some_of(list(table.columns))}"
        problems = [f"there is no column {asked} for the {role}; {advice}", *([table.hint] if table.hint else [])]
        raise UnreadableTable(table.source, list(map(TableProblem, problems)))
    return header


def _header(table: TextTable, role: str, asked: str) -> str:
    """The same, for a column that needs a header of usual length."""
    header = header_of(table, role, asked)
    if len(header) > LONGEST_HEADER:
        detail = f"the header of the {role} has more than {LONGEST_HEADER} characters; give it a short one"
        raise UnreadableTable(table.source, [TableProblem(detail, line=table.header_line)])
    return header


def _customers_only(table: TextTable, id_header: str | None) -> TextTable:
    """The table without rows that are no customers, with a note on them."""
    faults = no_customers_in(table, id_header)
    if not faults:
        return table
    kept = np.ones(len(table), dtype=bool)
    kept[list(faults)] = False
    if not kept.any():
        raise UnreadableTable(table.source, [TableProblem("no row is a customer")])
    said = [f"line {table.lines[place]} {fault}" for place, fault in list(faults.items())[:_SHOWN_LINES]]
    more = len(faults) - _SHOWN_LINES
    note = f"left out: {'; '.join(said)}{f'; and {more:,} more' if more > 0 else ''}"
    customers = table.rows(kept)
    customers.notes = [*table.notes, note]
    return customers


def _identity(table: TextTable, profiles: list[Profile], header: str | None) -> tuple[Profile | None, list[Finding]]:
    if header is not None:
        identity = next(other for other in profiles if other.name == header)
        findings = repeated_customers(table, identity, _days_of_rows(table))
        blank = identity.rows_of([""])
        if blank:
            findings.append(Finding("note", f"{blank:,} rows have no {header}; an import will refuse them", (header,)))
        return identity, findings
    unique = [profile for profile in profiles if profile.holds == "identifier" and profile.missing_count == 0]
    by_name = [profile for profile in unique if names_the_customer(profile.name)] or [
        profile for profile in unique if names_a_key(profile.name)
    ]
    alone = [profile for profile in unique if profile.distinct == len(table)]
    chosen = next(iter([profile for profile in by_name if profile in alone] or by_name or alone), None)
    if chosen is None:
        return None, [Finding("note", "there is no id column, so customers are numbered by row; name an id column with --id")]
    return chosen, [
        Finding("note", f"{chosen.name} is the id column; name another one with --id", (chosen.name,)),
        *repeated_customers(table, chosen, _days_of_rows(table)),
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
    odd: dict[str, dict[str, int]] = {}
    findings += _called_na(candidates)
    for profile in candidates:
        kind = kinds.get(profile.name)
        findings += findings_of(profile)
        reason = LEFT_OUT if kind == "leave out" else reason_to_leave_out(profile)
        if kind is None and profile.name == ANCHOR and _days_of_rows(table) is not None:
            reason = "the day of each row"
        if reason:
            left_out[profile.name] = reason
            if kind is None and profile.holds in ("identifier", "text"):
                findings.append(identifies_rows(profile, len(table)))
            elif kind is None and profile.holds not in ("constant", "empty"):
                findings.append(Finding("note", f"{profile.name} is left out: {reason}", (profile.name,)))
            continue
        column_name = name_for(profile.name, taken)
        taken.add(column_name)
        column, notes = column_of(profile, column_name, None if kind else suspected.get(profile.name))
        if profile.name in copies:
            column = column.model_copy(update={"feature": False})
            notes.append(f"A copy of {copies[profile.name]}, so it is left out of the model.")
        if column.kind == "date" and column.feature:
            notes.append(DAYS_OF_A_DATE)
        columns.append(column)
        remarks[column_name] = notes
        odd[column_name] = {text: profile.rows_of([text]) for text in profile.odd}
        if profile.is_numeric:
            seen[column_name] = profile.range
    _check_anchors(table, left_out)
    _check_count(table, columns, left_out)
    idle = [profile.name for profile in candidates if profile.holds in ("constant", "empty")]
    if idle:
        findings.append(Finding("note", f"left out because they have a single value or none: {some_of(idle)}", tuple(idle)))
    sources = {column.header: column for column in columns}
    group = likely_group([header for header, column in sources.items() if _may_be_group(column)])
    price = likely_price([header for header, column in sources.items() if column.kind in ("number", "integer")])
    schema = FeatureSchema(
        name=name,
        title=f"{label_for(name)} customers" if not name.startswith("customer") else "Customers",
        id=Id(column=id_name, source=source_of(identity.name, id_name) if identity else "", numbered=identity is None),
        label=chosen.label(label_name, source_of(chosen.header, label_name)),
        group=sources[group].name if group else None,
        horizon_days=HORIZON_DAYS,
        columns=tuple(columns),
    )
    price_name = sources[price].name if price else None
    return Draft(schema, findings, left_out, remarks, seen, odd, price_name, table.source, len(table), outcome.positives, len(outcome))


def _may_be_group(column: Column) -> bool:
    """Whether results can be shown by a column."""
    return (
        column.kind == "category"
        and len(column.levels) <= _MOST_GROUPS
        and sum(len(level.encode()) for level in column.levels) <= MAX_GROUP_BYTES
        and not (column.missing and ALL in column.levels)
    )


def _called_na(profiles: list[Profile]) -> list[Finding]:
    """A question about "NA" in categories, where it may be a name. A file that also writes NA for numbers means a missing value, unless the
    levels are codes in capitals."""
    asked: list[tuple[str, int]] = []
    for_numbers = any(profile.is_numeric and profile.rows_of([_NA]) for profile in profiles)
    for profile in profiles:
        rows = profile.rows_of([_NA]) if profile.holds == "category" else 0
        levels = [level for level, _ in profile.levels]
        if rows and len(levels) > 1 and (not for_numbers or all(level.isupper() and len(level) <= _LONGEST_CODE for level in levels)):
            asked.append((profile.name, rows))
    if not asked:
        return []
    counted = some_of([f"{header} ({rows:,} row{'' if rows == 1 else 's'})" for header, rows in asked])
    text = f'"{_NA}" counts as missing in {counted}; if it is a value, such as Namibia or North America, add it to the levels of the column'
    return [Finding("question", text, tuple(header for header, _ in asked))]


def _days_of_rows(table: TextTable) -> NDArray[np.float64] | None:
    """The days of the rows (n,), since 1970-01-01, in a column that an import reads so; None without one, or where a text is no day."""
    if ANCHOR not in table.columns:
        return None
    days = [date_in(text) for text in table.columns[ANCHOR].values]
    if not all(days):
        return None
    return np.array(days, dtype="datetime64[D]").astype(np.float64)[table.columns[ANCHOR].codes]


def _check_anchors(table: TextTable, left_out: Mapping[str, str]) -> None:
    """Refuses a column that an import would read as the days of the rows, and that does not hold days."""
    if ANCHOR not in left_out:
        return
    wrong = [text for text in table.columns[ANCHOR].values if date_in(text) is None]
    if wrong:
        detail = f'an import reads "{ANCHOR}" as the day of each row, but it holds "{wrong[0]}"; give the column another name'
        raise UnreadableTable(table.source, [TableProblem(detail, line=table.header_line, column=ANCHOR)])


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
