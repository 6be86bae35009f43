"""Rollups: the dashboard's counters, marks of the changes that are in them, and the trend."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from retainstream.settings import settings
from retainstream.storage.attributes import to_attributes
from retainstream.storage.errors import Conflict, storage_errors
from retainstream.storage.retry import attempts
from retainstream.storage.table import Item, Key, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

type Source = Literal["customers", "predictions"]
type Counters = dict[str, int]

_DASHBOARD = "dashboard"
_COUNTERS = "counters#"
_TREND = "trend"
_TREND_KEY = {"pk": _DASHBOARD, "sk": _TREND}
_RUNS, _DAYS = "snapshots", "days"
_KEPT = {_RUNS: 200, _DAYS: 400}
_ATTEMPTS = 20
_MARK_BYTES = 10
_STREAM_RETENTION_SECONDS = 24 * 3600
_KEPT_SECONDS = _STREAM_RETENTION_SECONDS + 2 * 3600


class ChurnOfSnapshot(TypedDict):
    """The churn rate of the newest month with a rate, and that month, such as 2026-10. None where there was none."""

    churn_rate: float | None
    churn_period: str | None


class Snapshot(TypedDict):
    """The trend's sums over scored customers who were not known to have left; see `dashboard.trend.TrendFigures`.

    `predicted_churners` is the sum of the probabilities, `high_risk` the number of customers at or above the model's threshold, and
    `value_at_risk` their part of `value_at_risk_of_all`, in the currency. `churn_rate` and `churn_period` are those of `ChurnOfSnapshot`.
    Earlier versions did not keep every figure, and kept `stayed` and `churned` of all time, which give no rate.
    """

    at: str
    model_version: str | None
    roc_auc: NotRequired[float | None]
    scored: int
    churn_rate: NotRequired[float | None]
    churn_period: NotRequired[str | None]
    predicted_churners: float
    high_risk: int
    value_at_risk: float
    value_at_risk_of_all: NotRequired[float]


class RunSnapshot(Snapshot):
    """The sums that a scoring run found. `features_on` is the day that the features of most customers describe.

    `expected_ends` are the two ends of the 95% interval of the customers who will leave, around `predicted_churners`.
    """

    run_id: str
    features_on: NotRequired[str | None]
    by_level: NotRequired[dict[str, int]]
    mean_probability: NotRequired[float | None]
    expected_ends: NotRequired[list[float]]
    drift: NotRequired[str]


class DaySnapshot(Snapshot):
    """The sums at the end of a day in UTC, such as 2026-01-31."""

    day: str


@dataclass(frozen=True)
class Repair:
    """A recount that replaced counters: the run that counted, and the second up to which it holds every change."""

    run_id: str
    until: int


@dataclass(frozen=True)
class Versioned:
    """Counters of one table's changes, and the version that a write of them must name. Version 0: nothing is stored yet.

    After a repair, no change up to `repair.until` may be counted any more.
    """

    counters: Counters
    version: int
    repair: Repair | None = None


@dataclass(frozen=True)
class Dashboard:
    """Everything the dashboard reads: the counters of both tables, and the trend's snapshots of runs and of days, oldest first."""

    customers: Counters
    predictions: Counters
    trend: list[RunSnapshot]
    days: list[DaySnapshot]


def mark_of(event_id: str) -> bytes:
    """The mark by which a change is recognised: 80 bits, compared only among changes of the same table and second."""
    return blake2b(event_id.encode(), digest_size=_MARK_BYTES).digest()


