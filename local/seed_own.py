"""The first start with a schema and customers of one's own."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from local.first_training import TrainingError, train, wait_for_counters
from local.own_data import OwnData, ToCorrect
from local.seed import ORIGIN, SeedError, add_administrator, shown_progress
from local.stack import LocalStack
from retainstream.customers.arrival import Arrival
from retainstream.customers.intake import Intake
from retainstream.customers.lives import lives_of
from retainstream.engine.history.rows import ASSUMED
from retainstream.engine.lives import had_left
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables.outcomes import high_churn
from retainstream.registry.active_schema import active_schema, set_active_schema
from retainstream.runs.imports.merge import Import
from retainstream.runs.imports.rejects import reject_sentence
from retainstream.runs.imports.rows import store_page, without_repeats
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.history import ArrivingPart
from retainstream.storage.stores import Stores

_AFRESH = "Start again with RESET=1, or use another DATA_DIR."
_BATCH = 500
_SHOWN = 8
_FIRST_TABLE = "first-table"
"""The id under which the features of the table go to the history."""


def seed_own(stack: LocalStack, own: OwnData, folder: Path | None, console: Console) -> None:
    """Activate the schema, store the file's customers, train on them and score all; or do nothing if an earlier start did so.

    Raises:
        SeedError: the state has another schema or other customers, or the training failed.
        OwnDataError: the file cannot be used; nothing is stored.
    """
    state, in_force = stack.state, active_schema(Documents())
    schema = own.schema or in_force
    origin = own.origin(schema)
    if state is not None and state.seeded:
        if schema != in_force:
            raise SeedError(f"{folder} holds a state with {_other(in_force, schema)}. {_AFRESH}")
        if own.path is None or state.remembered(ORIGIN) == origin:
            return
        if Customers().page(1).items:
            raise SeedError(f"{folder} holds customers who are not those of {own.path}. {_AFRESH}")
    elif state is not None and state.remembered(ORIGIN) not in (None, origin):
        raise SeedError(f"{folder} holds the unfinished state of another start. {_AFRESH}")
    own.survey(schema)
    if state is not None:
        state.begin_seeding(ORIGIN, origin)
    set_active_schema(Documents(), schema)
    add_administrator()
    if own.path is None:
        _print(console, f"The schema {schema.name} is active. There are no customers yet.")
        _print(
            console,
            "Stop and start again with DATA=customers.csv; or store customers through the API and train with POST /api/model/train.",
        )
    else:
        _take_in(stack, own, schema, ToCorrect(folder), console)
    if state is not None:
        stack.flush()
        state.keep_seeded()


def _take_in(stack: LocalStack, own: OwnData, schema: FeatureSchema, to_correct: ToCorrect, console: Console) -> None:
    with shown_progress(console) as progress:
        with own.sorted_intake(schema, to_correct) as (intake, accepted):
            assumed = own.assumption(schema, table_has_days=intake.has_days)
            _add_customers(intake, accepted, schema, progress, assumed=bool(assumed))
            notes = [note for note in (assumed, own.twice, *intake.notes()) if note]
        try:
            result = train(progress)
            wait_for_counters(stack, progress)
        except TrainingError as error:
            raise SeedError(str(error)) from error
    taken = intake.rows - intake.refused
    _print(console, f"Read {own.path} with the schema {schema.name}: {taken:,} customers, {intake.outcomes.sentence}.")
    if warning := high_churn(intake.left, intake.left + intake.stayed):
        _print(console, f"{warning}.", style="yellow")
    for note in notes:
        _print(console, f"Note: {note}.", style="dim")
    _print_to_correct(console, intake, to_correct)
    _print_model(console, result)


def _print_to_correct(console: Console, intake: Intake, to_correct: ToCorrect) -> None:
    """The kinds of faults, as an import says them, and the files of the rows."""
    if to_correct.unread_rows:
        rows = "1 row has a cell" if to_correct.unread_rows == 1 else f"{to_correct.unread_rows:,} rows have a cell"
        _print(console, f"{rows} that could not be read and counts as missing:", style="yellow")
        for sentence in intake.unread.sentences(_SHOWN):
            _print(console, f"  {sentence}")
        if to_correct.unread_path:
            _print(console, f"  All are in {to_correct.unread_path}")
    if intake.refused:
        _print(console, f"{intake.refused:,} rejected row{'' if intake.refused == 1 else 's'}:", style="yellow")
        kinds = to_correct.kinds.listed()
        for kind in kinds[:_SHOWN]:
            _print(console, f"  {reject_sentence(kind)}")
        if len(kinds) > _SHOWN:
            _print(console, f"  and {len(kinds) - _SHOWN:,} more kinds")
        if to_correct.rejected_path:
            _print(console, f"  All are in {to_correct.rejected_path}")


def _add_customers(intake: Intake, accepted: Iterator[Arrival], schema: FeatureSchema, progress: Progress, *, assumed: bool) -> None:
    from retainstream.runs.history.keep import keep_arrivals

    task = progress.add_task("Storing customers", total=None)
    customers, snapshots = Customers(), ArrivingPart()
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    several_days = Import(_FIRST_TABLE, intake.moments) if intake.has_days else None
    for batch in batched(accepted, _BATCH):
        if several_days:  # a customer may have a row of each day
            pages = [store_page(Stores(), rows, several_days) for rows in without_repeats(batch)]
            snapshots.add(row.snapshot(schema, moment) for page in pages for row in page.of_customers)
        else:
            rows = [row if row.churned is not None else row.to_be_scored() for row in batch]
            new = [(row, row.customer()) for row in rows]
            snapshots.add(row.snapshot(schema, moment) for row, customer in new if not had_left(lives_of(customer), row.features_on))
            customers.put_many(customer for _, customer in new)
        progress.advance(task, len(batch))
    progress.update(task, description="Keeping their features in the history")
    stores, run_id = Stores(), f"{ASSUMED}{_FIRST_TABLE}" if assumed else _FIRST_TABLE
    stores.arrivals.put_packed(run_id, "0", snapshots)
    keep_arrivals(stores, {"run_id": run_id}, lambda: math.inf)
    progress.remove_task(task)


def _print_model(console: Console, result: dict[str, Any]) -> None:
    version = result["version"]
    if result["promoted"]:
        _print(
            console, f"Model {version} is the champion (ROC AUC {result['roc_auc']:.3f} on held-out customers). All customers are scored."
        )
        return
    _print(console, f"Model {version} was not promoted, so no customer is scored:", style="yellow")
    for reason in result["reasons"]:
        _print(console, f"  {reason}")
    _print(
        console,
        f"  The model card has the details: /api/model/versions/{version}/card. Correct the schema or the data, then start with RESET=1.",
    )


def _other(in_force: FeatureSchema, schema: FeatureSchema) -> str:
    return f"another version of the schema {schema.name}" if in_force.name == schema.name else f"the schema {in_force.name}"


def _print(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)
