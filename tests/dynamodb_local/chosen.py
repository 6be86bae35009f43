"""Which tests run against DynamoDB Local, and which of them cannot."""

from collections.abc import Iterable

import pytest

STORAGE = frozenset(
    (
        *("accounts_at_once", "agreement", "at_once", "batches", "belongings", "late_answers", "rate_limits", "recount", "registry"),
        *("remembered_tokens", "rollups", "sign_in_waits", "stored_items"),
    )
)
"""The files of tests of storage itself, which continuous integration runs for each change."""
ALL = STORAGE | {
    *("auth", "card_routes", "crowded_addresses", "customers", "dashboard", "drift", "edge", "exports", "groups", "high_risk"),
    *("hostile_bodies", "import_routes", "import_steps", "model_routes", "outcomes", "predictions_api", "removal", "results", "roles"),
    *("segments", "snapshots", "trend"),
}
"""Those of accounts, customers, predictions, runs and the dashboard too, which run each night."""

_STREAMS = "reads the records of moto's streams"
_MOTO = "answers a request in moto's place, or counts the requests that moto answers"
NOT_HERE = {
    "test_a_scoring_run_that_meets_a_promotion_and_its_run_leaves_predictions_of_the_version_in_service": _STREAMS,
    "test_an_import_a_scoring_run_and_a_removal_of_the_same_customers_agree_in_the_end": _STREAMS,
    "test_two_imports_of_the_same_customers_leave_what_one_after_the_other_leaves": _STREAMS,
    "test_every_figure_is_that_of_the_customers_behind_it": _STREAMS,
    "test_factors_are_told_in_plain_words": _STREAMS,
    "test_performance_puts_three_judgements_side_by_side": _STREAMS,
    "test_what_is_left_unprocessed_is_sent_again_until_nothing_is_left": _MOTO,
    "test_a_read_costs_at_most_two_requests_to_storage": _MOTO,
    "test_a_dropped_connection_is_made_again_by_the_same_client": _MOTO,
}
"""Tests of those files that DynamoDB Local cannot run, with the reason."""


def split(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests that run here, and the others of the same files."""
    here: list[pytest.Item] = []
    not_here: list[pytest.Item] = []
    for item in items:
        (not_here if item.name.partition("[")[0] in NOT_HERE else here).append(item)
    return here, not_here


def paths(part: str) -> list[str]:
    """The files of a part, `storage` or `all`."""
    return [f"tests/integration/test_{name}.py" for name in sorted(STORAGE if part == "storage" else ALL)]


if __name__ == "__main__":
    import sys

    sys.stdout.write(" ".join(paths(sys.argv[1])))