class Rollups:
    """The rollups table.

    {pk: "dashboard", sk: "counters#<source>", version, counters (JSON), repair?} is written in one transaction with
    {pk: "applied#<source>#<second>", sk: <first mark>, marks, expires_at}, the marks of the changes that are in the counters.
    {pk: "dashboard", sk: "trend", version, snapshots (JSON), days (JSON)} is the trend of 200 runs and 400 days.
    """

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rollups_table, ("pk", "sk"))

    def dashboard(self) -> Dashboard:
        """Everything the dashboard needs, in one query."""
        items = {item["sk"]: item for item in self._all(_DASHBOARD)}
        return Dashboard(
            customers=_counters(items.get(f"{_COUNTERS}customers")),
            predictions=_counters(items.get(f"{_COUNTERS}predictions")),
            trend=_series(items.get(_TREND), _RUNS),
            days=_series(items.get(_TREND), _DAYS),
        )

    def trend(self) -> list[RunSnapshot]:
        """The trend's snapshots of scoring runs, oldest first, in one read."""
        return _series(self._table.get(_TREND_KEY), _RUNS)

    def counters(self, source: Source) -> Versioned:
        """The counters of one source as the last write left them."""
        item = self._table.get(_counters_key(source), consistent=True)
        if item is None:
            return Versioned({}, 0)
        return Versioned(_counters(item), item["version"], Repair(**item["repair"]) if "repair" in item else None)

    def applied(self, source: Source, second: int) -> set[bytes]:
        """The marks of the changes of that second that are in the counters."""
        applied: set[bytes] = set()
        for item in self._all(_applied_key(source, second), consistent=True):
            marks = bytes(item["marks"])
            applied.update(marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES))
        return applied

    def advance(self, source: Source, stored: Versioned, counters: Counters, applied: Mapping[int, Iterable[bytes]]) -> None:
        """Replaces the counters `stored` and, in the same transaction, writes the marks of the new changes by second. At most 99 seconds.

        Raises:
            Conflict: the stored counters have changed.
        """
        writes = [self._put(_counters_item(source, Versioned(counters, stored.version + 1, stored.repair)), stored.version)]
        for second, unordered in applied.items():
            marks = sorted(unordered)
            expires_at = max(second, int(time.time())) + _KEPT_SECONDS
            key = {"pk": _applied_key(source, second), "sk": marks[0].hex()}
            item = {**to_attributes({**key, "expires_at": expires_at}), "marks": {"B": b"".join(marks)}}
            writes.append({"Put": {"TableName": self._table.name, "Item": item}})
        with storage_errors():
            self._table.client.transact_write_items(TransactItems=writes)

    def put_if_version(self, source: Source, version: int, counters: Counters, repair: Repair | None = None) -> None:
        """Writes counters without marks.

        Raises:
            Conflict: the stored counters are not at `version`.
        """
        self._replace(_counters_item(source, Versioned(counters, version + 1, repair)), version)

    def add_trend(self, snapshot: RunSnapshot) -> None:
        """Adds a run's snapshot to the trend and replaces an earlier one of the same run. The trend keeps the newest 200.

        Raises:
            Conflict: other writers were first every time. The same call may be made again.
        """
        self._add(_RUNS, snapshot, lambda run: run["run_id"])

    def add_day(self, snapshot: DaySnapshot) -> None:
        """Adds a day's snapshot to the trend and replaces an earlier one of the same day. The trend keeps the newest 400.

        Raises:
            Conflict: other writers were first every time. The same call may be made again.
        """
        self._add(_DAYS, snapshot, lambda day: day["day"])

    def _add[Kept: Snapshot](self, series: str, snapshot: Kept, name_of: Callable[[Kept], str]) -> None:
        name = name_of(snapshot)
        for _ in attempts(_ATTEMPTS, first=0.01, longest=1.0):
            item = self._table.get(_TREND_KEY, consistent=True)
            version = item["version"] if item else 0
            stored: list[Kept] = _series(item, series)
            snapshots = {name_of(kept): kept for kept in stored}
            if name in snapshots and snapshots[name]["at"] > snapshot["at"]:
                return
            snapshots[name] = snapshot
            newest = sorted(snapshots.values(), key=lambda kept: kept["at"])[-_KEPT[series] :]
            text = json.dumps(newest, separators=(",", ":"))
            with suppress(Conflict):
                self._replace({**(item or {}), **_TREND_KEY, "version": version + 1, series: text}, version)
                return
        raise Conflict("trend")

    def _all(self, partition: str, *, consistent: bool = False) -> list[Item]:
        items: list[Item] = []
        start: Key | None = None
        while True:
            page = self._table.query("pk = :pk", {":pk": partition}, start=start, consistent=consistent)
            items += page.items
            start = page.next_key
            if start is None:
                return items

    def _replace(self, item: Mapping[str, object], version: int) -> None:
        condition, values, names = _still_at(version)
        self._table.put(item, condition, values, names)

    def _put(self, item: Mapping[str, object], version: int) -> "TransactWriteItemTypeDef":
        condition, values, names = _still_at(version)
        attributes = to_attributes(item)
        if not version:
            return {"Put": {"TableName": self._table.name, "Item": attributes, "ConditionExpression": condition}}
        return {
            "Put": {
                "TableName": self._table.name,
                "Item": attributes,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": to_attributes(values),
            }
        }


def _still_at(version: int) -> tuple[str, dict[str, int], dict[str, str]]:
    return ("#version = :version", {":version": version}, {"#version": "version"}) if version else ("attribute_not_exists(pk)", {}, {})


def _counters_key(source: Source) -> dict[str, str]:
    return {"pk": _DASHBOARD, "sk": f"{_COUNTERS}{source}"}


def _counters_item(source: Source, counted: Versioned) -> Item:
    text = json.dumps(counted.counters, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    item: Item = {**_counters_key(source), "version": counted.version, "counters": text}
    return {**item, "repair": asdict(counted.repair)} if counted.repair else item


def _applied_key(source: Source, second: int) -> str:
    return f"applied#{source}#{second}"


def _counters(item: Item | None) -> Counters:
    counters: Counters = json.loads(item["counters"]) if item else {}
    return counters


def _series[Kept: Snapshot](item: Item | None, name: str) -> list[Kept]:
    snapshots: list[Kept] = json.loads(item[name]) if item and name in item else []
    return snapshots
