"""The list of known settings: its choice from the losses, and the tables that it was learned from."""

from pathlib import Path

import numpy as np
import pytest

from bench.judged_tables import TABLES
from bench.pages import between
from bench.settings import OPENING, PAGE, candidates, chosen, learned, markdown, measure, reached, read, smoothed
from bench.settings_tables import PUBLIC_TABLES, WORLDS, PublicTable, made
from bench.settings_tables import read as read_table
from retainstream.engine.learning.known_settings import KNOWN_SETTINGS, KnownSettings


def test_the_page_and_the_list_follow_from_the_losses() -> None:
    measured, page = read(), PAGE.read_text()
    assert learned(measured) == KNOWN_SETTINGS
    assert between(page, "settings", markdown(measured)) == page


def test_a_lucky_candidate_among_poor_ones_is_not_believed() -> None:
    """The losses grow with the distance from depth 5, with noise. One candidate of depth 10 was lucky on every fold."""
    rng, settings = np.random.default_rng(5), [KnownSettings(depth, 1.0, 0.8, 0.8, 1.0) for depth in (*range(1, 11), *range(1, 11))]
    truth = np.array([0.4 + 0.0012 * (each.depth - 5) ** 2 for each in settings])
    of_folds = truth[None, :, None] + rng.normal(0, 0.005, (3, len(settings), 3))
    of_folds[:, -1] = 0.39
    estimates = smoothed(of_folds, settings)
    assert of_folds.mean(axis=2).argmin(axis=1).tolist() == [len(settings) - 1] * 3
    assert all(4 <= settings[place].depth <= 6 for place in estimates.argmin(axis=1))


def test_the_list_covers_tables_and_not_the_mean() -> None:
    """The second candidate is the best on average; the next two are the best where the opening is poor."""
    losses = np.array([[0.52, 0.511, 0.50, 0.53], [0.52, 0.511, 0.53, 0.50], [0.50, 0.511, 0.53, 0.53]])
    assert chosen(losses, 2, opening=1) == [1, 2]
    losses = np.array([[0.52, 0.515, 0.50, 0.53], [0.52, 0.515, 0.53, 0.50], [0.50, 0.515, 0.53, 0.53]])
    assert set(chosen(losses, 2, opening=1)) == {2, 3}


def test_a_table_where_all_differ_much_does_not_decide_alone() -> None:
    losses = np.array([[0.50, 0.25, 0.48], [0.515, 0.53, 0.50], [0.515, 0.53, 0.50], [0.515, 0.53, 0.50]])
    assert chosen(losses, 1, opening=1) == [2]


def test_all_candidates_have_no_excess_and_a_list_gains_over_the_opening() -> None:
    """Half of the candidates are better than the opening on every table and fold."""
    settings = candidates()[: len(OPENING) + 8]
    of_folds = np.random.default_rng(3).uniform(0.49, 0.5, (5, len(settings), 3))
    of_folds[:, len(OPENING) + 4 :] -= 0.1
    short, whole = reached(of_folds, settings, (2,))
    assert whole["listed"] == 8
    assert whole["excess"] == whole["largest"] == 0
    assert 0 <= short["excess"] <= short["ninth_decile"] <= short["largest"] < 0.03
    assert short["gain"] == pytest.approx(0.2, abs=0.03)
    assert short["random"] < short["gain"]


def test_the_candidates_cover_the_range_of_each_setting() -> None:
    drawn = candidates()[len(OPENING) :]
    assert len(set(drawn)) == len(drawn)
    for name, low, high in (("depth", 1, 10), ("min_child_weight", 0.06, 28), ("subsample", 0.51, 0.99), ("columns", 0.32, 0.95)):
        values = [getattr(each, name) for each in drawn]
        assert min(values) <= low
        assert max(values) >= high
    assert {each.after_linear for each in drawn} == {each.grouped for each in drawn} == {True, False}


def test_no_table_of_the_comparison_is_learned_from() -> None:
    names = {public.table for public in PUBLIC_TABLES}
    assert not names & {*TABLES, "hotel_rates", "wa_churn"}


def test_a_public_table_is_read_with_its_levels_and_outcome(tmp_path: Path) -> None:
    lines = [f"{row},{'NA' if row % 4 == 0 else row / 2},{'ab'[row % 2]},{('yes', 'no', '')[row % 3]},5" for row in range(60)]
    lines += ["60,1,rare,yes,5"]
    (tmp_path / "table.csv").write_text("\n".join(["id,amount,kind,left,constant", *lines]) + "\n")
    data = read_table(tmp_path / "table.csv", PublicTable("package", "table", "left", ("yes",), ("id",)))
    assert [(column.kind, column.levels) for column in data.schema.features] == [("number", ()), ("category", ("a", "b", "other"))]
    assert (len(data), int(data.churned.sum())) == (41, 21)
    assert np.isnan(data.rows[0, 0])
    assert data.rows[-1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["pairs", "few-rows"])
def test_a_made_table_has_the_rate_of_its_world(name: str) -> None:
    data = made(WORLDS[name])
    assert len(data) == min(WORLDS[name].rows, 4_000)
    assert data.churned.mean() == pytest.approx(WORLDS[name].rate, abs=0.04)


def test_settings_are_measured_on_each_judged_fold() -> None:
    """A table that follows a line: the linear stage with small trees beats deep trees alone."""
    measured = measure(made(WORLDS["line"], most_rows=400), [OPENING[0], KnownSettings(6, 0.05, 1.0, 1.0, 0.1)])
    assert np.shape(measured["losses"]) == (2, 3)
    assert np.mean(measured["losses"][0]) < np.mean(measured["losses"][1])
    assert np.mean(measured["losses"][0]) < measured["constant"]
    assert min(measured["rounds"]) >= 1
