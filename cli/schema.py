"""`retainstream schema`: draft a feature schema from a table, check one, and activate one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import schema_change
from cli.output import check_output, print_json, say, say_warning, written_whole
from cli.reading import read_customers, read_text_table

if TYPE_CHECKING:
    from retainstream.engine.drafting.drafting import Draft
    from retainstream.engine.drafting.findings import Finding

commands = typer.Typer(help="The feature schema: the description of your columns.", no_args_is_help=True)

DecimalMark = Annotated[str | None, typer.Option("--decimal", help="The decimal mark, . or , if it is detected wrongly.", metavar="MARK")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 3 if there are warnings.")]


@commands.command("infer")
def infer(
    data: Annotated[Path, typer.Option("--data", "-d", help="A CSV file, plain or gzip, with one row per customer.")],
    label: Annotated[str, typer.Option("--label", "-l", help="The column with the outcome: whether the customer left.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The schema to write; - prints it.")],
    identity: Annotated[str | None, typer.Option("--id", help="The id column.", metavar="COLUMN")] = None,
    positive: Annotated[str | None, typer.Option("--positive", help="The label's value for customers who left.", metavar="VALUE")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The schema's name, in lower case. Default: from the file's name.")] = None,
    decimal: DecimalMark = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output file.")] = False,
    as_json: AsJson = False,
    strict: Strict = False,
) -> None:
    """Draft a feature schema from your customers, with a warning for every trap in the data.

    The draft leaves columns that seem to know the outcome out of the model, with a comment on the reason and on how to include them.
    """
    to_screen = str(output) == "-"
    if not to_screen:
        check_output(output, force=force)
    from retainstream.engine.drafting.drafting import draft
    from retainstream.engine.drafting.yaml_document import yaml_of

    table = read_text_table(data, decimal)
    drafted = draft(table, label, id_header=identity, positive=positive, name=name or _name_of(data))
    text = yaml_of(drafted)
    if not to_screen:
        with written_whole(output) as stream:
            stream.write(text.encode())
    if as_json:
        print_json(_report(drafted, None if to_screen else output))
    else:
        if to_screen:
            typer.echo(text, nl=False)
        _print_findings(drafted, None if to_screen else output)
    if strict and drafted.warnings:
        raise typer.Exit(3)


@commands.command("check")
def check(
    schema: Annotated[Path, typer.Argument(help="The schema, YAML or JSON.")],
    data: Annotated[Path | None, typer.Option("--data", "-d", help="A CSV file to check against the schema.")] = None,
    decimal: DecimalMark = None,
    as_json: AsJson = False,
) -> None:
    """Check a feature schema, and a file against it."""
    from retainstream.engine.schema.documents import read_schema

    checked = read_schema(schema)
    report: dict[str, Any] = {
        "schema": checked.name,
        "features": [column.name for column in checked.features],
        "not_used": [column.name for column in checked.columns if not column.feature],
    }
    used, described = _count(len(checked.features), "feature"), _count(len(checked.columns), "column")
    lines = [f'{schema}: a valid schema, "{checked.title}", {used} of {described}']
    if data is not None:
        import numpy as np

        customers = read_customers(data, checked, decimal)
        known = int(np.count_nonzero(~np.isnan(customers.churned)))
        left = int(np.nansum(customers.churned))
        report["data"] = {
            "rows": len(customers),
            "known": known,
            "churned": left,
            "repeated_ids": customers.repeated_ids,
            "missing": {
                column.name: round(float(share), 6)
                for column, share in zip(checked.features, np.isnan(customers.rows).mean(axis=0), strict=True)
                if share
            },
            "notes": customers.notes,
        }
        lines.append(
            f"{data}: {_count(len(customers), 'customer')} read, {known:,} with a known outcome, {left:,} of them left ({left / known:.1%})"
        )
        lines += [f"note: {note}" for note in customers.notes]
    if as_json:
        print_json(report)
        return
    for line in lines:
        typer.echo(line)


commands.command("put")(schema_change.put)
commands.command("history")(schema_change.history)
commands.command("show")(schema_change.show)


def _name_of(data: Path) -> str:
    import re

    stem = re.sub(r"[^a-z0-9]+", "_", data.name.split(".")[0].lower()).strip("_")
    return stem[:40] if stem[:1].isalpha() else "customers"


def _print_findings(drafted: "Draft", output: Path | None) -> None:
    for finding in drafted.notes:
        say(f"note: {finding.text}")
    for finding in drafted.warnings:
        say_warning(finding.text)
    schema = drafted.schema
    unused = [column.header for column in schema.columns if not column.feature]
    left_out = [*unused, *drafted.left_out]
    shown = ", ".join(left_out[:8]) + (f" and {len(left_out) - 8} more" if len(left_out) > 8 else "")
    say(f"{_count(len(schema.features), 'feature')} from {_count(drafted.rows, 'row')}" + (f"; not used: {shown}" if left_out else ""))
    if output is not None:
        say(f"{output} written. Read it through, then: retainstream schema check {output} --data {drafted.source}")


def _report(drafted: "Draft", output: Path | None) -> dict[str, Any]:
    return {
        "output": str(output) if output else None,
        "rows": drafted.rows,
        "known": drafted.known,
        "churned": drafted.churned,
        "schema": drafted.schema.model_dump(mode="json", exclude_defaults=True),
        "left_out": drafted.left_out,
        "warnings": [_finding(finding) for finding in drafted.warnings],
        "notes": [_finding(finding) for finding in drafted.notes],
    }


def _finding(finding: "Finding") -> dict[str, Any]:
    return {"sort": finding.sort, "columns": list(finding.columns), "text": finding.text, "evidence": finding.evidence}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
