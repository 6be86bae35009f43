"""Under every fault a task succeeds, or raises what its state machine retries; and tried again, it ends as if there had been none."""

from collections.abc import Callable

import pytest

from tests.aws_state import AwsState
from tests.integration.faults.stories import Story, a_large_training_run, a_training_run_on_athena, tasks_of
from tests.integration.faults.tasks_under_fault import judge_story


@pytest.mark.parametrize("story", [a_large_training_run, a_training_run_on_athena])
def test_a_run(learners: AwsState, story: Callable[[], Story]) -> None:
    assert set(judge_story(learners, story, sparsely=True)) == tasks_of(story)
