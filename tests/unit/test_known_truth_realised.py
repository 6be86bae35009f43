"""Realised figures of a perfect model are those of the truth; those of the earlier version were not."""

import numpy as np
import pytest

from bench.known_truth.realised import (
    Figures,
    at_one_moment,
    by_all_outcomes,
    by_newest_predictions,
    by_the_product,
    monthly,
    of_month,
    true_figures,
    weekly,
)


def test_a_perfect_model_shows_the_true_figures_after_a_year_of_monthly_scorings() -> None:
    """Leavers add up over the months: the earlier version compared all of them with the stayers of the last month."""
    scored = monthly(0)
    month = by_the_product(scored)[11]
    product, truth, before = of_month(month), true_figures(scored, 11), by_all_outcomes(scored)
    assert month["period"] == "2025-12"
    assert product == pytest.approx(at_one_moment(scored, 11), abs=2e-4)
    assert product.churn_rate == pytest.approx(truth.churn_rate, abs=0.006)
    assert product.log_loss == pytest.approx(truth.log_loss, abs=0.02)
    assert product.precision == pytest.approx(truth.precision, abs=0.05)
    assert before.churn_rate > 8 * truth.churn_rate
    assert before.log_loss > 7 * truth.log_loss
    assert before.precision > 5 * truth.precision


def test_those_who_left_and_those_who_stayed_are_judged_by_scores_of_one_moment() -> None:
    """With weekly scorings the earlier version judged leavers by a score of their last days, and stayers by an older one."""
    scored = weekly(0, 3_000)
    month, later, _ = by_the_product(scored)
    assert of_month(month) == pytest.approx(at_one_moment(scored, 0), abs=2e-4)
    assert (month["run_id"], later["run_id"], later["realised"]) == ("run-00", "run-05", None)
    business = [weekly(seed) for seed in range(10)]
    truth, one_moment, all_outcomes, newest = (
        Figures(*np.mean([figures(scored) for scored in business], axis=0).tolist())
        for figures in (lambda s: true_figures(s, 0), lambda s: at_one_moment(s, 0), by_all_outcomes, by_newest_predictions)
    )
    assert one_moment.roc_auc == pytest.approx(truth.roc_auc, abs=0.02)
    assert one_moment.ratio == pytest.approx(1, abs=0.1)
    assert all_outcomes.roc_auc > one_moment.roc_auc + 0.02
    assert newest.roc_auc > one_moment.roc_auc + 0.005
    assert min(all_outcomes.ratio, newest.ratio) > 1.5
