"""`retainstream export`: predictions as a file, for the call list or a spreadsheet."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.customers import Group, MinProbability
from cli.output import check_output, print_json, say
from cli.runs import Run, RunId, Stage, View, check_ended_well
from cli.service_errors import ServiceError
from cli.session import signed_in


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV file to write; - prints it. predictions-DATE.csv without it.")
    ] = None,
    level: Annotated[Level | None, typer.Option("--level", help="Only those at this risk level.")] = None,
    group: Group = None,
    min_probability: MinProbability = None,
    max_probability: Annotated[
        float | None, typer.Option("--max-probability", min=0, max=1, help="Only those at most so likely to leave.")
    ] = None,
    model_version: Annotated[
        str | None, typer.Option("--model-version", metavar="VERSION", help="Only those whom this version scored.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output file.")] = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write predictions to a CSV file: one row per customer who has not left, with reasons, action and features.

    A large file is made by a run, which is waited for. Text that a spreadsheet would take for a formula is led by an apostrophe.
    """
    to_screen = str(output) == "-"
    if to_screen and as_json:
        raise typer.BadParameter("does not go with --output -, which prints the file itself", param_hint="--json")
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
    if run and query:
        raise typer.BadParameter("looks at an export that was asked for before, with its filters", param_hint="--run")
    with signed_in(url) as client:
        answer = client.get(_run(run).path if run else "/api/predictions/results", {} if run else {**query, "format": "csv"})
        link: View = answer.data
        if "status" in link:
            link = _run(link["run_id"]).follow(client, quiet=as_json or to_screen)
            check_ended_well(link, "export")
    if link["url"] is None:
        raise ServiceError(link["reason"] or "There is no file any more", "Ask for it again: retainstream export")
    if to_screen:
        download_to(link["url"], sys.stdout.buffer)
        return
    with shown("Downloading", None, quiet=as_json) as moved:
        size = download(link["url"], path, moved=moved)
    if as_json:
        print_json({"output": str(path), "rows": link["rows"], "bytes": size})
    else:
        say(f"{path}: {link['rows']:,} customers")


def _run(run_id: str) -> Run:
    return Run("export", "retainstream export", "/api/predictions/exports", run_id, _stage, can_be_left=False)


def _stage(view: View) -> Stage:
    return Stage(f"{view['rows']:,} rows", view["examined"], view["predictions"])
