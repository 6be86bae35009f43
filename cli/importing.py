"""`retainstream import`: uploads files of customers and follows the imports until each row is accounted for."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.account import AsJson, Url
from cli.answers import ImportView, Reject, Schema, UnreadKind
from cli.days_in_names import day_in
from cli.output import check_output, print_json, print_line, say, say_warning
from cli.reading import DecimalMark, Encoding, Sheet
from cli.runs import Run, RunId, Stage, Watch, check_ended_well
from cli.service_errors import MOST_REJECTED, NEEDS_A_LOOK, MostRejected
from cli.session import signed_in
from cli.uploads import upload

if TYPE_CHECKING:
    from cli.client import Client

_PATH = "/api/customers/imports"
_SHOWN = 10
_LONGEST_VALUE = 40
_STEPS = {
    "survey": "checking the file",
    "compare": "looking for repeated customers",
    "verify": "checking the counts",
    "keep": "keeping the history",
}


def import_customers(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="CSV (plain or gzip), Excel (.xlsx) or Parquet files in the columns of the active schema.",
            show_default=False,
        ),
    ] = None,
    features_as_of: Annotated[
        str | None,
        typer.Option("--features-as-of", metavar="DAY", help="The day that the features describe; newer features are kept."),
    ] = None,
    outcomes_as_of: Annotated[
        str | None,
        typer.Option("--outcomes-as-of", metavar="DAY", help="The day on which it was known who had left."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DAY", help="The day of both. Without any day: the day in the file's name (2026-10-31, 2026-10), or now."
        ),
    ] = None,
    watch: Watch = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            metavar="PATH",
            help="Write the rejected rows to this CSV file, as they came, with a column error; implies --watch.",
        ),
    ] = None,
    unread: Annotated[
        Path | None,
        typer.Option("--unread", metavar="PATH", help="The same for accepted rows of which a cell could not be read."),
    ] = None,
    ids: Annotated[
        Literal["as-known", "as-written"] | None,
        typer.Option(
            "--ids", help="Customers that are known by ids in another case, with or without leading zeros or .0: the same, or new ones."
        ),
    ] = None,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the files of rejected and unread rows.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 3 when rows were rejected.")] = False,
    run: RunId = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Import customers from files. Needs the role analyst.

    Rows that cannot be attributed to a customer are rejected, each with a reason; the other rows are accepted. The command then ends
    with 0 and a warning, with 3 under --strict, or with 6 where less than half of the rows were accepted. Importing the same file again
    changes nothing. Several files are imported one after the other, in the order of the days in their names: monthly exports of the past.
    """
    if bool(files) == (run is not None):
        raise typer.BadParameter("give a file to import, or --run to see an import", param_hint="FILE")
    saved = {"--rejects": rejects, "--unread": unread}
    for option, path in saved.items():
        if path is not None:
            if files and len(files) > 1:
                raise typer.BadParameter("goes with one file", param_hint=option)
            check_output(path, force=force)
    stated = {"features_as_of": features_as_of, "outcomes_as_of": outcomes_as_of, "as_of": as_of}
    reading = {"decimal": decimal, "encoding": encoding, "sheet": sheet, "ids": ids}
    deliveries = _deliveries(
        files or [],
        {name: day for name, day in stated.items() if day},
        {name: value for name, value in reading.items() if value is not None},
    )
    follow = watch or any(saved.values()) or len(deliveries) > 1
    views = []
    with signed_in(url) as client:
        if len(deliveries) > 1:
            _check_days(client, deliveries)
        for view in _asked_for(client, deliveries, run, quiet=as_json):
            if follow:
                view = _run(view["import_id"]).follow(client, quiet=as_json)
            if rejects is not None and view["rejects_url"]:
                _save(view["rejects_url"], rejects)
            if unread is not None and (url_of_unread := view.get("unread_url")):
                _save(url_of_unread, unread)
            if not as_json:
                _print(view, rejects=rejects, unread=unread)
            elif len(deliveries) < 2:
                print_json(view)
            _check_accepted(view)
            views.append(view)
    if as_json and len(views) > 1:
        print_json(views)
    if any(view["status"] == "SUCCEEDED_WITH_REJECTS" for view in views):
        raise typer.Exit(MOST_REJECTED)
    if strict and any(view["counts"]["rejected"] for view in views):
        raise typer.Exit(NEEDS_A_LOOK)


def _asked_for(client: "Client", deliveries: Sequence["_Delivery"], run: str | None, *, quiet: bool) -> Iterator[ImportView]:
    """The run, or the import of each file as soon as the one before is done with."""
    if run is not None:
        yield client.get(_run(run).path).data
    for delivery in deliveries:
        yield _upload(client, delivery, quiet=quiet)


@dataclass(frozen=True)
class _Delivery:
    """A file with the days that are stated for it, and with how to read it, by field of the request."""

    file: Path
    days: Mapping[str, str]
    reading: Mapping[str, str]


def _deliveries(files: Sequence[Path], stated: Mapping[str, str], reading: Mapping[str, str]) -> list[_Delivery]:
    """The files in the order of their days; files without a day are last."""
    if stated:
        if len(files) > 1:
            raise typer.BadParameter("days go with one file; several files have them in their names", param_hint=f"--{next(iter(stated))}")
        return [_Delivery(file, stated, reading) for file in files]
    dated = [(day_in(file.name), file) for file in files]
    dated.sort(key=lambda pair: pair[0] or "9999")
    return [_Delivery(file, {"as_of": day} if day else {}, reading) for day, file in dated]


