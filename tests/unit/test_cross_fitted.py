"""Figures over all rows of a small table."""

from dataclasses import replace
from math import sqrt

import pytest

from retainstream.engine.business.truth import truth_of
from retainstream.engine.learning import metrics
from retainstream.engine.learning.cross_fitted import cross_fitted
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.judged_figures import judged
from retainstream.engine.learning.split import Split, split_of
from retainstream.engine.learning.trained import Trained, train
from tests.made_cards import synthetic_data


@pytest.fixture(scope="module")
def data() -> DataSet:
    return synthetic_data(1_500)


@pytest.fixture(scope="module")
def trained(data: DataSet) -> Trained:
    return train(data, version="20260101T000000Z-test0000", seconds=0.3)


def test_figures_of_all_rows_have_intervals_as_narrow_as_their_number_allows(data: DataSet, trained: Trained) -> None:
    figures = trained.judged.record["cross_fitted"]
    assert figures is not None
    assert (figures["rows"], figures["churned"]) == (len(data), int(data.churned.sum()))
    test = data.where(trained.split.test(data))
    alone = judged(test.churned, trained.judged.model.probabilities(test.rows), trained.judged.model.threshold, keys=test.keys)
    for name in ("roc_auc", "log_loss", "observed_to_expected"):
        interval, wide = figures["intervals"][name], alone.intervals[name]
        assert (wide.high - wide.low) / (interval["high"] - interval["low"]) == pytest.approx(sqrt(len(data) / len(test)), rel=0.4)


def test_no_row_was_learned_by_the_model_that_scores_it(data: DataSet, trained: Trained) -> None:
    figures = trained.judged.record["cross_fitted"]
    assert figures is not None
    truth = metrics.roc_auc(data.churned, truth_of(data.schema, data.rows, data.anchors, data.churned))
    learned = metrics.roc_auc(data.churned, trained.judged.model.probabilities(data.rows))
    assert figures["roc_auc"] is not None
    assert truth - 0.05 < figures["roc_auc"] < min(truth + 0.005, learned)


def test_large_tables_and_tables_split_by_time_are_judged_on_their_test_rows_alone(data: DataSet, trained: Trained) -> None:
    assert cross_fitted(data, split_of(data), trained.judged) is not None
    assert cross_fitted(data, Split(30, test_from=20_000), trained.judged) is None
    assert cross_fitted(data, split_of(data), replace(trained.judged, out_of_fold=None)) is None
