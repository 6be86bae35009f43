"""Under every fault a request answers 503, or as if there were none; and made again, it ends as if there had been none."""

import pytest

from tests.aws_state import AwsState
from tests.integration.faults.requests_under_fault import judge_route, routes_of
from tests.integration.faults.routes import Route


@pytest.mark.parametrize("route", routes_of("dashboard", "model"), ids=str)
def test_a_request(business: AwsState, route: Route) -> None:
    assert judge_route(business, route) > 0
