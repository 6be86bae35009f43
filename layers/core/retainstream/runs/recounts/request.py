"""Asking for a recount, and what it found."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from retainstream.runs.recounts.steps import stored_differences
from retainstream.runs.starting import find_run, key_or_new, start_run
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.runs import Runs
from retainstream.storage.workflows import Workflows
from retainstream.telemetry.correlation import FOLLOWED

type RecountOutcome = Literal["exact", "different", "repaired"]


class RecountRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    repair: StrictBool = Field(default=False, description="true: put the recount in place of counters that differ from it")


class RecountStepView(BaseModel):
    """settle: waiting until the counters are still; count: reading the rows. Either may come again."""

    model_config = ConfigDict(extra="ignore")

    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str
    finished_at: str | None = None


class RecountedTable(BaseModel):
    """One table, counted."""

    model_config = ConfigDict(extra="ignore")

    source: Literal["customers", "predictions"]
    outcome: RecountOutcome = Field(description="repaired: there were differences, and the counters now are the recount")
    rows: int
    differences: int = Field(description="Counters that differed")
    attempt: int = Field(description="The attempt during which nothing was written")


class DifferenceView(BaseModel):
    """A counter that was not what it should be."""

    source: Literal["customers", "predictions"]
    counter: str = Field(examples=["level/high/basic"])
    counted: int = Field(description="What the counter said")
    recounted: int = Field(description="What the rows add up to")


class RecountView(BaseModel):
    """A recount of the base."""

    run_id: str
    kind: Literal["recount"]
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    repair: bool
    step: str | None = Field(description="The step in progress, or the last one")
    steps: list[RecountStepView]
    started_at: str = Field(description="ISO 8601, UTC")
    finished_at: str | None
    started_by: str
    correlation_id: str | None = Field(default=None, description=FOLLOWED)
    reason: str | None = Field(description="Why it failed")
    exact: bool | None = Field(description="Whether every counter was what it should be; null until it is known")
    tables: list[RecountedTable] | None = Field(description="Null until everything is counted")
    differences: list[DifferenceView] | None = Field(description="By name; null until everything is counted, and again after 30 days")


def start_recount(
    runs: Runs, workflows: Workflows, machine_arn: str, by: str, *, repair: bool, idempotency_key: str | None = None
) -> RecountView:
    """Starts a recount, or returns the one this person started with the same key and the same wish.

    Raises:
        StorageUnavailable: it may or may not have started; the same call may be made again with its key.
    """
    key = f"{'repair' if repair else 'compare'} {idempotency_key}" if idempotency_key else None
    run_id = key_or_new("recount", by, key)
    run = start_run(runs, workflows, machine_arn, "recount", run_id=run_id, started_by=by, given={"repair": repair})
    return _view(run, None)


def recount_view(runs: Runs, documents: Documents, run_id: str) -> RecountView:
    """How a recount stands, and what it found.

    Raises:
        UnknownRun: there is none of that id.
    """
    run = find_run(runs, run_id, "recount")
    if run["status"] != "SUCCEEDED":
        return _view(run, None)
    try:
        found = [
            {**difference, "source": table["source"]}
            for table in run["result"]["sources"]
            for difference in (stored_differences(documents, run_id, table["source"]) if table["differences"] else [])
        ]
    except NotStored:
        found = None
    return _view(run, found)


def _view(run: Mapping[str, Any], found: list[dict[str, Any]] | None) -> RecountView:
    result = run.get("result") or {}
    return RecountView.model_validate(
        {
            **{name: run[name] for name in ("run_id", "kind", "status", "steps", "started_at", "started_by")},
            **{name: run.get(name) for name in ("step", "finished_at", "reason", "correlation_id")},
            "repair": run.get("asked", {}).get("repair", False),
            "exact": result.get("exact"),
            "tables": result.get("sources"),
            "differences": found,
        }
    )