def _check_accepted(view: ImportView) -> None:
    """Checks that the import did not fail.

    Raises:
        MostRejected: no row was accepted.
        ServiceError: it failed otherwise. The message has the reason.
    """
    question = view.get("question")
    if view["status"] == "FAILED" and (view["rejects"] or question):
        for example in question["examples"] if question else []:
            say(f"  {example}")
        advice = "The same customers: --ids as-known. New customers: --ids as-written" if question else ""
        raise MostRejected(f"The import failed: {view.get('reason') or 'no reason is known'}", advice)
    check_ended_well(view, "import")


def _check_days(client: "Client", deliveries: Sequence[_Delivery]) -> None:
    """Several files need a day each, of their names or of a column that the schema names.

    Raises:
        BadParameter: a file has neither.
    """
    without = [delivery.file.name for delivery in deliveries if not delivery.days]
    if not without:
        return
    schema: Schema = client.get("/api/model/schema").data
    moments = schema.get("moments") or {}
    if not (moments.get("features_as_of") or moments.get("anchor")):
        raise typer.BadParameter(
            f"the name of {without[0]} has no day such as 2026-10-31 or 2026-10, and the schema names no column with the days of the rows "
            "(moments, features_as_of)",
            param_hint="FILE",
        )


def _upload(client: "Client", delivery: _Delivery, *, quiet: bool) -> ImportView:
    if "as_of" in delivery.days and not quiet:
        say(f"{delivery.file.name}: as of {delivery.days['as_of']}")
    with _as_text(delivery.file) as file:
        reading = delivery.reading if file == delivery.file else {"decimal": ".", **delivery.reading}
        view: ImportView = upload(client, _PATH, file, {**delivery.days, **reading}, quiet=quiet)
    return view


@contextmanager
def _as_text(file: Path) -> Iterator[Path]:
    """The file; of a Parquet file, the same as CSV, for the API reads no Parquet."""
    from retainstream.engine.tables.parquet import is_parquet, parquet_pieces

    if not is_parquet(file):
        yield file
        return
    with TemporaryDirectory() as folder:
        text = Path(folder) / f"{file.stem}.csv.gz"
        try:
            with gzip.open(text, "wb", compresslevel=4) as packed:
                packed.writelines(parquet_pieces(file))
        except ModuleNotFoundError as error:
            raise typer.BadParameter("is Parquet, and the package duckdb that reads it is not installed", param_hint="FILE") from error
        yield text


def _run(import_id: str) -> Run[ImportView]:
    return Run("import", "retainstream import", _PATH, import_id, _stage)


def _stage(view: ImportView) -> Stage:
    if view["status"] == "WAITING":
        return Stage("waiting for the upload to arrive")
    counts, rows, step = view["counts"], view["rows"], view.get("step")
    if step == "load" and rows:
        return Stage(f"{counts['read']:,} of {rows:,} rows, {counts['rejected']:,} rejected", counts["read"], rows)
    return Stage(_STEPS.get(step or "", "starting"))


def _save(url: str, path: Path) -> None:
    from cli.transfer import download

    download(url, path, moved=lambda _: None)


def _print(view: ImportView, *, rejects: Path | None, unread: Path | None) -> None:
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
        (counts["unchanged"], "unchanged"),
        (counts["older"], "older than the stored data"),
    )
    _print_parts("accepted", parts)
    if outcomes := view.get("outcomes"):
        print_line(f"outcomes: {outcomes}")
    elif counts["left"] or counts["stayed"]:  # an import of an earlier version
        _print_parts("outcomes", ((counts["left"], "left"), (counts["stayed"], "stayed"), (counts["not_known"], "not known")))
    if counts["snapshots"]:
        print_line(f"features kept for training: {counts['snapshots']:,}")
    if kinds := view.get("unread"):
        _print_kinds("cells that could not be read", [_kind(kind) for kind in kinds])
        _say_saved("cells that could not be read count as missing", "--unread unread.csv", unread if view.get("unread_url") else None, view)
    if counts["rejected"]:
        lines = (f"{'line' if kind.get('rows', 1) == 1 else 'first in line'} {kind['line']}" for kind in view["rejects"])
        _print_kinds("rejected rows", [f"{_kind(kind)} ({line})" for kind, line in zip(view["rejects"], lines, strict=True)])
        rejected = "1 row was rejected" if counts["rejected"] == 1 else f"{counts['rejected']:,} rows were rejected"
        _say_saved(rejected, "--rejects rejected.csv", rejects if view["rejects_url"] else None, view)


def _kind(kind: Reject | UnreadKind) -> str:
    """A kind of fault in words: `67 × plan: "Gold Plus" is new`."""
    value, column = kind.get("value", ""), kind["column"]
    if value == "…":
        quoted = "rarer values, each of which "
    else:
        quoted = f'"{value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"}" ' if value else ""
    return f"{kind.get('rows', 1):,} × {f'{column}: ' if column else ''}{quoted}{kind['reason']}"


def _print_kinds(title: str, kinds: Sequence[str]) -> None:
    print_line(f"{title}:")
    for kind in kinds[:_SHOWN]:
        print_line(f"  {kind}")
    if len(kinds) > _SHOWN:
        print_line(f"  and {len(kinds) - _SHOWN} more kinds")


def _say_saved(said: str, option: str, saved: Path | None, view: ImportView) -> None:
    if saved is not None:
        say_warning(f"{said}; {saved} has all of these rows")
    else:
        say_warning(f"{said}; to save and correct the rows: retainstream import --run {view['import_id']} {option}")


def _print_parts(title: str, parts: Sequence[tuple[int, str]]) -> None:
    if any(number for number, _ in parts):
        print_line(f"{title}: " + ", ".join(f"{number:,} {words}" for number, words in parts if number))
