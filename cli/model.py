"""`retainstream status`, `versions`, `promote`, `rollback`, `drift` and `performance`: the model in service and the other versions."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

import typer

from cli.account import AsJson, Url
from cli.answers import Drift, Health, ModelStatus, Performance, Period, Stability, Version
from cli.output import confirm, print_json, print_line, print_table, say, say_warning
from cli.service_errors import NEEDS_A_LOOK, ServiceError
from cli.session import signed_in

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
_NEXT = "To score all customers with it: retainstream score --watch"
_FIGURES = {
    "customers": "customers",
    "churn_rate": "share who left",
    "roc_auc": "ROC AUC",
    "brier": "Brier",
    "log_loss": "log loss",
    "precision": "precision",
    "recall": "recall",
}


def status(url: Url = None, as_json: AsJson = False) -> None:
    """Show the health of the deployment and the model in service. Ends with 3 when the deployment is not healthy."""
    with signed_in(url) as client:
        health: Health = client.get("/api/health/details").data
        model: ModelStatus = client.get("/api/model/status").data
        address = client.url
    if as_json:
        print_json({"url": address, "health": health, **model})
    else:
        print_line(f"RetainStream {health['version']} at {address}: {health['status']}")
        _print_model(model)
        for problem in health["advice"]:
            say_warning(problem)
        if health["dependencies"]["model"] == "none":
            say("To train one: retainstream train --watch")
    if health["status"] != "ok":
        raise typer.Exit(NEEDS_A_LOOK)


def versions(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="The number of versions at most.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the model versions, newest first."""
    with signed_in(url) as client:
        listed: list[Version] = client.all_of("/api/model/versions", {"limit": min(limit, 100)}, most=limit).data
    if as_json:
        print_json(listed)
        return

    def row(version: Version) -> list[object]:
        state = "in service" if version["in_service"] else version["status"]
        metrics = version["metrics"]
        figures = [f"{value:.3f}" for value in (metrics["roc_auc"], metrics["pr_auc"], metrics["brier"])]
        notes = "; ".join(
            [*version["gate"]["reasons"], *version["gate"].get("doubts", []), *(["synthetic customers"] if version["synthetic"] else [])]
        )
        return [version["version"], state, *figures, f"{metrics['rows']:,}", notes]

    figures = ("ROC AUC", "PR AUC", "Brier", "held-out customers")
    print_table(("version", "state", *figures, "notes"), map(row, listed), numbers=figures)


def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version from: retainstream versions")],
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into service. Needs the role admin. A version that the gate rejected cannot be promoted."""
    with signed_in(url) as client:
        before: ModelStatus = client.get("/api/model/status").data
        confirm(f"Put {version} into service in place of {_name(before)}?", yes=yes)
        after: ModelStatus = client.post(f"/api/model/versions/{quote(version, safe='')}/promote", repeatable=True).data
    _print_change(after, as_json=as_json)


def rollback(yes: Yes = False, url: Url = None, as_json: AsJson = False) -> None:
    """Put the previous version back into service. Needs the role admin. A second rollback undoes the first."""
    with signed_in(url) as client:
        before: ModelStatus = client.get("/api/model/status").data
        if before["previous"] is None:
            raise ServiceError("There is no previous version", "To list all versions: retainstream versions")
        confirm(f"Put {before['previous']} back into service in place of {_name(before)}?", yes=yes)
        after: ModelStatus = client.start("/api/model/rollback").data
    _print_change(after, as_json=as_json)


def drift(
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 3 when a feature or the score has drifted.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the drift of the scored customers from the training customers."""
    with signed_in(url) as client:
        answer: Drift = client.get("/api/model/drift").data
    report = answer["report"]
    if as_json:
        print_json(answer)
    else:
        print_line(answer["told"])
        if report:
            numbers = ("PSI", "expected by chance", "expected churn")

            def row(part: Stability) -> list[object]:
                shift = part.get("churn_shift")
                moved = f"{100 * shift['probability']:+.1f} points ({shift['customers']:+,.0f})" if shift else "–"
                return [part["label"], f"{part['psi']:.3f}", f"{part['noise']:.3f}", moved, part["level"], part["told"]]

            print_table(("", *numbers, "drift", "change"), map(row, [report["score"], *report["features"]]), numbers=numbers)
            say(f"{report['customers']:,} customers scored at {report['at']}" + (", synthetic" if report["synthetic"] else ""))
    if strict and report and report["level"] != "none":
        raise typer.Exit(NEEDS_A_LOOK)


