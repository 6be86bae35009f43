"""Scoring a sample of the base."""

import pytest

from retainstream.predictions.sample import score_sample
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from tests.small_models import add_customers, small_model


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_a_sample_is_scored_stored_and_summed_up(aws: None, size: int) -> None:
    ids = add_customers(120, churned=20)
    found = score_sample(small_model(), Customers(), Predictions(), size, run_id="sample")
    stored = Predictions().get_many(ids)
    assert found.scored == len(stored) == min(size, 100)
    assert not set(stored) & set(ids[:20])
    assert sum(found.by_level.values()) == found.scored
    assert found.mean_probability == pytest.approx(sum(p["probability"] for p in stored.values()) / len(stored), abs=1e-6)
    ranked = sorted(stored.values(), key=lambda p: (-p["probability"], p["customer_id"]))
    assert [p["customer_id"] for p in found.top] == [p["customer_id"] for p in ranked[:10]]
    at_stake = sum(p["value_at_risk"] for p in stored.values() if p["level"] in ("high", "critical"))
    assert found.value_at_risk == pytest.approx(at_stake, abs=0.01)


def test_samples_differ(aws: None) -> None:
    add_customers(200)
    samples = []
    for number in range(3):
        score_sample(small_model(), Customers(), Predictions(), 10, run_id=str(number))
        samples.append({p["customer_id"] for page in Predictions().segment_pages() for p in page if p["run_id"] == str(number)})
    assert len({frozenset(sample) for sample in samples}) > 1


def test_an_empty_base_has_an_empty_sample(aws: None) -> None:
    found = score_sample(small_model(), Customers(), Predictions(), 10, run_id="sample")
    assert found.scored == 0
    assert found.mean_probability is None
    assert found.top == []
