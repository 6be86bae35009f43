"""Performance by month: which predictions count, and that the figures are those of the rows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from retainstream.engine.history.lives import LifeRow
from retainstream.engine.history.performance import ALL, PeriodFigures, by_period
from retainstream.engine.learning import metrics
from retainstream.engine.lives import day_number
from tests.history_rows import kept, row, small_database, with_lives

SEEN = day_number("2027-12-31")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


def life(customer_id: str, left_on: str = "", until: int = SEEN) -> LifeRow:
    made: LifeRow = {"customer_id": customer_id, "place": 0, "source": "api"}
    return {**made, "left_on": day_number(left_on)} if left_on else {**made, "observed_until": until}


def chosen(figures: list[PeriodFigures], period: str, version: str = ALL) -> PeriodFigures:
    (row,) = (row for row in figures if (row["period"], row["model_version"]) == (period, version))
    return row


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
    figures = by_period(connection, [file.path for file in files], 30)
    assert [(each["period"], each["model_version"]) for each in figures] == [("2026-01", ALL), ("2026-01", "v1"), (ALL, "v1")]
    assert all({**each, "period": "", "model_version": ""} == {**figures[0], "period": "", "model_version": ""} for each in figures)
    month = figures[0]
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


def test_the_newest_prediction_of_a_customer_in_the_month_counts(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(
        connection,
        tmp_path,
        [
            row("a", "2026-01-07", probability=0.1),
            row("a", "2026-01-28", probability=0.2, model_version="v2"),
            row("a", "2026-02-04", probability=0.4, model_version="v2"),
            row("b", "2026-01-07", probability=0.8),
            row("b", "2026-01-28"),
        ],
    )
    with_lives(connection, tmp_path, [life("a"), life("b")])
    figures = by_period(connection, [file.path for file in files], 30)
    churners = {(each["period"], each["model_version"]): each["estimated"]["churners"] for each in figures}
    assert churners == {
        ("2026-02", ALL): 0.4,
        ("2026-02", "v2"): 0.4,
        ("2026-01", ALL): 1.0,
        ("2026-01", "v1"): 0.9,
        ("2026-01", "v2"): 0.2,
        (ALL, "v1"): 0.9,
        (ALL, "v2"): 0.6,
    }


def test_a_month_that_is_not_over_has_an_estimate_and_no_realised_figures(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    anchors = ("2026-01-31", "2026-02-28")
    files = kept(connection, tmp_path, [row(f"c{number}", anchor, probability=0.5) for number in range(10) for anchor in anchors])
    until = day_number("2026-03-15")
    with_lives(connection, tmp_path, [life("c0", "2026-03-10"), *(life(f"c{number}", until=until) for number in range(1, 10))])
    figures = by_period(connection, [file.path for file in files], 30)
    newest, older, total = chosen(figures, "2026-02"), chosen(figures, "2026-01"), chosen(figures, ALL, "v1")
    assert (newest["left"], newest["stayed"], newest["unknown"], newest["realised"]) == (1, 0, 9, None)
    assert newest["estimated"]["churners"] == 5
    assert older["realised"] == total["realised"]
    assert (total["rows"], total["unknown"]) == (20, 9)


def test_customers_who_had_left_or_are_not_known_are_in_no_figure(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    files = kept(connection, tmp_path, [row(customer, "2026-01-31", probability=0.5) for customer in ("left", "removed")])
    with_lives(connection, tmp_path, [life("left", "2026-01-15")])
    assert by_period(connection, [file.path for file in files], 30) == []
    assert by_period(connection, [], 30) == []


@pytest.mark.parametrize(("left", "has_interval"), [(9, False), (10, True)])
def test_an_interval_needs_enough_customers_of_each_outcome(
    connection: DuckDBPyConnection, tmp_path: Path, left: int, has_interval: bool
) -> None:
    files = kept(connection, tmp_path, [row(f"c{number:02}", "2026-01-31", probability=number % 7 / 10 + 0.1) for number in range(40)])
    with_lives(connection, tmp_path, [life(f"c{number:02}", "2026-02-10" if number < left else "") for number in range(40)])
    realised = chosen(by_period(connection, [file.path for file in files], 30), "2026-01")["realised"]
    assert realised
    assert (realised["roc_auc_interval"] is not None) is has_interval
