"""`retainstream recount`: the dashboard's counters compared with the base, and repaired."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.account import AsJson, Url
from cli.output import print_json, say, say_warning
from cli.service_errors import NEEDS_A_LOOK, ServiceError
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.client import Client

_SECONDS_BETWEEN_LOOKS = 2.0
_SHOWN = 40


def recount(
    repair: Annotated[bool, typer.Option("--repair", help="Put the recount in place of counters that differ from it.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Wait for the end and show what was found.")] = False,
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="Look at a recount that was started before.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Count the customers and predictions anew and compare the dashboard's counters with them.

    Ends with 0 when every counter is right, or was put right; with 3 when some differ; with 1 when the recount failed.
    """
    if run and repair:
        raise typer.BadParameter("starts a recount, and --run looks at one; give one of them", param_hint="--repair")
    with signed_in(url) as client:
        found = client.get(f"/api/dashboard/recounts/{run}") if run else client.start("/api/dashboard/recount", {"repair": repair})
        view: dict[str, Any] = found.data
        if watch:
            view = _watched(client, view["run_id"], quiet=as_json)
    if as_json:
        print_json(view)
    else:
        _tell(view)
    if view["status"] == "FAILED":
        raise ServiceError(f"The recount failed: {view['reason']}")
    if view["exact"] is False and any(table["outcome"] == "different" for table in view["tables"]):
        raise typer.Exit(NEEDS_A_LOOK)


def _watched(client: "Client", run_id: str, *, quiet: bool) -> dict[str, Any]:
    from rich.console import Console

    console = Console(stderr=True, quiet=quiet)
    try:
        with console.status("Recount: starting") as status:
            while (view := client.get(f"/api/dashboard/recounts/{run_id}").data)["status"] == "RUNNING":
                status.update(f"Recount: {_STEPS.get(view['step'], 'starting')}")
                time.sleep(_SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        say(f"The recount goes on. Look at it: retainstream recount --run {run_id} --watch")
        raise typer.Exit(130) from None
    found: dict[str, Any] = view
    return found


_STEPS = {"settle": "waiting until the counters are still", "count": "counting"}


def _tell(view: dict[str, Any]) -> None:
    if view["status"] == "RUNNING":
        say(f"The recount {view['run_id']} is under way. Look at it: retainstream recount --run {view['run_id']} --watch")
        return
    for table in view["tables"] or ():
        wrong = f"wrong counters: {table['differences']:,}" if table["differences"] else "every counter is right"
        repaired = ", put right" if table["outcome"] == "repaired" else ""
        typer.echo(f"{table['source']}: {table['rows']:,} rows, {wrong}{repaired}")
    differences = view["differences"] or []
    if differences:
        from rich.console import Console
        from rich.table import Table

        shown = Table()
        for header in ("", "counter"):
            shown.add_column(header)
        for header in ("it said", "recounted"):
            shown.add_column(header, justify="right")
        for row in differences[:_SHOWN]:
            shown.add_row(row["source"], row["counter"], f"{row['counted']:,}", f"{row['recounted']:,}")
        Console(width=None if sys.stdout.isatty() else 120, markup=False).print(shown)
        if len(differences) > _SHOWN:
            say(f"and {len(differences) - _SHOWN:,} more; --json has them all")
    if any(table["outcome"] == "different" for table in view["tables"] or ()):
        say_warning("put them right: retainstream recount --repair --watch")
