"""`retainstream train` and `score`: the two runs of a new month."""

import typer

from cli.account import AsJson, Url
from cli.answers import ScoringView, TrainingResult, TrainingView
from cli.output import print_json, print_line, say, say_warning
from cli.runs import Run, RunId, Stage, Watch, check_ended_well, say_if_already_running, stage_of_steps
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in

_TRAINING_STEPS = {
    "extract": "reading customers with a known outcome",
    "validate": "checking the data",
    "train": "fitting the model",
    "evaluate": "evaluating the model on held-out customers",
    "gate": "comparing it with the champion",
    "register": "storing the version",
    "promote": "putting it into service",
    "score": "scoring all customers",
    "notify": "sending notifications",
}
_SCORING_STEPS = {"plan": "dividing the customers", "score": "scoring", "verify": "checking the counts", "keep": "keeping the history"}


def train(watch: Watch = False, run: RunId = None, url: Url = None, as_json: AsJson = False) -> None:
    """Train a model on the customers with a known outcome. Needs the role admin.

    A version that passes the gate and replaces the champion scores all customers. With --watch the command ends with 3
    when the gate rejects the version.
    """
    with signed_in(url) as client:
        view: TrainingView = (client.get(_training(run).path) if run else client.start("/api/model/train")).data
        say_if_already_running(view, "training run", quiet=as_json)
        if watch:
            view = _training(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    elif view["status"] == "RUNNING":
        _training(view["run_id"]).say_how_to_look()
    elif view["status"] == "SUCCEEDED":
        result = view["result"]
        print_line(f"Version {result['version']}: ROC AUC {result['roc_auc']:.3f} on held-out customers")
        for doubt in result.get("doubts", []):
            say_warning(doubt)
        if result["promoted"]:
            say("It is in service.")
        for reason in result["reasons"]:
            if _sound(result):
                say(reason)
            else:
                say_warning(f"not put into service: {reason}")
    check_ended_well(view, "training run")
    if view["status"] == "SUCCEEDED" and not _sound(view["result"]):
        raise typer.Exit(NEEDS_A_LOOK)


def score(watch: Watch = False, run: RunId = None, url: Url = None, as_json: AsJson = False) -> None:
    """Score all customers with the model in service. Needs the role analyst."""
    with signed_in(url) as client:
        view: ScoringView = (client.get(_scoring(run).path) if run else client.start("/api/predictions/generate", {"all": True})).data
        say_if_already_running(view, "scoring run", quiet=as_json)
        if watch:
            view = _scoring(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    elif view["status"] == "RUNNING":
        _scoring(view["run_id"]).say_how_to_look()
    elif view["status"] == "SUCCEEDED":
        counts, result = view["counts"], view["result"]
        print_line(f"{counts['scored']:,} customers scored by {result['model_version']}, {result['high_risk']:,} at high risk or above")
        print_line(f"Expected to leave: {result['predicted_churners']:,.0f}")
        if counts["refused"]:
            say_warning(f"{counts['refused']:,} customers could not be scored: their columns do not fit the model's schema")
        say("For the call list: retainstream at-risk")
    check_ended_well(view, "scoring run")


def _sound(result: TrainingResult) -> bool:
    """Whether the version has no fault. An earlier service says only whether it is in service."""
    return result["promoted"] or result.get("status") == "registered"


def _training(run_id: str) -> Run[TrainingView]:
    def stage(view: TrainingView) -> Stage:
        return stage_of_steps(view, view["planned_steps"], _TRAINING_STEPS)

    return Run("training run", "retainstream train", "/api/model/training", run_id, stage)


def _scoring(run_id: str) -> Run[ScoringView]:
    def stage(view: ScoringView) -> Stage:
        return stage_of_steps(view, list(_SCORING_STEPS), _SCORING_STEPS)

    return Run("scoring run", "retainstream score", "/api/predictions/runs", run_id, stage)
