"""What a first start puts in: the demonstration administrator, customers, a model trained on them and everybody's score."""

from itertools import batched

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.first_training import TrainingError, train, wait_for_counters
from local.stack import LocalStack
from retainstream.accounts.accounts import new_user
from retainstream.roles import Role
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict
from retainstream.storage.users import Users

ADMINISTRATOR = "alex.chen@netflix.com"
PASSWORD = "password"  # noqa: S105 - the demonstration account of the local stack, said so at every start
ORIGIN = "origin"
"""The note of a state that tells what its first start puts in; it is there before anything else."""
_SYNTHETIC = "synthetic"
_GENERATOR_SEED = 20260101
_BATCH = 500


class SeedError(Exception):
    """The first start did not come to its end, or what was given does not go with the state; the message says why."""


def seed(stack: LocalStack, customers: int, console: Console) -> None:
    """Seed the stack with synthetic customers unless it was seeded before. A seeding that was cut off is done again.

    Raises:
        SeedError: the training did not end well, or a first start with somebody's own data was cut off.
    """
    if stack.state is not None:
        if stack.state.seeded:
            return
        if stack.state.note(ORIGIN, _SYNTHETIC) != _SYNTHETIC:
            raise SeedError("The first start with your own data was cut off. Give the same SCHEMA and DATA again, or RESET=1.")
    add_administrator()
    if customers:
        with shown_progress(console) as progress:
            _add_customers(customers, progress)
            try:
                result = train(progress)
                wait_for_counters(stack, progress)
            except TrainingError as error:
                raise SeedError(str(error)) from error
        if not result["promoted"]:
            raise SeedError(f"The first training put no model into service: {' '.join(result['reasons'])}")
        console.print(f"Seeded with {customers:,} synthetic customers and a model trained on them.", markup=False)
    if stack.state is not None:
        stack.flush()
        stack.state.keep_seeded()


def shown_progress(console: Console) -> Progress:
    """Progress bars that vanish when everything is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def add_administrator() -> None:
    """Make the demonstration administrator unless there is one."""
    user = new_user(ADMINISTRATOR, PASSWORD, name="Alex Chen", role=Role.ADMIN, check_password=False)
    try:
        Users().add(user)
    except Conflict:
        return


def _add_customers(count: int, progress: Progress) -> None:
    from retainstream.engine.learning.synthetic import as_customers, generate

    task = progress.add_task("Making synthetic customers", total=count)
    customers = Customers()
    for batch in batched(as_customers(generate(count, _GENERATOR_SEED)), _BATCH):
        progress.advance(task, customers.put_many(batch))
