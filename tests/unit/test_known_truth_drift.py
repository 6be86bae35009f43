"""Drift that matters for churn is reported where the population stability index is silent, and runs without drift stay silent."""

from bench.known_truth import drift
from retainstream.engine.monitoring.stability import FALSE_ALARMS, SOME


def test_a_column_a_third_of_a_deviation_higher_is_reported_with_its_effect_on_churn() -> None:
    index, shift, told, truth = drift.shift_of_a_column(2, customers=200_000)
    assert index < SOME  # so that the earlier version was silent, however many customers there were
    assert told == 1
    assert 0.8 * truth < shift < 1.05 * truth


def test_a_column_that_has_nothing_to_do_with_churn_stays_silent() -> None:
    _, shift, told, truth = drift.shift_of_a_column(1, column=5, customers=200_000)
    assert (told, truth) == (0, 0)
    assert abs(shift) < 0.001


def test_runs_without_drift_rarely_raise_an_alarm() -> None:
    _, now = drift.alarms_without_drift(200, 200)
    assert now <= 3 * FALSE_ALARMS
