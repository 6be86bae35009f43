"""`retainstream generate`: synthetic customers."""

import csv
import gzip
import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from cli.output import check_output, say, written_whole

if TYPE_CHECKING:
    from retainstream.engine.learning.synthetic import Drift, SyntheticBase


def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write; gzip when its name ends in .gz.")],
    customers: Annotated[int, typer.Option("--customers", "-n", min=1, max=10_000_000, help="The number of customers.")] = 5000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same customers.")] = 0,
    drift: Annotated[
        list[str] | None,
        typer.Option("--drift", metavar="NAME=VALUE", help="Change the data: engagement, price, payment_failures, missing or concept."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output file.")] = False,
) -> None:
    """Generate synthetic streaming customers with outcomes, for the default schema.

    They come from a documented process with known probabilities. Figures about them are synthetic.
    """
    check_output(output, force=force)
    from retainstream.engine.learning.synthetic import generate as make

    base = make(customers, seed, _drift(drift or []))
    with written_whole(output) as stream:
        if output.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as compressed:
                write_csv(base, compressed)
        else:
            write_csv(base, stream)
    say(f"{output}: {customers:,} synthetic customers, {base.churned.mean():.1%} have left (seed {seed})")


def write_csv(base: "SyntheticBase", stream: IO[bytes] | gzip.GzipFile) -> None:
    """Customers as CSV, in the columns of the default schema."""
    from retainstream.engine.schema import default_schema

    schema = default_schema()
    names = [column.name for column in schema.columns]
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([schema.id.column, *names, schema.label.column])
    for customer_id, features, left in zip(base.ids, base.features(), base.churned.tolist(), strict=True):
        writer.writerow([customer_id, *(features.get(name, "") for name in names), str(left).lower()])
    text.flush()
    text.detach()


def _drift(settings: list[str]) -> "Drift | None":
    from dataclasses import fields

    from retainstream.engine.learning.synthetic import Drift

    known = [field.name for field in fields(Drift)]
    values: dict[str, float] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise typer.BadParameter(f"{setting} is not NAME=NUMBER", param_hint="--drift") from None
        if name not in known:
            raise typer.BadParameter(f"{name} is unknown; use {', '.join(known)}", param_hint="--drift")
    return Drift(**values) if values else None
