"""Judging: the figures of earlier predictions by month, with the outcomes that are known by now."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from itertools import groupby
from typing import TypedDict

from retainstream.engine.history.cohorts import Terms
from retainstream.engine.history.performance import IntervalFigures, PeriodFigures, Promised, Tallied, figures, tallies
from retainstream.engine.history.promise import newest_auc, outside_promise
from retainstream.registry.active_schema import active_schema
from retainstream.registry.errors import UnknownVersion
from retainstream.registry.versions import get
from retainstream.runs.history.desk import desk
from retainstream.runs.history.expiry import newest_files
from retainstream.settings import settings
from retainstream.storage.history import PERFORMANCE
from retainstream.storage.models import Version
from retainstream.storage.stores import Stores


class JudgeEvent(TypedDict):
    run_id: str


class Judged(TypedDict):
    """`periods` counts the months that have figures. The others are those of `engine.history.promise`."""

    periods: int
    realised_auc: float | None
    outside_promise: int | None


class PerformanceDocument(TypedDict):
    """The contents of history/performance.json. `made_at` is ISO 8601 in UTC; `horizon_days` is that of the active schema."""

    made_at: str
    run_id: str
    horizon_days: int
    by_period: list[PeriodFigures]


def judge(stores: Stores, event: JudgeEvent) -> Judged:
    """Writes the figures of all months anew, with what the model cards promised."""
    files = newest_files(stores.history.files(), settings().history_months)
    schema = active_schema(stores.documents)
    record_of = cache(partial(_record, stores))
    parts: list[Tallied] = []
    if files:
        with desk(stores.history) as place:
            place.read_lives(stores.customers)
            terms_of = partial(_terms, record_of, schema.horizon_days)
            for month, of_month in groupby(files, key=lambda file: file.anchor[:7]):
                parts += tallies(place.connection, place.copies(list(of_month)), month, terms_of, schema.silence_days)
    rows: list[PeriodFigures] = [{**row, "promised": _promised(record_of(row["model_version"]))} for row in figures(parts)]
    document: PerformanceDocument = {
        "made_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "run_id": event["run_id"],
        "horizon_days": schema.horizon_days,
        "by_period": rows,
    }
    stores.documents.put_bytes(PERFORMANCE, json.dumps(document, allow_nan=False).encode(), "application/json")
    return {
        "periods": len({row["period"] for row in rows if row["period"]}),
        "realised_auc": newest_auc(rows),
        "outside_promise": outside_promise(rows),
    }


def _record(stores: Stores, version: str) -> Version | None:
    """The record of a version; None where it is gone."""
    try:
        return get(stores.models, version)
    except UnknownVersion:
        return None


def _terms(record_of: Callable[[str], Version | None], horizon_days: int, version: str) -> Terms:
    record = record_of(version)
    if record is None:
        return Terms(horizon_days)
    learned = record.get("learned")
    return Terms(record.get("horizon_days", horizon_days), record["threshold"], learned["until"] if learned else None)


def _promised(record: Version | None) -> Promised | None:
    if record is None:
        return None
    metrics = record["metrics"]
    interval = metrics.get("roc_auc_interval")
    known: IntervalFigures | None = {"low": interval["low"], "high": interval["high"]} if interval else None
    return {"roc_auc": metrics.get("roc_auc"), "roc_auc_interval": known, "log_loss": metrics.get("log_loss")}
