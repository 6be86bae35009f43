"""`retainstream status`, `versions`, `promote`, `rollback`, `drift` and `performance`: the model in service, and those beside it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.account import AsJson, Url
from cli.output import confirm, print_json, print_line, print_table, say, say_warning
from cli.service_errors import NEEDS_A_LOOK, ServiceError
from cli.session import signed_in

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_LATER = "Score everybody with it: retainstream score --watch"


def status(url: Url = None, as_json: AsJson = False) -> None:
    """Show whether the deployment is well, and which model is in service. Ends with 3 when something is wrong with it."""
    with signed_in(url) as client:
        health, model, address = client.get("/api/health").data, client.get("/api/model/status").data, client.url
    well = health["status"] == "ok"
    if as_json:
        print_json({"url": address, "health": health, **model})
    else:
        print_line(f"RetainStream {health['version']} at {address}: {health['status']}")
        _tell_model(model)
        for name, found in health["dependencies"].items():
            if found != "ok":
                say_warning(f"{name}: {found}" + (". Train one: retainstream train --watch" if (name, found) == ("model", "none") else ""))
    if not well:
        raise typer.Exit(NEEDS_A_LOOK)


def versions(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the model versions, the newest first."""
    with signed_in(url) as client:
        found = client.all_of("/api/model/versions", {"limit": min(limit, 100)}, most=limit).data
    if as_json:
        print_json(found)
        return

    def row(version: Mapping[str, Any]) -> list[object]:
        state = "in service" if version["in_service"] else version["status"]
        figures = [f"{version['metrics'][name]:.3f}" for name in ("roc_auc", "pr_auc", "brier")]
        told = "; ".join([*version["gate"]["reasons"], *(["synthetic customers"] if version["synthetic"] else [])])
        return [version["version"], state, *figures, f"{version['metrics']['rows']:,}", told]

    figures = ("ROC AUC", "PR AUC", "Brier", "unseen rows")
    print_table(("version", "state", *figures, "to know"), map(row, found), numbers=figures)


def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="One of: retainstream versions")],
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into service. Needs an administrator. Versions that were rejected stay out."""
    with signed_in(url) as client:
        now = client.get("/api/model/status").data
        confirm(f"Put {version} into service in place of {_name(now)}?", yes=yes)
        model = client.post(f"/api/model/versions/{quote(version, safe='')}/promote", repeatable=True).data
    _tell_change(model, as_json=as_json)


def rollback(yes: Yes = False, url: Url = None, as_json: AsJson = False) -> None:
    """Put the version before back into service. Needs an administrator. Doing it again undoes it."""
    with signed_in(url) as client:
        now = client.get("/api/model/status").data
        if now["previous"] is None:
            raise ServiceError("There is no version before to go back to", "See what there is: retainstream versions")
        confirm(f"Put {now['previous']} back into service in place of {_name(now)}?", yes=yes)
        model = client.start("/api/model/rollback").data
    _tell_change(model, as_json=as_json)


def drift(
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 3 when something has drifted.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show whether customers still look as they did when the model in service was made."""
    with signed_in(url) as client:
        found = client.get("/api/model/drift").data
    report = found["report"]
    if as_json:
        print_json(found)
    else:
        print_line(found["told"])
        if report:
            parts = [report["score"], *report["features"]]
            numbers = ("PSI", "without drift")
            rows = ([part["label"], f"{part['psi']:.3f}", f"{part['noise']:.3f}", part["level"], part["told"]] for part in parts)
            print_table(("", *numbers, "drift", "what moved"), rows, numbers=numbers)
            say(f"{report['customers']:,} customers scored at {report['at']}" + (", synthetic" if report["synthetic"] else ""))
    if strict and report and report["level"] != "none":
        raise typer.Exit(NEEDS_A_LOOK)


def performance(url: Url = None, as_json: AsJson = False) -> None:
    """Show how good the predictions are: at training, by recorded outcomes, and as expected without outcomes."""
    with signed_in(url) as client:
        found = client.get("/api/predictions/performance").data
    if as_json:
        print_json(found)
        return
    held_out, realised, estimate = found["held_out"], found["realised"] or {}, found["estimate"] or {}
    judged = {"at training": {**held_out["metrics"], "customers": held_out["customers"]}, "by outcomes": realised, "expected": estimate}
    words = {
        "customers": "customers",
        "churn_rate": "churn rate",
        "roc_auc": "ROC AUC",
        "brier": "Brier",
        "log_loss": "log loss",
        "precision": "precision",
        "recall": "recall",
    }
    rows = ([label, *(_figure(figures.get(name)) for figures in judged.values())] for name, label in words.items())
    print_table(("", *judged), rows, numbers=tuple(judged), title=f"Model {held_out['model_version']}")
    for name, figures in zip(judged, (held_out, realised, estimate), strict=True):
        if figures:
            say(f"{name}: {figures['basis']}" + (" Synthetic." if figures["synthetic"] else ""))
        else:
            say(f"{name}: nothing yet")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _name(status: Mapping[str, Any]) -> str:
    return str(status["model"]["version"]) if status["model"] else "none"


def _tell_model(status: Mapping[str, Any]) -> None:
    model = status["model"]
    if model is None:
        print_line("model: none in service")
        return
    print_line(f"model: {model['version']}, in service since {status['promoted_at']} by {status['promoted_by']}")
    figures, interval = model["metrics"], model["metrics"].get("roc_auc_interval")
    between = f" ({interval['low']:.3f} to {interval['high']:.3f})" if interval else ""
    synthetic = ", synthetic" if model["synthetic"] else ""
    print_line(f"ROC AUC: {figures['roc_auc']:.3f}{between} on {figures['rows']:,} customers it had not seen{synthetic}")
    print_line(f"a rollback would put back: {status['previous'] or 'nothing, there is none before'}")


def _tell_change(status: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    _tell_model(status)
    say(_LATER)
