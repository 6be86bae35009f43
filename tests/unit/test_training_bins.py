"""Bins for a training job, and the way back from what it learned."""

import json
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.sagemaker.artefact import UnusableArtefact
from retainstream.engine.learning.sagemaker.bins import MOST_CODES, Bins
from retainstream.engine.learning.sagemaker.parts import CALIBRATION_SHARE, for_calibration, for_the_job, parts_for, sampled
from retainstream.engine.learning.sagemaker.translation import on_features
from retainstream.engine.learning.split import Split, held_out
from retainstream.engine.learning.trees import TreeSettings, parameters
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import default_schema
from retainstream.runs.retraining.job import NoContainer, failure, hyper_parameters, image, job_name

SCHEMA = default_schema()
BY_CUSTOMERS = Split(SCHEMA.horizon_days)
FIT = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.5, "max_bin": MOST_CODES, "min_child_weight": 0.1, "nthread": 1}


def made(rows: int, seed: int, *, missing: float = 0.2, distinct: int = 5) -> DataSet:
    """Rows of the default schema: every number of few or many values, some missing, outcomes that hang on all columns."""
    rng = np.random.default_rng(seed)
    table = np.empty((rows, len(SCHEMA.features)), dtype=np.float32)
    score = np.zeros(rows)
    for place, column in enumerate(SCHEMA.features):
        if column.kind == "category":
            table[:, place] = rng.integers(0, len(column.levels), rows)
        else:
            table[:, place] = rng.choice(rng.normal(size=distinct) * 10 if place % 2 else rng.normal(size=rows), rows)
        score += rng.normal() * (table[:, place] > np.median(table[:, place]))
    table[rng.random(table.shape) < missing] = np.nan
    keys = rng.integers(0, 2**63, rows).astype(np.uint64) * np.uint64(2)
    churned = rng.random(rows) < 1 / (1 + np.exp(-score))
    groups, prices, synthetic = np.full(rows, -1, np.int16), np.full(rows, np.nan), np.zeros(rows, bool)
    return DataSet(SCHEMA, keys, table, churned, groups, prices, synthetic, unknown_anchors(rows))


def codes_of(bins: Bins, rows: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    columns = [axis.code(rows[:, axis.place]) for axis in bins.axes]
    known = [np.where(column < 0, np.nan, column) for column in columns]
    return np.array(known, dtype=np.float32).reshape(len(columns), len(rows)).T


def fitted(bins: Bins, data: DataSet, rounds: int = 6, **changes: Any) -> xgboost.Booster:
    matrix = xgboost.DMatrix(codes_of(bins, data.rows), label=data.churned)
    return xgboost.train({**FIT, **changes}, matrix, rounds)


def raw(booster: xgboost.Booster) -> bytes:
    return bytes(booster.save_raw("ubj"))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.2, 0.9]), distinct=st.sampled_from([1, 2, 7, 400]))
def test_the_translated_model_scores_every_row_as_the_job_s_model_scores_its_bins(seed: int, missing: float, distinct: int) -> None:
    data = made(300, seed, missing=missing, distinct=distinct)
    bins = Bins.of(data)
    booster = fitted(bins, data)
    whole = on_features(raw(booster), bins, SCHEMA)
    others = made(300, seed + 1, missing=missing, distinct=distinct).rows  # values between and beyond those that were fitted
    for rows in (data.rows, others, np.full((1, data.rows.shape[1]), np.nan, dtype=np.float32)):
        theirs = booster.predict(xgboost.DMatrix(codes_of(bins, rows)), output_margin=True)
        model = ScoringModel.from_bytes(raw(whole), {"method": "none"}, SCHEMA, threshold=0.5, version="v")
        np.testing.assert_array_equal(model.margins(rows).astype(np.float32), theirs)


def test_reasons_of_a_translated_model_are_those_of_shap() -> None:
    data = made(2_000, 4)
    bins = Bins.of(data)
    whole = on_features(raw(fitted(bins, data, 30)), bins, SCHEMA)
    model = ScoringModel.from_bytes(raw(whole), {"method": "none"}, SCHEMA, threshold=0.5, version="v")
    assert model.booster.feature_types == ["c" if column.kind == "category" else "q" for column in SCHEMA.features]
    assert parity(model, data.rows).passed


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.3, 1.0]))
def test_lines_tell_the_outcome_and_every_known_bin(seed: int, missing: float) -> None:
    data = made(60, seed, missing=missing)
    bins = Bins.of(data)
    assert Bins.from_document(json.loads(json.dumps(bins.document()))) == bins
    lines = bins.lines(data.rows, data.churned).decode().splitlines()
    assert len(lines) == len(data)
    codes = codes_of(bins, data.rows)
    assert np.nanmax(codes, initial=0) < MOST_CODES
    for line, churned, row in zip(lines, data.churned, codes, strict=True):
        outcome, *values = line.split(" ")
        assert outcome == str(int(churned))
        assert values == [f"{number}:{int(code)}" for number, code in enumerate(row) if not np.isnan(code)]


def test_bins_keep_the_order_of_numbers_and_put_levels_in_the_order_of_churn() -> None:
    data = made(3_000, 8, missing=0.0, distinct=900)
    for axis in Bins.of(data).axes:
        values, codes = data.rows[:, axis.place], axis.code(data.rows[:, axis.place])
        if axis.ranks:
            rates = [data.churned[codes == rank].mean() for rank in range(axis.codes)]
            assert rates == sorted(rates)
        else:
            assert (np.diff(codes[np.argsort(values)]) >= 0).all()
            assert np.bincount(codes).max() <= 3_000 / 5


