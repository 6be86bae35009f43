"""Calibration curves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.model.calibration import Beta, Bounded, Calibration, Isotonic, Platt, calibration_from, log_odds, sigmoid

finite = st.floats(-60, 60)


@st.composite
def curves(draw: st.DrawFn) -> Calibration:
    if draw(st.booleans()):
        return Beta(draw(st.floats(0, 5)), draw(st.floats(0, 5)), draw(st.floats(-5, 5)))
    if draw(st.booleans()):
        return Platt(draw(st.floats(0, 5)), draw(st.floats(-5, 5)))
    x = sorted(draw(st.sets(st.integers(-50, 50), min_size=1, max_size=8)))
    y = sorted(draw(st.lists(st.floats(0, 1), min_size=len(x), max_size=len(x))))
    return Isotonic(tuple(value / 5 for value in x), tuple(y))


@given(curve=curves(), margins=st.lists(finite, min_size=1, max_size=30))
def test_a_curve_never_falls_and_stays_between_0_and_1(curve: Calibration, margins: list[float]) -> None:
    probability = curve.probability(np.array(sorted(margins)))
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= -1e-15).all()
    assert (curve.derivative(np.array(margins)) >= 0).all()


@given(curve=curves(), margin=st.floats(-12, 12))
def test_the_derivative_is_the_slope_to_the_right(curve: Calibration, margin: float) -> None:
    step = 1e-6
    here, there = curve.probability(np.array([margin, margin + step]))
    knots = np.array(curve.x) if isinstance(curve, Isotonic) else np.array([np.inf])
    if (np.abs(knots - margin) > 2 * step).all():
        assert curve.derivative(np.array([margin]))[0] == pytest.approx((there - here) / step, abs=1e-3)


@given(curve=curves(), margins=st.lists(finite, min_size=1, max_size=10))
def test_a_curve_survives_as_a_document(curve: Calibration, margins: list[float]) -> None:
    again = calibration_from(curve.document())
    np.testing.assert_array_equal(again.probability(np.array(margins)), curve.probability(np.array(margins)))


@given(curve=curves(), rows=st.integers(1, 10**6), offset=st.floats(-3, 3), margins=st.lists(finite, min_size=1, max_size=10))
def test_a_moved_curve_has_moved_log_odds(curve: Calibration, rows: int, offset: float, margins: list[float]) -> None:
    knots = np.array(curve.x) if isinstance(curve, Isotonic) else np.array(margins)
    expected = sigmoid(log_odds(curve.probability(knots)) + offset)
    np.testing.assert_allclose(curve.moved(offset).probability(knots), expected, atol=1e-7)
    assert Bounded(curve, rows).moved(offset) == Bounded(curve.moved(offset), rows)


def test_beta_calibration_has_the_models_own_probability_and_platts_as_cases() -> None:
    margins = np.linspace(-40, 40, 401)
    np.testing.assert_allclose(Beta().probability(margins), sigmoid(margins), rtol=1e-12)
    np.testing.assert_allclose(Beta(0.7, 0.7, 0.3).probability(margins), Platt(0.7, 0.3).probability(margins), rtol=1e-12)
    own = sigmoid(margins[np.abs(margins) < 20])
    by_definition = 1 / (1 + 1 / (np.exp(0.2) * own**0.8 / (1 - own) ** 1.4))
    np.testing.assert_allclose(Beta(0.8, 1.4, 0.2).probability(margins[np.abs(margins) < 20]), by_definition, rtol=1e-6)


def test_none_is_the_logistic_curve_without_overflow() -> None:
    curve = calibration_from({"method": "none"})
    np.testing.assert_allclose(curve.probability(np.array([-1e4, -1.0, 0.0, 1.0, 1e4])), [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1])
    assert curve.document() == {"method": "none"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"method": "gamma"},
        {"method": "beta", "a": 1, "b": 1},
        {"method": "beta", "a": 1, "b": -0.1, "c": 0},
        {"method": "beta", "a": 1, "b": 1, "c": float("inf")},
        {"method": "platt", "a": 1},
        {"method": "platt", "a": -0.1, "b": 0},
        {"method": "platt", "a": float("nan"), "b": 0},
        {"method": "platt", "a": None, "b": 0},
        {"method": "isotonic", "x": [], "y": []},
        {"method": "isotonic", "x": [0, 1], "y": [0.5]},
        {"method": "isotonic", "x": [0, 0], "y": [0.1, 0.2]},
        {"method": "isotonic", "x": [1, 0], "y": [0.1, 0.2]},
        {"method": "isotonic", "x": [0, 1], "y": [0.3, 0.2]},
        {"method": "isotonic", "x": [0, 1], "y": [0.3, 1.2]},
        {"method": "isotonic", "x": [0, float("inf")], "y": [0.3, 0.4]},
    ],
)
def test_documents_that_are_no_curve_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"calibration"):
        calibration_from(document)


@given(curve=curves(), rows=st.integers(1, 10**8), margins=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30))
def test_no_probability_is_surer_than_the_rows_allow(curve: Calibration, rows: int, margins: list[float]) -> None:
    given_margins = np.array(sorted(margins))
    bounded = Bounded(curve, rows)
    probability = bounded.probability(given_margins)
    assert (probability >= 1 / (rows + 2) * (1 - 1e-9)).all()
    assert (1 - probability >= 1 / (rows + 2) * (1 - 1e-6)).all()
    assert (np.diff(probability) >= 0).all()
    np.testing.assert_allclose(probability, curve.probability(given_margins), rtol=0, atol=1 / (rows + 2) + 1e-15)
    again = calibration_from(bounded.document())
    np.testing.assert_array_equal(again.probability(given_margins), probability)
    np.testing.assert_array_equal(again.derivative(given_margins), bounded.derivative(given_margins))


def test_what_so_many_rows_can_tell_is_the_rule_of_succession() -> None:
    bounded = Bounded(Platt(), 98)
    np.testing.assert_allclose(bounded.probability(np.array([-1e4, 0.0, 1e4])), [0.01, 0.5, 0.99])


STEPS = {"x": [-1.0, 0.5], "low": [0.0, 0.2, 0.4], "high": [0.3, 0.5, 1.0]}


def test_intervals_survive_as_a_document_and_move_with_the_curve() -> None:
    document = {"method": "beta", "a": 1.1, "b": 0.9, "c": -0.2, "rows": 400, "interval": STEPS}
    bounded = calibration_from(document)
    assert isinstance(bounded, Bounded)
    assert bounded.document() == document
    assert bounded.intervals
    margins, probabilities = np.array([-2.0, -1.0, 0.0, 0.5, 9.0]), np.array([0.1, 0.4, 0.6, 0.45, 0.2])
    low, high = bounded.intervals.around(margins, probabilities)
    assert low.tolist() == [0, 0.2, 0.2, 0.4, 0.2]
    assert high.tolist() == [0.3, 0.4, 0.6, 0.5, 1]
    moved = bounded.moved(0.7).intervals
    assert moved
    assert (moved.low[0], moved.high[-1]) == (0, 1)
    np.testing.assert_allclose(moved.low[1:], sigmoid(log_odds(np.array(STEPS["low"][1:])) + 0.7), atol=1e-6)
    np.testing.assert_allclose(moved.high[:-1], sigmoid(log_odds(np.array(STEPS["high"][:-1])) + 0.7), atol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"x": None},
        {"low": [0.0, 0.2]},
        {"x": [0.5, 0.5]},
        {"x": [0.5, float("nan")]},
        {"x": [0.5, "1"]},
        {"low": [0.0, 0.6, 0.4]},
        {"low": [0.0, 0.6, 0.7]},
        {"high": [0.3, 0.5, 1.1]},
        {"high": [0.3, 0.5, float("nan")]},
        {"low": [-0.1, 0.2, 0.4]},
    ],
)
def test_steps_that_are_no_intervals_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="interval"):
        calibration_from({"method": "none", "rows": 400, "interval": {**STEPS, **changed}})


@pytest.mark.parametrize("rows", [0, -1, 2.5, True, "98"])
def test_a_bound_by_no_number_of_rows_is_refused(rows: Any) -> None:
    with pytest.raises(ValueError, match="row"):
        calibration_from({"method": "none", "rows": rows})
