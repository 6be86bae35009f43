"""What an imported row means for the customer there is: the rule by which newer knowledge stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from retainstream.customers.records import snapshot_of
from retainstream.storage.arriving_customers import RowChange

type Fate = Literal["created", "changed", "unchanged", "older"]
type Item = Mapping[str, Any]

FATES: tuple[Fate, ...] = ("created", "changed", "unchanged", "older")


@dataclass(frozen=True)
class Import:
    """The import a row comes by: its id, and the moment that its rows describe (ISO 8601 in UTC, to the microsecond)."""

    id: str
    as_of: str


@dataclass(frozen=True)
class News:
    """What a row brings that may be written: other features, another outcome. `withheld`: something of it is older than what is stored."""

    features: bool
    outcome: bool
    withheld: bool


def news_of(found: Item, item: Item, by: Import) -> News:
    """Compares a row with the customer as it is stored. What describes the same moment as the stored takes its place."""
    features = found.get("features") != item["features"] or found.get("group") != item["group"]
    outcome = "churned" in item and found.get("churned") is not item["churned"]
    old_features = features and by.as_of < found.get("features_at", found["updated_at"])
    old_outcome = outcome and "churned" in found and by.as_of < found.get("outcome_recorded_at", found["updated_at"])
    return News(features and not old_features, outcome and not old_outcome, withheld=old_features or old_outcome)


def written_before(found: Item | None, by: Import) -> Fate | None:
    """The fate this import has given the row already, in a turn that was cut short."""
    import_id, _, fate = (found or {}).get("imported", "").partition("#")
    return None if import_id != by.id else "created" if fate == "created" else "changed"


def fate_of(found: Item | None, item: Item, by: Import) -> Fate:
    """What becomes of a row."""
    if found is None:
        return "created"
    news = news_of(found, item, by)
    return "changed" if news.features or news.outcome else "older" if news.withheld else "unchanged"


def change_of(found: Item | None, item: Item, by: Import, prediction: Item | None) -> RowChange:
    """How to write a row that is created or changed. `prediction` is the latest of this customer, kept beside an outcome."""
    outcome = {"churned": item["churned"], "outcome_at": by.as_of[:10], "outcome_source": item["source"]} if "churned" in item else {}
    outcome |= {"outcome_recorded_at": by.as_of} if outcome else {}
    features = {**{name: item[name] for name in ("group", "features", "source")}, "features_at": by.as_of}
    if found is None:
        return RowChange(item["customer_id"], None, {**features, **outcome, "imported": f"{by.id}#created"})
    news = news_of(found, item, by)
    changes: dict[str, Any] = {"imported": f"{by.id}#changed"}
    remove: list[str] = []
    if news.features:
        changes |= features
        if "churned" in found and "outcome_source" not in found:
            changes["outcome_source"] = found["source"]
    if news.outcome:
        changes |= outcome
        snapshot = snapshot_of(prediction)
        if snapshot:
            changes["outcome_prediction"] = snapshot
        elif "outcome_prediction" in found:
            remove.append("outcome_prediction")
    return RowChange(item["customer_id"], found, changes, remove)
