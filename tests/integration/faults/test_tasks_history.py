"""Under every fault a task succeeds, or raises what its state machine retries; and tried again, it ends as if there had been none."""

from tests.aws_state import AwsState
from tests.integration.faults.stories import a_day_of_the_history, tasks_of
from tests.integration.faults.tasks_under_fault import judge_story


def test_a_run(business: AwsState) -> None:
    assert set(judge_story(business, a_day_of_the_history)) == tasks_of(a_day_of_the_history)
