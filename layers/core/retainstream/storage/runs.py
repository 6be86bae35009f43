"""Runs of importing, training, scoring and so on: the steps of each, its counts, its result or the reason why it failed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict, cast

from retainstream.settings import settings
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable
from retainstream.storage.retry import attempts
from retainstream.storage.table import Item, Table
from retainstream.telemetry.correlation import correlation_id

type Kind = Literal["import", "training", "scoring", "recount", "export", "delivery", "preparation"]
type Status = Literal["WAITING", "RUNNING", "SUCCEEDED", "SUCCEEDED_WITH_REJECTS", "FAILED"]
"""SUCCEEDED_WITH_REJECTS: less than half of an import's rows were accepted."""

_ATTEMPTS = 5


class Step(TypedDict):
    """A step of a run. `detail` holds its figures; moments are ISO 8601 in UTC."""

    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    started_at: str
    finished_at: NotRequired[str]
    detail: NotRequired[Mapping[str, Any]]


class Run[Asked = Any, Result = Any](TypedDict):
    """The record of a run. `Asked` and `Result` are the request and the result of its kind.

    `step` is the step in progress, or the last one. `counts` are those so far, or in all. An import counts in `parts` while it loads, one
    for each part of the file. `reason` is the sentence that says why the run failed.
    """

    run_id: str
    kind: Kind
    status: Status
    steps: list[Step]
    started_at: str
    started_by: str
    correlation_id: NotRequired[str]
    step: NotRequired[str]
    asked: NotRequired[Asked]
    parts: NotRequired[dict[str, dict[str, int]]]
    counts: NotRequired[dict[str, int]]
    result: NotRequired[Result]
    reason: NotRequired[str]
    finished_at: NotRequired[str]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new(run_id: str, kind: Kind, status: Status, started_by: str) -> Run:
    return {
        "run_id": run_id,
        "kind": kind,
        "status": status,
        "steps": [],
        "started_at": _now(),
        "started_by": started_by,
        "correlation_id": correlation_id() or run_id,
    }


def _run(item: Item) -> Run:
    return cast("Run", item)


class Runs:
    """The runs table. One state machine writes a run, one step after the other; anyone may read it."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().runs_table, ("run_id",))

    def get(self, run_id: str) -> Run | None:
        item = self._table.get({"run_id": run_id}, consistent=True)
        return _run(item) if item else None

    def start(self, run_id: str, kind: Kind, started_by: str, asked: Mapping[str, Any] | None = None) -> tuple[Run, bool]:
        """Records a new run with its request. Returns the run and whether it is new; a run that exists stays as it is."""
        run = _new(run_id, kind, "RUNNING", started_by)
        if asked:
            run["asked"] = dict(asked)
        return self._open(run)

    def expect(self, run_id: str, kind: Kind, started_by: str, asked: Mapping[str, Any]) -> tuple[Run, bool]:
        """Records a run that waits for its input. Returns the run and whether it is new."""
        run = _new(run_id, kind, "WAITING", started_by)
        return self._open({**run, "asked": dict(asked), "parts": {}})

    def _open(self, run: Run) -> tuple[Run, bool]:
        try:
            self._table.put(run, "attribute_not_exists(run_id)")
        except Conflict as error:
            stored = self.get(run["run_id"])
            if stored is None:
                raise StorageUnavailable("a run existed and is gone") from error
            return stored, False
        return run, True

    def begin(self, run_id: str) -> Run:
        """Starts a run that waited for its input. A run that has begun goes on.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        if self.existing(run_id)["status"] != "WAITING":
            return self._write(run_id, status="RUNNING")
        return self._write(run_id, "WAITING", status="RUNNING")

    def note_part(self, run_id: str, part: int, counts: Mapping[str, int]) -> None:
        """Replaces the counts of one part of a run that was expected.

        Raises:
            Conflict: the run has ended.
        """
        self._table.update(
            {"run_id": run_id},
            "SET parts.#part = :counts",
            {":counts": dict(counts), ":running": "RUNNING"},
            {"#part": f"part{part}", "#status": "status"},
            condition="#status = :running",
        )

    def note(self, run_id: str, counts: Mapping[str, int]) -> None:
        """Replaces the counts of a run.

        Raises:
            Conflict: the run has ended, or there is no such run.
        """
        self._write(run_id, counts=dict(counts))

    def step_started(self, run_id: str, name: str) -> Run:
        """Makes `name` the step in progress. A step that is tried again begins again, in the same place of the list.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        steps = [step for step in self.existing(run_id)["steps"] if step["name"] != name]
        return self._write(run_id, steps=[*steps, {"name": name, "status": "RUNNING", "started_at": _now()}], step=name)

    def step_finished(self, run_id: str, name: str, detail: Mapping[str, Any] | None = None) -> Run:
        """Marks a step as done, with its figures.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        done = {"status": "SUCCEEDED", "finished_at": _now(), **({"detail": dict(detail)} if detail else {})}
        steps = self.existing(run_id)["steps"]
        return self._write(run_id, steps=[{**step, **done} if step["name"] == name else step for step in steps])

    @contextmanager
    def step(self, run_id: str, name: str) -> Iterator[dict[str, object]]:
        """Records a step around a block of work: started before it, finished after it with the figures that the block fills in.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        detail: dict[str, object] = {}
        self.step_started(run_id, name)
        yield detail
        self.step_finished(run_id, name, detail)

    def finish(
        self,
        run_id: str,
        *,
        counts: Mapping[str, int] | None = None,
        result: Mapping[str, Any] | None = None,
        status: Status = "SUCCEEDED",
        reason: str = "",
    ) -> Run:
        """Ends a run with what came of it: well, unless `status` says otherwise, with the reason. A run that has ended so already stays.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended otherwise.
        """
        run = self.existing(run_id)
        if run["status"] == status and run.get("reason", "") == reason:
            return run
        outcome = {name: dict(value) for name, value in (("counts", counts), ("result", result)) if value is not None}
        return self._write(run_id, status=status, finished_at=_now(), **outcome, **({"reason": reason} if reason else {}))

    def fail(self, run_id: str, reason: str) -> Run:
        """Ends a run badly, with the reason as a plain sentence; the step in progress failed. A run that has ended stays as it is.

        Raises:
            NotStored: there is no such run.
        """
        for _ in attempts(_ATTEMPTS):
            run = self.existing(run_id)
            if run["status"] not in ("RUNNING", "WAITING"):
                return run
            now = _now()
            steps = [{**step, "status": "FAILED", "finished_at": now} if step["status"] == "RUNNING" else step for step in run["steps"]]
            with suppress(Conflict):  # the run has begun or ended since it was read
                return self._write(run_id, run["status"], status="FAILED", finished_at=now, reason=reason, steps=steps)
        raise StorageUnavailable("a run changes all the time")

    def existing(self, run_id: str) -> Run:
        """The record of a run.

        Raises:
            NotStored: there is no such run.
        """
        run = self.get(run_id)
        if run is None:
            raise NotStored(run_id)
        return run

    def _write(self, run_id: str, status_before: Status = "RUNNING", /, **attributes: object) -> Run:
        item = self._table.update(
            {"run_id": run_id},
            "SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            {f":{name}": value for name, value in attributes.items()} | {":before": status_before},
            {f"#{name}": name for name in attributes} | {"#status": "status"},
            condition="#status = :before",
        )
        return _run(item)
