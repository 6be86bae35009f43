"""Performance by month: which predictions are judged, and that the figures are those of the rows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from retainstream.engine.history.cohorts import ScoredDay, Terms, chosen
from retainstream.engine.history.lives import LifeRow
from retainstream.engine.history.parquet import KeptFile
from retainstream.engine.history.performance import ALL, PeriodFigures, figures, tallies
from retainstream.engine.learning import metrics
from retainstream.engine.lives import day_number, iso_day
from tests.history_rows import kept, row, small_database, with_lives

SEEN = day_number("2027-12-31")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


def life(customer_id: str, left_on: str = "", until: int = SEEN) -> LifeRow:
    made: LifeRow = {"customer_id": customer_id, "place": 0, "source": "api"}
    return {**made, "left_on": day_number(left_on)} if left_on else {**made, "observed_until": until}


def by_period(
    connection: DuckDBPyConnection, files: list[KeptFile], terms_of: Callable[[str], Terms] = lambda _: Terms(30, 0.3)
) -> dict[tuple[str, str], PeriodFigures]:
    """The figures by month and version."""
    months = sorted({file.anchor[:7] for file in files})
    paths = [file.path for file in files]
    rows = figures([part for month in months for part in tallies(connection, paths, month, terms_of)])
    return {(row["period"], row["model_version"]): row for row in rows}


def test_the_figures_are_those_of_the_rows(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    chances = draw.beta(2, 6, size=400).round(6)
    chances[:40] = 0.25
    churned = draw.random(400) < chances
    ids = [f"c{number:03}" for number in range(400)]
    files = kept(
        connection,
        tmp_path,
        [row(*each, probability=chance) for each, chance in zip(((i, "2026-01-31") for i in ids), chances.tolist(), strict=True)],
    )
    with_lives(connection, tmp_path, [life(each, "2026-02-10" if left else "") for each, left in zip(ids, churned.tolist(), strict=True)])
    judged = by_period(connection, files)
    month = judged["2026-01", "v1"]
    assert (month["run_id"], month["horizon_days"], month["ends_on"]) == ("run-1", 30, "2026-03-02")
    assert judged == {("2026-01", "v1"): month, (ALL, "v1"): {**month, "period": ALL, "run_id": ""}}
    assert (month["rows"], month["left"], month["stayed"], month["unknown"]) == (400, int(churned.sum()), int((~churned).sum()), 0)
    assert month["promised"] is None
    assert month["estimated"]["churners"] == pytest.approx(chances.sum(), abs=0.01)
    pairs = chances[:, None] * (1 - chances[None, :])
    wins = (chances[:, None] > chances[None, :]) + (chances[:, None] == chances[None, :]) / 2
    assert month["estimated"]["roc_auc"] == pytest.approx((pairs * wins).sum() / pairs.sum(), abs=0.002)
    realised = month["realised"]
    assert realised
    assert realised["roc_auc"] == pytest.approx(metrics.roc_auc(churned, chances), abs=1e-6)
    assert realised["log_loss"] == pytest.approx(metrics.log_loss(churned, chances), abs=1e-6)
    assert realised["brier"] == pytest.approx(metrics.brier(churned, chances), abs=1e-6)
    assert realised["ece"] == pytest.approx(metrics.ece(churned, chances), abs=1e-6)
    assert realised["observed"] == churned.sum()
    assert realised["expected"] == pytest.approx(chances.sum(), abs=0.01)
    interval = realised["roc_auc_interval"]
    assert interval
    assert interval["low"] < (realised["roc_auc"] or 0) < interval["high"]
    called = chances >= 0.3
    assert realised["at_threshold"] == {
        "threshold": 0.3,
        "called": called.sum(),
        "left": (called & churned).sum(),
        "precision": pytest.approx(churned[called].mean(), abs=1e-6),
        "recall": pytest.approx(called[churned].mean(), abs=1e-6),
    }


def test_of_each_month_and_version_one_run_is_judged(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    """Also for a customer who left between two runs of the month: the prediction of the last days before counts for nobody."""
    runs = {
        "run-1": [row(customer, "2026-01-07", probability=0.1) for customer in "abcd"],
        "run-2": [row(customer, "2026-01-14", probability=0.9) for customer in "abcd"],
        "run-3": [row(customer, "2026-01-28", probability=0.2, model_version="v2") for customer in "abc"],
        "run-4": [row("a", "2026-02-01", probability=0.7, model_version="v2")],
        "run-5": [row(customer, "2026-02-04", probability=0.4, model_version="v2") for customer in "abc"],
    }
    files = [file for run, rows in runs.items() for file in kept(connection, tmp_path, rows, run=run)]
    with_lives(connection, tmp_path, [life("a"), life("b"), life("c"), life("d", "2026-01-20")])
    judged = by_period(connection, files)
    shown = {key: (each["run_id"], each["rows"], each["left"], each["estimated"]["churners"]) for key, each in judged.items()}
    assert shown == {
        ("2026-01", "v1"): ("run-1", 4, 1, 0.4),
        ("2026-01", "v2"): ("run-3", 3, 0, 0.6),
        ("2026-02", "v2"): ("run-5", 3, 0, 1.2),
        (ALL, "v1"): ("", 4, 1, 0.4),
        (ALL, "v2"): ("", 6, 0, 1.8),
    }


def test_each_version_is_judged_by_its_own_horizon_and_threshold(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        row(customer, "2026-01-31", probability=0.5, model_version=version)
        for version, names in (("v1", "abcd"), ("v2", "efgh"))
        for customer in names
    ]
    files = [
        file
        for version in ("v1", "v2")
        for file in kept(connection, tmp_path, [r for r in rows if r["model_version"] == version], run=version)
    ]
    with_lives(connection, tmp_path, [life(name, "2026-03-20" if name in "ae" else "") for name in "abcdefgh"])
    judged = by_period(connection, files, {"v1": Terms(30, 0.4), "v2": Terms(60, None)}.__getitem__)
    first, second = judged["2026-01", "v1"], judged["2026-01", "v2"]
    assert (first["left"], first["horizon_days"], first["ends_on"]) == (0, 30, "2026-03-02")
    assert (second["left"], second["horizon_days"], second["ends_on"]) == (1, 60, "2026-04-01")
    assert first["realised"]
    assert first["realised"]["at_threshold"] == {"threshold": 0.4, "called": 4, "left": 0, "precision": 0, "recall": None}
    assert second["realised"]
    assert second["realised"]["at_threshold"] is None


def test_a_version_is_not_judged_by_outcomes_that_it_has_learned(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [row(customer, anchor, probability=0.5) for customer in "ab" for anchor in ("2026-01-31", "2026-02-27", "2026-02-28")]
    files = kept(connection, tmp_path, rows)
    with_lives(connection, tmp_path, [life("a"), life("b")])
    judged = by_period(connection, files, lambda _: Terms(30, 0.4, "2026-02-28"))
    assert [(key, each["rows"]) for key, each in judged.items()] == [(("2026-02", "v1"), 2), ((ALL, "v1"), 2)]
    assert by_period(connection, files, lambda _: Terms(30, 0.4, "2026-03-01")) == {}


def scored(run_id: str, customers: int, day: int = 0, moment: str = "") -> ScoredDay:
    return ScoredDay("v1", run_id, day, customers, moment or f"{iso_day(day)}T01:00:00")


@pytest.mark.parametrize(
    ("days", "run_id"),
    [
        ([scored("a", 100), scored("b", 200, 7), scored("c", 190, 14)], "a"),
        ([scored("a", 99), scored("b", 200, 7), scored("c", 190, 14)], "b"),
        ([scored("a", 60), scored("a", 50, 1), scored("b", 200, 7)], "a"),
        ([scored("b", 100, 0, "2026-01-01"), scored("a", 100, 0, "2026-01-02")], "b"),
    ],
)
def test_the_first_run_with_half_as_many_customers_as_the_largest_is_judged(days: list[ScoredDay], run_id: str) -> None:
    (cohort,) = chosen(days, lambda _: Terms(30))
    assert cohort.run_id == run_id


def test_a_month_that_is_not_over_has_an_estimate_and_no_realised_figures(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    anchors = ("2026-01-31", "2026-02-28")
    files = kept(connection, tmp_path, [row(f"c{number}", anchor, probability=0.5) for number in range(10) for anchor in anchors])
    until = day_number("2026-03-15")
    with_lives(connection, tmp_path, [life("c0", "2026-03-10"), *(life(f"c{number}", until=until) for number in range(1, 10))])
    judged = by_period(connection, files)
    newest, older, total = judged["2026-02", "v1"], judged["2026-01", "v1"], judged[ALL, "v1"]
    assert (newest["left"], newest["stayed"], newest["unknown"], newest["realised"]) == (1, 0, 9, None)
    assert newest["estimated"]["churners"] == 5
    assert older["realised"] == total["realised"]
    assert (total["rows"], total["unknown"]) == (20, 9)


def test_customers_who_had_left_or_are_not_known_are_in_no_figure(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(connection, tmp_path, [row(customer, "2026-01-31", probability=0.5) for customer in ("left", "removed")])
    with_lives(connection, tmp_path, [life("left", "2026-01-15")])
    assert by_period(connection, files) == {}


@pytest.mark.parametrize(("left", "has_interval"), [(9, False), (10, True)])
def test_an_interval_needs_enough_customers_of_each_outcome(
    connection: DuckDBPyConnection, tmp_path: Path, left: int, has_interval: bool
) -> None:
    files = kept(connection, tmp_path, [row(f"c{number:02}", "2026-01-31", probability=number % 7 / 10 + 0.1) for number in range(40)])
    with_lives(connection, tmp_path, [life(f"c{number:02}", "2026-02-10" if number < left else "") for number in range(40)])
    realised = by_period(connection, files)["2026-01", "v1"]["realised"]
    assert realised
    assert (realised["roc_auc_interval"] is not None) is has_interval
