"""`retainstream recount`: compares the dashboard's counters with the base, and repairs them."""

from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.answers import RecountView
from cli.output import print_json, print_line, print_table, say, say_warning
from cli.runs import Run, RunId, Stage, Watch, check_ended_well, say_if_already_running
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in

_SHOWN = 40
_STEPS = {"settle": "waiting for the counters to settle", "count": "counting"}


def recount(
    repair: Annotated[bool, typer.Option("--repair", help="Replace counters that differ from the recount.")] = False,
    watch: Watch = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Count customers and predictions again, and compare the counts with the dashboard's counters. Needs the role admin.

    Ends with 0 when all counters are right or were repaired, with 3 when some differ, and with 1 when the recount failed.
    """
    if run and repair:
        raise typer.BadParameter("starts a recount, and --run shows an earlier one; use one of them", param_hint="--repair")
    with signed_in(url) as client:
        view: RecountView = (client.get(_run(run).path) if run else client.start("/api/dashboard/recount", {"repair": repair})).data
        say_if_already_running(view, "recount", quiet=as_json)
        if watch:
            view = _run(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    else:
        _print(view)
    check_ended_well(view, "recount")
    if view["exact"] is False and _differs(view):
        raise typer.Exit(NEEDS_A_LOOK)


def _run(run_id: str) -> Run[RecountView]:
    def stage(view: RecountView) -> Stage:
        return Stage(_STEPS.get(view.get("step") or "", "starting"))

    return Run("recount", "retainstream recount", "/api/dashboard/recounts", run_id, stage)


def _differs(view: RecountView) -> bool:
    return any(table["outcome"] == "different" for table in view["tables"] or ())


def _print(view: RecountView) -> None:
    if view["status"] == "RUNNING":
        _run(view["run_id"]).say_how_to_look()
        return
    for table in view["tables"] or ():
        result = f"wrong counters: {table['differences']:,}" if table["differences"] else "all counters are right"
        repaired = ", repaired" if table["outcome"] == "repaired" else ""
        print_line(f"{table['source']}: {table['rows']:,} rows, {result}{repaired}")
    differences = view["differences"] or []
    if differences:
        rows = ([row["source"], row["counter"], f"{row['counted']:,}", f"{row['recounted']:,}"] for row in differences[:_SHOWN])
        print_table(("", "counter", "before", "recounted"), rows, numbers=("before", "recounted"))
        if len(differences) > _SHOWN:
            say(f"{len(differences) - _SHOWN:,} more; --json prints all of them")
    if _differs(view):
        say_warning("To repair the counters: retainstream recount --repair --watch")
