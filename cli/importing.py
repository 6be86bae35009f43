"""`retainstream import`: uploads a file of customers and follows the import until each row is accounted for."""

from pathlib import Path
from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.answers import ImportView
from cli.output import check_output, print_json, print_line, print_table, say, say_warning
from cli.runs import Run, RunId, Stage, Watch, check_ended_well
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in
from cli.uploads import upload

_PATH = "/api/customers/imports"
_SHOWN = 10
_STEPS = {"survey": "checking the file", "compare": "looking for repeated customers", "verify": "checking the counts"}


def import_customers(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A CSV file, plain or gzip, in the columns of the active schema.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The moment that the file describes; newer data is kept. Default: now."),
    ] = None,
    watch: Watch = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="PATH", help="Write the rejected rows with their reasons to this CSV file; implies --watch."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file of rejected rows.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 3 when rows were rejected.")] = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import customers from a file. Needs the role analyst.

    Rows that do not fit the schema are rejected, each with a reason; the other rows are accepted. The command then ends with 0
    and a warning, or with 3 under --strict. Importing the same file again changes nothing.
    """
    if (file is None) == (run is None):
        raise typer.BadParameter("give a file to import, or --run to see an import", param_hint="FILE")
    if rejects is not None:
        check_output(rejects, force=force)
    with signed_in(url) as client:
        asked = {"as_of": as_of} if as_of else {}
        view: ImportView = upload(client, _PATH, file, asked, quiet=as_json) if file else client.get(_run(run or "").path).data
        if watch or rejects is not None:
            view = _run(view["import_id"]).follow(client, quiet=as_json)
    if rejects is not None and view["rejects_url"]:
        _save(view["rejects_url"], rejects)
    if as_json:
        print_json(view)
    else:
        _print(view, saved=rejects)
    check_ended_well(view, "import")
    if strict and view["counts"]["rejected"]:
        raise typer.Exit(NEEDS_A_LOOK)


def _run(import_id: str) -> Run[ImportView]:
    return Run("import", "retainstream import", _PATH, import_id, _stage)


def _stage(view: ImportView) -> Stage:
    if view["status"] == "WAITING":
        return Stage("waiting for the upload to arrive")
    counts, rows, step = view["counts"], view["rows"], view.get("step")
    if step == "load" and rows:
        return Stage(f"{counts['read']:,} of {rows:,} rows, {counts['rejected']:,} rejected", counts["read"], rows)
    return Stage(_STEPS.get(step or "", "starting"))


def _save(url: str, path: Path) -> None:
    from cli.transfer import download

    download(url, path, moved=lambda _: None)


def _print(view: ImportView, *, saved: Path | None) -> None:
    if view["status"] in ("WAITING", "RUNNING"):
        _run(view["import_id"]).say_how_to_look()
        return
    for note in view["notes"]:
        say(f"note: {note}")
    counts = view["counts"]
    print_line(f"{view['file_name']}: {counts['read']:,} rows read, {counts['accepted']:,} accepted, {counts['rejected']:,} rejected")
    parts = (
        (counts["created"], "new"),
        (counts["changed"], "changed"),
        (counts["unchanged"], "unchanged"),
        (counts["older"], "older than the stored data"),
    )
    if any(number for number, _ in parts):
        print_line("accepted: " + ", ".join(f"{number:,} {words}" for number, words in parts if number))
    if not counts["rejected"]:
        return
    shown = view["rejects"][:_SHOWN]
    print_table(("line", "column", "reason"), ([row["line"], row["column"], row["reason"]] for row in shown), numbers=("line",))
    if saved is not None and view["rejects_url"]:
        say_warning(f"{counts['rejected']:,} rows were rejected; {saved} has all of them")
    else:
        command = f"retainstream import --run {view['import_id']} --rejects rejected.csv"
        say_warning(f"{counts['rejected']:,} rows were rejected; to save them with their reasons: {command}")
