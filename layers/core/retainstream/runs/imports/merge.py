"""The meaning of an imported row for the customer that is stored: newer data stays."""

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
    """The import of a row: its id, the moment that its rows describe (ISO 8601 in UTC, to the microsecond), and the schema's horizon."""

    id: str
    as_of: str
    horizon_days: int

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.as_of)


@dataclass(frozen=True)
class News:
    """The new data of a row that may be written: other features, another outcome, a newer prediction that the known outcome judges.

    `withheld`: the row has other data, but older than the stored.
    """

    features: bool
    outcome: bool
    judged: JudgedPrediction | None
    withheld: bool

    @property
    def any(self) -> bool:
        return self.features or self.outcome or self.judged is not None


def may_judge(customer: Customer, row: NewCustomer, by: Import) -> bool:
    """Whether the outcome in a row, if there is one, may judge a prediction: not when it is older than the known outcome."""
    if "churned" not in row or ("churned" in customer and by.as_of < customer.get("outcome_recorded_at", customer["updated_at"])):
        return False
    return customer.get("churned") is not row["churned"] or not row["churned"]


def written_before(customer: Customer | None, by: Import) -> Fate | None:
    """The fate that this import has given the row already, in a turn that was cut short."""
    import_id, _, fate = (customer.get("imported", "") if customer else "").partition("#")
    return None if import_id != by.id else "created" if fate == "created" else "changed"


def merged(customer: Customer | None, row: NewCustomer, by: Import, prediction: PreviousPrediction | None) -> tuple[Fate, RowChange | None]:
    """The fate of a row, and the change to write, if any. A row that describes the same moment as the stored customer replaces it.

    `prediction` is the customer's latest prediction, if the row's outcome may judge one.
    """
    if customer is None:
        new: CustomerAttributes = {**_features(row, by), **_outcome(row, by), "imported": f"{by.id}#created"}
        return "created", RowChange(row["customer_id"], None, new)
    news = _news(customer, row, by, prediction)
    if not news.any:
        return ("older" if news.withheld else "unchanged"), None
    return "changed", _change(customer, row, by, prediction, news)


def _news(customer: Customer, row: NewCustomer, by: Import, prediction: PreviousPrediction | None) -> News:
    features = customer.get("features") != row["features"] or customer.get("group") != row["group"]
    outcome = "churned" in row and customer.get("churned") is not row["churned"]
    old_features = features and by.as_of < customer.get("features_at", customer["updated_at"])
    old_outcome = outcome and not may_judge(customer, row, by)
    anew = None
    if not outcome and may_judge(customer, row, by):
        anew = judged_anew(customer.get("outcome_prediction"), prediction, by.horizon_days, moment=by.moment)
    return News(features and not old_features, outcome and not old_outcome, anew, withheld=old_features or old_outcome)


def _change(customer: Customer, row: NewCustomer, by: Import, prediction: PreviousPrediction | None, news: News) -> RowChange:
    changes: CustomerAttributes = {"imported": f"{by.id}#changed"}
    remove: list[str] = []
    if news.features:
        changes |= _features(row, by)
        if "churned" in customer and "outcome_source" not in customer:
            changes["outcome_source"] = customer["source"]
    if news.outcome:
        changes |= _outcome(row, by)
        snapshot = judged(prediction, by.horizon_days, churned=row["churned"], moment=by.moment)
        if snapshot:
            changes["outcome_prediction"] = snapshot
        elif "outcome_prediction" in customer:
            remove.append("outcome_prediction")
    elif news.judged:
        changes |= {**_recorded(row, by), "outcome_prediction": news.judged}
    return RowChange(row["customer_id"], customer, changes, remove)


def _features(row: NewCustomer, by: Import) -> CustomerAttributes:
    return {"group": row["group"], "features": row["features"], "source": row["source"], "features_at": by.as_of}


def _outcome(row: NewCustomer, by: Import) -> CustomerAttributes:
    return {"churned": row["churned"], **_recorded(row, by)} if "churned" in row else {}


def _recorded(row: NewCustomer, by: Import) -> CustomerAttributes:
    return {"outcome_at": by.as_of[:10], "outcome_source": row["source"], "outcome_recorded_at": by.as_of}
