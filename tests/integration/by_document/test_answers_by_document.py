"""Predictions, the dashboard and the model, as the OpenAPI document says they are."""

from tests.integration.by_document.probing import Probe


def test_figures_predictions_and_models_are_answered_as_the_document_says(probe: Probe) -> None:
    probe.run(["predictions", "dashboard", "model", "drafts"], most=40).shows_no_fault("answers")