def performance(url: Url = None, as_json: AsJson = False) -> None:
    """Show the quality of the predictions: held-out at training, realised in judged months, estimated without outcomes; and by month."""
    with signed_in(url) as client:
        answer: Performance = client.get("/api/predictions/performance").data
    if as_json:
        print_json(answer)
        return
    held_out, realised, estimate = answer["held_out"], answer["realised"], answer["estimate"]
    columns: dict[str, Mapping[str, object]] = {
        "at training": {**held_out["metrics"], "customers": held_out["customers"]},
        "realised": realised or {},
        "estimated": estimate or {},
    }
    rows = ([label, *(_figure(figures.get(name)) for figures in columns.values())] for name, label in _FIGURES.items())
    print_table(("", *columns), rows, numbers=tuple(columns), title=f"Model {held_out['model_version']}")
    for name, figures in zip(columns, (held_out, realised, estimate), strict=True):
        if figures:
            say(f"{name}: {figures['basis']}" + (" Synthetic." if figures["synthetic"] else ""))
        elif name == "realised" and answer["first_judged_on"]:
            say(
                "realised: not available yet. The outcome of a prediction is known when its horizon has ended: version "
                f"{held_out['model_version']} can be judged when outcomes through {answer['first_judged_on']} are known"
            )
        else:
            say(f"{name}: not available yet")
    _print_periods(answer)


def _print_periods(answer: Performance) -> None:
    periods, judged_on = answer["by_period"], answer["next_judged_on"]
    if periods:
        numbers = ("customers", "promised", "estimated", "realised", "log loss", "churners", "expected", "called", "precision", "recall")
        print_table(("month", "version", *numbers, "promise"), map(_period, reversed(periods)), numbers=numbers, title="ROC AUC by month")
    if judged_on:
        which = "next" if any(month["realised"] for month in periods) else "first"
        say(f"by month: the {which} month can be judged when outcomes through {judged_on} are known")


def _period(month: Period) -> list[object]:
    promised, realised = month["promised"], month["realised"]
    aucs = [figures["roc_auc"] if figures else None for figures in (promised, month["estimated"], realised)]
    loss = _three(realised["log_loss"] if realised else None)
    churners = [f"{realised['observed']:,}", f"{realised['expected']:,.0f}"] if realised else [None, None]
    at = realised["at_threshold"] if realised else None
    at_threshold = [f"{at['called']:,}", _three(at["precision"]), _three(at["recall"])] if at else [None, None, None]
    verdict = {True: "kept", False: "not kept", None: None}[month["kept_promise"]]
    return [month["period"], month["model_version"], f"{month['rows']:,}", *map(_three, aucs), loss, *churners, *at_threshold, verdict]


def _three(figure: float | None) -> str | None:
    return None if figure is None else f"{figure:.3f}"


def _figure(value: object) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4f}"
    return ""


def _name(model: ModelStatus) -> str:
    return model["model"]["version"] if model["model"] else "no model"


def _print_model(status: ModelStatus) -> None:
    model = status["model"]
    if model is None:
        print_line("model: none in service")
        return
    print_line(f"model: {model['version']}, in service since {status['promoted_at']} by {status['promoted_by']}")
    metrics, interval = model["metrics"], model["metrics"].get("roc_auc_interval")
    between = f" ({interval['low']:.3f} to {interval['high']:.3f})" if interval else ""
    synthetic = ", synthetic" if model["synthetic"] else ""
    print_line(f"ROC AUC: {metrics['roc_auc']:.3f}{between} on {metrics['rows']:,} held-out customers{synthetic}")
    print_line(f"previous version: {status['previous'] or 'none'}")


def _print_change(status: ModelStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    _print_model(status)
    say(_NEXT)
