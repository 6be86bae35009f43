"""A customer of a file, with the days that its features and its outcome describe, and what they say of the customer's lives."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.lives import had_left
from retainstream.engine.lives.timeline import Lives, began, left, seen
from retainstream.engine.records import Customer, CustomerSource, Features, NewCustomer
from retainstream.engine.schema import ALL, FeatureSchema, FieldError
from retainstream.engine.tables import CustomerRow
from retainstream.engine.tables.problems import UnreadCell
from retainstream.storage.arriving_customers import CustomerAttributes


@dataclass(frozen=True)
class Moments:
    """The moments that a file describes, ISO 8601 in UTC to the microsecond: of its features, and of its outcomes."""

    features_as_of: str
    outcomes_as_of: str

    @classmethod
    def stated(cls, features: datetime | None, outcomes: datetime | None) -> "Moments":
        """Where one is not stated it is the other, and now where neither is: then no outcome is of a later day than the features."""
        either = features or outcomes or datetime.now(UTC)
        return cls(*((moment or either).isoformat(timespec="microseconds") for moment in (features, outcomes)))


@dataclass(frozen=True)
class Arrival:
    """One accepted row of a file. Days are ISO days; `churned` is None where the outcome is not known.

    absent: the schema's columns that the file lacks; what is stored of them stays. partial: a required column is among them.
    has_features: the file has columns of the schema. grouped_by: the schema's group column. line: the row's first line in the file.
    unread: the cells that count as missing since they could not be read. outcome_unread: the outcome is one of them.
    """

    customer_id: str
    group: str
    features: Features
    features_as_of: str
    outcomes_as_of: str
    churned: bool | None = None
    left_on: str | None = None
    began_on: str | None = None
    source: CustomerSource = "import"
    absent: Collection[str] = ()
    partial: bool = False
    has_features: bool = True
    grouped_by: str = ""
    line: int = 0
    unread: tuple[UnreadCell, ...] = ()
    outcome_unread: bool = False

    @property
    def features_on(self) -> str:
        """The day that the features describe."""
        return self.features_as_of[:10]

    @property
    def outcome_on(self) -> str:
        """The day on which the outcome was known."""
        return self.outcomes_as_of[:10]

    def to_be_scored(self) -> "Arrival":
        """The row of a customer whose outcome is to be predicted: the features count as those of the day on which outcomes were known."""
        return replace(self, features_as_of=self.outcomes_as_of)

    def with_stored(self, customer: Customer | None) -> "Arrival":
        """The row with the stored values of the columns that the file lacks."""
        if not self.absent:
            return self
        stored = customer["features"] if customer else {}
        features = {**{name: stored[name] for name in self.absent if name in stored}, **self.features}
        group = self.group
        if not self.has_features and customer:
            group = customer["group"]
        elif self.grouped_by in self.absent:
            group = str(features.get(self.grouped_by, ALL))
        return replace(self, features=features, group=group)

    def after(self, lives: Lives) -> Lives:
        """The lives with what this row says. A row that says that the customer left does not bring back whoever had left before."""
        if not self.has_features and self.churned is None and self.began_on is None:
            return lives
        gone_on = (self.left_on or self.outcome_on) if self.churned else None
        if gone_on is None or (self.features_on < gone_on and not had_left(lives, self.features_on)):
            lives = seen(lives, self.features_on)
        if gone_on is not None:
            lives = left(lives, gone_on, self.outcome_on, exact=self.left_on is not None)
        elif self.churned is False:
            lives = seen(lives, self.outcome_on, stayed=True)
        if self.began_on is not None:
            lives = began(lives, self.began_on, min(self.features_on, gone_on or self.features_on))
        return lives

    def attributes(self) -> CustomerAttributes:
        """The customer of this row, where nothing is stored of one."""
        lives = self.after(())
        new: CustomerAttributes = {
            "group": self.group,
            "features": self.features,
            "source": self.source,
            "features_at": self.features_as_of,
            "life": lives[-1],
        }
        if len(lives) > 1:
            new["earlier_lives"] = list(lives[:-1])
        if self.churned is not None:
            new["outcome_source"] = self.source
        return new

    def customer(self) -> NewCustomer:
        """The same as a record to store."""
        return cast("NewCustomer", {"customer_id": self.customer_id, **self.attributes()})

    def snapshot(self, schema: FeatureSchema, moment: str) -> ArrivingRow:
        """The features as a row of the history. `moment` is before the customer was read."""
        price = self.features.get(schema.money.price) if schema.money else None
        return {
            "customer_id": self.customer_id,
            "anchor": self.features_on,
            "moment": moment,
            "origin": "import",
            "group": self.group,
            "price": float(price) if price is not None else None,
            "features": self.features,
        }


def moments_of(row: CustomerRow, schema: FeatureSchema, stated: Moments) -> tuple[Moments, list[FieldError]]:
    """The moments of a row: of its own columns, or as stated for the file. Faults are named by the part of the schema's `moments`."""
    faults = [FieldError(part, "is in the future") for part, day in row.days.items() if day > _today()]
    features, outcomes = (row.days.get(part) for part in ("features_as_of", "outcomes_as_of"))
    if "anchor" in row.dated:
        if (features := row.days.get("anchor")) is None:
            return stated, [*faults, FieldError("anchor", "is missing")]
        ends = (date.fromisoformat(features) + timedelta(days=schema.horizon_days)).isoformat()
        if row.churned is False and ends > _today():
            faults.append(FieldError("anchor", 'has the outcome "stayed" before the horizon after it is over'))
        outcomes = max(min(ends, _today()), row.days.get("left_on", ""))
    if "features_as_of" in row.dated and features is None:
        faults.append(FieldError("features_as_of", "is missing"))
    if "outcomes_as_of" in row.dated and outcomes is None and row.churned is not None:
        faults.append(FieldError("outcomes_as_of", "is missing, and the row has an outcome"))
    moments = Moments(_first_moment(features) or stated.features_as_of, _first_moment(outcomes) or stated.outcomes_as_of)
    return moments, [*faults, *_contradictions(row, moments)]


def _contradictions(row: CustomerRow, moments: Moments) -> list[FieldError]:
    """The days of a row that cannot all be true."""
    faults = []
    left_on, began_on = row.days.get("left_on"), row.days.get("began_on")
    if left_on is not None and row.churned is False and "anchor" not in row.dated:
        faults.append(FieldError("left_on", "contradicts the outcome, by which the customer stayed"))
    elif left_on is not None and moments.outcomes_as_of[:10] < left_on <= _today():
        faults.append(FieldError("left_on", f"is after {moments.outcomes_as_of[:10]}, the day on which outcomes were known"))
    if began_on is not None:
        if left_on is not None and left_on < began_on:
            faults.append(FieldError("left_on", "is before the day on which the customer began"))
        elif moments.features_as_of[:10] < began_on <= _today():
            faults.append(FieldError("began_on", f"is after {moments.features_as_of[:10]}, the day that the features describe"))
    return faults


def _first_moment(day: str | None) -> str | None:
    return f"{day}T00:00:00.000000+00:00" if day is not None else None


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
