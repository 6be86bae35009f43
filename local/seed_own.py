"""The first start with somebody's own schema and customers."""

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
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.active_schema import active_schema, set_active_schema
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents

_AFRESH = "Start afresh with RESET=1, or use another DATA_DIR."
_BATCH = 500


def seed_own(stack: LocalStack, own: OwnData, folder: Path | None, console: Console) -> None:
    """Put the schema in force, store the file's customers, train on them and score everybody; or find that this was done before.

    Raises:
        SeedError: the state there is was made from something else, or the training did not succeed.
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
            raise SeedError(f"{folder} holds other customers than those of {own.path}. {_AFRESH}")
    elif state is not None and state.remembered(ORIGIN) not in (None, origin):
        raise SeedError(f"{folder} holds what another start left unfinished. {_AFRESH}")
    own.survey(schema)
    if state is not None:
        state.begin_seeding(ORIGIN, origin)
    set_active_schema(Documents(), schema)
    add_administrator()
    if own.path is None:
        _tell(console, f"The schema {schema.name} is in force, and there are no customers yet.")
        _tell(console, "Stop, and start again with DATA=customers.csv; or put them in through the API, and train by POST /api/model/train.")
    else:
        _take_in(stack, own, schema, Rejected(folder), console)
    if state is not None:
        stack.flush()
        state.keep_seeded()


def _take_in(stack: LocalStack, own: OwnData, schema: FeatureSchema, rejected: Rejected, console: Console) -> None:
    with shown_progress(console) as progress:
        with rejected, own.intake(schema, rejected.add) as intake:
            _add_customers(intake, progress)
            notes = intake.notes()
        try:
            result = train(progress)
            wait_for_counters(stack, progress)
        except TrainingError as error:
            raise SeedError(str(error)) from error
    taken = intake.rows - intake.refused
    unknown = taken - intake.left - intake.stayed
    counted = f"{taken:,} customers, {intake.left:,} of them left" + (f", of {unknown:,} it is not known" if unknown else "")
    _tell(console, f"Read {own.path} by the schema {schema.name}: {counted}.")
    for note in notes:
        _tell(console, f"Note: {note}.", style="dim")
    if intake.refused:
        _tell(console, f"{intake.refused:,} rows were turned away:", style="yellow")
        for problem in rejected.first:
            _tell(console, f"  {problem}")
        _tell(console, f"  all in {rejected.path}" if rejected.path else f"  {rejected.count:,} faults in all")
    _tell_of_model(console, result)


def _add_customers(intake: Intake, progress: Progress) -> None:
    task = progress.add_task("Storing customers", total=None)
    customers = Customers()
    for batch in batched(intake.customers(), _BATCH):
        progress.advance(task, customers.put_many(batch))
    progress.remove_task(task)


def _tell_of_model(console: Console, result: dict[str, Any]) -> None:
    version = result["version"]
    if result["promoted"]:
        _tell(console, f"Model {version} is in service (ROC AUC {result['roc_auc']:.3f} on held-out customers), and everybody is scored.")
        return
    _tell(console, f"Model {version} was not put into service, and nobody is scored:", style="yellow")
    for reason in result["reasons"]:
        _tell(console, f"  {reason}")
    _tell(console, f"  Its card tells more: /api/model/versions/{version}/card. Correct schema or data, then start with RESET=1.")


def _other(in_force: FeatureSchema, given: FeatureSchema) -> str:
    return f"another version of the schema {given.name}" if in_force.name == given.name else f"the schema {in_force.name}"


def _tell(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)
