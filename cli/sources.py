"""`retainstream sources`: delivers source files, from which features and outcomes are computed, and lists the sources."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.account import AsJson, Url
from cli.answers import DeliveryView, Source
from cli.output import print_json, print_line, print_table, say
from cli.runs import Run, RunId, Stage, Watch, check_ended_well
from cli.session import signed_in
from cli.uploads import upload

_PATH = "/api/customers/sources/deliveries"
_STEPS = {"read": "reading the file", "merge": "adding its rows to the source"}

commands = typer.Typer(help="Source files: events, subscriptions and profiles, from which features are computed.", no_args_is_help=True)


@commands.command("put")
def put(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A CSV file, plain or gzip, or a Parquet file.")] = None,
    kind: Annotated[
        Literal["profile", "subscriptions", "events"] | None, typer.Option("--kind", help="The source that the file is added to.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The moment that the file describes; newer values are kept. Default: now."),
    ] = None,
    watch: Watch = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Deliver a source file. Needs the role analyst.

    Its rows are added to the source; rows that the source has already are counted and change nothing. Of two rows with the same key
    the one of the later delivery is kept.
    """
    if (file is None) == (run is None):
        raise typer.BadParameter("give a file to deliver, or --run to see a delivery", param_hint="FILE")
    if (file is None) != (kind is None):
        raise typer.BadParameter("goes with a file" if kind else "say which source the file is added to", param_hint="--kind")
    with signed_in(url) as client:
        asked = {"kind": kind, **({"as_of": as_of} if as_of else {})}
        view: DeliveryView = upload(client, _PATH, file, asked, quiet=as_json) if file else client.get(_run(run or "").path).data
        if watch:
            view = _run(view["delivery_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    else:
        _print(view)
    check_ended_well(view, "delivery")


@commands.command("list")
def list_sources(url: Url = None, as_json: AsJson = False) -> None:
    """List the sources: their rows, the days that they cover, and their last delivery. Needs the role analyst."""
    with signed_in(url) as client:
        sources: list[Source] = client.get("/api/customers/sources").data
    if as_json:
        print_json(sources)
        return
    print_table(("source", "rows", "first day", "last day", "last delivery"), (_cells(source) for source in sources), numbers=("rows",))


def _cells(source: Source) -> list[str]:
    last = source["last_delivery"]
    delivered = f"{last['file_name']}, {last['at'][:10]}" if last else "–" if source["expected"] else "not read by the schema"
    return [source["kind"], f"{source['rows']:,}", source["first"] or "–", source["last"] or "–", delivered]


def _run(delivery_id: str) -> Run[DeliveryView]:
    def stage(view: DeliveryView) -> Stage:
        return Stage("waiting for the upload to arrive" if view["status"] == "WAITING" else _STEPS.get(view.get("step") or "", "starting"))

    return Run("delivery", "retainstream sources put", _PATH, delivery_id, stage)


def _print(view: DeliveryView) -> None:
    if view["status"] in ("WAITING", "RUNNING"):
        _run(view["delivery_id"]).say_how_to_look()
        return
    for note in view["notes"]:
        say(f"note: {note}")
    if view["status"] == "FAILED":
        return
    counts = view["counts"]
    words = {
        "added": "new",
        "changed": "changed",
        "repeated": "already there",
        "older": "older than the stored rows",
        "removed": "of removed customers, left out",
    }
    parts = [f"{number:,} {words[name]}" for name, number in counts.items() if name in words and isinstance(number, int) and number]
    print_line(f"{view['file_name']}: {counts['read']:,} rows read{'; ' if parts else ''}{', '.join(parts)}")
