"""Features and labels of raw sources, computed in the plainest way: a loop over customers, anchors and columns. The truth for tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import Origin

type Row = dict[str, float | str | None]


@dataclass(frozen=True)
class Event:
    """Minutes since 1970-01-01 UTC."""

    customer: str
    minute: int
    kind: str
    amount: float | None

    @property
    def day(self) -> int:
        return self.minute // 1440


@dataclass(frozen=True)
class Subscription:
    """Days since 1970-01-01."""

    customer: str
    start: int
    stop: int | None
    price: float | None
    plan: str


@dataclass(frozen=True)
class ProfileRow:
    customer: str
    since: int
    country: str


def plain_features(
    schema: FeatureSchema,
    events: Sequence[Event],
    subscriptions: Sequence[Subscription],
    profile: Sequence[ProfileRow],
    anchors: Sequence[int],
    through: int,
) -> dict[tuple[int, str], Row]:
    """(anchor, customer) → values by column, with the label under its header."""
    customers = sorted({fact.customer for facts in (events, subscriptions) for fact in facts})
    table: dict[tuple[int, str], Row] = {}
    for anchor in anchors:
        for customer in customers:
            own = sorted({event for event in events if event.customer == customer}, key=lambda event: event.minute)
            subscribed = [one for one in subscriptions if one.customer == customer]
            here, left = _outcome(schema, own, subscribed, anchor)
            if not here:
                continue
            before = [event for event in own if event.day < anchor]
            row: Row = {}
            for column in schema.columns:
                origin = column.origin
                if origin is None:
                    known = [line for line in profile if line.customer == customer and line.since < anchor]
                    row[column.name] = max(known, key=lambda line: line.since).country if known else None
                elif origin.events is not None:
                    row[column.name] = aggregate(origin, before, anchor)
                else:
                    row[column.name] = _fact(origin, subscribed, anchor)
            wait = max(1, schema.churn.grace_days) if schema.churn and schema.churn.when == "subscription-ended" else 0
            row[schema.label.header] = float(left) if anchor + schema.horizon_days + wait <= through else None
            table[anchor, customer] = row
    return table


def aggregate(origin: Origin, before: Sequence[Event], anchor: int) -> float | None:
    """An aggregate of a customer's events before an anchor."""
    mine = [event for event in before if origin.kinds is None or event.kind in origin.kinds]

    def within(days: int | None, until: int = anchor) -> list[Event]:
        return [event for event in mine if (days is None or event.day >= until - days) and event.day < until]

    def size(chosen: list[Event], measure: str | None) -> float:
        return float(len(chosen)) if measure == "count" else sum(event.amount for event in chosen if event.amount is not None)

    chosen = within(origin.days)
    amounts = [event.amount for event in chosen if event.amount is not None]
    days = [event.day for event in chosen]
    match origin.aggregate:
        case "count":
            return len(chosen)
        case "sum":
            return sum(amounts)
        case "mean":
            return sum(amounts) / len(amounts) if amounts else None
        case "max":
            return max(amounts, default=None)
        case "distinct":
            return len({event.day if origin.distinct == "day" else event.kind for event in chosen})
        case "days_since_last":
            return anchor - max(days) if days else None
        case "days_since_first":
            return anchor - min(days) if days else None
        case "mean_gap":
            return (max(days) - min(days)) / (len(days) - 1) if len(days) > 1 else None
        case "share":
            whole = size(within(origin.of), origin.share)
            return size(chosen, origin.share) / whole if whole else None
        case "trend":
            earlier = size(within(origin.days, anchor - (origin.days or 0)), origin.trend)
            return size(chosen, origin.trend) / earlier - 1 if earlier else None


def _fact(origin: Origin, subscribed: Sequence[Subscription], anchor: int) -> float | str | None:
    begun = [one for one in subscribed if one.start < anchor]
    if not begun:
        return None
    present = min(
        begun,
        key=lambda one: (
            one.stop is not None and one.stop < anchor,
            -one.start,
            -one.price if one.price is not None else float("inf"),
            one.plan,
        ),
    )
    match origin.subscriptions:
        case "plan":
            return present.plan
        case "price":
            return present.price
        case "age":
            return anchor - present.start
        case "earlier":
            return len(begun) - 1
    return len({day for one in begun for day in range(one.start, anchor if one.stop is None else min(one.stop, anchor))})


def _outcome(schema: FeatureSchema, events: Sequence[Event], subscribed: Sequence[Subscription], anchor: int) -> tuple[bool, bool]:
    churn, end = schema.churn, anchor + schema.horizon_days
    assert churn is not None
    if churn.when == "no-event":
        days = sorted({event.day for event in events if churn.kind in ("*", event.kind)})
        here = any(anchor - churn.days < day < anchor for day in days)
        beginnings = [anchor, *(day for day in days if anchor < day <= end)]
        return here, any(start + churn.days <= end and not any(start < day <= start + churn.days for day in days) for start in beginnings)
    covers = [one for one in subscribed if one.start <= anchor and (one.stop is None or one.stop > anchor)]
    if not covers:
        return False, False
    began, reach, changed = anchor, anchor, True
    grace = max(1, churn.grace_days)
    forever = 10**9
    while changed:
        changed = False
        for one in subscribed:
            stop = forever if one.stop is None else one.stop
            if one.start <= reach + (grace if reach > anchor else 0) and stop > reach:
                reach, changed = stop, True
    changed = True
    while changed:
        changed = False
        for one in subscribed:
            stop = forever if one.stop is None else one.stop
            if stop + grace >= began and one.start < began:
                began, changed = one.start, True
    return began < anchor, reach <= end
