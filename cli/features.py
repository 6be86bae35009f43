"""`retainstream features`: features and outcomes from raw sources."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import check_output, print_json, print_table, say, say_error, say_warning, written_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from retainstream.engine.schema import FeatureSchema
    from retainstream.engine.schema.sources import Anchors
    from retainstream.engine.sources.build import Built
    from retainstream.engine.sources.delivered import Delivered

commands = typer.Typer(help="Features and outcomes from raw events, subscriptions and profiles.", no_args_is_help=True)

_MEMORY = "1500MB"
_FORMATS = {".csv": "FORMAT csv, HEADER", ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip", ".parquet": "FORMAT parquet, COMPRESSION zstd"}


@commands.command("build")
def build(
    schema: Annotated[Path, typer.Option("--schema", "-s", help="The feature schema with sources, YAML or JSON.")],
    sources: Annotated[
        Path, typer.Option("--sources", "-d", help="The folder with the files that the schema names: CSV, plain or gzip, or Parquet.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="The table to write: .csv, .csv.gz or .parquet. It replaces an existing file, completely or not at all."
        ),
    ],
    anchors: Annotated[
        str | None,
        typer.Option(
            "--anchors",
            "-a",
            metavar="DAYS",
            help="monthly, weekly, or days such as 2026-01-01,2026-02-01; those of the schema when absent.",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="The last day for which the files are complete; the newest day in them when absent.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")] = False,
) -> None:
    """Compute a table of features and outcomes from dated files.

    A row is a customer at an anchor. Its features use only what happened before the anchor, its outcome only what happened in the horizon
    after it; the outcome is blank while that is not over. Every row of the files that cannot be used is counted, with the reason.

    Ends with exit code 1, prints a line for each fault and writes nothing if the schema or a file cannot be read.
    """
    ending = next((ending for ending in _FORMATS if output.name.endswith(ending)), None)
    if ending is None:
        raise typer.BadParameter("must end in .csv, .csv.gz or .parquet", param_hint="--out")
    check_output(output, force=True)
    from retainstream.engine.schema.documents import read_schema

    described = read_schema(schema)
    if described.sources is None:
        say_error(f"{schema}: has no sources; see docs/events.md")
        raise typer.Exit(1)
    chosen = _anchors(anchors, described)
    with _database() as connection, _shown_progress() as progress:
        delivered, built = _built(connection, described, sources, chosen, as_of, progress)
        progress(f"writing {output.name}", 0.0)
        _write(connection, built.table, output, _FORMATS[ending])
    if as_json:
        print_json(_document(delivered, built, output))
    else:
        _show(delivered, built)
        say(f"{output} written: {built.rows:,} rows of {built.customers:,} customers")


def _anchors(text: str | None, schema: "FeatureSchema") -> "Anchors":
    from retainstream.engine.schema.sources import checked_anchors

    if text is None:
        if schema.anchors is None:
            raise typer.BadParameter("is required, for the schema has no anchors", param_hint="--anchors")
        return schema.anchors
    try:
        anchors: Anchors = checked_anchors(text if text in ("monthly", "weekly") else [day.strip() for day in text.split(",")])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--anchors") from None
    return anchors


@contextmanager
def _database() -> "Iterator[DuckDBPyConnection]":
    import duckdb

    with TemporaryDirectory() as folder:
        try:
            with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": folder}) as connection:
                yield connection
        except duckdb.Error as error:
            say_error(f"the database ended: {str(error).splitlines()[0]}")
            raise typer.Exit(1) from None


def _built(
    connection: "DuckDBPyConnection",
    schema: "FeatureSchema",
    folder: Path,
    anchors: "Anchors",
    as_of: datetime | None,
    progress: Callable[[str, float], None],
) -> "tuple[Delivered, Built]":
    from retainstream.engine.sources.anchors import anchor_days
    from retainstream.engine.sources.build import build
    from retainstream.engine.sources.delivered import UnusableSources, day_number, files_in, read_sources

    if schema.sources is None:
        raise UnusableSources("the schema has no sources")
    try:
        delivered = read_sources(
            connection,
            schema,
            files_in(schema.sources, folder),
            today=day_number(datetime.now(UTC).date()),
            as_of=day_number(as_of.date()) if as_of else None,
            progress=progress,
        )
        return delivered, build(connection, schema, delivered, anchor_days(anchors, delivered), progress=progress)
    except UnusableSources as error:
        say_error(f"{folder}: {error}")
        raise typer.Exit(1) from None


@contextmanager
def _shown_progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, and a line for each step elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        shown = ""

        def progress(step: str, share: float) -> None:
            nonlocal shown
            bar.update(task, description=step, completed=share)
            if not console.is_terminal and step != shown:
                say(step)
            shown = step

        yield progress


def _write(connection: "DuckDBPyConnection", table: str, output: Path, options: str) -> None:
    from shutil import copyfileobj

    with TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        written = Path(folder) / "table"
        connection.execute(f"COPY {table} TO '{str(written).replace("'", "''")}' ({options})")
        with written_whole(output) as stream, written.open("rb") as content:
            copyfileobj(content, stream)


def _show(delivered: "Delivered", built: "Built") -> None:
    from retainstream.engine.sources.delivered import iso_day

    for note in delivered.notes:
        say(f"note: {note}")
    for finding in delivered.findings:
        (say if finding.kept else say_warning)(f"note: {finding.text}" if finding.kept else finding.text)
    for column in built.columns:
        if column["lacking"]:
            say_warning(f"column {column['column']}: {column['lacking']:,} rows have no value, and the schema requires one")
        if column["outside"]:
            say_warning(f"column {column['column']}: {column['outside']:,} rows have a value that the schema does not allow")
    if built.shortened:
        say(
            f"note: the longest window is {built.longest_window} days, and the files begin on {iso_day(delivered.first)}: "
            f"{len(built.shortened)} of {len(built.anchors)} anchors see only a part of it"
        )
    print_table(
        ("anchor", "customers", "left", "stayed", "share left"),
        [
            (
                report["anchor"],
                f"{report['rows']:,}",
                *(
                    (f"{report['left']:,}", f"{report['stayed']:,}", _share(report["left"], report["rows"]))
                    if report["labelled"]
                    else ("not over",)
                ),
            )
            for report in built.anchors
        ],
        numbers=("customers", "left", "stayed", "share left"),
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _document(delivered: "Delivered", built: "Built", output: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from retainstream.engine.sources.delivered import iso_day

    return {
        "output": str(output),
        "rows": built.rows,
        "customers": built.customers,
        "first": iso_day(delivered.first),
        "through": iso_day(delivered.through),
        "sources": {name: {"rows": rows, "kept": delivered.kept[name]} for name, rows in delivered.rows.items()},
        "findings": [asdict(finding) for finding in delivered.findings],
        "notes": delivered.notes,
        "anchors": built.anchors,
        "columns": built.columns,
        "longest_window": built.longest_window,
        "shortened": built.shortened,
    }
