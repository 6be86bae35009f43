"""`retainstream recount`: the dashboard's counters compared with the base, and repaired."""

from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.output import print_json, print_line, print_table, say, say_warning
from cli.runs import Run, RunId, Stage, View, Watch, check_ended_well
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in

_SHOWN = 40
_STEPS = {"settle": "waiting until the counters are still", "count": "counting"}


def recount(
    repair: Annotated[bool, typer.Option("--repair", help="Put the recount in place of counters that differ from it.")] = False,
    watch: Watch = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Count the customers and predictions anew and compare the dashboard's counters with them.

    Ends with 0 when every counter is right, or was put right; with 3 when some differ; with 1 when the recount failed.
    """
    if run and repair:
        raise typer.BadParameter("starts a recount, and --run looks at one; give one of them", param_hint="--repair")
    with signed_in(url) as client:
        view: View = (client.get(_run(run).path) if run else client.start("/api/dashboard/recount", {"repair": repair})).data
        if watch:
            view = _run(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    else:
        _tell(view)
    check_ended_well(view, "recount")
    if view["exact"] is False and any(table["outcome"] == "different" for table in view["tables"]):
        raise typer.Exit(NEEDS_A_LOOK)


def _run(run_id: str) -> Run:
    def stage(view: View) -> Stage:
        return Stage(_STEPS.get(view["step"], "starting"))

    return Run("recount", "retainstream recount", "/api/dashboard/recounts", run_id, stage)


def _tell(view: View) -> None:
    if view["status"] == "RUNNING":
        _run(view["run_id"]).say_how_to_look()
        return
    for table in view["tables"] or ():
        wrong = f"wrong counters: {table['differences']:,}" if table["differences"] else "every counter is right"
        repaired = ", put right" if table["outcome"] == "repaired" else ""
        print_line(f"{table['source']}: {table['rows']:,} rows, {wrong}{repaired}")
    differences = view["differences"] or []
    if differences:
        rows = ([row["source"], row["counter"], f"{row['counted']:,}", f"{row['recounted']:,}"] for row in differences[:_SHOWN])
        print_table(("", "counter", "it said", "recounted"), rows, numbers=("it said", "recounted"))
        if len(differences) > _SHOWN:
            say(f"and {len(differences) - _SHOWN:,} more; --json has them all")
    if any(table["outcome"] == "different" for table in view["tables"] or ()):
        say_warning("put them right: retainstream recount --repair --watch")
