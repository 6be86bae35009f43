"""The data of a first start: the demonstration administrator, customers, a model trained on them, and a score for each customer."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import batched
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.first_training import TrainingError, train, wait_for_counters
from local.stack import LocalStack
from retainstream.accounts.accounts import new_user
from retainstream.roles import Role
from retainstream.storage.errors import Conflict
from retainstream.storage.history import ArrivingPart
from retainstream.storage.stores import Stores
from retainstream.storage.users import Users

if TYPE_CHECKING:
    from local.past import Past

ADMINISTRATOR = "alex.chen@netflix.com"
PASSWORD = "password"  # noqa: S105 - the demonstration account of the local stack, as each start says
ORIGIN = "origin"
"""The name of the note that records the source of a state's data; it is written before any data."""
_SYNTHETIC = "synthetic"
_UNTIL = "until"
"""The name of the note that records the last day of the generated past."""
_GENERATOR_SEED = 20260101
_BATCH = 500
_FIRST_START = "first-start"
_WHILE_IT_TAKES = 1e9


class SeedError(Exception):
    """The first start failed, or its schema or data do not match the state; the message says why."""


def seed(stack: LocalStack, customers: int, console: Console, months: int = 0) -> "Past | None":
    """Seed the stack with synthetic customers, unless it is already seeded. An interrupted seeding is continued or repeated.

    Without `months` they are customers of one moment. Otherwise they are the customers of a business with a past of so many months, which
    is replayed until a model is in service; the rest of the past is returned for `replay`.

    Raises:
        SeedError: the training failed, or a first start with other data was interrupted.
    """
    if stack.state is not None:
        if stack.state.seeded:
            return None
        if stack.state.note(ORIGIN, _SYNTHETIC) != _SYNTHETIC:
            raise SeedError(
                "The first start with your own data was interrupted. Start again with the same SCHEMA and DATA, or with RESET=1."
            )
    add_administrator()
    if customers and months:
        past = _begun(stack, customers, months, console)
        if not past.is_over:
            return past
    elif customers:
        _seed_one_moment(stack, customers, console)
    _keep_seeded(stack)
    return None


def replay(stack: LocalStack, past: "Past", console: Console) -> None:
    """Replay the rest of a past, and record that the stack is seeded.

    Raises:
        SeedError: a run failed. The next start goes on with it.
    """
    with shown_progress(console) as progress:
        _replay(past, progress, lambda: past.is_over)
    _keep_seeded(stack)
    console.print(f"Replayed the past: {past.tables} monthly tables, imported and scored.", markup=False, soft_wrap=True)


def _begun(stack: LocalStack, customers: int, months: int, console: Console) -> "Past":
    from local.past import Past

    today = datetime.now(UTC).date().isoformat()
    until = stack.state.note(_UNTIL, today) if stack.state is not None else today
    past = Past(stack, customers, months, date.fromisoformat(until))
    with shown_progress(console) as progress:
        _replay(past, progress, lambda: past.has_model and past.done > 0)
    console.print(
        f"Created a synthetic business of about {customers:,} customers, and trained a model on {past.done} monthly tables.",
        markup=False,
        soft_wrap=True,
    )
    return past


def _replay(past: "Past", progress: Progress, until: Callable[[], bool]) -> None:
    task = progress.add_task("Replaying the past", total=past.tables, completed=past.done)
    try:
        while not past.is_over:
            past.go_on(lambda doing: progress.update(task, description=f"Replaying the past: {doing}"))
            progress.update(task, completed=past.done)
            if until():
                return
    except TrainingError as error:
        raise SeedError(str(error)) from error


def _seed_one_moment(stack: LocalStack, customers: int, console: Console) -> None:
    with shown_progress(console) as progress:
        _add_customers(customers, progress)
        try:
            result = train(progress)
            wait_for_counters(stack, progress)
        except TrainingError as error:
            raise SeedError(str(error)) from error
    if not result["promoted"]:
        raise SeedError(f"The first training promoted no model: {' '.join(result['reasons'])}")
    console.print(f"Created {customers:,} synthetic customers and a model trained on them.", markup=False)


def _keep_seeded(stack: LocalStack) -> None:
    if stack.state is not None:
        stack.flush()
        stack.state.keep_seeded()


def shown_progress(console: Console) -> Progress:
    """Progress bars that disappear at the end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def add_administrator() -> None:
    """Create the demonstration administrator, unless the account exists."""
    user = new_user(ADMINISTRATOR, PASSWORD, name="Alex Chen", role=Role.ADMIN, check_password=False)
    try:
        Users().add(user)
    except Conflict:
        return


def _add_customers(count: int, progress: Progress) -> None:
    from retainstream.engine.learning.synthetic import as_customers, as_history, generate
    from retainstream.runs.history.keep import keep_arrivals

    task = progress.add_task("Creating synthetic customers", total=count)
    stores, part = Stores(), ArrivingPart()
    for batch in batched(as_customers(generate(count, _GENERATOR_SEED)), _BATCH):
        part.add(as_history(batch))
        progress.advance(task, stores.customers.put_many(batch))
    stores.arrivals.put_packed(_FIRST_START, "0", part)
    keep_arrivals(stores, {"run_id": _FIRST_START}, lambda: _WHILE_IT_TAKES)
