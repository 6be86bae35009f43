"""A model that is too good to be true, or no better than chance, is said to be so."""

import numpy as np
import pytest

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.doubts import doubts_about
from retainstream.engine.learning.gate import Standard, judge
from retainstream.engine.model.calibration import sigmoid

RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("auc", "interval", "cross_fitted", "said"),
    [
        (0.998, (0.995, 0.999), None, "A ROC AUC of 0.998 (95% interval 0.995 to 0.999) is nearly perfect"),
        (0.985, (0.91, 0.9997), None, "is nearly perfect"),
        (1.0, None, None, "A ROC AUC of 1.000 is nearly perfect"),
        (0.995, (0.95, 0.999), (0.93, 0.97), ""),
        (0.85, (0.80, 0.89), None, ""),
        (0.52, (0.46, 0.58), None, "0.460 to 0.580, contains 0.5: this model may rank customers no better than chance"),
        (0.52, (0.40, 0.64), (0.47, 0.55), "The 95% interval over all customers, 0.470 to 0.550, contains 0.5"),
        (0.56, (0.44, 0.68), (0.55, 0.65), ""),
        (0.40, (0.35, 0.45), None, "is worse than chance"),
        (0.7, None, None, ""),
    ],
)
def test_what_is_doubtful(auc: float, interval: tuple[float, float] | None, cross_fitted: tuple[float, float] | None, said: str) -> None:
    found = doubts_about(auc, Interval(*interval) if interval else None, Interval(*cross_fitted) if cross_fitted else None)
    assert len(found) == (1 if said else 0)
    assert said in "".join(found)


def test_the_gate_says_that_a_model_is_too_good_to_be_believed() -> None:
    churned = RNG.random(4000) < 0.2
    margins = np.where(churned, 6.0, -6.0) + RNG.normal(0, 0.5, 4000)
    verdict = judge(churned, sigmoid(margins), None, parity_passed=True, alarms=[])
    [doubt] = verdict.doubts
    assert "nearly perfect" in doubt
    assert verdict.document()["doubts"] == [doubt]


def test_the_gate_says_that_a_model_may_be_chance_beside_a_champion_too() -> None:
    churned = RNG.random(4000) < 0.2
    blind = 0.2 + RNG.normal(0, 1e-4, 4000)
    verdict = judge(churned, blind, Standard(blind + RNG.normal(0, 1e-4, 4000)), parity_passed=True, alarms=[])
    assert "no better than chance" in verdict.doubts[0]


def test_chance_models_are_named_as_often_as_the_interval_promises() -> None:
    named = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        churned = rng.random(500) < 0.2
        named += bool(judge(churned, 0.2 + rng.normal(0, 1e-4, 500), None, parity_passed=True, alarms=[]).doubts)
    assert 0.92 <= named / 400 <= 1.0


def test_an_honest_model_raises_no_doubt() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        margins = rng.normal(-1.5, 1.6, 2000)
        churned = rng.random(2000) < sigmoid(margins)
        assert judge(churned, sigmoid(margins), None, parity_passed=True, alarms=[]).doubts == []
