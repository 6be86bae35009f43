"""A blend: the choice of its members, and one booster that is their mean."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.additive import LinearFit, LinearStage, constant_stage, merged, started_from
from retainstream.engine.learning.blend import blended, explainable
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.sagemaker.bins import Bins
from retainstream.engine.learning.sagemaker.translation import on_features
from retainstream.engine.learning.trees import TreeSettings, fit_rounds, leaves_of, parameters, quantile_matrix
from retainstream.engine.learning.trials import Chosen, Trial
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.model.model import ScoringModel
from tests.unit.test_linear_stage import linear_data
from tests.unit.test_training_bins import codes_of, fitted, made

GAIN = 0.001

type Member = tuple[LinearStage, xgboost.Booster]


def member(data: DataSet, stage: LinearStage, settings: TreeSettings, rounds: int, seed: int = 0) -> Member:
    columns = data.schema.features
    learned = quantile_matrix(columns, data.rows, data.churned, threads=1)
    learned.set_base_margin(started_from(stage, data.rows))
    return stage, fit_rounds(parameters(columns, settings, seed=seed, threads=1), learned, rounds)


def scoring(booster: xgboost.Booster, data: DataSet) -> ScoringModel:
    return ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, data.schema, threshold=0.5, version="v")


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shapes=st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 12), st.sampled_from([None, 1.0, 8.0]), st.booleans()), min_size=1, max_size=3
    ),
)
def test_a_blend_is_one_booster_with_the_mean_scores_and_the_reasons_of_shap(
    seed: int, shapes: list[tuple[int, int, float | None, bool]]
) -> None:
    data = linear_data(400, seed)
    linear = LinearFit(data.schema.features, data.rows, data.churned)
    stages = {penalty: constant_stage(data.churned) if penalty is None else linear.stage(penalty) for _, _, penalty, _ in shapes}
    members = [
        member(data, stages[penalty], TreeSettings(depth, 0.3, min_child_weight=0.5, grouped=grouped), rounds, place)
        for place, (depth, rounds, penalty, grouped) in enumerate(shapes)
    ]
    model = scoring(counted(merged(members), data.schema.features, data.rows), data)
    others = linear_data(200, seed + 1).rows
    others[:5] = np.nan
    for rows in (data.rows, others):
        mean = np.mean([scoring(merged([one]), data).margins(rows) for one in members], axis=0)
        assert model.margins(rows) == pytest.approx(mean, abs=2e-5)
    assert model.explain(data.rows).base_margin == pytest.approx(model.margins(data.rows).mean(), abs=1e-3)
    assert model.contributions.tables(data.rows)
    assert parity(model, data.rows).passed


def test_a_stage_of_several_members_is_stored_once() -> None:
    data = linear_data(500, 1)
    linear = LinearFit(data.schema.features, data.rows, data.churned)
    shared, other = linear.stage(1.0), linear.stage(64.0)
    members = [member(data, shared, TreeSettings(depth, 0.3), 3) for depth in (1, 2)] + [member(data, other, TreeSettings(2, 0.3), 3)]
    assert merged(members).num_boosted_rounds() == len(shared.terms) + len(other.terms) + 9


def test_a_blend_of_one_is_its_member_byte_for_byte() -> None:
    data = linear_data(500, 2)
    stage, booster = member(data, constant_stage(data.churned), TreeSettings(3, 0.3), 5)
    document = merged([(stage, booster)]).save_raw("json")
    copy = xgboost.Booster()
    copy.load_model(bytearray(booster.save_raw("json")))
    assert merged([(stage, copy)]).save_raw("json") == document
    assert [tree["Gain"].tolist() for _, tree in merged([(stage, booster)]).trees_to_dataframe().groupby("Tree")] == [
        tree["Gain"].tolist() for _, tree in booster.trees_to_dataframe().groupby("Tree")
    ]


def test_a_blend_of_training_jobs_models_is_translated_like_each_of_them() -> None:
    data = made(600, 5)
    bins = Bins.of(data)
    jobs = [fitted(bins, data, 8, base_score=0.3, max_depth=depth) for depth in (2, 4)]
    stage = LinearStage(float(np.log(0.3 / 0.7)), ())
    translated = [on_features(bytes(job.save_raw("ubj")), bins, data.schema) for job in jobs]
    whole = scoring(merged([(stage, booster) for booster in translated]), data)
    again = scoring(on_features(bytes(merged([(stage, job) for job in jobs]).save_raw("ubj")), bins, data.schema), data)
    theirs = np.mean([job.predict(xgboost.DMatrix(codes_of(bins, data.rows)), output_margin=True) for job in jobs], axis=0)
    assert whole.margins(data.rows) == pytest.approx(theirs, abs=1e-5)
    assert again.margins(data.rows) == pytest.approx(theirs, abs=1e-5)
    assert parity(whole, data.rows).passed


def trials(*errors: float, shift: float = 0.0) -> tuple[list[Trial], np.ndarray]:
    """Trials whose margins are the true ones and an error of their own, of the named standard deviations; and the outcomes."""
    rng = np.random.default_rng(3)
    margins = rng.normal(size=2_000)
    churned = rng.random(2_000) < sigmoid(margins)
    made = []
    for depth, error in enumerate(errors, 1):
        scores = (margins + shift + error * rng.normal(size=(2, 2_000))).astype(np.float32)
        alone = Trial(TreeSettings(depth, 0.1), 100, np.zeros(1), scores=scores)
        made.append(Trial(alone.settings, 100, Chosen.blend([alone], churned).losses, scores=scores))
    return made, churned


def test_trials_that_err_apart_are_blended() -> None:
    tried, churned = trials(0.5, 0.5, 0.5, 0.5)
    alone = min(tried, key=lambda trial: trial.loss)
    chosen = blended(tried, alone, churned, gain=GAIN)
    assert len(chosen.trials) == 3
    assert chosen.loss < alone.loss - GAIN
    assert chosen.best.loss == min(trial.loss for trial in chosen.trials)
    assert len(blended(tried, alone, churned, gain=GAIN, most_members=2).trials) == 2


def test_trials_that_err_alike_are_not_blended() -> None:
    tried, churned = trials(0.0, 0.0, 0.0)
    assert blended(tried, tried[0], churned, gain=GAIN).trials == (tried[0],)


def test_a_much_worse_trial_is_no_member_and_one_judged_on_other_rows_neither() -> None:
    tried, churned = trials(0.5, 2.0, 0.5)
    tried[2] = Trial(tried[2].settings, 100, tried[2].losses[:1_000], scores=tried[2].scores[:, :1_000])
    assert blended(tried, tried[0], churned, gain=GAIN).trials == (tried[0],)


def test_a_model_whose_reasons_take_too_long_is_neither_chosen_nor_a_member() -> None:
    tried, churned = trials(0.5, 0.5, 0.5, 0.5)
    first, second, _ = blended(tried, tried[0], churned, gain=GAIN).trials
    complete = replace(first, settings=TreeSettings(8, 0.05), rounds=500)
    with_fewer_leaves = replace(complete, leaves=15_000)
    assert explainable([complete, with_fewer_leaves, second]) == [with_fewer_leaves, second]
    assert explainable([complete]) == [complete]
    assert len(blended([with_fewer_leaves, second], second, churned, gain=GAIN).trials) == 2
    as_large = replace(second, settings=TreeSettings(8, 0.1), leaves=15_000)
    assert blended([with_fewer_leaves, as_large], as_large, churned, gain=GAIN).trials == (as_large,)


def test_leaves_are_counted_in_some_of_the_trees() -> None:
    data = linear_data(400, 4)
    _, booster = member(data, constant_stage(data.churned), TreeSettings(3, 0.3), 60)
    nodes = booster.trees_to_dataframe()
    leaves = int((nodes["Feature"] == "Leaf").sum())
    assert leaves_of(booster, 60) == pytest.approx(leaves, rel=0.1)
    assert leaves_of(booster, 53) == pytest.approx(leaves * 53 / 60, rel=0.1)
    assert leaves_of(booster, 7) == int(((nodes["Feature"] == "Leaf") & (nodes["Tree"] < 7)).sum())
    assert leaves_of(booster, 0) == 0
