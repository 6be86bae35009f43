"""The first start with a schema and customers of one's own."""

import math
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from local.first_training import TrainingError, train, wait_for_counters
from local.own_data import OwnData, Rejected
from local.seed import ORIGIN, SeedError, add_administrator, shown_progress
from local.stack import LocalStack
from retainstream.customers.intake import Intake
from retainstream.customers.lives import lives_of
from retainstream.engine.history.rows import ASSUMED
from retainstream.engine.lives import had_left
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables.outcomes import high_churn
from retainstream.registry.active_schema import active_schema, set_active_schema
from retainstream.runs.imports.merge import Import
from retainstream.runs.imports.rows import store_page, without_repeats
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.history import ArrivingPart
from retainstream.storage.stores import Stores

_AFRESH = "Start again with RESET=1, or use another DATA_DIR."
_BATCH = 500
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
        _take_in(stack, own, schema, Rejected(folder), console)
    if state is not None:
        stack.flush()
        state.keep_seeded()


def _take_in(stack: LocalStack, own: OwnData, schema: FeatureSchema, rejected: Rejected, console: Console) -> None:
    with shown_progress(console) as progress:
        with rejected, own.intake(schema, rejected.add) as intake:
            assumed = own.assumption(schema, table_has_days=intake.has_days)
            _add_customers(intake, schema, progress, assumed=bool(assumed))
            notes = [*([assumed] if assumed else []), *intake.notes()]
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
    if intake.refused:
        _print(console, f"{intake.refused:,} rejected rows:", style="yellow")
        for problem in rejected.first:
            _print(console, f"  {problem}")
        _print(console, f"  All are in {rejected.path}" if rejected.path else f"  {rejected.count:,} faults in total")
    _print_model(console, result)


def _add_customers(intake: Intake, schema: FeatureSchema, progress: Progress, *, assumed: bool) -> None:
    from retainstream.runs.history.keep import keep_arrivals

    task = progress.add_task("Storing customers", total=None)
    customers, snapshots = Customers(), ArrivingPart()
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    several_days = Import(_FIRST_TABLE, intake.moments) if intake.has_days else None
    for batch in batched(intake.customers(), _BATCH):
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
