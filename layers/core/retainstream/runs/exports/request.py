"""Asking for a file of predictions: made at once where there are few, by a run where there are many."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from typing import Any

from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import LEVELS, level_of
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.results import Filters, ranking_of
from retainstream.predictions.views import ExportRunView, ExportView
from retainstream.runs.exports.file import TooManyRows, download, link
from retainstream.runs.exports.steps import file_key
from retainstream.runs.starting import find_run, run_id_for, start_run
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.rollups import Counters, Dashboard
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from retainstream.storage.table import Item

ANSWERED_AGAIN_SECONDS = LINK_SECONDS
"""An export that ended no longer ago answers the next who ask for the same."""
_LAG = 2
"""Counters may be seconds behind; a file made at once may need so many times the reads they promise."""


def export(
    stores: Stores, schema: FeatureSchema, filters: Filters, threshold: float | None, *, at_once: int, machine_arn: str, started_by: str
) -> ExportView | ExportRunView:
    """A link to a file of every prediction that passes the filters, where about `at_once` predictions or fewer must be read for it; else
    the run that makes the file.

    Who asks for the same while that run goes on, or within ANSWERED_AGAIN_SECONDS of its good end, gets the same run, unless everybody
    was scored, or somebody removed, in between.

    Raises:
        UnknownGroup: the filters name a group that the schema does not have.
        StorageUnavailable: a run may or may not have started; asking again does not start a second one.
    """
    groups = groups_of(schema, filters.group)
    dashboard = stores.rollups.dashboard()
    if to_read(dashboard, groups, filters, threshold) <= at_once:
        with suppress(TooManyRows):
            return download(stores.predictions, stores.documents, stores.removals, schema, filters, threshold, at_most=_LAG * at_once)
    asked = {"filters": _given(filters), "predictions": _everybody(dashboard)}
    known = f"{dashboard.trend[-1]['run_id'] if dashboard.trend else ''} {stores.removals.count()}"
    run_id = _current(stores.runs, f"{filters.scope()} {known}")
    run = start_run(stores.runs, stores.workflows, machine_arn, "export", run_id=run_id, started_by=started_by, given=asked)
    return _view(stores.documents, run)


def export_run(runs: Runs, documents: Documents, run_id: str) -> ExportRunView:
    """How an export stands; when it is done, with a new link to the file.

    Raises:
        UnknownRun: there is none of that id.
    """
    return _view(documents, find_run(runs, run_id, "export"))


def to_read(dashboard: Dashboard, groups: tuple[str, ...], filters: Filters, threshold: float | None) -> int:
    """About how many predictions must be read to find those that pass: by the counters, some seconds old."""
    ranking = ranking_of(groups, filters, threshold)
    if ranking is None or threshold is None:
        return _everybody(dashboard)
    lowest, highest = (LEVELS.index(level_of(bound or 0.0, threshold)) for bound in (ranking.min_probability, ranking.max_probability))
    levels = (filters.level,) if filters.level else LEVELS[lowest : highest + 1]
    return sum(dashboard.predictions.get(f"level/{level}/{group}", 0) for level in levels for group in groups)


def _everybody(dashboard: Dashboard) -> int:
    return _all_of(dashboard.predictions, "level/") + _all_of(dashboard.customers, "customers/churned/")


def _all_of(counters: Counters, measure: str) -> int:
    return sum(amount for name, amount in counters.items() if name.startswith(measure))


def _given(filters: Filters) -> dict[str, Any]:
    return {name: value for name, value in asdict(filters).items() if value is not None}


def _current(runs: Runs, scope: str) -> str:
    """The id of the run that who asks now gets: the first one of the scope that is not over."""
    tries = (run_id_for("export", scope, str(number)) for number in count())
    return next(run_id for run_id in tries if not _is_over(runs.get(run_id)))


def _is_over(run: Item | None) -> bool:
    if run is None or run["status"] == "RUNNING":
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(run["finished_at"])
    return run["status"] == "FAILED" or age.total_seconds() > ANSWERED_AGAIN_SECONDS


def _view(documents: Documents, run: Mapping[str, Any]) -> ExportRunView:
    key, url, expires_at, reason = file_key(run["run_id"]), None, None, run.get("reason")
    if run["status"] == "SUCCEEDED":
        if documents.exists(key):
            url, expires_at = link(documents, key, datetime.fromisoformat(run["started_at"]))
        else:
            reason = "The file is no longer kept. Ask for it again."
    counts = run.get("counts") or {}
    return ExportRunView(
        run_id=run["run_id"],
        kind="export",
        status=run["status"],
        rows=counts.get("rows", 0),
        examined=counts.get("examined", 0),
        predictions=run["asked"]["predictions"],
        started_at=run["started_at"],
        correlation_id=run.get("correlation_id"),
        finished_at=run.get("finished_at"),
        reason=reason,
        url=url,
        expires_at=expires_at,
    )
