"""What an imported row means for the customer there is: the rule by which newer knowledge stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from retainstream.customers.judged import judged, judged_anew
from retainstream.engine.records import Customer, JudgedPrediction, NewCustomer, PreviousPrediction
from retainstream.storage.arriving_customers import CustomerAttributes, RowChange

type Fate = Literal["created", "changed", "unchanged", "older"]

FATES: tuple[Fate, ...] = ("created", "changed", "unchanged", "older")


@dataclass(frozen=True)
class Import:
    """The import a row comes by: its id, the moment that its rows describe (ISO 8601 in UTC, to the microsecond), the schema's horizon."""

    id: str
    as_of: str
    horizon_days: int

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.as_of)


@dataclass(frozen=True)
class News:
    """What a row brings that may be written: other features, another outcome, a newer prediction that the known outcome judges.

    `withheld`: something of it is older than what is stored.
    """

    features: bool
    outcome: bool
    judged: JudgedPrediction | None
    withheld: bool

    @property
    def any(self) -> bool:
        return self.features or self.outcome or self.judged is not None


def may_judge(found: Customer, item: NewCustomer, by: Import) -> bool:
    """Whether the outcome in a row, if there is one, may judge a prediction: not when it is older than the one known."""
    if "churned" not in item or ("churned" in found and by.as_of < found.get("outcome_recorded_at", found["updated_at"])):
        return False
    return found.get("churned") is not item["churned"] or not item["churned"]


def news_of(found: Customer, item: NewCustomer, by: Import, prediction: PreviousPrediction | None) -> News:
    """Compares a row with the customer as it is stored. What describes the same moment as the stored takes its place.

    `prediction` is the latest of this customer, if its outcome may judge one.
    """
    features = found.get("features") != item["features"] or found.get("group") != item["group"]
    outcome = "churned" in item and found.get("churned") is not item["churned"]
    old_features = features and by.as_of < found.get("features_at", found["updated_at"])
    old_outcome = outcome and not may_judge(found, item, by)
    anew = None
    if not outcome and may_judge(found, item, by):
        anew = judged_anew(found.get("outcome_prediction"), prediction, by.horizon_days, moment=by.moment)
    return News(features and not old_features, outcome and not old_outcome, anew, withheld=old_features or old_outcome)


def written_before(found: Customer | None, by: Import) -> Fate | None:
    """The fate this import has given the row already, in a turn that was cut short."""
    import_id, _, fate = (found.get("imported", "") if found else "").partition("#")
    return None if import_id != by.id else "created" if fate == "created" else "changed"


def fate_of(found: Customer | None, item: NewCustomer, by: Import, prediction: PreviousPrediction | None) -> Fate:
    """What becomes of a row. `prediction` as for `news_of`."""
    if found is None:
        return "created"
    news = news_of(found, item, by, prediction)
    return "changed" if news.any else "older" if news.withheld else "unchanged"


def change_of(found: Customer | None, item: NewCustomer, by: Import, prediction: PreviousPrediction | None) -> RowChange:
    """How to write a row that is created or changed. `prediction` as for `news_of`."""
    recorded: CustomerAttributes = {"outcome_at": by.as_of[:10], "outcome_source": item["source"], "outcome_recorded_at": by.as_of}
    features: CustomerAttributes = {
        "group": item["group"],
        "features": item["features"],
        "source": item["source"],
        "features_at": by.as_of,
    }
    if found is None:
        created: CustomerAttributes = {**features, "imported": f"{by.id}#created"}
        if "churned" in item:
            created |= {**recorded, "churned": item["churned"]}
        return RowChange(item["customer_id"], None, created)
    news = news_of(found, item, by, prediction)
    changes: CustomerAttributes = {"imported": f"{by.id}#changed"}
    remove: list[str] = []
    if news.features:
        changes |= features
        if "churned" in found and "outcome_source" not in found:
            changes["outcome_source"] = found["source"]
    if news.outcome:
        changes |= {**recorded, "churned": item["churned"]}
        snapshot = judged(prediction, by.horizon_days, churned=item["churned"], moment=by.moment)
        if snapshot:
            changes["outcome_prediction"] = snapshot
        elif "outcome_prediction" in found:
            remove.append("outcome_prediction")
    elif news.judged:
        changes |= {**recorded, "outcome_prediction": news.judged}
    return RowChange(item["customer_id"], found, changes, remove)
