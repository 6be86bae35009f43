"""Cross-validation of the training path: whose folds they are, and that a fold's customers have no say in what judges them."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from retainstream.engine.learning import metrics
from retainstream.engine.learning.checks import UnfitData
from retainstream.engine.learning.cross_validation import FitDescription, cross_validate, judge, stratified_folds, training_path
from retainstream.engine.learning.dataset import DataSet, collect
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.learning.rivals import LINEAR, rivals
from retainstream.engine.learning.split import folds, folds_apart
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.engine.schema import default_schema


@pytest.fixture(scope="module")
def data() -> DataSet:
    customers = collect(default_schema(), [list(as_customers(generate(700, 3), 1.0))])[0]
    return customers.where(np.random.default_rng(0).permutation(len(customers)))


def test_the_folds_are_those_of_scikit_learn(data: DataSet) -> None:
    fold_of = stratified_folds(data.churned, 5, 3)
    split = StratifiedKFold(5, shuffle=True, random_state=3).split(data.rows, data.churned)
    for number, (_, judged) in enumerate(split):
        assert np.flatnonzero(fold_of == number).tolist() == judged.tolist()


def test_every_row_is_judged_once_in_its_place_by_what_did_not_see_it(data: DataSet) -> None:
    fold_of = stratified_folds(data.churned, 4, 0)

    def keys_as_probabilities(learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
        assert not set(learned.keys.tolist()) & set(judged.keys.tolist())
        assert len(learned) + len(judged) == len(data)
        return judged.keys.astype(np.float64) / 2.0**64, {"threshold": len(learned)}

    told: list[tuple[str, int]] = []
    result = cross_validate(data, fold_of, {"keys": keys_as_probabilities}, done=lambda name, fold: told.append((name, fold["fold"])))
    assert (result["keys"].probabilities == data.keys.astype(np.float64) / 2.0**64).all()
    assert told == [("keys", 0), ("keys", 1), ("keys", 2), ("keys", 3)]
    for fold in result["keys"].folds:
        members = fold_of == fold["fold"]
        assert (fold["rows"], fold["threshold"]) == (members.sum(), (~members).sum())
        assert fold["roc_auc"] == metrics.roc_auc(data.churned[members], result["keys"].probabilities[members])
        assert fold["ceiling"]["roc_auc"] > fold["roc_auc"]


def test_the_outcomes_of_a_fold_have_no_say_in_its_probabilities(data: DataSet) -> None:
    fold_of = stratified_folds(data.churned, 3, 0)
    path = training_path(0.2)
    before = next(judge(data, fold_of, path))
    spoiled = DataSet.from_bytes(data.to_bytes())
    spoiled.churned[fold_of == 0] = ~data.churned[fold_of == 0]
    after = next(judge(spoiled, fold_of, path))
    assert (before[2] == after[2]).all()
    assert before[1]["threshold"] == after[1]["threshold"]
    assert before[1]["roc_auc"] + after[1]["roc_auc"] == pytest.approx(1)


def test_a_marker_of_the_outcome_in_one_fold_alone_is_worth_nothing_there(data: DataSet) -> None:
    fold_of = stratified_folds(data.churned, 3, 0)
    marked = DataSet.from_bytes(data.to_bytes())
    place = [column.name for column in data.schema.features].index("monthly_price")
    marked.rows[:, place] = 10
    marked.rows[fold_of == 0, place] = np.where(data.churned[fold_of == 0], 100, 1)
    folds = [document["roc_auc"] for _, document, _ in judge(marked, fold_of, training_path(0.2))]
    assert folds[0] < 0.9


def test_the_same_seed_gives_the_same_result(data: DataSet) -> None:
    fold_of = stratified_folds(data.churned, 2, 1)
    once, again = (next(judge(data, fold_of, training_path(0.2)))[2] for _ in range(2))
    assert (once == again).all()


def test_copies_of_a_customer_stay_in_one_inner_fold() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 8)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows, churned = np.concatenate([rows, rows[:60]]), rng.random(360) < 0.3
    keys = rng.integers(0, 2**63, 360).astype(np.uint64)
    together = folds_apart(keys, rows, churned, 5)
    assert (together[300:] == together[:60]).all()
    assert np.bincount(together).min() > 40
    for others in (rows[:300], (rows[:, :4] > 0).astype(np.float32)):
        count = len(others)
        assert (folds_apart(keys[:count], others, churned[:count], 5) == folds(keys[:count], churned[:count], 5)).all()


def test_baselines_stand_on_the_same_folds(data: DataSet) -> None:
    methods, absent = rivals(0)
    assert next(iter(methods)) == LINEAR
    assert {*methods, *absent} == {LINEAR, "LightGBM", "CatBoost"}
    result = cross_validate(data, stratified_folds(data.churned, 2, 0), {LINEAR: methods[LINEAR]})[LINEAR]
    document = result.document(data.churned)
    assert document["mean"]["roc_auc"] == pytest.approx(np.mean([fold["roc_auc"] for fold in result.folds]))
    assert document["sd"]["roc_auc"] == pytest.approx(np.std([fold["roc_auc"] for fold in result.folds], ddof=1))
    assert document["pooled"]["log_loss"] == pytest.approx(metrics.log_loss(data.churned, result.probabilities))
    assert 0.5 < document["roc_auc_of_ceiling"] < 1.1


def test_more_folds_than_customers_of_an_outcome_are_refused() -> None:
    with pytest.raises(UnfitData, match="there are only 3 of one"):
        stratified_folds(np.arange(50) < 3, 5, 0)
