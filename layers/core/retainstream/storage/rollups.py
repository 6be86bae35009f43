"""Rollups: the dashboard's counters, which changes are already in them, and the trend."""

import json
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Literal

from retainstream.settings import settings
from retainstream.storage.attributes import to_attributes
from retainstream.storage.errors import Conflict, storage_errors
from retainstream.storage.table import Item, Table

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


@dataclass(frozen=True)
class Repair:
    """A recount that was put in place of counters: the run that made it, and the second up to which every change is in it."""

    run_id: str
    until: int


@dataclass(frozen=True)
class Versioned:
    """Counters of one table's changes, and the version a write of them must name. Version 0: nothing is stored yet.

    Where they stand on a recount, no change up to `repair.until` may be taken into them any more.
    """

    counters: Counters
    version: int
    repair: Repair | None = None


@dataclass(frozen=True)
class Dashboard:
    """All that the dashboard reads: counters by their source, and the trend's snapshots of runs and of days, oldest first."""

    customers: Counters
    predictions: Counters
    trend: list[Item]
    days: list[Item]


def mark_of(event_id: str) -> bytes:
    """What is kept of a change to know it again: 80 bits, compared only among changes of the same table and second."""
    return blake2b(event_id.encode(), digest_size=_MARK_BYTES).digest()


class Rollups:
    """The rollups table.

    {pk: "dashboard", sk: "counters#<source>", version, counters (JSON), repair?} is written in one transaction with
    {pk: "applied#<source>#<second>", sk: <first mark>, marks, expires_at}, the marks of the changes that the counters took in.
    {pk: "dashboard", sk: "trend", version, snapshots (JSON), days (JSON)} is the trend, of 200 runs and 400 days.
    """

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rollups_table, ("pk", "sk"))

    def dashboard(self) -> Dashboard:
        """Everything the dashboard needs, in one query."""
        found = {item["sk"]: item for item in self._all(_DASHBOARD)}
        return Dashboard(
            customers=_counters(found.get(f"{_COUNTERS}customers")),
            predictions=_counters(found.get(f"{_COUNTERS}predictions")),
            trend=_series(found.get(_TREND), _RUNS),
            days=_series(found.get(_TREND), _DAYS),
        )

    def trend(self) -> list[Item]:
        """The trend's snapshots of scoring runs, oldest first, in one read."""
        return _series(self._table.get(_TREND_KEY), _RUNS)

    def counters(self, source: Source) -> Versioned:
        """The counters of one source as the last write left them."""
        item = self._table.get(_counters_key(source), consistent=True)
        if item is None:
            return Versioned({}, 0)
        return Versioned(_counters(item), item["version"], Repair(**item["repair"]) if "repair" in item else None)

    def applied(self, source: Source, second: int) -> set[bytes]:
        """The marks of the changes made in that second which the counters have taken in."""
        found: set[bytes] = set()
        for item in self._all(_applied_key(source, second), consistent=True):
            marks = bytes(item["marks"])
            found.update(marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES))
        return found

    def advance(self, source: Source, stored: Versioned, counters: Counters, applied: Mapping[int, Iterable[bytes]]) -> None:
        """Writes counters in place of `stored` and, in the same transaction, the marks by second of what they took in. At most 99
        seconds.

        Raises:
            Conflict: the counters are no longer those `stored`.
        """
        writes = [self._put(_counters_item(source, Versioned(counters, stored.version + 1, stored.repair)), stored.version)]
        for second, unordered in applied.items():
            marks = sorted(unordered)
            expires_at = max(second, int(time.time())) + _KEPT_SECONDS
            key = {"pk": _applied_key(source, second), "sk": marks[0].hex()}
            writes.append({"Put": {"TableName": self._table.name, "Item": to_attributes({**key, "expires_at": expires_at})}})
            writes[-1]["Put"]["Item"]["marks"] = {"B": b"".join(marks)}
        with storage_errors():
            self._table.client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def put_if_version(self, source: Source, version: int, counters: Counters, repair: Repair | None = None) -> None:
        """Writes counters alone.

        Raises:
            Conflict: the counters are no longer at `version`.
        """
        self._replace(_counters_item(source, Versioned(counters, version + 1, repair)), version)

    def add_trend(self, snapshot: Mapping[str, Any]) -> None:
        """Adds the snapshot {run_id, at, …} of a run to the trend, in place of an earlier one of the same run. The oldest of 200 goes.

        Raises:
            Conflict: others were quicker every time; try again.
        """
        self._add(_RUNS, "run_id", snapshot)

    def add_day(self, snapshot: Mapping[str, Any]) -> None:
        """Adds the snapshot {day, at, …} of a day to the trend, in place of an earlier one of the same day. The oldest of 400 goes.

        Raises:
            Conflict: others were quicker every time; try again.
        """
        self._add(_DAYS, "day", snapshot)

    def _add(self, series: str, key: str, snapshot: Mapping[str, Any]) -> None:
        for attempt in range(_ATTEMPTS):
            item = self._table.get(_TREND_KEY, consistent=True)
            version = item["version"] if item else 0
            known = {one[key]: one for one in _series(item, series)}
            if snapshot[key] in known and known[snapshot[key]]["at"] > snapshot["at"]:
                return
            known[snapshot[key]] = dict(snapshot)
            newest = sorted(known.values(), key=lambda one: str(one["at"]))[-_KEPT[series] :]
            text = json.dumps(newest, separators=(",", ":"))
            try:
                self._replace({**(item or {}), **_TREND_KEY, "version": version + 1, series: text}, version)
            except Conflict:
                time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311
                continue
            return
        raise Conflict("trend")

    def _all(self, partition: str, *, consistent: bool = False) -> list[Item]:
        items: list[Item] = []
        start: Item | None = None
        while True:
            page = self._table.query("pk = :pk", {":pk": partition}, start=start, consistent=consistent)
            items += page.items
            start = page.next_key
            if start is None:
                return items

    def _replace(self, item: Mapping[str, Any], version: int) -> None:
        condition, values, names = _still_at(version)
        self._table.put(item, condition, values, names)

    def _put(self, item: Mapping[str, Any], version: int) -> dict[str, Any]:
        condition, values, names = _still_at(version)
        put: dict[str, Any] = {"TableName": self._table.name, "Item": to_attributes(item), "ConditionExpression": condition}
        if version:
            put |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": to_attributes(values)}
        return {"Put": put}


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


def _series(item: Item | None, name: str) -> list[Item]:
    snapshots: list[Item] = json.loads(item[name]) if item and name in item else []
    return snapshots
