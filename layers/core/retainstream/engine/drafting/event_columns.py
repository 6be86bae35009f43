"""Columns that a draft computes from events and subscriptions, with labels and phrases."""

import re
from collections.abc import Callable, Iterator, Sequence

from retainstream.engine.drafting.names import name_for
from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.schema import ANY, Column, Origin

_ENGLISH_NOUN = re.compile(r"[a-z]+(?:[ _-][a-z]+)*")
_NO_PLURAL_BY_S = ("s", "x", "z", "y", "ch", "sh", "ed", "ing")
_LONGEST_NOUN = 32


class Names:
    """Gives each column a valid name that no other column has."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = set(taken)

    def __call__(self, wanted: str) -> str:
        name = name_for(wanted, self._taken)
        self._taken.add(name)
        return name


def columns_of_kind(rhythm: Rhythm, noun: str, name: Callable[[str], str], *, common: bool, main: bool) -> Iterator[Column]:
    """Columns from the events of one kind.

    Args:
        noun: what one event is called; the kind's own name if it has one.
        common: whether most customers have such events. Only then a change and a mean say something about most of them.
        main: whether it is the kind that most customers have. It gets the customer's whole history as well.
    """
    stem = "_".join(re.findall(r"\w+", noun.lower())) or "events"
    things, one = _spoken(noun)
    has_amounts = rhythm.amounts > rhythm.events / 2
    for days in rhythm.windows:
        yield Column(
            name=name(f"{stem}_{days}d"),
            kind="integer",
            label=_label(f"{things} in {days} days"),
            phrase=f"{one} in {days} days",
            min=0,
            origin=Origin(events=rhythm.kind, count=True, days=days),
        )
    days = rhythm.windows[-1]
    if common:
        yield Column(
            name=name(f"{stem}_change_{days}d"),
            kind="number",
            label=_label(f"Change of {things} in {days} days"),
            meaning=f"Number in {days} days before the anchor, divided by that in the {days} days before these, minus 1",
            phrase=f"{{fewer}} {things} in {days} days than in the {days} before",
            min=-1,
            missing=True,
            origin=Origin(events=rhythm.kind, trend="count", days=days),
        )
    yield Column(
        name=name(f"days_since_{stem}"),
        kind="integer",
        label=_label(f"Days since the last {_singular(noun)}"),
        unit="days",
        phrase=f"{{value}} day{{s}} since the last {_singular(noun)}",
        min=0,
        missing=True,
        origin=Origin(events=rhythm.kind, days_since_last=True),
    )
    if has_amounts:
        yield Column(
            name=name(f"{stem}_amount_{days}d"),
            kind="number",
            label=_label(f"Amount of {things} in {days} days"),
            origin=Origin(events=rhythm.kind, sum="amount", days=days),
        )
    if common and has_amounts:
        yield Column(
            name=name(f"{stem}_mean_amount"),
            kind="number",
            label=_label(f"Mean amount of {things}"),
            missing=True,
            origin=Origin(events=rhythm.kind, mean="amount"),
        )
    if main:
        yield from _history(rhythm, noun, stem, name)


def _history(rhythm: Rhythm, noun: str, stem: str, name: Callable[[str], str]) -> Iterator[Column]:
    things, one = _spoken(noun)
    yield Column(
        name=name(f"{stem}_total"),
        kind="integer",
        label=_label(f"{things} so far"),
        phrase=f"{one} so far",
        min=0,
        origin=Origin(events=rhythm.kind, count=True),
    )
    yield Column(
        name=name(f"days_since_first_{stem}"),
        kind="integer",
        label=_label(f"Days since the first {_singular(noun)}"),
        unit="days",
        phrase=f"{{value}} day{{s}} since the first {_singular(noun)}",
        min=0,
        missing=True,
        origin=Origin(events=rhythm.kind, days_since_first=True),
    )
    if rhythm.gap is not None:
        yield Column(
            name=name(f"{stem}_mean_gap"),
            kind="number",
            label=_label(f"Mean days between {things}"),
            unit="days",
            min=0,
            missing=True,
            origin=Origin(events=rhythm.kind, mean_gap=True),
        )


def columns_of_all_kinds(rhythm: Rhythm, name: Callable[[str], str]) -> Iterator[Column]:
    """Columns from all events of a file with several kinds."""
    days = rhythm.windows[-1]
    yield Column(
        name=name(f"active_days_{days}d"),
        kind="integer",
        label=f"Active days in {days} days",
        meaning=f"Days with an event of any kind, in the {days} days before the anchor",
        phrase=f"active on {{value}} day{{s}} in {days}",
        min=0,
        max=days,
        origin=Origin(events=ANY, distinct="day", days=days),
    )


def _spoken(noun: str) -> tuple[str, str]:
    """A noun in the plural, and with a number: "logins" and "{value} login{s}"."""
    return f"{_singular(noun)}s", f"{{value}} {_singular(noun)}{{s}}"


def _singular(noun: str) -> str:
    plain = re.sub(r"[\s_-]+", " ", noun).strip()[:_LONGEST_NOUN]
    return plain if _ENGLISH_NOUN.fullmatch(noun) and not noun.endswith(_NO_PLURAL_BY_S) else f"{plain} event"


def columns_of_subscriptions(
    plans: Sequence[str], other: str, *, plan_may_be_blank: bool, price: bool, price_may_be_blank: bool, name: Callable[[str], str]
) -> Iterator[Column]:
    """Columns from the subscriptions: plan and price of the present one, its age, the customer's tenure, and earlier ones.

    Args:
        plans: the levels of the plan; without any there is no such column.
        other: the level that stands for all unlisted plans, or "".
        price: whether the subscriptions have a price.
    """
    if plans:
        yield Column(
            name=name("plan"),
            kind="category",
            label="Plan",
            phrase="on the {value} plan",
            levels=tuple(plans),
            other=other,
            missing=plan_may_be_blank,
            origin=Origin(subscriptions="plan"),
        )
    if price:
        yield Column(
            name=name("price"),
            kind="number",
            label="Price",
            meaning="Price of the present subscription",
            min=0,
            missing=price_may_be_blank,
            origin=Origin(subscriptions="price"),
        )
    yield Column(
        name=name("subscription_age"),
        kind="integer",
        label="Age of the subscription",
        meaning="Days since the present subscription began",
        unit="days",
        phrase="present subscription began {value} day{s} ago",
        min=0,
        origin=Origin(subscriptions="age"),
    )
    yield Column(
        name=name("tenure"),
        kind="integer",
        label="Tenure",
        meaning="Days under subscription over all subscriptions",
        unit="days",
        phrase="{value} day{s} as a customer",
        min=0,
        origin=Origin(subscriptions="tenure"),
    )
    yield Column(
        name=name("earlier_subscriptions"),
        kind="integer",
        label="Earlier subscriptions",
        phrase="{value} earlier subscription{s}",
        min=0,
        origin=Origin(subscriptions="earlier"),
    )


def _label(text: str) -> str:
    return (text[0].upper() + text[1:])[:80]
