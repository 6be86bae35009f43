"""The tasks of the training run, by name: a candidate is made, compared with the champion, and put into service.

Every task may be called twice with the same event.
"""

from typing import NotRequired, TypedDict

from retainstream.runs.failure import CaughtError, reason_of
from retainstream.runs.retraining import candidate, job, large, promotion
from retainstream.runs.starting import take_place
from retainstream.runs.tasks import ReadFigures, Task
from retainstream.settings import settings
from retainstream.storage.current_runs import CurrentRun
from retainstream.storage.runs import Run
from retainstream.storage.stores import Stores
from retainstream.telemetry.metrics import Figures

FOR_PEOPLE = frozenset(
    {"NothingLabelled", "UnfitData", "TooFewRows", "OneClass", "ScoringFailed", "UnusableArtefact", "NoContainer", "UnusableSchema"}
)
"""The errors whose messages are shown as the reason why a run failed."""


class Input(TypedDict, total=False):
    """The input of an execution."""

    run_id: str
    started_by: str


class BeginEvent(TypedDict):
    """`execution` is its name."""

    execution: str
    input: Input


class Begun(TypedDict):
    """`waits`: another training is under way, and this run is not open yet. The other fields are those of an open run."""

    waits: bool
    run_id: str
    started_at: NotRequired[str]
    started_by: NotRequired[str]


class FailEvent(BeginEvent):
    error: CaughtError


class Failed(TypedDict):
    reason: str


def begin(stores: Stores, event: BeginEvent) -> Begun:
    """Opens the run: the one named in the input, or a new one with the name of the execution.

    A run that the schedule started waits for the end of a training that is under way.
    """
    run_id, started_by = _named(event)
    wanted = CurrentRun(kind="training", run=run_id, started_by=started_by, since=0)
    if stores.runs.get(run_id) is None and take_place(stores, settings().retraining_state_machine_arn, wanted):
        return {"waits": True, "run_id": run_id}
    run = _open(stores, event)
    return {"waits": False, "run_id": run_id, "started_at": run["started_at"], "started_by": run["started_by"]}


def fail(stores: Stores, event: FailEvent) -> Failed:
    """Ends the run with the reason of the error that stopped it."""
    error = event["error"]
    reason = job.failure(error) or _of_athena(error) or reason_of(error, FOR_PEOPLE, work="retraining")
    stores.runs.fail(_open(stores, event)["run_id"], reason)
    return {"reason": reason}


def _of_athena(error: CaughtError) -> str | None:
    """That Athena refused or did not finish a statement, as a sentence; None where the error is not Athena's."""
    name = error.get("Error", "")
    if name.startswith("Athena.") or name == "States.TaskFailed":
        return f"Athena did not answer a statement on the history ({name}); the queries of the stack's workgroup have the reason."
    return None


def _open(stores: Stores, event: BeginEvent) -> Run:
    run_id, started_by = _named(event)
    run, _ = stores.runs.start(run_id, "training", started_by)
    return run


def _named(event: BeginEvent) -> tuple[str, str]:
    """The id of the run and its starter."""
    return event["input"].get("run_id") or event["execution"], event["input"].get("started_by", "unknown")


def _figures(notified: promotion.Notified) -> Figures:
    """A new version, and whether it went into service."""
    result = notified["result"]
    return {
        "TrainedAuc": result["roc_auc"],
        "ModelsPromoted": int(result["promoted"]),
        "ModelsNotPromoted": int(not result["promoted"]),
    }


TASKS: dict[str, Task] = {
    "begin": begin,
    "validate": candidate.validate,
    "train": candidate.train,
    "evaluate": candidate.evaluate_candidate,
    "gate": candidate.gate,
    "gather": large.gather,
    "shape": large.shape,
    "export_part": large.export_part,
    "prepare_job": large.prepare_job,
    "import_model": large.import_model,
    "register": promotion.register_version,
    "promote": promotion.promote_version,
    "score": promotion.score_everyone,
    "check_scoring": promotion.check_scoring,
    "notify": promotion.notify,
    "fail": fail,
}
FIGURES: dict[str, ReadFigures] = {"notify": _figures}
