"""A local stack of small functions that show what they are given."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.stack import LocalStack

ECHO_TEMPLATE = Path(__file__).parent / "echo" / "template.yaml"


@pytest.fixture(scope="module")
def reports() -> list[str]:
    """What the stack reported as having gone wrong."""
    return []


@pytest.fixture(scope="module")
def echo_stack(reports: list[str]) -> Iterator[LocalStack]:
    """The stack of tests/integration/local/echo, keeping nothing."""
    with LocalStack(template=ECHO_TEMPLATE, report=reports.append) as stack:
        yield stack


@pytest.fixture(scope="module")
def http(echo_stack: LocalStack) -> Iterator[httpx.Client]:
    """A client of the stack, signed in as ann."""
    with httpx.Client(base_url=echo_stack.url, headers={"Authorization": "ann"}) as client:
        yield client
