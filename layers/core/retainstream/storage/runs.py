"""Runs of importing, training, scoring, recounting and exporting: what each is doing, what became of it, and why."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Literal

from retainstream.settings import settings
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable
from retainstream.storage.table import Item, Table
from retainstream.telemetry.correlation import correlation_id

type Kind = Literal["import", "training", "scoring", "recount", "export"]


_ATTEMPTS = 5


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new(run_id: str, kind: Kind, status: str, started_by: str) -> Item:
    run = {"run_id": run_id, "kind": kind, "status": status, "steps": [], "started_at": _now(), "started_by": started_by}
    return {**run, "correlation_id": correlation_id() or run_id}


class Runs:
    """The runs table. One state machine writes a run, one step after the other; anyone reads it."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().runs_table, ("run_id",))

    def get(self, run_id: str) -> Item | None:
        return self._table.get({"run_id": run_id}, consistent=True)

    def start(self, run_id: str, kind: Kind, started_by: str, asked: Mapping[str, Any] | None = None) -> tuple[Item, bool]:
        """Records a new run, with what was asked of it. Returns it and whether it is new: a run that is there already stays as it is."""
        run = _new(run_id, kind, "RUNNING", started_by)
        if asked:
            run["asked"] = dict(asked)
        return self._open(run)

    def expect(self, run_id: str, kind: Kind, started_by: str, asked: Mapping[str, Any]) -> tuple[Item, bool]:
        """Records a run that waits for what it is to work on. Returns it and whether it is new."""
        run = _new(run_id, kind, "WAITING", started_by)
        return self._open({**run, "asked": dict(asked), "parts": {}})

    def _open(self, run: Item) -> tuple[Item, bool]:
        try:
            self._table.put(run, "attribute_not_exists(run_id)")
        except Conflict as error:
            found = self.get(run["run_id"])
            if found is None:
                raise StorageUnavailable("a run was there, and is no more") from error
            return found, False
        return run, True

    def begin(self, run_id: str) -> Item:
        """What a run waited for is there. A run that has begun goes on.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        if self.existing(run_id)["status"] != "WAITING":
            return self._write(run_id, status="RUNNING")
        return self._write(run_id, "WAITING", status="RUNNING")

    def note_part(self, run_id: str, part: int, counts: Mapping[str, int]) -> None:
        """Keeps how far a part of a run that was expected has come, in place of what was kept of it before.

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
        """Keeps what a run has counted so far, in place of what was kept of it before.

        Raises:
            Conflict: the run has ended, or there is none.
        """
        self._write(run_id, counts=dict(counts))

    def step_started(self, run_id: str, name: str) -> Item:
        """Makes `name` the step in progress. A step that is tried again begins again, in the same place of the list.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        steps = [step for step in self.existing(run_id)["steps"] if step["name"] != name]
        return self._write(run_id, steps=[*steps, {"name": name, "status": "RUNNING", "started_at": _now()}], step=name)

    def step_finished(self, run_id: str, name: str, detail: Mapping[str, Any] | None = None) -> Item:
        """Marks a step as done, with what it found.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        done = {"status": "SUCCEEDED", "finished_at": _now(), **({"detail": dict(detail)} if detail else {})}
        steps = self.existing(run_id)["steps"]
        return self._write(run_id, steps=[{**step, **done} if step["name"] == name else step for step in steps])

    @contextmanager
    def step(self, run_id: str, name: str) -> Iterator[Item]:
        """Records a step: started, and finished with the detail that is filled in meanwhile.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has ended.
        """
        detail: Item = {}
        self.step_started(run_id, name)
        yield detail
        self.step_finished(run_id, name, detail)

    def finish(self, run_id: str, *, counts: Mapping[str, int] | None = None, result: Mapping[str, Any] | None = None) -> Item:
        """Ends a run well. A run that has ended well already stays so.

        Raises:
            NotStored: there is no such run.
            Conflict: the run has failed.
        """
        found = self.existing(run_id)
        if found["status"] == "SUCCEEDED":
            return found
        given = {name: dict(value) for name, value in (("counts", counts), ("result", result)) if value is not None}
        return self._write(run_id, status="SUCCEEDED", finished_at=_now(), **given)

    def fail(self, run_id: str, reason: str) -> Item:
        """Ends a run badly, with the reason as a plain sentence; the step in progress failed. A run that has ended stays as it is.

        Raises:
            NotStored: there is no such run.
        """
        for _ in range(_ATTEMPTS):
            found = self.existing(run_id)
            if found["status"] not in ("RUNNING", "WAITING"):
                return found
            now = _now()
            steps = [{**step, "status": "FAILED", "finished_at": now} if step["status"] == "RUNNING" else step for step in found["steps"]]
            with suppress(Conflict):  # it has begun or ended meanwhile
                return self._write(run_id, found["status"], status="FAILED", finished_at=now, reason=reason, steps=steps)
        raise StorageUnavailable("a run changes all the time")

    def existing(self, run_id: str) -> Item:
        """The record of a run.

        Raises:
            NotStored: there is no such run.
        """
        found = self.get(run_id)
        if found is None:
            raise NotStored(run_id)
        return found

    def _write(self, run_id: str, status_before: str = "RUNNING", /, **attributes: Any) -> Item:
        return self._table.update(
            {"run_id": run_id},
            "SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            {f":{name}": value for name, value in attributes.items()} | {":before": status_before},
            {f"#{name}": name for name in attributes} | {"#status": "status"},
            condition="#status = :before",
        )
