"""The generated business as a company's systems would export it: subscriptions, events, profiles, and a table a month."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.business.business import NEVER, Business
from retainstream.engine.business.calendar import day_of
from retainstream.engine.business.truth import HORIZON
from retainstream.engine.records import Value
from retainstream.engine.schema import default_schema

EventKind = Literal["login", "play", "payment", "payment_failed"]
KINDS: tuple[EventKind, ...] = ("login", "play", "payment", "payment_failed")
_LOGIN, _PLAY, _PAYMENT, _FAILURE = range(4)
_DAY = 86_400
_COUNTRIES = ("US", "CA", "GB", "AU", "DE")


class Subscription(NamedTuple):
    """A time of one plan at one price, as ISO days; `ended_on` is empty while it lasts. A rise of the price begins a new one."""

    customer_id: str
    started_on: str
    ended_on: str
    plan: str
    monthly_price: float


class Profile(NamedTuple):
    customer_id: str
    joined_on: str
    country: str


class Event(NamedTuple):
    """`occurred_at` is ISO 8601 in UTC. `amount`: hours of a play, money of a payment. `device`: of a play."""

    customer_id: str
    occurred_at: str
    event: EventKind
    amount: float | None
    device: str


class Truth(NamedTuple):
    """The probability that a customer of an anchor leaves within the horizon, and whether that happened; None if it is not over."""

    customer_id: str
    anchor: str
    probability: float
    churned: bool | None


class MonthlyRow(NamedTuple):
    """A customer's row in a monthly table. `left_on` is empty for those who are customers."""

    customer_id: str
    began_on: str
    left_on: str
    features: dict[str, Value]


def subscriptions(business: Business) -> Iterator[Subscription]:
    """All subscriptions, by their beginning."""
    lives, levels = business.lives, default_schema().column("plan").levels
    last, rows = int(business.anchors[-1]), list[tuple[int, int, int, int]]()
    for life, (began, left) in enumerate(zip(lives.began.tolist(), lives.left.tolist(), strict=True)):
        if began > last:
            continue
        days = [began, *([business.rise_day] if began < business.rise_day < min(left, last + 1) else []), left]
        rows += [(start, int(lives.person[life]), end, life) for start, end in pairwise(days)]
    for start, person, end, life in sorted(rows):
        price = float(business.prices(np.array([life]), start)[0])
        plan = levels[business.people.plan[person]]
        yield Subscription(business.id_of(person), day_of(start).isoformat(), "" if end == NEVER else day_of(end).isoformat(), plan, price)


def profiles(business: Business) -> Iterator[Profile]:
    """Everybody who ever was a customer."""
    country = np.random.default_rng([business.seed, 1]).choice(len(_COUNTRIES), len(business.people), p=[0.5, 0.15, 0.15, 0.1, 0.1])
    for person, joined in enumerate(business.people.joined.tolist()):
        yield Profile(business.id_of(person), day_of(joined).isoformat(), _COUNTRIES[country[person]])


def events(business: Business) -> Iterator[Event]:
    """All events, day by day, in the order of their moments."""
    random = np.random.default_rng([business.seed, 2])
    days = business.doings.login.shape[1]
    for place in range(days):
        yield from _of_day(business, place, random)


def monthly_table(business: Business, place: int) -> Iterator[MonthlyRow]:
    """The table of the anchor at a place: its customers, and those who left since the anchor before.

    The features of both are of the anchor.
    """
    lives, anchor = business.lives, int(business.anchors[place])
    leavers = lives.left_in(int(business.anchors[place - 1]), anchor) if place else np.empty(0, dtype=np.intp)
    chosen = np.concatenate([lives.at(anchor), leavers])
    snapshot = business.snapshot(anchor, chosen)
    days = zip(lives.began[chosen].tolist(), lives.left[chosen].tolist(), strict=True)
    for customer_id, features, (began, left) in zip(snapshot.ids, snapshot.features(), days, strict=True):
        yield MonthlyRow(customer_id, day_of(began).isoformat(), day_of(left).isoformat() if left <= anchor else "", features)


def truths(business: Business) -> Iterator[Truth]:
    """The truth at each anchor."""
    for anchor, probabilities in business.truths.items():
        snapshot, over = business.snapshot(anchor), anchor + HORIZON <= business.anchors[-1]
        left = business.lives.left[snapshot.lives] <= anchor + HORIZON
        for customer_id, probability, churned in zip(snapshot.ids, probabilities.tolist(), left.tolist(), strict=True):
            yield Truth(customer_id, day_of(anchor).isoformat(), probability, churned if over or churned else None)


def _of_day(business: Business, place: int, random: np.random.Generator) -> Iterator[Event]:
    doings, people, day = business.doings, len(business.people), business.first_day + place
    logins, plays = np.flatnonzero(doings.login[:, place]), np.flatnonzero(doings.hours[:, place])
    due, failed = np.flatnonzero(doings.due[:, place]), np.repeat(np.arange(people), doings.failures[:, place])
    who = np.concatenate([logins, plays, due, failed])
    kind = np.repeat([_LOGIN, _PLAY, _PAYMENT, _FAILURE], [len(logins), len(plays), len(due), len(failed)])
    paid = business.prices_by_person(day)
    amount = np.concatenate([np.full(len(logins), np.nan), doings.hours[plays, place], paid[due], paid[failed]]).round(2)
    played_on = np.bitwise_count(doings.devices[who, place] - np.uint16(1)).astype(np.int64)  # the place of the only bit
    device = np.where(kind == _PLAY, played_on, -1)
    login = random.integers(0, _DAY, people)
    play = login[who] + (random.random(len(who)) * (_DAY - login[who])).astype(np.int64)
    second = np.select([kind == _LOGIN, kind == _PLAY], [login[who], play], random.integers(0, _DAY, len(who)))
    order = np.lexsort((kind, second))
    moments = np.datetime_as_string((day * _DAY + second).astype("datetime64[s]")) if len(who) else np.empty(0, dtype=np.str_)
    columns: list[NDArray[Any]] = [who, moments, kind, amount, device]
    for person, moment, what, value, number in zip(*(column[order].tolist() for column in columns), strict=True):
        yield Event(
            business.id_of(person), f"{moment}Z", KINDS[what], None if value != value else value, f"d{number}" if number >= 0 else ""
        )
