"""Rollups: the dashboard's counters, which changes are already in them, and the trend."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from retainstream.settings import settings
from retainstream.storage.errors import storage_errors
from retainstream.storage.table import Item, Table, to_attributes

type Source = Literal["customers", "predictions"]
type Counters = dict[str, int]

_DASHBOARD = "dashboard"
_COUNTERS = "counters#"
_TREND = "trend"
_TREND_LENGTH = 400
_MARK_BYTES = 10
_STREAM_RETENTION_SECONDS = 24 * 3600
_KEPT_SECONDS = _STREAM_RETENTION_SECONDS + 2 * 3600


@dataclass(frozen=True)
class Versioned:
    """Counters of one table's changes, and the version a write of them must name. Version 0: nothing is stored yet."""

    counters: Counters
    version: int


@dataclass(frozen=True)
class Dashboard:
    """All that the dashboard reads: counters by their source, and the trend's snapshots, oldest first."""

    customers: Counters
    predictions: Counters
    trend: list[Item]


def mark_of(event_id: str) -> bytes:
    """What is kept of a change to know it again: 80 bits, compared only among changes of the same table and second."""
    return blake2b(event_id.encode(), digest_size=_MARK_BYTES).digest()


class Rollups:
    """The rollups table.

    {pk: "dashboard", sk: "counters#<source>", version, counters (JSON)} is written in one transaction with
    {pk: "applied#<source>#<second>", sk: <first mark>, marks, expires_at}, the marks of the changes that the counters took in.
    """

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().rollups_table, ("pk", "sk"))

    def dashboard(self) -> Dashboard:
        """Everything the dashboard needs, in one query."""
        found = {item["sk"]: item for item in self._all(_DASHBOARD)}
        return Dashboard(
            customers=_counters(found.get(f"{_COUNTERS}customers")),
            predictions=_counters(found.get(f"{_COUNTERS}predictions")),
            trend=_snapshots(found.get(_TREND)),
        )

    def trend(self) -> list[Item]:
        """The trend's snapshots, oldest first, in one read."""
        return _snapshots(self._table.get({"pk": _DASHBOARD, "sk": _TREND}))

    def counters(self, source: Source) -> Versioned:
        """The counters of one source as the last write left them."""
        item = self._table.get(_counters_key(source), consistent=True)
        return Versioned(_counters(item), item["version"] if item else 0)

    def applied(self, source: Source, second: int) -> set[bytes]:
        """The marks of the changes made in that second which the counters have taken in."""
        found: set[bytes] = set()
        for item in self._all(_applied_key(source, second), consistent=True):
            marks = bytes(item["marks"])
            found.update(marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES))
        return found

    def advance(self, source: Source, version: int, counters: Counters, applied: Mapping[int, Iterable[bytes]]) -> None:
        """Writes counters and, in the same transaction, the marks by second of what they took in. At most 99 seconds.

        Raises:
            Conflict: the counters are no longer at `version`.
        """
        writes: list[dict[str, Any]] = [self._put(self._counters_item(source, version + 1, counters), version)]
        for second, unordered in applied.items():
            marks = sorted(unordered)
            expires_at = max(second, int(time.time())) + _KEPT_SECONDS
            key = {"pk": _applied_key(source, second), "sk": marks[0].hex()}
            writes.append({"Put": {"TableName": self._table.name, "Item": to_attributes({**key, "expires_at": expires_at})}})
            writes[-1]["Put"]["Item"]["marks"] = {"B": b"".join(marks)}
        with storage_errors():
            self._table.client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def put_if_version(self, source: Source, version: int, counters: Counters) -> None:
        """Writes counters alone.

        Raises:
            Conflict: the counters are no longer at `version`.
        """
        condition = self._put(self._counters_item(source, version + 1, counters), version)["Put"]
        with storage_errors():
            self._table.client.put_item(**condition)

    def add_trend(self, snapshot: Mapping[str, Any]) -> None:
        """Adds a snapshot {run_id, at, …} to the trend, in place of an earlier one of the same run. The oldest of 400 goes.

        Raises:
            Conflict: another snapshot was added at the same moment; try again.
        """
        item = self._table.get({"pk": _DASHBOARD, "sk": _TREND}, consistent=True)
        version = item["version"] if item else 0
        others = [known for known in _snapshots(item) if known["run_id"] != snapshot["run_id"]]
        snapshots = sorted([*others, dict(snapshot)], key=lambda known: str(known["at"]))[-_TREND_LENGTH:]
        written = {"pk": _DASHBOARD, "sk": _TREND, "version": version + 1, "snapshots": json.dumps(snapshots)}
        with storage_errors():
            self._table.client.put_item(**self._put(written, version)["Put"])

    def _all(self, partition: str, *, consistent: bool = False) -> list[Item]:
        items: list[Item] = []
        start: Item | None = None
        while True:
            page = self._table.query("pk = :pk", {":pk": partition}, start=start, consistent=consistent)
            items += page.items
            start = page.next_key
            if start is None:
                return items

    def _put(self, item: Mapping[str, Any], version: int) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table.name, "Item": to_attributes(item)}
        if version == 0:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put |= {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_attributes({":version": version}),
            }
        return {"Put": put}

    def _counters_item(self, source: Source, version: int, counters: Counters) -> Item:
        text = json.dumps(counters, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return {**_counters_key(source), "version": version, "counters": text}


def _counters_key(source: Source) -> dict[str, str]:
    return {"pk": _DASHBOARD, "sk": f"{_COUNTERS}{source}"}


def _applied_key(source: Source, second: int) -> str:
    return f"applied#{source}#{second}"


def _counters(item: Item | None) -> Counters:
    counters: Counters = json.loads(item["counters"]) if item else {}
    return counters


def _snapshots(item: Item | None) -> list[Item]:
    snapshots: list[Item] = json.loads(item["snapshots"]) if item else []
    return snapshots
