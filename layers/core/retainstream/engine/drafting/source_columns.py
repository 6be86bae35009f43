"""The columns of a draft from sources: computed from events and subscriptions, or read from the profile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from retainstream.engine.drafting.columns import DAYS_OF_A_DATE, OTHER, column_of, identifies_rows, reason_to_leave_out
from retainstream.engine.drafting.event_columns import Names, columns_of_all_kinds, columns_of_kind, columns_of_subscriptions
from retainstream.engine.drafting.findings import Finding
from retainstream.engine.drafting.findings.dates import telling_dates
from retainstream.engine.drafting.findings.leaks import leaks
from retainstream.engine.drafting.levels import MOST_LEVELS, listed
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.drafting.roles import Source
from retainstream.engine.schema import ANY, Column, Subscriptions
from retainstream.engine.schema import Profile as ProfileDocument
from retainstream.engine.tables.binding import some_of
from retainstream.engine.tables.cells import is_blank
from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.words import speaks_of_leaving, words_of

MOST_KINDS = 8
_BIRTH = ("born", "birth", "geburt", "geboren", "naissance", "nacimiento", "nascita", "nascimento", "geboorte")
_BEGINNINGS = frozenset(
    {
        "signup",
        "start",
        "started",
        "join",
        "joined",
        "created",
        "creation",
        "registration",
        "registered",
        "since",
        "activation",
        "activated",
    }
    | {"first", "onboarding", "onboarded", "enrolled", "enrolment", "enrollment", "began", "begin", "beginn", "eintritt", "seit", "sign"}
)
_LATER = frozenset({"last", "latest", "renewal", "renewed", "end", "ended", "updated", "changed"})
_LEAVING = "churned"


@dataclass
class SourceColumns:
    """Columns as they are drafted, with what a person should know about them.

    remarks: column name → notes. seen: column name → range of its numbers in the profile. left_out: header of the profile, or kind of
    event, → reason.
    """

    names: Names
    columns: list[Column] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add_events(self, rhythms: Mapping[str, Rhythm], noun: str) -> None:
        """Columns of the kinds of events that most customers have. `noun` is what an event is called in a file without kinds."""
        kinds = [rhythm for kind, rhythm in rhythms.items() if kind != ANY]
        if not kinds:
            self.columns += columns_of_kind(rhythms[ANY], noun, self.names, common=True, main=True)
            return
        for place, rhythm in enumerate(kinds):
            if speaks_of_leaving(rhythm.kind, _LEAVING):
                reason = "its name speaks of leaving, so such an event may be the leaving itself"
                self.left_out[rhythm.kind] = reason
                text = f'no columns are drafted from the {rhythm.events:,} events of kind "{rhythm.kind}": {reason}'
                self.findings.append(Finding("leak", text, (rhythm.kind,), {"events": rhythm.events}))
            elif place >= MOST_KINDS:
                self.left_out[rhythm.kind] = f"a kind of event of {rhythm.customers:,} customers; the {MOST_KINDS} most common are drafted"
            else:
                common = rhythm.customers >= rhythms[ANY].customers / 2
                self.columns += columns_of_kind(rhythm, rhythm.kind, self.names, common=common, main=place == 0)
        if len(kinds) > 1:
            self.columns += columns_of_all_kinds(rhythms[ANY], self.names)

    def add_subscriptions(self, document: Subscriptions, source: Source) -> None:
        """Columns of the subscriptions' plan, price and age."""
        plans, other = _levels(source.profiles[document.plan]) if document.plan else ([], "")
        if document.plan and len(plans) < 2:
            self.left_out[document.plan] = f'always "{plans[0]}"' if plans else "empty on every row"
        self.columns += columns_of_subscriptions(
            plans if len(plans) > 1 else [],
            other,
            plan_may_be_blank=bool(document.plan and source.profiles[document.plan].missing_count),
            price=document.price is not None,
            price_may_be_blank=bool(document.price and source.profiles[document.price].missing_count),
            name=self.names,
        )

    def add_profile(self, document: ProfileDocument, source: Source, left: Mapping[str, bool]) -> None:
        """The columns of the profile. `left` says of customers, by id, whether they have left, so that columns that know it are found."""
        profiles = [profile for header, profile in source.profiles.items() if header not in (document.id, document.at)]
        outcome, label = _outcome(document, source, left)
        suspected = telling_dates(profiles, outcome, label, None)
        suspected |= leaks([profile for profile in profiles if profile.holds not in ("empty", "constant")], outcome, label)
        self.findings += suspected.values()
        undated: list[str] = []
        for profile in profiles:
            reason = reason_to_leave_out(profile)
            if reason:
                self.left_out[profile.name] = reason
                if profile.holds in ("identifier", "text"):
                    self.findings.append(identifies_rows(profile, len(source.table)))
                continue
            name = self.names(profile.name)
            column, notes = column_of(profile, name, suspected.get(profile.name))
            column = column.model_copy(update={"decimal": None})  # the table that is computed writes points, whatever the source does
            if not document.at and column.feature and profile.is_numeric and not _is_of_birth(profile.name):
                column = column.model_copy(update={"feature": False})
                notes.append("Left out of the model: the number is of today, and would be used for days of the past as well.")
                notes.append("If it does not change, include it: delete the line feature: false.")
                undated.append(profile.name)
            elif not document.at and column.feature and profile.holds == "date" and not _is_of_a_beginning(profile.name):
                column = column.model_copy(update={"feature": False})
                notes.append("Left out of the model: the date is as of today, and may be after the days of the past.")
                notes.append("If it does not change, include it: delete the line feature: false.")
            if column.kind == "date" and column.feature:
                notes.append(DAYS_OF_A_DATE)
            self.columns.append(column)
            self.remarks[name] = notes
            if profile.is_numeric:
                self.seen[name] = profile.range
        if not document.at:
            used = [column.header for column in self.columns if column.origin is None and column.feature]
            self.findings += _undated(source, [header for header in used if not _is_of_birth(header)], undated)


