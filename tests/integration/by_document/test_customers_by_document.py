"""The customers' operations, as the OpenAPI document says they are."""

from tests.integration.by_document.probing import FEWEST, Probe


def test_customers_are_answered_as_the_document_says(probe: Probe) -> None:
    probe.run(["customers"], most=70).shows_no_fault("customers")


def test_the_runs_are_five_thousand_cases_together() -> None:
    assert sum(FEWEST.values()) >= 5000
