"""`retainstream import`: a file of customers, uploaded and followed until every row is accounted for."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.account import AsJson, Url
from cli.output import check_output, print_json, print_line, print_table, say, say_warning
from cli.runs import Run, RunId, Stage, View, Watch, check_ended_well
from cli.service_errors import NEEDS_A_LOOK
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.client import Client

_PATH = "/api/customers/imports"
_LONGEST_NAME = 200
_SHOWN = 10
_STEPS = {"survey": "looking the file over", "compare": "looking for customers who are named twice", "verify": "checking the counts"}


def import_customers(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A CSV file, plain or gzip, in the columns of the schema in force.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The moment the file describes; what is known since then stays. Now without it."),
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
    """Import customers from a file. Needs an analyst.

    Rows that do not fit the schema are rejected, each with its reason, and the others are taken: that ends with 0 and a note, or with 3
    under --strict. The same file again changes nothing.
    """
    if (file is None) == (run is None):
        raise typer.BadParameter("give a file to import, or --run to look at an import", param_hint="FILE")
    if rejects is not None:
        check_output(rejects, force=force)
    with signed_in(url) as client:
        view = _uploaded(client, file, as_of, quiet=as_json) if file else client.get(_run(run or "").path).data
        if watch or rejects is not None:
            view = _run(view["import_id"]).follow(client, quiet=as_json)
    if rejects is not None and view["rejects_url"]:
        _save(view["rejects_url"], rejects)
    if as_json:
        print_json(view)
    else:
        _tell(view, saved=rejects)
    check_ended_well(view, "import")
    if strict and view["counts"]["rejected"]:
        raise typer.Exit(NEEDS_A_LOOK)


def _uploaded(client: "Client", file: Path, as_of: str | None, *, quiet: bool) -> View:
    from cli.transfer import shown

    size = file.stat().st_size
    asked = {"file_name": file.name[-_LONGEST_NAME:], "size": size, **({"as_of": as_of} if as_of else {})}
    key = uuid.uuid4().hex

    def ask() -> View:
        view: View = client.start(_PATH, asked, key=key).data
        return view

    view = ask()
    with shown(f"Uploading {file.name}", size, quiet=quiet) as moved:
        _upload(file, view, ask, moved)
    if view["upload"]["complete"]:
        done: View = client.post(view["upload"]["complete"], repeatable=True).data
        return done
    return view


def _upload(file: Path, view: View, ask: Callable[[], View], moved: Callable[[int], None]) -> None:
    from cli.transfer import LinkEnded, put_piece

    parts: list[dict[str, Any]] = view["upload"]["parts"]
    for place, part in enumerate(parts):
        try:
            put_piece(file, part["url"], offset=part["offset"], size=part["size"], moved=moved)
        except LinkEnded:  # links last some hours; the same key gives new ones
            renewed = ask()["upload"]
            if renewed is None:
                raise
            parts[place:] = renewed["parts"][place:]
            put_piece(file, parts[place]["url"], offset=part["offset"], size=part["size"], moved=moved)


def _run(import_id: str) -> Run:
    return Run("import", "retainstream import", _PATH, import_id, _stage)


def _stage(view: View) -> Stage:
    if view["status"] == "WAITING":
        return Stage("waiting for the upload to be noticed")
    counts, rows = view["counts"], view["rows"]
    if view["step"] == "load" and rows:
        told = f"{counts['read']:,} of {rows:,} rows, {counts['rejected']:,} rejected"
        return Stage(told, counts["read"], rows)
    return Stage(_STEPS.get(view["step"] or "", "starting"))


def _save(url: str, path: Path) -> None:
    from cli.transfer import download

    download(url, path, moved=lambda _: None)


def _tell(view: View, *, saved: Path | None) -> None:
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
        (counts["unchanged"], "as known"),
        (counts["older"], "older than what is known"),
    )
    if any(number for number, _ in parts):
        print_line("accepted: " + ", ".join(f"{number:,} {words}" for number, words in parts if number))
    if not counts["rejected"]:
        return
    shown = view["rejects"][:_SHOWN]
    print_table(("line", "column", "reason"), ([row["line"], row["column"], row["reason"]] for row in shown), numbers=("line",))
    if saved is not None and view["rejects_url"]:
        say_warning(f"{counts['rejected']:,} rows were rejected; {saved} has them all")
    else:
        again = f"retainstream import --run {view['import_id']} --rejects rejected.csv"
        say_warning(f"{counts['rejected']:,} rows were rejected; save them with their reasons: {again}")