def _outcome(document: ProfileDocument, source: Source, left: Mapping[str, bool]) -> tuple[Outcome, str]:
    ids = source.profiles[document.id].text
    churned = np.array([left.get(customer, np.nan) for customer in ids.values], dtype=float)[ids.codes]
    return Outcome.of(churned), "leaving"


def _is_of_birth(header: str) -> bool:
    """Whether a number is of a birth, and so never changes."""
    joined = "".join(words_of(header))
    return any(word in joined for word in _BIRTH)


def _is_of_a_beginning(header: str) -> bool:
    """Whether a date is of a birth, or of the beginning of being a customer, and so never changes."""
    words = set(words_of(header))
    return _is_of_birth(header) or bool(words & _BEGINNINGS and not words & _LATER)


def _undated(source: Source, used: Sequence[str], numbers: Sequence[str]) -> list[Finding]:
    findings = []
    if numbers:
        text = (
            f"{source.table.source} has no day from which a row is true, so numbers in it are of today: {some_of(numbers)} "
            f"{'is' if len(numbers) == 1 else 'are'} left out of the model. A number that grows with time knows what came after an anchor"
        )
        findings.append(Finding("undated", text, tuple(numbers), {"columns": len(numbers)}))
    if used:
        ever = "does it ever change" if len(used) == 1 else "do they ever change"
        text = (
            f"{some_of(used)} of {source.table.source}: {ever}? The draft takes the values of today as true at every anchor. Set feature: "
            "false for a column that changes, or name the column with the day of a row: at, in sources.profile"
        )
        findings.append(Finding("question", text, tuple(used)))
    return findings


def _levels(profile: Profile) -> tuple[list[str], str]:
    """The plans, and the level that stands for all unlisted ones if there are too many."""
    levels = [(level, rows) for level, rows in profile.levels if not is_blank(level)]
    kept = listed(levels, profile.most_levels)
    if len(kept) == len(levels) <= MOST_LEVELS:
        return sorted(kept), ""
    return [*dict.fromkeys([*kept, OTHER])], OTHER
