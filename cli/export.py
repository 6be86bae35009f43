"""`retainstream export`: predictions as a file, for the call list or a spreadsheet."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.answers import ExportView, FileLink
from cli.customers import Group, MinProbability
from cli.output import check_output, print_json, say
from cli.runs import Run, RunId, Stage, check_ended_well
from cli.service_errors import ServiceError
from cli.session import signed_in


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Separator(StrEnum):
    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


class Mark(StrEnum):
    POINT = "point"
    COMMA = "comma"


def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV file to write; - prints it. Default: predictions-DATE.csv.")
    ] = None,
    level: Annotated[Level | None, typer.Option("--level", help="Only customers at this risk level.")] = None,
    group: Group = None,
    min_probability: MinProbability = None,
    max_probability: Annotated[
        float | None, typer.Option("--max-probability", min=0, max=1, help="Only customers with at most this churn probability.")
    ] = None,
    model_version: Annotated[
        str | None, typer.Option("--model-version", metavar="VERSION", help="Only customers scored by this version.")
    ] = None,
    separator: Annotated[Separator, typer.Option("--separator", help="What separates the fields.")] = Separator.COMMA,
    decimal: Annotated[Mark, typer.Option("--decimal", help="The decimal mark of numbers.")] = Mark.POINT,
    data: Annotated[bool, typer.Option("--for-programs", help="Headers are the names of fields and columns; no byte order mark.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output file.")] = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write predictions to a CSV file: a row for each customer who has not left, with reasons, action and features. Needs the role analyst.

    Headers are the words of the schema. A German or French spreadsheet opens the file with --separator semicolon --decimal comma.
    A run makes a large file; the command waits for it. Text that a spreadsheet takes for a formula gets a leading apostrophe.
    """
    to_screen = str(output) == "-"
    if to_screen and as_json:
        raise typer.BadParameter("cannot be used with --output -, which prints the file itself", param_hint="--json")
    path = output or Path(f"predictions-{datetime.now(UTC):%Y-%m-%d}.csv")
    if not to_screen:
        check_output(path, force=force)
    from cli.transfer import download, download_to, shown

    filters: dict[str, str | int | float | None] = {
        "level": level.value if level else None,
        "plan": group,
        "min_probability": min_probability,
        "max_probability": max_probability,
        "model_version": model_version,
    }
    query: dict[str, str | int | float] = {name: value for name, value in filters.items() if value is not None}
    written = {"format": "data" if data else "csv", "separator": separator.value, "decimal": decimal.value}
    if run and (query or data or separator is not Separator.COMMA or decimal is not Mark.POINT):
        raise typer.BadParameter("shows an earlier export, which has its own filters and its own format", param_hint="--run")
    with signed_in(url) as client:
        answer = client.get(_run(run).path if run else "/api/predictions/results", {} if run else query | written)
        link: FileLink | ExportView = answer.data
        if "status" in link:
            link = _run(link["run_id"]).follow(client, quiet=as_json or to_screen)
            check_ended_well(link, "export")
            if link["url"] is None:
                raise ServiceError(link.get("reason") or "The file is not kept any more", "To make it again: retainstream export")
    file_url = str(link["url"])
    if to_screen:
        download_to(file_url, sys.stdout.buffer)
        return
    with shown("Downloading", None, quiet=as_json) as moved:
        size = download(file_url, path, moved=moved)
    if as_json:
        print_json({"output": str(path), "rows": link["rows"], "bytes": size})
    else:
        say(f"{path}: {link['rows']:,} customers")


def _run(run_id: str) -> Run[ExportView]:
    return Run("export", "retainstream export", "/api/predictions/exports", run_id, _stage, can_be_left=False)


def _stage(view: ExportView) -> Stage:
    return Stage(f"{view['rows']:,} rows", view["examined"], view["predictions"])