def test_a_column_without_values_is_left_out_and_a_split_on_it_never_made() -> None:
    data = made(400, 3)
    data.rows[:, 2] = np.nan
    bins = Bins.of(data)
    assert [axis.place for axis in bins.axes] == [place for place in range(len(SCHEMA.features)) if place != 2]
    whole = on_features(raw(fitted(bins, data)), bins, SCHEMA)
    assert whole.num_features() == len(SCHEMA.features)


def test_models_of_anything_else_are_refused() -> None:
    data = made(300, 1)
    bins = Bins.of(data)
    model = raw(fitted(bins, data))
    fewer = Bins(bins.axes[:-1])
    with pytest.raises(UnusableArtefact, match="was fitted to 8 columns, not to the 7"):
        on_features(model, fewer, SCHEMA)
    named = xgboost.train(FIT, xgboost.DMatrix(codes_of(bins, data.rows), label=data.churned, feature_names=list("abcdefgh")), 1)
    with pytest.raises(UnusableArtefact, match="columns"):
        on_features(raw(named), bins, SCHEMA)
    with pytest.raises(UnusableArtefact, match="another kind"):
        on_features(raw(fitted(bins, data, objective="reg:squarederror")), bins, SCHEMA)
    with pytest.raises(UnusableArtefact, match="another kind"):
        on_features(raw(fitted(bins, data, booster="gblinear", updater="coord_descent")), bins, SCHEMA)
    for broken in (b"", b"{}", b"not a model", model[:100], model[: len(model) // 2]):
        with pytest.raises(UnusableArtefact):
            on_features(broken, bins, SCHEMA)


def test_a_job_gets_the_parameters_of_a_fit_under_the_same_names() -> None:
    shape, bins = TreeSettings(3, 0.1), Bins.of(made(200, 2))
    here = parameters(SCHEMA.features, shape, seed=7, threads=2)
    there = hyper_parameters(SCHEMA, shape, 120, bins, seed=7)
    assert all(isinstance(value, str) for value in there.values())
    for name in there.keys() & here.keys() - {"monotone_constraints"}:
        assert there[name] == str(here[name])
    assert here.keys() - there.keys() == {"base_score", "max_cat_to_onehot", "nthread"}
    assert there.keys() - here.keys() == {"num_round", "max_bin"}
    assert len(there["monotone_constraints"].split(",")) == len(bins.axes)


@given(
    stack=st.from_regex(r"[a-z](-?[a-z0-9]){0,25}", fullmatch=True), runs=st.sets(st.text(min_size=1, max_size=80), min_size=2, max_size=2)
)
def test_a_job_is_named_after_its_run_and_no_two_alike(stack: str, runs: set[str]) -> None:
    names = [job_name(stack, run) for run in runs]
    assert len(set(names)) == 2
    for name in names:
        assert len(name) <= 63
        assert name.startswith(f"{stack}-")
        assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in name)
        assert not name.endswith("-")


def test_the_container_is_that_of_the_region() -> None:
    assert image("eu-west-1") == "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    assert image("cn-north-1").split("/")[0].endswith(".amazonaws.com.cn")
    with pytest.raises(NoContainer, match="xx-nowhere-1"):
        image("xx-nowhere-1")


def test_sides_are_apart_and_of_their_sizes() -> None:
    data = made(20_000, 5)
    job, kept = for_the_job(data, BY_CUSTOMERS), for_calibration(data, BY_CUSTOMERS)
    test = data.where(held_out(data.keys))
    assert len(job) + len(kept) + len(test) == len(data)
    assert not set(job.keys) & set(kept.keys)
    assert len(kept) / (len(data) - len(test)) == pytest.approx(CALIBRATION_SHARE, abs=0.01)
    part = sampled(data, 0.25)
    assert len(part) / len(data) == pytest.approx(0.25, abs=0.02)
    assert len(for_calibration(part, BY_CUSTOMERS)) / len(part) == pytest.approx(len(kept) / len(data), abs=0.01)
    assert sampled(data, 1.0) is data


@given(customers=st.integers(0, 10**9), threshold=st.integers(0, 10**7), instances=st.integers(1, 20))
def test_parts_are_shared_evenly_and_only_large_bases_are_read_in_parts(customers: int, threshold: int, instances: int) -> None:
    parts = parts_for(customers, threshold, instances)
    assert (parts == 0) == (threshold == 0 or customers < threshold)
    assert parts % instances == 0
    assert parts <= 420


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        (
            "TrainingJobFailed",
            '{"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": "x"}',
            "The training job j on SageMaker ended as Failed: x",
        ),
        (
            "TrainingJobFailed",
            '{"TrainingJobName": "j", "TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}',
            "The training job j on SageMaker ended as Stopped: MaxRuntimeExceeded",
        ),
        ("TrainingJobFailed", "[]", "The training job  on SageMaker ended as Failed: no reason was given"),
        ("SageMaker.AccessDeniedException", "arn:secret", "SageMaker did not take the training job (SageMaker.AccessDeniedException)"),
        ("KeyError", "secret", None),
        ("", None, None),
    ],
)
def test_what_sagemaker_says_becomes_a_sentence(error: str, cause: Any, told: str | None) -> None:
    sentence = failure({"Error": error, "Cause": cause})
    assert (sentence is None) == (told is None)
    assert told is None or (sentence or "").startswith(told)
    assert "secret" not in (sentence or "")
