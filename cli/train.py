"""`retainstream train` and `score`: the two runs that a new month needs."""

import typer

from cli.account import AsJson, Url
from cli.output import print_json, print_line, say, say_warning
from cli.runs import Run, RunId, Stage, View, Watch, check_ended_well, stage_of_steps
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in

_TRAINING_STEPS = {
    "extract": "reading customers with a known outcome",
    "validate": "checking the data",
    "train": "fitting the model",
    "evaluate": "judging it on customers it has not seen",
    "gate": "deciding whether it may go into service",
    "register": "storing the version",
    "promote": "putting it into service",
    "score": "scoring everybody",
    "notify": "telling the result",
}
_SCORING_STEPS = {"plan": "sharing out the customers", "score": "scoring", "verify": "checking that nobody was left out"}


def train(watch: Watch = False, run: RunId = None, url: Url = None, as_json: AsJson = False) -> None:
    """Train a model on the customers with a known outcome. Needs an administrator.

    A version that is good enough goes into service and scores everybody; ends with 3 when --watch finds that it was not.
    """
    with signed_in(url) as client:
        view: View = (client.get(_training(run).path) if run else client.start("/api/model/train")).data
        if watch:
            view = _training(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    elif view["status"] == "RUNNING":
        _training(view["run_id"]).say_how_to_look()
    elif view["status"] == "SUCCEEDED":
        result = view["result"]
        print_line(f"Version {result['version']}: ROC AUC {result['roc_auc']:.3f} on customers it had not seen")
        if result["promoted"]:
            say("It is in service.")
        for reason in result["reasons"]:
            say_warning(f"not put into service: {reason}")
    check_ended_well(view, "training run")
    if view["status"] == "SUCCEEDED" and not view["result"]["promoted"]:
        raise typer.Exit(NEEDS_A_LOOK)


def score(watch: Watch = False, run: RunId = None, url: Url = None, as_json: AsJson = False) -> None:
    """Score every customer with the model in service. Needs an analyst."""
    with signed_in(url) as client:
        view: View = (client.get(_scoring(run).path) if run else client.start("/api/predictions/generate", {"all": True})).data
        if watch:
            view = _scoring(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    elif view["status"] == "RUNNING":
        _scoring(view["run_id"]).say_how_to_look()
    elif view["status"] == "SUCCEEDED":
        counts, result = view["counts"], view["result"]
        print_line(
            f"{counts['scored']:,} customers scored by {result['model_version']}, {result['high_risk']:,} of them at high risk or above"
        )
        print_line(f"{result['predicted_churners']:,.0f} are expected to leave")
        if counts["refused"]:
            say_warning(f"{counts['refused']:,} customers could not be scored: the model's schema refuses them")
        say("Who they are: retainstream at-risk")
    check_ended_well(view, "scoring run")


def _training(run_id: str) -> Run:
    def stage(view: View) -> Stage:
        return stage_of_steps(view, view["planned_steps"], _TRAINING_STEPS)

    return Run("training run", "retainstream train", "/api/model/training", run_id, stage)


def _scoring(run_id: str) -> Run:
    def stage(view: View) -> Stage:
        return stage_of_steps(view, list(_SCORING_STEPS), _SCORING_STEPS)

    return Run("scoring run", "retainstream score", "/api/predictions/runs", run_id, stage)
