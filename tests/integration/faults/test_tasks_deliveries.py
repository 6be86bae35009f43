"""Under every fault a task succeeds, or raises what its state machine retries; and tried again, it ends as if there had been none."""

from collections.abc import Callable

import pytest

from tests.aws_state import AwsState
from tests.integration.faults.stories import Story, a_delivery, a_failed_delivery, a_preparation, tasks_of
from tests.integration.faults.tasks_under_fault import judge_story


@pytest.mark.parametrize("story", [a_delivery, a_failed_delivery])
def test_a_run(business: AwsState, story: Callable[[], Story]) -> None:
    assert set(judge_story(business, story)) == tasks_of(story)


def test_a_preparation(business: AwsState) -> None:
    assert set(judge_story(business, a_preparation, sparsely=True)) == tasks_of(a_preparation)
