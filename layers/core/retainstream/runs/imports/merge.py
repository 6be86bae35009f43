"""The meaning of an imported row for the customer that is stored.

Features replace older ones. The days of the row are facts on the customer's lives, which are sorted by day, so that files may be imported
in any order.
"""

from dataclasses import dataclass
from typing import Literal

from retainstream.customers.arrival import Arrival, Moments
from retainstream.customers.lives import lives_of, with_new_lives
from retainstream.engine.lives import churned_of, outcome_day
from retainstream.engine.lives.timeline import Lives
from retainstream.engine.records import Customer, CustomerSource
from retainstream.storage.arriving_customers import RowChange

type Fate = Literal["created", "changed", "unchanged", "older"]

FATES: tuple[Fate, ...] = ("created", "changed", "unchanged", "older")
FACTS = ("left", "stayed", "not_known", "unreadable", "snapshots", "after_leaving", "older_features")
"""The facts in accepted rows that are counted, see `view.ImportCounts`."""


@dataclass(frozen=True)
class Import:
    """The import of a row: its id, the moments of rows that do not say their own, and the source of the rows."""

    id: str
    moments: Moments
    source: CustomerSource = "import"


def has_older_features(customer: Customer | None, row: Arrival) -> bool:
    """Whether the row has other features than the stored ones, of an earlier moment."""
    return customer is not None and row.features_as_of < _moment_of_features(customer) and _differ(customer, row.with_stored(customer))


def described(customer: Customer | None, row: Arrival) -> Arrival | None:
    """The row with the features of its day, as the history keeps them; None where they are not known.

    What a file lacks is as it was stored by then. Where the stored values are of a later day, a row without a required column is no
    description of its own day.
    """
    if not row.has_features:
        return None
    if customer is not None and row.features_as_of < _moment_of_features(customer):
        return None if row.partial else row
    return row.with_stored(customer)


def written_before(customer: Customer, row: Arrival, by: Import) -> Fate | None:
    """The fate that this import has given the row already, in a turn that was cut short."""
    return next((fate for fate in FATES if customer.get("imported") == _mark(by, fate, row)), None)


def _mark(by: Import, fate: Fate, row: Arrival) -> str:
    return f"{by.id}#{fate}#{row.features_on}"


def merged(customer: Customer | None, row: Arrival, by: Import) -> tuple[Fate, RowChange | None]:
    """The fate of a row, and the change to write, if any. A row that describes the same moment as the stored customer replaces it.

    Columns that the file lacks stay as they are.
    """
    row = row.with_stored(customer)
    if customer is None:
        return "created", RowChange(row.customer_id, None, {**row.attributes(), "imported": _mark(by, "created", row)})
    before, lives = lives_of(customer), row.after(lives_of(customer))
    older, newer = has_older_features(customer, row), _differ(customer, row) and not has_older_features(customer, row)
    attributes, remove = with_new_lives(customer, lives)
    if newer:
        attributes |= {"group": row.group, "features": row.features, "source": row.source, "features_at": row.features_as_of}
        if churned_of(customer["life"]) is not None and "outcome_source" not in customer and "outcome_source" not in remove:
            attributes["outcome_source"] = customer["source"]
    elif attributes and not older and row.has_features and row.features_as_of > _moment_of_features(customer):
        attributes["features_at"] = row.features_as_of
    if row.churned is not None and churned_of(lives[-1]) is row.churned:
        if outcome_day(lives[-1]) != outcome_day(before[-1]):
            attributes["outcome_source"] = row.source
    elif row.churned is not None:
        older = older or lives == before
    changed = newer or _turns(lives) != _turns(before)
    fate: Fate = "changed" if changed else "older" if older else "unchanged"
    if not attributes:
        return fate, None
    return fate, RowChange(row.customer_id, customer, {**attributes, "imported": _mark(by, fate, row)}, remove)


def _turns(lives: Lives) -> list[tuple[object, ...]]:
    """The beginnings, outcomes and ends of lives, without the days up to which they are known."""
    return [(life.get("began_on"), life.get("left_on"), life.get("left_after"), churned_of(life)) for life in lives]


def _moment_of_features(customer: Customer) -> str:
    return customer.get("features_at", customer["updated_at"])


def _differ(customer: Customer, row: Arrival) -> bool:
    return customer.get("features") != row.features or customer.get("group") != row.group
