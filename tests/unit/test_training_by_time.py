"""Training on rows of several periods: the calibration, the models that are judged and that serve, figures by period."""

from dataclasses import replace

import numpy as np
import pytest

from retainstream.engine.business.truth import true_probability
from retainstream.engine.learning.base_rate import Level, expected_move, expected_offset, level_of, newest
from retainstream.engine.learning.checks import TooFewRows, check
from retainstream.engine.learning.comparison import compare
from retainstream.engine.learning.dataset import DataSet, periods, unknown_anchors
from retainstream.engine.learning.intervals import figure_intervals
from retainstream.engine.learning.rolling import judged_periods, periods_judged
from retainstream.engine.learning.trained import Trained, train
from retainstream.engine.learning.unseen import learned_from, unseen
from retainstream.engine.model.calibration import Beta, Bounded, Isotonic, Platt, sigmoid
from tests.made_periods import FOUR_MONTHS, at_month_ends, day

SECONDS = 0.5


@pytest.fixture(scope="module")
def data() -> DataSet:
    return at_month_ends(FOUR_MONTHS)


@pytest.fixture(scope="module")
def trained(data: DataSet) -> Trained:
    return train(data, version="v1", seconds=SECONDS)


def test_the_judged_model_knows_nothing_of_the_newest_period_and_the_model_in_service_does(data: DataSet, trained: Trained) -> None:
    judged, service = trained.judged.record, trained.service.record
    assert trained.split.document()["by"] == "time"
    assert judged["learned"]["until"] is not None
    assert judged["learned"]["until"] <= "2026-09-30"
    assert (judged["rows"]["train"], service["rows"]["train"]) == (1_500, 2_000)
    assert service["refitted"]
    assert not judged["refitted"]
    assert service["learned"] == {"customers": "all", "until": "2026-10-30"}
    assert service["periods"] == {"first": "2026-06", "last": "2026-09"}
    assert service["calibrated_on"]["last"] == "2026-09"
    assert judged["chosen"] == service["chosen"]
    spoiled = DataSet.from_bytes(data.to_bytes())
    spoiled.rows[data.anchors == day("2026-09-30")] = 0
    again = train(spoiled, version="v1", seconds=SECONDS)
    assert (again.judged.model.margins(data.rows) == trained.judged.model.margins(data.rows)).all()


def test_one_period_is_judged_by_customers_and_nothing_is_fitted_again() -> None:
    one = at_month_ends(FOUR_MONTHS[:1], 1_000)
    trained = train(one, version="v1", seconds=SECONDS)
    assert trained.split.document()["by"] == "customers"
    assert trained.service is trained.judged
    assert trained.judged.record["learned"] == {"customers": "development", "until": "2026-07-30"}


def test_the_base_rate_is_that_of_the_newest_periods() -> None:
    """Churn that rises lastingly: the mean of all periods is too low, the promise of the model is not."""
    data = at_month_ends(FOUR_MONTHS, 1_500, levels=[-0.7, -0.7, 0.0, 0.0])
    trained = train(data, version="v1", seconds=SECONDS)
    after = at_month_ends(["2026-10-31"], 3_000, seed=6)
    truth = true_probability(after.schema, after.rows)
    expected = float(trained.service.model.probabilities(after.rows).sum()) / float(truth.sum())
    assert 0.93 < expected < 1.07
    assert data.churned.mean() < 0.92 * truth.mean()


def test_the_newest_periods_are_as_few_as_have_enough_of_both_outcomes() -> None:
    data = at_month_ends(FOUR_MONTHS)
    by_period = [int(data.churned[periods(data) == period].sum()) for period in np.unique(periods(data))]
    assert by_period[-1] < 100 <= by_period[-1] + by_period[-2], "the test needs both cases"
    assert set(periods(data.where(newest(data)))) == {"2026-08", "2026-09"}
    data.churned[data.anchors == day("2026-09-30")] = np.arange(500) % 2 == 0
    assert set(periods(data.where(newest(data)))) == {"2026-09"}
    few = data.where(np.arange(40))
    assert newest(few).all()


def test_a_level_that_does_not_move_is_the_mean_and_a_level_that_moves_is_the_newest() -> None:
    rng = np.random.default_rng(2)
    variance = 0.03**2
    still = [Level(float(rng.normal(0, 0.03)), variance) for _ in range(12)]
    mean = float(np.mean([level.offset for level in still]))
    assert expected_offset(still) == pytest.approx(mean, abs=0.015)
    moved = [Level(level.offset + (0.4 if place > 8 else 0.0), variance) for place, level in enumerate(still)]
    newest_mean = float(np.mean([level.offset for level in moved[-3:]]))
    assert expected_offset(moved) == pytest.approx(newest_mean, abs=0.04)
    assert expected_offset([Level(0.2, 0.01)]) == pytest.approx(0.2)


def test_the_level_of_a_period_makes_its_mean_probability_its_churn_rate() -> None:
    rng = np.random.default_rng(3)
    log_odds = rng.normal(-2, 1, 40_000)
    churned = rng.random(40_000) < sigmoid(log_odds + 0.3)
    level = level_of(churned, log_odds)
    assert level.offset == pytest.approx(0.3, abs=3 * level.variance**0.5)
    assert sigmoid(log_odds + level.offset).mean() == pytest.approx(churned.mean(), rel=1e-3)
    nobody = level_of(np.zeros(50, dtype=bool), np.full(50, -2.0))
    assert -3 < nobody.offset < 0


