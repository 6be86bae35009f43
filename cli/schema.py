"""`retainstream schema`: draft a feature schema from files, check one, and activate one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import schema_change, schema_infer, schema_learn
from cli.output import print_json
from cli.reading import DecimalMark, Encoding, Sheet, read_customers

commands = typer.Typer(help="The feature schema: the description of your columns.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")]


@commands.command("check")
def check(
    schema: Annotated[Path, typer.Argument(help="The schema, YAML or JSON.")],
    data: Annotated[Path | None, typer.Option("--data", "-d", help="A CSV file to check against the schema.")] = None,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
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

        from retainstream.engine.tables.outcomes import high_churn

        customers = read_customers(data, checked, decimal, encoding=encoding, sheet=sheet)
        known = int(np.count_nonzero(~np.isnan(customers.churned)))
        left = int(np.nansum(customers.churned))
        report["data"] = {
            "rows": len(customers),
            "known": known,
            "churned": left,
            "outcomes": customers.outcomes.document(),
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
        lines.append(f"outcomes: {customers.outcomes.sentence}")
        if warning := high_churn(left, known):
            lines.append(f"warning: {warning}")
        lines += [f"note: {note}" for note in customers.notes]
    if as_json:
        print_json(report)
        return
    for line in lines:
        typer.echo(line)


commands.command("infer")(schema_infer.infer)
commands.command("put")(schema_change.put)
commands.command("learn")(schema_learn.learn)
commands.command("history")(schema_change.history)
commands.command("show")(schema_change.show)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
