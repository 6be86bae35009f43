"""The base of the reasons beside the truth, with fewer samples than `python -m bench.known_truth base`."""

import numpy as np
import pytest

from bench.known_truth import base as truth


@pytest.fixture(scope="module", params=truth.KEPT)
def models(request: pytest.FixtureRequest) -> list[truth.Bases]:
    return [truth.bases(request.param, seed, customers=6_000, explained=20, background=100) for seed in (3, 4)]


def test_the_base_is_the_mean_score(models: list[truth.Bases]) -> None:
    for model in models:
        assert model.after == pytest.approx(model.mean, abs=1e-3)
        assert abs(model.before - model.mean) > 0.1


def test_contributions_of_a_column_are_nearly_0_on_average(models: list[truth.Bases]) -> None:
    for model in models:
        assert model.tilt_after < 0.06
        assert model.tilt_after < 0.5 * model.tilt_before


def test_reasons_are_nearer_to_interventional_values(models: list[truth.Bases]) -> None:
    before, after = np.mean([[model.distance_before, model.distance_after] for model in models], axis=0)
    assert after < 0.85 * before
