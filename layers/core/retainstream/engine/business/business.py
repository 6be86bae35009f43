"""The generated business as arrays: its people, their lives, what they did on each day, and the truth at each anchor.

Days are int32, days since 1970-01-01. An array by day has a column for each day of the span, from `first_day` on.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.business.calendar import Days
from retainstream.engine.business.generated_rows import GeneratedRows
from retainstream.engine.business.truth import Floats
from retainstream.engine.schema import default_schema

type Mask = NDArray[np.bool_]
type Places = NDArray[np.intp]

NEVER = 2**31 - 1
"""The day of leaving of a customer who has not left."""
_MONTH = 30.4375
_WATCHED, _FAILED, _MOST_LOGIN, _MOST_MONTHS, _MOST_FAILURES = 30, 90, 365, 240, 20
_NO_WATCH_TIME, _NO_DEVICES = 0.03, 0.02


@dataclass(frozen=True)
class People:
    """p people, with what does not change.

    plan: int8 (p,), the place in the schema's levels. joined: the first day of the first life, which can be before the span.
    logged_in: a day of a login before the span. silent: bool (p,), whether the person's devices send no data about viewing.
    """

    plan: NDArray[np.int8]
    joined: Days
    logged_in: Days
    silent: Mask

    def __len__(self) -> int:
        return len(self.plan)


@dataclass(frozen=True)
class Lives:
    """l lives. person: the place of the person (l,). began: the first day. left: the day of leaving, or NEVER. price: before the rise."""

    person: Places
    began: Days
    left: Days
    price: Floats

    def __len__(self) -> int:
        return len(self.person)

    def at(self, day: int) -> Places:
        """The lives of the customers of a day: they began by that day, and the customer has not left by that day."""
        return np.flatnonzero((self.began <= day) & (self.left > day))

    def left_in(self, after: int, until: int) -> Places:
        """The lives that ended in (after, until]."""
        return np.flatnonzero((self.left > after) & (self.left <= until))


@dataclass(frozen=True)
class Doings:
    """What people did on each day: arrays (p, days).

    hours: float32, the hours watched. login: bool. devices: uint16, a bit for each device that played something.
    due: bool, whether a payment was due. failures: uint8, the attempts at it that failed.
    """

    hours: NDArray[np.float32]
    login: Mask
    devices: NDArray[np.uint16]
    failures: NDArray[np.uint8]
    due: Mask


@dataclass(frozen=True)
class Snapshot(GeneratedRows):
    """The customers of a day, with the features that are true before it. lives: the places of their lives (n,)."""

    day: int
    lives: Places


@dataclass(frozen=True)
class Business:
    """A streaming business from `first_day` to the last anchor.

    price_rise: by `rise` on the day `rise_day`. truths: the true probabilities of the customers of each anchor, in the order of `snapshot`.
    """

    seed: int
    first_day: int
    anchors: Days
    rise_day: int
    rise: float
    people: People
    lives: Lives
    doings: Doings
    truths: dict[int, Floats] = field(default_factory=dict)

    def id_of(self, person: int) -> str:
        return f"b{person:07d}"

    def prices(self, lives: Places, day: int) -> Floats:
        """What these lives pay a month on a day."""
        return np.round(self.lives.price[lives] * (1 + self.rise * (day >= self.rise_day)), 2)

    def prices_by_person(self, day: int) -> Floats:
        """What each customer of a day pays a month (p,), NaN for others."""
        lives, paid = self.lives.at(day), np.full(len(self.people), np.nan)
        paid[self.lives.person[lives]] = self.prices(lives, day)
        return paid

    def snapshot(self, day: int, lives: Places | None = None) -> Snapshot:
        """The schema's features of the customers of a day, or of these lives, from what happened before that day."""
        chosen = self.lives.at(day) if lives is None else lives
        who, place = self.lives.person[chosen], day - self.first_day
        people, doings = self.people, self.doings
        hours = doings.hours[who, max(0, place - _WATCHED) : max(0, place)].sum(axis=1, dtype=np.float64)
        devices = np.bitwise_count(np.bitwise_or.reduce(doings.devices[who, max(0, place - _WATCHED) : max(0, place)], axis=1))
        failures = doings.failures[who, max(0, place - _FAILED) : max(0, place)].sum(axis=1)
        logins = doings.login[who, max(0, place - _MOST_LOGIN) : max(0, place)][:, ::-1]
        since = np.where(logins.any(axis=1), logins.argmax(axis=1) + 1 if logins.size else 0, day - people.logged_in[who])
        watch_time, device_count = np.round(hours, 1), devices.astype(np.float64)
        no_watch_time, no_devices = self._gaps(day)
        watch_time[people.silent[who] | no_watch_time[who]] = np.nan
        device_count[people.silent[who] | no_devices[who]] = np.nan
        columns = {
            "plan": np.array(default_schema().column("plan").levels, dtype=object)[people.plan[who]],
            "watch_time_hours": watch_time,
            "subscription_age_months": _months(day - self.lives.began[chosen]),
            "device_count": device_count,
            "last_login_days": np.clip(since, 0, _MOST_LOGIN).astype(np.float64),
            "payment_failures": np.minimum(failures, _MOST_FAILURES).astype(np.float64),
            "tenure_months": _months(day - people.joined[who]),
            "monthly_price": self.prices(chosen, day),
        }
        return Snapshot([self.id_of(person) for person in who.tolist()], columns, day, chosen)

    def _gaps(self, day: int) -> tuple[Mask, Mask]:
        """The people whose watch time, and whose devices, are missing on a day."""
        random = np.random.default_rng([self.seed, day])
        return random.random(len(self.people)) < _NO_WATCH_TIME, random.random(len(self.people)) < _NO_DEVICES


def _months(days: NDArray[np.int32]) -> Floats:
    return np.clip(np.floor(days / _MONTH), 0, _MOST_MONTHS)
