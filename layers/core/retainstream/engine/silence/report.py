"""The report of a churn definition: its figures as a document, and their meaning in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from retainstream.engine.learning.card.numbers import share
from retainstream.engine.silence.definition import FEWEST, WINDOWS, Definition, Group
from retainstream.engine.silence.silences import Returns


class GroupDocument(TypedDict):
    """The returns of customers with `fewest` to `most` events before the silence; `most` is None without an upper limit."""

    name: str
    fewest: int
    most: int | None
    proposed_days: int | None
    returns: list[Returns]


class ReportDocument(TypedDict):
    """The report for scripts. Days are ISO; shares are from 0 to 1. `schema` is the churn rule of a feature schema."""

    events: int
    customers: int
    first_day: str
    last_day: str
    kind: str | None
    return_share: float
    within_days: int
    proposed_days: int | None
    returns: list[Returns]
    groups: list[GroupDocument]
    compared_days: int | None
    one_for_all: bool | None
    sentences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Report:
    """A definition of churn, with the events that it was counted from.

    kind: the kind of event that counts; None for all. window_chosen: whether a person chose the return window.
    notes: remarks on the events that were left out.
    """

    definition: Definition
    events: int
    customers: int
    first_day: str
    last_day: str
    kind: str | None = None
    window_chosen: bool = False
    notes: tuple[str, ...] = ()

    def document(self) -> ReportDocument:
        definition = self.definition
        return {
            "events": self.events,
            "customers": self.customers,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "kind": self.kind,
            "return_share": definition.return_share,
            "within_days": definition.within_days,
            "proposed_days": definition.proposed_days,
            "returns": [returns for each in definition.curve.returns.values() for returns in each],
            "groups": [_group(group) for group in definition.groups],
            "compared_days": definition.compared_days,
            "one_for_all": definition.one_for_all,
            "sentences": self.sentences(),
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """What the figures mean, in sentences for a person."""
        return [*_proposal(self.definition), *_window(self), *_one_for_all(self.definition)]


def _group(group: Group) -> GroupDocument:
    return {
        "name": group.name,
        "fewest": group.fewest,
        "most": group.most,
        "proposed_days": group.curve.proposed_days,
        "returns": [returns for each in group.curve.returns.values() for returns in each],
    }


def _proposal(definition: Definition) -> Iterator[str]:
    within, most = definition.within_days, share(definition.return_share)
    if definition.proposed_days is not None:
        returns = definition.curve.at(definition.proposed_days, within)
        yield (
            f"Proposal: {definition.proposed_days} days without an event count as churn. This is the shortest silence of which at most "
            f"{most} end within {within} more days: {_with_interval(returns)}."
        )
        return
    longest = definition.curve.longest(within)
    if longest is None:
        yield (
            f"No silence can be judged: fewer than {FEWEST} customers have a silence of 7 days with {within} more days of data after it. "
            "Bring events of a longer time, or of more customers."
        )
        return
    returns = definition.curve.at(longest, within)
    yield (
        f"No proposal: no silence of up to {longest} days has a return share of at most {most} within {within} more days. "
        f"After {longest} days it is {_with_interval(returns)}. Longer silences are too rare in the data: fewer than {FEWEST} customers. "
        "Bring events of a longer time, or accept a larger share with --return-share."
    )


def _window(report: Report) -> Iterator[str]:
    within = report.definition.within_days
    if not report.window_chosen and within != WINDOWS[-1]:
        yield f"Returns count within {within} days, because too few customers have such a silence with {WINDOWS[-1]} days of data after it."


def _one_for_all(definition: Definition) -> Iterator[str]:
    days, within, groups = definition.compared_days, definition.within_days, definition.groups
    if days is None:
        if definition.curve.longest(within) is not None:
            yield f"Customers cannot be compared by earlier activity: there are not two groups of at least {FEWEST} customers."
        return
    shares = _listed([f"{_share(group.curve.at(days, within))} after {group.name}" for group in groups])
    compared = f"The share of {days}-day silences that end within {within} more days is {shares}."
    if definition.one_for_all:
        yield f"One number of days fits all customers. {compared}"
        return
    yield f"One number of days does not fit all customers. {compared}"
    own = _listed([f"{group.curve.proposed_days} days after {group.name}" for group in groups if group.curve.proposed_days is not None])
    lacking = _listed([group.name for group in groups if group.curve.proposed_days is None])
    if own:
        yield f"By group, the proposal is {own}."
    if lacking:
        yield f"The data is too short, or has too few customers, for a proposal after {lacking}."
    yield (
        "With a single rule, some customers count as lost who return, and others count as lost late. Use the number of earlier events and "
        "the days since the last event as columns of the schema, so that the model tells these customers apart."
    )


def _with_interval(returns: Returns) -> str:
    interval = f"95% interval {share(returns['low'] or 0)} to {share(returns['high'] or 0)}"
    return f"{_share(returns)} of {returns['silences']:,} silences ({interval})"


def _share(returns: Returns) -> str:
    return share(returns["share"] or 0.0)


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
