"""Asking for a file of predictions: made at once where they are few, by a run where they are many."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count

from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import RISK_LEVELS, LevelBounds, level_of
from retainstream.engine.schema import FeatureSchema
from retainstream.predictions.results import Filters, ranking_of
from retainstream.runs.exports.file import TooManyRows, download
from retainstream.runs.exports.layout import FileLayout
from retainstream.runs.exports.view import Asked, ExportRun, ExportRunView, ExportView, export_view
from retainstream.runs.keys import run_id_for
from retainstream.runs.starting import find_run, is_over, start_run
from retainstream.settings import settings
from retainstream.storage.documents import LINK_SECONDS
from retainstream.storage.rollups import Counters, Dashboard
from retainstream.storage.stores import Stores

ANSWERED_AGAIN_SECONDS = LINK_SECONDS
"""An export that ended this recently answers the next request for the same file."""
_LAG = 2
"""Counters may be seconds behind: a file made at once may take this many times the reads that they promise."""


def export(
    stores: Stores, schema: FeatureSchema, filters: Filters, bounds: LevelBounds | None, layout: FileLayout, *, started_by: str
) -> ExportView | ExportRunView:
    """A link to a file of every prediction that passes the filters, where about `export_at_once` predictions or fewer must be read for it;
    else the run that makes the file.

    The same request while that run goes on, or within ANSWERED_AGAIN_SECONDS of its good end, gets the same run, unless all customers were
    scored, or one was removed, in between.

    Raises:
        UnknownGroup: the filters name a group that the schema does not have.
        AllowanceSpent: the person has started too many runs.
        StorageUnavailable: a run may or may not have started; asking again does not start a second one.
    """
    at_once = settings().export_at_once
    groups = groups_of(schema, filters.group)
    dashboard = stores.rollups.dashboard()
    if to_read(dashboard, groups, filters, bounds) <= at_once:
        with suppress(TooManyRows):
            return download(stores, schema, filters, bounds, layout, at_most=_LAG * at_once)
    state = f"{dashboard.trend[-1]['run_id'] if dashboard.trend else ''} {stores.removals.count()}"
    machine = settings().export_state_machine_arn
    run_id = _current(stores, machine, f"{filters.scope()} {asdict(layout)} {state}")
    asked = asked_for(filters, layout, _everybody(dashboard))
    run = start_run(stores, machine, "export", run_id=run_id, started_by=started_by, asked=asked)
    return export_view(stores.documents, run)


def export_run(stores: Stores, run_id: str) -> ExportRunView:
    """An export; when it is done, with a new link to the file.

    Raises:
        UnknownRun: there is no export of this id.
    """
    return export_view(stores.documents, find_run(stores, run_id, "export"))


def asked_for(filters: Filters, layout: FileLayout, predictions: int) -> Asked:
    """The request as the run keeps it."""
    passed = {name: value for name, value in asdict(filters).items() if value is not None}
    return {"filters": passed, "layout": asdict(layout), "predictions": predictions}


def to_read(dashboard: Dashboard, groups: tuple[str, ...], filters: Filters, bounds: LevelBounds | None) -> int:
    """About how many predictions must be read to find those that pass: by the counters, which are some seconds old."""
    ranking = ranking_of(groups, filters, bounds)
    if ranking is None or bounds is None:
        return _everybody(dashboard)
    lowest, highest = (RISK_LEVELS.index(level_of(bound or 0.0, bounds)) for bound in (ranking.min_probability, ranking.max_probability))
    levels = (filters.level,) if filters.level else RISK_LEVELS[lowest : highest + 1]
    return sum(dashboard.predictions.get(f"level/{level}/{group}", 0) for level in levels for group in groups)


def _everybody(dashboard: Dashboard) -> int:
    return _all_of(dashboard.predictions, "level/") + _all_of(dashboard.customers, "customers/churned/")


def _all_of(counters: Counters, measure: str) -> int:
    return sum(amount for name, amount in counters.items() if name.startswith(measure))


def _current(stores: Stores, machine: str, scope: str) -> str:
    """The id of the run that answers a request: the first run of the scope that is not over."""
    ids = (run_id_for("export", scope, str(number)) for number in count())
    return next(run_id for run_id in ids if not _is_past(stores, machine, stores.runs.get(run_id)))


def _is_past(stores: Stores, machine: str, run: ExportRun | None) -> bool:
    if run is None or not is_over(stores, machine, run):
        return False
    if "finished_at" not in run:  # its execution was stopped
        return True
    age = datetime.now(UTC) - datetime.fromisoformat(run["finished_at"])
    return run["status"] == "FAILED" or age.total_seconds() > ANSWERED_AGAIN_SECONDS
