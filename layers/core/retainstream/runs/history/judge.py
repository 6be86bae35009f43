"""Judging: the figures of earlier predictions by month, with the outcomes that are known by now."""

import json
from datetime import UTC, datetime
from itertools import groupby
from typing import TypedDict

from retainstream.engine.history.performance import IntervalFigures, PeriodFigures, Promised, Tallied, figures, tallies
from retainstream.engine.history.promise import outside_promise
from retainstream.registry.active_schema import active_schema
from retainstream.registry.errors import UnknownVersion
from retainstream.registry.versions import get
from retainstream.runs.history.desk import desk
from retainstream.runs.history.expiry import newest_files
from retainstream.settings import settings
from retainstream.storage.history import PERFORMANCE
from retainstream.storage.stores import Stores


class JudgeEvent(TypedDict):
    run_id: str


class Judged(TypedDict):
    """`periods` counts the months that have figures. `outside_promise` is that of `engine.history.promise`."""

    periods: int
    outside_promise: int | None


class PerformanceDocument(TypedDict):
    """The contents of history/performance.json. `made_at` is ISO 8601 in UTC."""

    made_at: str
    run_id: str
    horizon_days: int
    by_period: list[PeriodFigures]


def judge(stores: Stores, event: JudgeEvent) -> Judged:
    """Writes the figures of all months anew, with what the model cards promised."""
    files = newest_files(stores.history.files(), settings().history_months)
    schema = active_schema(stores.documents)
    parts: list[Tallied] = []
    if files:
        with desk(stores.history) as place:
            place.read_lives(stores.customers)
            for month, of_month in groupby(files, key=lambda file: file.anchor[:7]):
                parts += tallies(place.connection, place.copies(list(of_month)), month, schema.horizon_days, schema.silence_days)
    rows = [_with_promise(stores, row) for row in figures(parts)]
    document: PerformanceDocument = {
        "made_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "run_id": event["run_id"],
        "horizon_days": schema.horizon_days,
        "by_period": rows,
    }
    stores.documents.put_bytes(PERFORMANCE, json.dumps(document, allow_nan=False).encode(), "application/json")
    return {"periods": len({row["period"] for row in rows if row["period"]}), "outside_promise": outside_promise(rows)}


def _with_promise(stores: Stores, row: PeriodFigures) -> PeriodFigures:
    return {**row, "promised": _promised(stores, row["model_version"]) if row["model_version"] else None}


def _promised(stores: Stores, version: str) -> Promised | None:
    try:
        metrics = get(stores.models, version).get("metrics", {})
    except UnknownVersion:
        return None
    interval = metrics.get("roc_auc_interval")
    known: IntervalFigures | None = {"low": interval["low"], "high": interval["high"]} if interval else None
    return {"roc_auc": metrics.get("roc_auc"), "roc_auc_interval": known, "log_loss": metrics.get("log_loss")}
