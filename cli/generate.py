"""`retainstream generate`: synthetic customers of one moment, or a business with a past."""

import csv
import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from cli.output import check_output, say, say_error, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retainstream.engine.business.files import Line
    from retainstream.engine.learning.synthetic import Drift, SyntheticBase

_MOST_MONTHS, _MOST_CUSTOMERS, _FIRST_YEAR = 60, 200_000, 1990
"""Of a business with a past, which is made in memory."""


def generate(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV file for customers of one moment; gzip when its name ends in .gz.")
    ] = None,
    past: Annotated[
        Path | None, typer.Option("--past", help="The folder for a business with a past: events, subscriptions, profiles, monthly tables.")
    ] = None,
    customers: Annotated[int, typer.Option("--customers", "-n", min=1, max=10_000_000, help="The number of customers.")] = 5000,
    months: Annotated[int, typer.Option("--months", min=1, max=_MOST_MONTHS, help="With --past, the number of monthly tables.")] = 13,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", formats=["%Y-%m-%d"], help="With --past, the day of the last table; today when absent.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same customers.")] = 0,
    drift: Annotated[
        list[str] | None,
        typer.Option("--drift", metavar="NAME=VALUE", help="Change the data: engagement, price, payment_failures, missing or concept."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the output files.")] = False,
) -> None:
    """Generate synthetic streaming customers, for the default schema.

    They come from documented processes with known probabilities. Figures about them are synthetic. -o writes customers of one moment with
    their outcomes. --past writes what a business exports: dated events, subscriptions and profiles of all months and three months before
    them, a table for each month, and the true probabilities.
    """
    if (output is None) == (past is None):
        raise typer.BadParameter("give one of --output and --past", param_hint="--output")
    if past is not None:
        if drift:
            raise typer.BadParameter("does not go with --past", param_hint="--drift")
        if customers > _MOST_CUSTOMERS:
            raise typer.BadParameter(f"is at most {_MOST_CUSTOMERS:,} with --past", param_hint="--customers")
        if until and until.year < _FIRST_YEAR:
            raise typer.BadParameter(f"is a day from {_FIRST_YEAR} on", param_hint="--until")
        _write_past(past, customers, months, until.date() if until else datetime.now(UTC).date(), seed, force=force)
    elif output is not None:
        _write_moment(output, customers, seed, drift or [], force=force)


def _write_moment(output: Path, customers: int, seed: int, drift: list[str], *, force: bool) -> None:
    check_output(output, force=force)
    from retainstream.engine.learning.synthetic import generate as make

    base = make(customers, seed, _drift(drift))
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
    rows = zip(base.ids, base.features(), base.churned.tolist(), strict=True)
    _write_table(
        stream,
        [schema.id.column, *names, schema.label.column],
        ([customer_id, *(features.get(name, "") for name in names), str(left).lower()] for customer_id, features, left in rows),
    )


def _write_past(folder: Path, customers: int, months: int, until: date, seed: int, *, force: bool) -> None:
    from retainstream.engine.business.calendar import day_of
    from retainstream.engine.business.files import tables
    from retainstream.engine.business.simulation import simulate

    business = simulate(customers, months, until, seed)
    files = dict(tables(business))
    try:
        (folder / "monthly").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        say_error(f"the folder {folder} cannot be created: {error.strerror}")
        raise typer.Exit(1) from error
    for name in files:
        check_output(folder / name, force=force)
    for name, (header, lines) in files.items():
        with written_whole(folder / name) as stream:
            _write_table(stream, header, lines)
    first, last = day_of(business.first_day), day_of(business.anchors[-1])
    say(f"{folder}: synthetic events from {first} to {last}, and {months} monthly tables of about {customers:,} customers (seed {seed})")


def _write_table(stream: IO[bytes] | gzip.GzipFile, header: "Line", lines: "Iterable[Line]") -> None:
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
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
