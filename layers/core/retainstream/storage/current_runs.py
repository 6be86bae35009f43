"""The run of each kind that is under way: one record for each kind, moved by a conditional write."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

from retainstream.settings import settings
from retainstream.storage.runs import Kind
from retainstream.storage.table import Table


class CurrentRun(TypedDict):
    """A run with all that is needed to start it. It is under way until its own record says otherwise.

    `since` grows with the state of the stack that the run works on, such as the revision of the model in service. A run of a later state
    takes the place of a run of an earlier one.
    """

    kind: Kind
    run: str
    started_by: str
    since: int
    asked: NotRequired[Mapping[str, Any]]


class CurrentRuns:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().runs_table, ("run_id",))

    def get(self, kind: Kind) -> CurrentRun | None:
        """The latest run of a kind that took the place; its own record says whether it has ended."""
        item = self._table.get({"run_id": _place(kind)}, consistent=True)
        return cast("CurrentRun", {**item, "kind": kind}) if item else None

    def replace(self, run: CurrentRun, instead_of: CurrentRun | None) -> None:
        """Puts a run in the place of another one, or in the empty place of its kind.

        Raises:
            Conflict: another run took the place meanwhile.
        """
        item = {**run, "run_id": _place(run["kind"]), "kind": "current"}
        if instead_of is None:
            self._table.put(item, "attribute_not_exists(run_id)")
        else:
            self._table.put(item, "#run = :before", {":before": instead_of["run"]}, {"#run": "run"})


def _place(kind: Kind) -> str:
    return f"current {kind}"
