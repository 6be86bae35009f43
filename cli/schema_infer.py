"""`retainstream schema infer`: a draft of a feature schema, from a table of customers or from dated sources."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import check_output, print_json, say, say_warning, written_whole
from cli.reading import DecimalMark, Encoding, Sheet, read_text_table, today

if TYPE_CHECKING:
    from retainstream.engine.drafting.drafting import Draft
    from retainstream.engine.drafting.findings import Finding
    from retainstream.engine.drafting.from_sources import SourcesDraft

_SOURCES = ("events", "subscriptions", "profile")
_EVENTS_SAMPLE = 50_000
"""Rows of an events file by which its columns are recognised. The figures are of all rows."""


def infer(
    output: Annotated[Path, typer.Option("--output", "-o", help="The schema to write; - prints it.")],
    data: Annotated[Path | None, typer.Option("--data", "-d", help="A CSV file, plain or gzip, with one row per customer.")] = None,
    label: Annotated[
        str | None, typer.Option("--label", "-l", help="The column of --data with the outcome: whether the customer left.")
    ] = None,
    events: Annotated[Path | None, typer.Option("--events", help="A file with one row per event, CSV or Parquet.")] = None,
    subscriptions: Annotated[Path | None, typer.Option("--subscriptions", help="A file with one row per subscription.")] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="A file with one row per customer, beside the other two.")] = None,
    identity: Annotated[str | None, typer.Option("--id", help="The id column, in every file.", metavar="COLUMN")] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="SOURCE.ROLE=COLUMN", help="A column that is recognised wrongly, as in events.at=Zeitpunkt."),
    ] = None,
    return_share: Annotated[
        float, typer.Option("--return-share", min=0.001, max=0.9, help="Without ends of subscriptions: share of silences that may end.")
    ] = 0.1,
    positive: Annotated[
        list[str] | None, typer.Option("--positive", help="A value of the label for customers who left.", metavar="VALUE")
    ] = None,
    stayed: Annotated[
        list[str] | None,
        typer.Option("--stayed", help='A value of the label for customers who stayed; "" is a blank cell.', metavar="VALUE"),
    ] = None,
    not_known: Annotated[
        list[str] | None, typer.Option("--not-known", help="A value of the label for outcomes that are not known.", metavar="VALUE")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The schema's name, in lower case. Default: from the file's name.")] = None,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 3 if there are warnings.")] = False,
) -> None:
    """Draft a feature schema from your files, with a warning for every trap in the data.

    Either from a table of customers with their outcomes (--data and --label), or from dated files (--events, --subscriptions, --profile, in
    any combination): these give the columns, the meaning of leaving, and the questions that the files cannot answer.

    The draft leaves columns that seem to know the outcome out of the model, with a comment on the reason and on how to include them.
    """
    files = {source: path for source, path in zip(_SOURCES, (events, subscriptions, profile), strict=True) if path is not None}
    if (data is None) == (not files):
        raise typer.BadParameter("give a table of customers, or dated files", param_hint="--data, or --events, --subscriptions, --profile")
    if data is not None and label is None:
        raise typer.BadParameter("is required with --data", param_hint="--label")
    if name is not None and not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", name):
        raise typer.BadParameter("must be a lower-case letter, then letters, digits, _ and -, at most 41 characters", param_hint="--name")
    to_screen = str(output) == "-"
    if not to_screen:
        check_output(output, force=force)
    drafted: Draft | SourcesDraft
    if data is not None and label is not None:
        from retainstream.engine.drafting.drafting import draft
        from retainstream.engine.drafting.yaml_document import yaml_of

        table = read_text_table(data, decimal, encoding=encoding, sheet=sheet)
        drafted = draft(
            table, label, id_header=identity, positive=positive, stayed=stayed or (), not_known=not_known or (), name=name or _name_of(data)
        )
        text, check = yaml_of(drafted), f"retainstream schema check {output} --data {data}"
    else:
        from retainstream.engine.drafting.from_sources_yaml import yaml_of_sources

        drafted = _from_sources(files, _roles(files, identity, role or []), name, return_share)
        text, check = (
            yaml_of_sources(drafted),
            f"retainstream features build --schema {output} --sources {_folder(files)} --anchors monthly --out table.csv",
        )
    if not to_screen:
        with written_whole(output) as stream:
            stream.write(text.encode())
    if as_json:
        print_json(_report(drafted, None if to_screen else output))
    else:
        if to_screen:
            typer.echo(text, nl=False)
        _print_findings(drafted, None if to_screen else output, check)
    if strict and drafted.warnings:
        raise typer.Exit(3)


def _from_sources(files: Mapping[str, Path], roles: Mapping[str, str], name: str | None, return_share: float) -> "SourcesDraft":
    import duckdb

    from retainstream.engine.drafting.from_sources import draft_from_sources
    from retainstream.engine.drafting.recognition import recognise

    tables = {
        source: read_text_table(path, None, most_rows=_EVENTS_SAMPLE if source == "events" else None) for source, path in files.items()
    }
    recognised = recognise(tables, {source: path.name for source, path in files.items()}, roles)
    with duckdb.connect() as connection:
        return draft_from_sources(connection, files, recognised, today=today(), name=name or "customers", return_share=return_share)


def _roles(files: Mapping[str, Path], identity: str | None, stated: list[str]) -> dict[str, str]:
    """The header of each role that a person has named: `events.at` → header."""
    from retainstream.engine.drafting.recognition import ROLES

    known = [f"{source}.{role}" for source in files for role in ROLES[source]]
    roles = {f"{source}.id": identity for source in files} if identity else {}
    for statement in stated:
        role, _, header = statement.partition("=")
        if role not in known or not header:
            raise typer.BadParameter(f"{statement} is not ROLE=COLUMN; the roles are {', '.join(known)}", param_hint="--role")
        roles[role] = header
    return roles


def _folder(files: Mapping[str, Path]) -> str:
    folders = {path.parent for path in files.values()}
    if len(folders) > 1:
        say("note: the files are in different folders; put them into one, because a schema names files of one folder")
    return str(folders.pop()) if len(folders) == 1 else "FOLDER"


def _name_of(data: Path) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", data.name.split(".")[0].lower()).strip("_")
    return stem[:40] if stem[:1].isalpha() else "customers"


def _print_findings(drafted: "Draft | SourcesDraft", output: Path | None, check: str) -> None:
    for finding in drafted.notes:
        say(f"note: {finding.text}")
    for finding in drafted.questions:
        say(f"question: {finding.text}")
    for finding in drafted.warnings:
        say_warning(finding.text)
    schema = drafted.schema
    unused = [column.header for column in schema.columns if not column.feature]
    left_out = [*unused, *drafted.left_out]
    shown = ", ".join(left_out[:8]) + (f" and {len(left_out) - 8} more" if len(left_out) > 8 else "")
    say(f"{_count(len(schema.features), 'feature')} from {drafted.counted}" + (f"; not used: {shown}" if left_out else ""))
    if output is not None:
        say(f"{output} written. Read it through, then: {check}")


def _report(drafted: "Draft | SourcesDraft", output: Path | None) -> dict[str, Any]:
    return {
        "output": str(output) if output else None,
        **drafted.figures(),
        "schema": drafted.schema.model_dump(mode="json", exclude_defaults=True, exclude_none=True),
        "left_out": drafted.left_out,
        "warnings": [_finding(finding) for finding in drafted.warnings],
        "questions": [_finding(finding) for finding in drafted.questions],
        "notes": [_finding(finding) for finding in drafted.notes],
    }


def _finding(finding: "Finding") -> dict[str, Any]:
    return {"sort": finding.sort, "columns": list(finding.columns), "text": finding.text, "evidence": finding.evidence}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
