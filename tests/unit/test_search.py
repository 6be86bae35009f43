"""The search for settings: planned by the data, the same on every machine, and joint."""

import os
from itertools import islice

import numpy as np
import pytest

from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.draws import Space, candidates
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.known_settings import KNOWN_SETTINGS
from retainstream.engine.learning.search import Search
from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.learning.trials import Chosen
from retainstream.engine.learning.work import bins_of, seconds_a_round
from retainstream.engine.model.calibration import sigmoid
from retainstream.engine.schema import FeatureSchema

LEVELS = 9


def data_of(rows: int, *, pair: float = 0.0, seed: int = 0) -> DataSet:
    """Two numbers that act together, and two categories that act together by `pair`, in log-odds."""
    rng = np.random.default_rng(seed)
    schema = FeatureSchema.model_validate(
        {
            "name": "made",
            "title": "Made",
            "id": {"column": "id"},
            "label": {"column": "left", "positive": 1},
            "horizon_days": 30,
            "columns": [
                *({"name": name, "label": name, "kind": "number"} for name in ("x", "y")),
                *(
                    {"name": name, "label": name, "kind": "category", "levels": [f"{name}{n}" for n in range(LEVELS)]}
                    for name in ("a", "b")
                ),
            ],
        }
    )
    numbers, levels = rng.normal(size=(rows, 2)), rng.integers(0, LEVELS, (rows, 2))
    margins = -1.5 + np.sign(numbers[:, 0] * numbers[:, 1]) + pair * rng.normal(size=(LEVELS, LEVELS))[levels[:, 0], levels[:, 1]]
    return DataSet(
        schema=schema,
        keys=rng.permutation(rows).astype(np.uint64) * np.uint64(2**40 + 15),
        rows=np.column_stack([numbers, levels]).astype(np.float32),
        churned=rng.random(rows) < sigmoid(margins),
        groups=np.zeros(rows, dtype=np.int16),
        prices=np.full(rows, np.nan),
        synthetic=np.zeros(rows, dtype=bool),
        anchors=unknown_anchors(rows),
    )


def test_candidates_are_the_known_settings_and_then_draws_within_the_space() -> None:
    space = Space(0.05, 8, linear=8.0, share_of_linear=0.5, share_of_encoded=0.5, grouped=True)
    drawn = list(islice(candidates(space, 3), 200))
    known = [settings.settings(0.05, 8.0) for settings in KNOWN_SETTINGS if settings.depth <= 8]
    assert [settings.changed(encoded=False) for settings in drawn[: len(known)]] == known
    assert drawn == list(islice(candidates(space, 3), 200))
    later = drawn[len(known) :]
    assert later != list(islice(candidates(space, 4), 200))[len(known) :]
    assert {settings.depth for settings in later} == set(range(2, 9))
    assert min(settings.min_child_weight for settings in later) < 0.3
    assert max(settings.min_child_weight for settings in later) > 10
    assert all(0.3 <= settings.columns <= 0.9 and 0.55 <= settings.subsample <= 1 for settings in later)
    assert {settings.linear for settings in later} == {None, 8.0}
    assert {settings.grouped for settings in later} == {settings.encoded for settings in later} == {False, True}


def test_a_space_without_a_linear_stage_has_no_settings_with_it() -> None:
    drawn = list(islice(candidates(Space(0.05, 6), 0), 100))
    assert all(settings.linear is None and not settings.grouped and not settings.encoded and settings.depth <= 6 for settings in drawn)


def test_the_estimate_of_work_grows_with_what_there_is_to_do() -> None:
    def seconds(
        depth: int = 4, rows: int = 10_000, columns: int = 20, bins: int = 2_000, weight: float = 1.0, categories: float = 0.0
    ) -> float:
        return seconds_a_round(TreeSettings(depth, 0.1, min_child_weight=weight), rows, columns, bins, categories=categories)

    assert seconds() < min(seconds(depth=6), seconds(rows=40_000), seconds(columns=40), seconds(bins=5_000), seconds(categories=0.5))
    assert seconds(depth=12, weight=200.0) < seconds(depth=12)
    assert bins_of(np.array([[1.0, np.nan], [2.0, 5.0], [1.0, 6.0]], dtype=np.float32)) == 5


def test_more_time_gives_more_trials_and_no_processor_changes_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    data, made = data_of(700), {}
    for processors in (1, 3):
        monkeypatch.setattr(os, "process_cpu_count", lambda processors=processors: processors)
        search = Search(data, 1.2, 0)
        chosen = search.run()
        made[processors] = search.record(chosen), bytes(search.final(chosen).save_raw("ubj")), search.out_of_fold(chosen).tolist()
    assert made[1] == made[3]
    record = made[1][0]
    short = Search(data, 0.01, 0)
    fewest = short.record(short.run())
    assert record["screened"] >= 4 > fewest["screened"] == 0
    assert len(record["trials"]) > len(fewest["trials"]) >= 2
    assert not record["stopped_by_clock"]
    assert {trial["min_child_weight"] for trial in record["trials"] if trial["rounds"]} > {4.0}


def test_the_final_fit_has_more_rounds_for_its_rows() -> None:
    search = Search(data_of(700), 0.05, 0)
    search.run()
    trees_alone = [trial for trial in search.trials if trial.rounds > 10 and trial.settings.linear is None]
    best = min(trees_alone, key=lambda trial: trial.loss)
    rounds = search.final(Chosen.single(best)).num_boosted_rounds()
    assert 1.1 * best.rounds < rounds < 1.25 * best.rounds


def test_pairs_of_categories_are_taken_where_they_act_together() -> None:
    data = data_of(2_000, pair=1.5)
    candidate = fit(data, version="v", seconds=3.0)
    assert candidate.record["chosen"].get("encoded")
    assert [derived.places for derived in candidate.model.inputs.encodings] == [(2, 3)]
    assert candidate.model.explain(data.rows[:5]).contributions.shape == (5, 5)
