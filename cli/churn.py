"""`retainstream churn define`: how long a silence has to be before it means churn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import print_json, print_line, print_table, say, say_error, written_whole
from cli.reading import read_text_table, today

if TYPE_CHECKING:
    from retainstream.engine.silence.definition import Definition, Group
    from retainstream.engine.silence.report import Report
    from retainstream.engine.silence.silences import Returns

_SAMPLE = 50_000
_SHOWN = (7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 720)

commands = typer.Typer(help="The meaning of churn in your data.", no_args_is_help=True)


@commands.callback()
def _churn() -> None:
    """The meaning of churn in your data."""


@commands.command("define")
def define(
    events: Annotated[Path, typer.Option("--events", help="A file with one row per event, CSV or Parquet.")],
    identity: Annotated[str | None, typer.Option("--id", help="The column of the customer.", metavar="COLUMN")] = None,
    at: Annotated[str | None, typer.Option("--at", help="The column of the day or moment.", metavar="COLUMN")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="The kind of event that shows a customer, such as purchase.")] = None,
    kind_column: Annotated[str | None, typer.Option("--kind-column", help="The column of the kind.", metavar="COLUMN")] = None,
    return_share: Annotated[
        float, typer.Option("--return-share", min=0.001, max=0.9, help="The share of silences that may end after the proposed days.")
    ] = 0.1,
    within: Annotated[
        int | None,
        typer.Option(min=1, max=730, help="Days in which a return counts.", show_default="180, or 90 or 30 where the data is short"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="A picture (.svg) or a page (.html) to write. It replaces an existing file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")] = False,
) -> None:
    """Count how many silences end, and propose the days without an event that count as churn.

    For each number of days without an event: the share of such silences that end within 30, 90 and 180 more days, overall and by the number
    of events before the silence. A silence counts only where these days are in the data too. The proposal is the shortest silence of which
    at most the chosen share ends. docs/churn-definition.md explains the figures.

    Ends with exit code 1 and a line for each fault if the file has no such columns, or cannot be read.
    """
    if output is not None and output.suffix not in (".svg", ".html"):
        raise typer.BadParameter("must end in .svg or .html", param_hint="--out")
    if output is not None and not output.parent.is_dir():
        say_error(f"the folder {output.parent} does not exist; create it first")
        raise typer.Exit(1)
    roles = {f"events.{role}": header for role, header in (("id", identity), ("at", at), ("kind", kind_column)) if header}
    report = _report(events, roles, kind, return_share, within)
    if output is not None:
        _write(report, output)
    if as_json:
        print_json(report.document())
    else:
        _show(report)
    if output is not None:
        say(f"{output} written")


def _report(events: Path, roles: dict[str, str], kind: str | None, return_share: float, within: int | None) -> "Report":
    import duckdb

    from retainstream.engine.drafting.from_sources import deliver
    from retainstream.engine.drafting.recognition import recognise
    from retainstream.engine.silence.events import report_of

    recognised = recognise({"events": read_text_table(events, None, most_rows=_SAMPLE)}, {"events": events.name}, roles)
    with duckdb.connect() as connection:
        delivered = deliver(connection, {"events": events}, recognised, today=today())
        return report_of(connection, delivered, kind=kind, return_share=return_share, within_days=within)


def _write(report: "Report", output: Path) -> None:
    from retainstream.engine.silence.page import page
    from retainstream.engine.silence.plots import picture

    with written_whole(output) as stream:
        stream.write((page(report) if output.suffix == ".html" else picture(report)).encode())


def _show(report: "Report") -> None:
    definition = report.definition
    for note in report.notes:
        say(f"note: {note}")
    events = f"{report.events:,} events" + (f" of kind {report.kind}" if report.kind else "")
    windows = sorted({returns["within_days"] for each in definition.curve.returns.values() for returns in each})
    groups = definition.groups if len(definition.groups) > 1 else ()
    headers = ["days of silence", "silences", *(f"within {days}" for days in windows), *(f"after {group.name}" for group in groups)]
    rows = [_row(definition, groups, days, windows) for days in definition.curve.returns if _is_shown(definition, days)]
    title = f"Silences that end: {events} of {report.customers:,} customers, {report.first_day} to {report.last_day}"
    print_table(headers, rows, numbers=headers, title=title)
    if groups:
        print_line(f"By earlier events: the share that ends within {definition.within_days} more days.")
    for sentence in report.sentences():
        print_line(sentence)
    if definition.proposed_days is not None:
        kind = f"kind: {report.kind}, " if report.kind else ""
        print_line(f"In the schema: churn: {{when: no-event, {kind}days: {definition.proposed_days}}}")


def _is_shown(definition: "Definition", days: int) -> bool:
    returns = definition.curve.at(days, definition.within_days)
    return bool(returns["silences"]) and (days in _SHOWN or days == definition.proposed_days)


def _row(definition: "Definition", groups: "tuple[Group, ...]", days: int, windows: list[int]) -> list[str | None]:
    curve, within = definition.curve, definition.within_days
    returns = [*(curve.at(days, window) for window in windows), *(group.curve.at(days, within) for group in groups)]
    return [f"{days}", f"{curve.at(days, within)['silences']:,}", *(_share(each) for each in returns)]


def _share(returns: "Returns") -> str | None:
    """The share, in brackets where fewer customers have the silence than a proposal needs."""
    from retainstream.engine.silence.definition import FEWEST

    if returns["share"] is None:
        return None
    text = f"{returns['share']:.1%}"
    return text if returns["customers"] >= FEWEST else f"({text})"
