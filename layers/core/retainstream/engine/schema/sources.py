"""The parts of a feature schema document about raw sources: files, what leaving means in them, and how a column is computed from them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from retainstream.engine.schema.part import Part

ANY = "*"
"""Every kind of event."""

MAX_ANCHORS = 1000
"""The most anchors of a list."""

type Header = Annotated[str, Field(min_length=1, max_length=200)]
type EventKind = Annotated[str, Field(min_length=1, max_length=200)]
type Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
type Measure = Literal["count", "amount"]
type SubscriptionFact = Literal["plan", "price", "age", "tenure", "earlier"]
type Aggregate = Literal["count", "sum", "mean", "max", "distinct", "days_since_last", "days_since_first", "mean_gap", "share", "trend"]

_FILE = Field(
    min_length=1, max_length=200, description="The file's name in the folder of sources; * stands for any letters, for several files"
)
_FORMAT = Field(
    default="", max_length=40, description="How the file writes its days or moments, as in %d.%m.%Y %H:%M; ISO 8601 when absent"
)
_ZONE = Field(
    default="",
    max_length=60,
    pattern=r"^(?:[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*)?$",
    description="The time zone of moments that the file writes without one, as in Europe/Berlin; UTC when absent",
)


class Profile(Part):
    """A file with a row for each customer, or one for each change of a customer."""

    file: str = _FILE
    id: Header
    at: Header | None = Field(
        default=None, description="The column with the day from which a row is true; without it a row is taken as true at every anchor"
    )
    format: str = _FORMAT
    zone: str = _ZONE


class Subscriptions(Part):
    """A file with a row for each subscription."""

    file: str = _FILE
    id: Header
    start: Header = Field(description="The column with the day on which the subscription began")
    end: Header | None = Field(default=None, description="The column with the day on which it ended; blank while it has not ended")
    price: Header | None = None
    plan: Header | None = None
    format: str = _FORMAT
    zone: str = _ZONE


class Events(Part):
    """A file with a row for each event."""

    file: str = _FILE
    id: Header
    at: Header = Field(description="The column with the moment of the event")
    kind: Header | None = Field(default=None, description="The column that names the kind of event; without it all events are of one kind")
    amount: Header | None = Field(default=None, description="The column with a number of the event, such as the money paid")
    format: str = _FORMAT
    zone: str = _ZONE


class Sources(Part):
    """The files that columns and outcomes are computed from."""

    profile: Profile | None = None
    subscriptions: Subscriptions | None = None
    events: Events | None = None

    @model_validator(mode="after")
    def _names_a_file(self) -> Self:
        if not (self.profile or self.subscriptions or self.events):
            raise ValueError("sources name no file; give profile, subscriptions or events")
        return self


class SubscriptionEnded(Part):
    """A customer has left when the last subscription has ended and no other starts within the grace days."""

    when: Literal["subscription-ended"]
    grace_days: int = Field(
        default=0, ge=0, le=365, strict=True, description="Days after an end within which a new subscription continues the life"
    )


class NoEvent(Part):
    """A customer has left when a number of days has passed without an event."""

    when: Literal["no-event"]
    kind: EventKind = Field(default=ANY, description="The kind of event that shows a customer; * for every kind")
    days: Days = Field(description="Days without such an event after which the customer has left")


type Churn = Annotated[SubscriptionEnded | NoEvent, Field(discriminator="when")]


def checked_anchors(value: Any) -> Any:
    """Anchors as a document writes them, each day once and in order.

    Raises:
        ValueError: it is neither monthly nor weekly nor a list of days; the sentence has no subject.
    """
    if value in ("monthly", "weekly"):
        return value
    if not isinstance(value, list | tuple) or not value or not all(isinstance(day, str) and _is_day(day) for day in value):
        raise ValueError("must be monthly, weekly or a list of days such as 2026-01-31")
    if len(value) > MAX_ANCHORS:
        raise ValueError(f"has {len(value):,} days, more than {MAX_ANCHORS:,}")
    return tuple(sorted(set(value)))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


type Anchors = Annotated[Literal["monthly", "weekly"] | tuple[str, ...], BeforeValidator(checked_anchors)]
"""The first day of each month, each Monday, or a list of ISO days in order."""


class Origin(Part):
    """Where a column's value comes from: an aggregate of events, a fact of the subscriptions, or a column of the profile."""

    events: EventKind | tuple[EventKind, ...] | None = Field(
        default=None, description="A kind of event, several kinds, or * for every kind"
    )
    subscriptions: SubscriptionFact | None = Field(
        default=None,
        description="plan or price of the present subscription, its age in days, days under subscription over all (tenure), or the number "
        "of subscriptions before it (earlier)",
    )
    profile: Header | None = Field(default=None, description="A column of the profile's file")
    count: Literal[True] | None = Field(default=None, description="The number of events")
    sum: Literal["amount"] | None = Field(default=None, description="The sum of amounts")
    mean: Literal["amount"] | None = Field(default=None, description="The mean of amounts")
    max: Literal["amount"] | None = Field(default=None, description="The largest amount")
    distinct: Literal["day", "kind"] | None = Field(default=None, description="The number of different days, or kinds, of the events")
    days_since_last: Literal[True] | None = Field(default=None, description="Days from the last event to the anchor")
    days_since_first: Literal[True] | None = Field(default=None, description="Days from the first event to the anchor")
    mean_gap: Literal[True] | None = Field(default=None, description="Mean number of days between an event and the next")
    share: Measure | None = Field(
        default=None,
        description="Number or amount in the window, divided by that of the longer window in `of`, or of all events before the anchor",
    )
    trend: Measure | None = Field(
        default=None, description="Number or amount in the window, divided by that of the window of the same length before it, minus 1"
    )
    days: Days | None = Field(
        default=None, description="Length of the window before the anchor; without it all events before the anchor count"
    )
    of: Days | None = Field(default=None, description="Length of the longer window of a share")

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """The aggregates that are set."""
        every: tuple[Aggregate, ...] = Aggregate.__value__.__args__
        return tuple(name for name in every if getattr(self, name) is not None)

    @property
    def aggregate(self) -> Aggregate:
        """The aggregate of events."""
        return self.aggregates[0]

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds of events, in order; None for every kind."""
        named = (self.events,) if isinstance(self.events, str) else self.events or ()
        return None if ANY in named else tuple(sorted(set(named)))

    @property
    def uses_amount(self) -> bool:
        """Whether the value is computed from amounts."""
        return bool(self.sum or self.mean or self.max) or "amount" in (self.share, self.trend)

    @property
    def may_be_blank(self) -> bool:
        """Whether a customer without such events has no value."""
        return self.events is not None and self.aggregate not in ("count", "sum", "distinct")

    @property
    def is_whole(self) -> bool:
        """Whether every value is a whole number."""
        whole: tuple[Aggregate, ...] = ("count", "distinct", "days_since_last", "days_since_first")
        return self.aggregate in whole if self.events is not None else self.subscriptions in ("age", "tenure", "earlier")

    @model_validator(mode="after")
    def _is_one_computation(self) -> Self:
        stated = [name for name in ("events", "subscriptions", "profile") if getattr(self, name) is not None]
        set_here = ", ".join(self.aggregates)
        for fault, sentence in (
            (len(stated) != 1, "needs exactly one of events, subscriptions and profile"),
            (self.events == (), "events names no kind"),
            (self.events is None and (self.aggregates or self.days or self.of), "an aggregate and days belong to events"),
            (
                self.events is not None and len(self.aggregates) != 1,
                f"has {set_here}; give one aggregate" if set_here else f"needs an aggregate: {', '.join(Aggregate.__value__.__args__)}",
            ),
            ((self.share or self.trend) and self.days is None, f"{set_here} needs days, the length of its window"),
            (self.of is not None and not self.share, "of belongs to share"),
            (self.of is not None and self.days is not None and self.of <= self.days, "of must be more than days"),
        ):
            if fault:
                raise ValueError(sentence)
        return self


def source_faults(sources: Sources | None, churn: Churn | None, horizon_days: int, origins: Mapping[str, Origin | None]) -> Iterator[str]:
    """The faults of a schema's sources, churn and columns together, in sentences. `origins` has the `from` of each column by its name."""
    if sources is None:
        if churn is not None:
            yield "churn says what leaving means in sources; add sources"
        yield from (f"column {name}: from needs sources" for name, origin in origins.items() if origin)
        return
    if churn is None:
        yield "sources need churn, which says when a customer has left"
    elif churn.when == "subscription-ended" and sources.subscriptions is None:
        yield "churn subscription-ended needs sources.subscriptions"
    elif churn.when == "no-event":
        if sources.events is None:
            yield "churn no-event needs sources.events"
        elif churn.kind != ANY and sources.events.kind is None:
            yield f'churn, kind: the events have no column of kinds; write "{ANY}" for every event'
        if horizon_days < churn.days:
            yield f"horizon_days must be at least {churn.days}, the days without an event after which a customer has left"
    for name, origin in origins.items():
        if fault := _fault_of(sources, origin):
            yield f"column {name}: {fault}"


def _fault_of(sources: Sources, origin: Origin | None) -> str:
    if origin is None or origin.profile is not None:
        return "" if sources.profile else "needs from, or sources.profile, which columns without from are read from"
    if origin.subscriptions is not None:
        if sources.subscriptions is None:
            return "from needs sources.subscriptions"
        if origin.subscriptions in ("plan", "price") and getattr(sources.subscriptions, origin.subscriptions) is None:
            return f"from needs the column {origin.subscriptions} in sources.subscriptions"
        return ""
    if sources.events is None:
        return "from needs sources.events"
    if origin.kinds is not None and sources.events.kind is None:
        return f'the events have no column of kinds; write events: "{ANY}" for every event'
    if origin.distinct == "kind" and sources.events.kind is None:
        return "distinct: kind needs the column kind in sources.events"
    return "from needs the column amount in sources.events" if origin.uses_amount and sources.events.amount is None else ""