def test_moving_a_calibration_keeps_its_order_and_its_bounds() -> None:
    data = at_month_ends(FOUR_MONTHS[:2], 2_000, levels=[0.0, 0.5])
    margins = np.log(true_probability(data.schema, data.rows) / (1 - true_probability(data.schema, data.rows)))
    for shape in (Platt(), Beta(0.8, 1.2, 0.1), Isotonic((-4.0, 0.0, 3.0), (0.0, 0.5, 1.0))):
        curve = Bounded(shape, 4_000)
        moved = curve.moved(expected_move(curve, data, margins))
        probabilities = moved.probability(np.sort(margins))
        assert (np.diff(probabilities) >= 0).all()
        assert probabilities.min() > 0
        assert moved.rows == 4_000
        assert expected_move(curve, replace(data, anchors=unknown_anchors(len(data))), margins) == 0
        np.testing.assert_allclose(curve.moved(0).probability(margins), curve.probability(margins), atol=1e-9)
    newest_rows = data.anchors == day("2026-07-31")
    moved = Bounded(Platt(), 4_000)
    moved = moved.moved(expected_move(moved, data, margins))
    assert moved.probability(margins[newest_rows]).sum() == pytest.approx(data.churned[newest_rows].sum(), rel=0.1)


def test_each_period_from_the_third_is_judged_by_a_model_that_learned_before_it(data: DataSet, trained: Trained) -> None:
    learned = {period: periods(rows) for period, rows, _ in judged_periods(data, 30)}
    assert {period: set(rows) for period, rows in learned.items()} == {
        "2026-08": {"2026-06", "2026-07"},
        "2026-09": {"2026-06", "2026-07", "2026-08"},
    }
    figures = periods_judged(data, trained.judged, seconds=60)
    assert [entry["period"] for entry in figures] == ["2026-08", "2026-09"]
    assert [entry["learned"] for entry in figures] == [1_000, 1_500]
    for entry in figures:
        assert entry["observed"] == entry["churned"] == int(data.churned[periods(data) == entry["period"]].sum())
        assert entry["roc_auc"]
        assert entry["roc_auc_interval"]
        assert entry["roc_auc_interval"]["low"] < entry["roc_auc"] < entry["roc_auc_interval"]["high"]
        assert 0.5 < entry["expected"] / entry["observed"] < 2
    newest_rows = data.where(periods(data) == "2026-09")
    probabilities = trained.judged.model.probabilities(newest_rows.rows)
    assert figures[-1]["expected"] == pytest.approx(probabilities.sum())
    assert [entry["period"] for entry in periods_judged(data, trained.judged, seconds=0)] == ["2026-09"]


def test_rows_that_a_model_cannot_have_learned_are_later_ones_or_those_of_customers_it_never_saw(data: DataSet) -> None:
    first_two = data.where(data.anchors <= day("2026-07-31"))
    learned = learned_from(first_two)
    assert learned == {"customers": "all", "until": "2026-08-30"}
    assert set(periods(data.where(unseen(data, learned)))) == {"2026-08", "2026-09"}
    apart = unseen(data, {"customers": "development", "until": None})
    assert 0.1 < apart.mean() < 0.3
    assert not unseen(data, {"customers": "all", "until": None}).any()


def test_rows_of_one_customer_make_no_interval_narrower() -> None:
    data = at_month_ends(FOUR_MONTHS[:1], 600)
    truth = true_probability(data.schema, data.rows)
    worse = sigmoid(np.log(truth / (1 - truth)) + np.random.default_rng(1).normal(0, 1, len(truth)))
    four = np.repeat(np.arange(600), 4)
    once = figure_intervals(data.churned, truth, 0.3, 0, data.keys)
    fourfold = figure_intervals(data.churned[four], truth[four], 0.3, 0, data.keys[four])
    careless = figure_intervals(data.churned[four], truth[four], 0.3, 0)
    for name in ("roc_auc", "pr_auc", "log_loss", "precision", "recall", "f1"):
        by_customer, repeated, by_row = once[name], fourfold[name], careless[name]
        assert repeated.high - repeated.low == pytest.approx(by_customer.high - by_customer.low, rel=0.15)
        assert by_row.high - by_row.low < 0.7 * (by_customer.high - by_customer.low)
    assert once == figure_intervals(data.churned, truth, 0.3, 0)

    single = compare(data.churned, worse, truth, data.keys)
    repeated_rows = compare(data.churned[four], worse[four], truth[four], data.keys[four])
    for difference, of_repeated in ((single.auc, repeated_rows.auc), (single.log_loss, repeated_rows.log_loss)):
        assert of_repeated.value == pytest.approx(difference.value)
        assert of_repeated.error == pytest.approx(difference.error, rel=0.05)


def test_customers_whose_values_stay_the_same_are_no_duplicates() -> None:
    data = at_month_ends(FOUR_MONTHS[:2], 400)
    data.rows[data.anchors == day("2026-07-31")] = data.rows[data.anchors == day("2026-06-30")]
    assert "duplicates" not in {finding.code for finding in check(data, fewest_rows=200)}
    with pytest.raises(TooFewRows, match="Only 400 customers with a known outcome: at least 500 are needed"):
        check(data, fewest_rows=500)
