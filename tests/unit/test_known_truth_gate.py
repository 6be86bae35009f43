"""The gate beside the truth, with fewer samples than `python -m bench.known_truth`. The earlier rule breaks each bound."""

import pytest

from bench.known_truth.gate import after, before, first_models, share_promoted, year


@pytest.mark.parametrize(
    ("customers", "rate", "repetitions", "earlier"), [(40, 0.15, 150, 0.45), (100, 0.10, 150, 0.35), (200, 0.15, 150, 0.12)]
)
def test_a_candidate_that_is_worse_hardly_ever_replaces_even_an_old_champion(
    customers: int, rate: float, repetitions: int, earlier: float
) -> None:
    assert share_promoted(after, customers, rate, -0.02, repetitions) <= 0.03
    assert share_promoted(before, customers, rate, -0.02, repetitions) > earlier


def test_a_better_candidate_replaces_the_champion_at_once() -> None:
    assert share_promoted(after, 1_000, 0.1, 0.02, 60, lag=0) >= 0.85


def test_an_equal_candidate_replaces_an_old_champion_where_the_rows_can_prove_it_and_no_other_champion() -> None:
    assert share_promoted(after, 1_000, 0.1, 0.0, 100) > 0.5
    assert share_promoted(after, 1_000, 0.1, 0.0, 100, lag=7) <= 0.1
    assert share_promoted(before, 1_000, 0.1, 0.0, 100, lag=7) > 0.8


def test_a_year_of_candidates_that_lose_a_little_each_week_loses_nothing() -> None:
    assert year(after, 200, 0.15, weekly=-0.002, repetitions=6).end >= 0.797
    assert year(before, 200, 0.15, weekly=-0.002, repetitions=6).end < 0.78


def test_equal_candidates_are_not_exchanged_each_week() -> None:
    assert year(after, 200, 0.15, weekly=0.0, repetitions=3).promotions <= 6
    assert year(before, 200, 0.15, weekly=0.0, repetitions=3).promotions > 20


def test_a_first_model_needs_proof_and_no_target() -> None:
    reached, served = first_models(1_000, 0.1, 0.65, 60)
    assert reached < 0.2
    assert served > 0.9
    assert first_models(1_000, 0.1, 0.5001, 60)[1] <= 0.1
