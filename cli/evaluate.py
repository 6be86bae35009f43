"""`retainstream evaluate`: cross-validation of training on a table."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.by_time import judge_by_time, show_by_time
from cli.output import check_output, print_json, say, say_error, say_warning, written_whole
from cli.reading import DecimalMark, Encoding, Sheet, read_customers
from retainstream import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retainstream.engine.learning.checks import Finding
    from retainstream.engine.learning.cross_validation import Figure, Fitted, Fold, Judged, Pooled
    from retainstream.engine.learning.dataset import DataSet
    from retainstream.engine.learning.metrics import Floats
    from retainstream.engine.tables.columnar import CustomerTable

_OURS = "retainstream"
_FIGURES: "dict[Figure, str]" = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC", "log_loss": "log loss", "brier": "Brier", "ece": "ECE"}
_PAGE_WIDTH = 140


def evaluate(
    schema: Annotated[Path, typer.Option("--schema", "-s", help="The feature schema, YAML or JSON.")],
    data: Annotated[
        Path,
        typer.Option("--data", "-d", help="A CSV file, plain or gzip, or a Parquet file: one row per customer, or per customer and day."),
    ],
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="The JSON file to write. It replaces an existing file, completely or not at all.")
    ] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, max=50, help="The number of folds.")] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Decides which rows are in which fold.")] = 0,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=600, help="Time limit of the search for the model's settings, per fold.", show_default="as in a retraining run"
        ),
    ] = None,
    by_time: Annotated[
        bool,
        typer.Option("--by-time", help="Also judge each period by a model that learned before it. Needs the day of each row."),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option("--baselines", help="Also evaluate logistic regression on the same folds, and LightGBM and CatBoost if installed."),
    ] = False,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts, without the rows' probabilities.")] = False,
) -> None:
    """Cross-validate training on your customers: the figures to expect for customers outside the training data.

    Each fold is scored by a model trained on the other folds, with tuning, calibration and threshold, as in a retraining run. The folds
    are those of scikit-learn's StratifiedKFold(folds, shuffle=True, random_state=seed) over the rows with a known outcome, in the file's
    order. The table shows each fold, mean ± standard deviation, and all rows together. The JSON file also holds every row's out-of-fold
    probability, in the file's order (null where the outcome is not known). All rows of a customer are in one fold.

    With --by-time each period (a calendar month) from the third on is judged by the model that a training run before it would have put into
    service, beside the figures that run would have promised. The day of a row is in the column "anchor", or in the one that the schema's
    moments name. No outcome window of a training row reaches into the judged period. With fewer periods the command says so.

    Ends with exit code 1, prints a line for each fault and writes nothing if the schema or the file cannot be read, if they contradict
    each other, or if the file is not enough for training: no label column, fewer than 200 known outcomes, or fewer than 20 customers, or
    fewer customers than folds, with one of the outcomes.
    """
    if output is not None:
        check_output(output, force=True)
    from retainstream.engine.learning.bootstrap import Interval
    from retainstream.engine.learning.checks import UnfitData, check
    from retainstream.engine.learning.cross_validation import stratified_folds, training_path
    from retainstream.engine.learning.doubts import doubts_about
    from retainstream.engine.learning.labelled import labelled
    from retainstream.engine.learning.rivals import rivals
    from retainstream.engine.schema.documents import read_schema
    from retainstream.settings import Settings

    usual = Settings.model_fields
    seconds = seconds or float(usual["training_seconds"].default)
    table = read_customers(data, read_schema(schema), decimal, encoding=encoding, sheet=sheet)
    customers = labelled(table)
    try:
        findings = check(customers, fewest_rows=int(usual["training_fewest_rows"].default))
        fold_of = stratified_folds(customers.churned, folds, seed, customers.keys)
    except UnfitData as error:
        say_error(f"{data}: {str(error)[0].lower()}{str(error)[1:]}")
        raise typer.Exit(1) from None
    _print_notes(table, customers, findings, by_time=by_time)
    methods: dict[str, Fitted] = {_OURS: training_path(seconds)}
    absent: list[str] = []
    if baselines:
        others, absent = rivals(seed)
        methods |= others
        if absent:
            say(f"note: not installed, so not compared: {', '.join(absent)}")
    results = _run(customers, fold_of, methods)
    ours = results[_OURS].document(customers.churned, customers.keys)
    interval = ours["pooled"]["intervals"].get("roc_auc")
    doubts = doubts_about(ours["pooled"]["roc_auc"], Interval(**interval) if interval else None)
    rolling = judge_by_time(customers, seconds=seconds, seed=seed) if by_time else {}
    document = {
        "version": __version__,
        "schema": customers.schema.name,
        "data": data.name,
        "rows": len(table),
        "known": len(customers),
        "churned": int(customers.churned.sum()),
        "outcomes": table.outcomes.document(),
        "features": len(customers.schema.features),
        "synthetic": bool(customers.synthetic.all()),
        "settings": {"folds": folds, "seed": seed, "seconds": seconds},
        "findings": [finding.document() for finding in findings],
        "notes": table.notes,
        "doubts": doubts,
        **ours,
        "baselines": {name: result.document(customers.churned, customers.keys) for name, result in results.items() if name != _OURS},
        "not_installed": absent,
        **rolling,
    }
    for doubt in doubts:
        say_warning(doubt)
    if output is not None:
        _write(output, document, table, fold_of, results)
    if as_json:
        print_json(document)
    else:
        _show(results, document)
        if by_time:
            show_by_time(document)
    if output is not None:
        say(f"{output} written")


def _print_notes(table: "CustomerTable", customers: "DataSet", findings: "list[Finding]", *, by_time: bool) -> None:
    import numpy as np

    from retainstream.engine.learning.dataset import periods
    from retainstream.engine.learning.split import FEWEST_PERIODS

    unknown = int(np.isnan(table.churned).sum())
    early = len(table) - len(customers) - unknown
    for note in table.notes:
        say(f"note: {note}")
    if unknown:
        say(f"note: {unknown:,} rows without a known outcome are left out ({table.outcomes.sentence})")
    if early:
        days = customers.schema.horizon_days
        say(f"note: {early:,} rows are left out: their outcome was known less than {days} days after their features")
    if not by_time and len(np.unique(periods(customers))) >= FEWEST_PERIODS:
        say("note: the rows are of several periods; --by-time judges each period by a model that learned before it")
    for finding in findings:
        say_warning(finding.detail + (" A retraining run would keep such a model out of service." if finding.level == "alarm" else ""))
    if customers.synthetic.all():
        say("note: these customers are synthetic, and so is every figure; the ceiling is the best possible ROC AUC on them")


def _run(customers: "DataSet", fold_of: "NDArray[np.int64]", methods: "dict[str, Fitted]") -> "dict[str, Judged]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from retainstream.engine.learning.cross_validation import cross_validate

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("fitting", total=len(methods) * (int(fold_of.max()) + 1))

        def done(name: str, fold: "Fold") -> None:
            progress.advance(task)
            line = f"{name}, fold {fold['fold'] + 1}: ROC AUC {fold['roc_auc']:.4f} in {fold['seconds']:.1f} s"
            progress.update(task, description=line)
            if not console.is_terminal:
                say(line)

        return cross_validate(customers, fold_of, methods, done=done)


def _write(
    output: Path, document: dict[str, Any], table: "CustomerTable", fold_of: "NDArray[np.int64]", results: "dict[str, Judged]"
) -> None:
    import numpy as np

    from retainstream.engine.learning.labelled import known_outcomes

    known = known_outcomes(table)

    def by_row(values: "NDArray[np.int64] | Floats") -> list[float | None]:
        rows: list[float | None] = [None] * len(table)
        for place, value in zip(np.flatnonzero(known).tolist(), values.tolist(), strict=True):
            rows[place] = value
        return rows

    complete = document | {"fold_of": by_row(fold_of), "out_of_fold": by_row(results[_OURS].probabilities)}
    complete["baselines"] = {
        name: result | {"out_of_fold": by_row(results[name].probabilities)} for name, result in document["baselines"].items()
    }
    with written_whole(output) as stream:
        stream.write(json.dumps(complete, allow_nan=False).encode())


def _show(results: "dict[str, Judged]", document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    ours, synthetic = results[_OURS], document["synthetic"]
    shown = Table(title="Out of fold" + (", synthetic" if synthetic else ""), title_justify="left")
    for header in ("", "rows", *_FIGURES.values(), *(["ceiling"] if synthetic else []), "seconds"):
        shown.add_column(header, justify="left" if not header else "right", no_wrap=True)

    def figures(values: "Mapping[Figure, float] | Fold") -> list[str]:
        return [f"{values[figure]:.4f}" for figure in _FIGURES]

    for fold in ours.folds:
        ceiling = [f"{fold['ceiling']['roc_auc']:.4f}"] if synthetic else []
        shown.add_row(f"fold {fold['fold'] + 1}", f"{fold['rows']:,}", *figures(fold), *ceiling, f"{fold['seconds']:.1f}")
    judged: dict[str, Any] = {_OURS: document, **document["baselines"]}
    for name, result in judged.items():
        shown.add_section()
        both = [f"{result['mean'][figure]:.4f} ± {result['sd'][figure]:.4f}" for figure in _FIGURES]
        ceiling = [f"{document['ceiling']['roc_auc']:.4f}"] if synthetic else []
        seconds = sum(fold["seconds"] for fold in result["folds"]) / len(result["folds"])
        shown.add_row(name, f"{document['known']:,}", *both, *ceiling, f"{seconds:.1f}")
        shown.add_row("  all rows", "", *figures(result["pooled"]), *([""] if synthetic else []), "")
    Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(shown)
    say(_together(document["churned"], document["pooled"]))
    by_chance = sum(fold["ece_by_chance"] for fold in ours.folds) / len(ours.folds)
    say(f"In folds of this size a perfectly calibrated model has an ECE of about {by_chance:.4f} by chance alone.")


def _together(churned: int, pooled: "Pooled") -> str:
    """The figures of all rows that a fold is too small for."""

    def of(name: "Literal['roc_auc', 'observed_to_expected', 'calibration_slope']", digits: int) -> str:
        value, interval = pooled[name], pooled["intervals"].get(name)
        if value is None:
            return "–"
        return f"{value:.{digits}f}" + (f" [{interval['low']:.{digits}f}–{interval['high']:.{digits}f}]" if interval else "")

    return (
        f"All rows together, with 95% intervals: ROC AUC {of('roc_auc', 3)}; {churned:,} left and {pooled['expected']:,.1f} were expected, "
        f"so observed to expected is {of('observed_to_expected', 2)}; calibration slope {of('calibration_slope', 2)}. 1 is best for both."
    )
