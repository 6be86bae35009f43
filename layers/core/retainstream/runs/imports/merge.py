"""The meaning of an imported row for the customer that is stored.

Features replace older ones. The days of the row are facts on the customer's lives, which are sorted by day, so that files may be imported
in any order.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from retainstream.customers.arrival import Arrival, Moments
from retainstream.customers.judged import judged, judged_anew, moment_of
from retainstream.customers.lives import lives_of, with_new_lives
from retainstream.engine.lives import churned_of, outcome_day
from retainstream.engine.lives.timeline import Lives
from retainstream.engine.records import Customer, CustomerSource, JudgedPrediction, PreviousPrediction
from retainstream.storage.arriving_customers import RowChange

type Fate = Literal["created", "changed", "unchanged", "older"]

FATES: tuple[Fate, ...] = ("created", "changed", "unchanged", "older")
FACTS = ("left", "stayed", "not_known", "snapshots", "after_leaving", "older_features")
"""The facts in accepted rows that are counted, see `view.ImportCounts`."""


@dataclass(frozen=True)
class Import:
    """The import of a row: its id, the moments of rows that do not say their own, the schema's horizon, and the source of the rows."""

    id: str
    moments: Moments
    horizon_days: int
    source: CustomerSource = "import"


def has_older_features(customer: Customer | None, row: Arrival) -> bool:
    """Whether the row has other features than the stored ones, of an earlier moment."""
    return customer is not None and _differ(customer, row) and row.features_as_of < _moment_of_features(customer)


def may_judge(customer: Customer, row: Arrival) -> bool:
    """Whether the outcome in a row may judge a prediction, so that the prediction has to be read."""
    return row.churned is False or (row.churned is True and churned_of(customer["life"]) is not True)


def written_before(customer: Customer, row: Arrival, by: Import) -> Fate | None:
    """The fate that this import has given the row already, in a turn that was cut short."""
    return next((fate for fate in FATES if customer.get("imported") == _mark(by, fate, row)), None)


def _mark(by: Import, fate: Fate, row: Arrival) -> str:
    return f"{by.id}#{fate}#{row.features_on}"


def merged(customer: Customer | None, row: Arrival, by: Import, prediction: PreviousPrediction | None) -> tuple[Fate, RowChange | None]:
    """The fate of a row, and the change to write, if any. A row that describes the same moment as the stored customer replaces it.

    `prediction` is the customer's latest prediction, if the row's outcome may judge one.
    """
    if customer is None:
        return "created", RowChange(row.customer_id, None, {**row.attributes(), "imported": _mark(by, "created", row)})
    before, lives = lives_of(customer), row.after(lives_of(customer))
    older, newer = has_older_features(customer, row), _differ(customer, row) and not has_older_features(customer, row)
    attributes, remove = with_new_lives(customer, lives)
    if newer:
        attributes |= {"group": row.group, "features": row.features, "source": row.source, "features_at": row.features_as_of}
        if churned_of(customer["life"]) is not None and "outcome_source" not in customer and "outcome_source" not in remove:
            attributes["outcome_source"] = customer["source"]
    elif attributes and not older and row.features_as_of > _moment_of_features(customer):
        attributes["features_at"] = row.features_as_of
    kept, snapshot = customer.get("outcome_prediction"), customer.get("outcome_prediction")
    if row.churned is not None and churned_of(lives[-1]) is row.churned:
        snapshot = _judged(customer, row, lives, by, prediction)
        if snapshot is not None and snapshot != kept:
            attributes["outcome_prediction"] = snapshot
        elif snapshot is None and kept is not None:
            remove = (*remove, "outcome_prediction")
        if snapshot != kept or outcome_day(lives[-1]) != outcome_day(before[-1]):
            attributes["outcome_source"] = row.source
    elif row.churned is not None:
        older = older or lives == before
    changed = newer or snapshot != kept or _turns(lives) != _turns(before)
    fate: Fate = "changed" if changed else "older" if older else "unchanged"
    if not attributes:
        return fate, None
    return fate, RowChange(row.customer_id, customer, {**attributes, "imported": _mark(by, fate, row)}, remove)


def _turns(lives: Lives) -> list[tuple[object, ...]]:
    """The beginnings, outcomes and ends of lives, without the days up to which they are known."""
    return [(life.get("began_on"), life.get("left_on"), life.get("left_after"), churned_of(life)) for life in lives]


def _judged(customer: Customer, row: Arrival, lives: Lives, by: Import, prediction: PreviousPrediction | None) -> JudgedPrediction | None:
    """The prediction that the outcome of the present life is compared with."""
    came_back = len(lives) > len(lives_of(customer))
    kept = None if came_back else customer.get("outcome_prediction")
    if row.churned:
        return (
            kept if churned_of(customer["life"]) and not came_back else judged(prediction, by.horizon_days, churned=True, moment=_end(row))
        )
    if came_back:
        return None
    moment = max(_end(row), moment_of(lives[-1]["stayed_on"]))
    if churned_of(customer["life"]) is not False:
        return judged(prediction, by.horizon_days, churned=False, moment=moment)
    return judged_anew(kept, prediction, by.horizon_days, moment=moment) or kept


def _end(row: Arrival) -> datetime:
    return datetime.fromisoformat(row.outcomes_as_of)


def _moment_of_features(customer: Customer) -> str:
    return customer.get("features_at", customer["updated_at"])


def _differ(customer: Customer, row: Arrival) -> bool:
    return customer.get("features") != row.features or customer.get("group") != row.group
