"""The business that faults befall, made once for the tests of a file."""

from collections.abc import Iterator

import pytest

from retainstream.engine.learning.synthetic import as_customers, generate
from tests.aws_state import AwsState
from tests.integration.faults.world import add_business, add_deliveries, add_imports, add_people, world
from tests.past_of_customers import store_with_history


@pytest.fixture(scope="module")
def business() -> Iterator[AwsState]:
    """People, customers, models, predictions, and runs of every kind."""
    with world() as state:
        add_people()
        add_business(state)
        add_imports()
        add_deliveries()
        yield state


@pytest.fixture(scope="module")
def learners() -> Iterator[AwsState]:
    """Customers to learn from, enough and no more."""
    with world(SAGEMAKER_ROW_THRESHOLD="10000", TRAINING_FEWEST_ROWS="100") as state:
        store_with_history(as_customers(generate(300, 1)))
        yield state
