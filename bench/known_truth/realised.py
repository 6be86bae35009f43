"""Realised performance of a perfect model: its probabilities are the true ones, so realised figures must be those of the truth.

Twice: customers of a constant hazard, scored each month of a year, and customers whose risk rises before they leave, scored each week.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from bench.rounds import History
from retainstream.engine.history.cohorts import Terms
from retainstream.engine.history.database import database
from retainstream.engine.history.lives import LifeRow, load_lives, write_lives
from retainstream.engine.history.performance import PeriodFigures, figures, tallies
from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.learning import metrics
from retainstream.engine.lives import day_number, iso_day
from retainstream.engine.schema import default_schema

type Floats = NDArray[np.float64]
type Days = NDArray[np.int64]

VERSION = "perfect"
NEVER = np.iinfo(np.int64).max
CUSTOMERS, WEEKLY_CUSTOMERS = 4_000, 10_000
REPETITIONS = 60
SOURCE = "landmarking: van Houwelingen, 2007; engine/history/cohorts.py"


@dataclass(frozen=True)
class Scored:
    """Customers whom a perfect model scores on some days.

    days: int64 (runs,), counted from 1970-01-01. probabilities: (runs, n), the true ones of leaving within horizon_days of the run's day.
    left_on: int64 (n,), NEVER where the customer stays. known_until: the last day of which all is known.
    """

    days: Days
    probabilities: Floats
    left_on: Days
    horizon_days: int
    threshold: float
    known_until: int

    def here(self, run: int) -> NDArray[np.bool_]:
        """The customers who had not left when the run began, bool (n,)."""
        return np.asarray(self.left_on > self.days[run])

    def left_within(self, run: int) -> NDArray[np.bool_]:
        """The customers who left within the horizon of a run, bool (n,)."""
        return np.asarray(self.here(run) & (self.left_on <= self.days[run] + self.horizon_days))


class Figures(NamedTuple):
    """Of probabilities against outcomes. ratio: leavers ÷ the sum of the probabilities."""

    churn_rate: float
    ratio: float
    log_loss: float
    precision: float
    roc_auc: float


def monthly(seed: int, customers: int = CUSTOMERS) -> Scored:
    """Twelve scorings, a month apart, of customers with constant hazards; about 2.5% leave within 30 days of the first one."""
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(4.2 - rng.standard_normal(customers)))
    days = np.array([day_number(f"2025-{month:02}-01") for month in range(1, 13)])
    left_on = days[0] + rng.geometric(1 - (1 - chance) ** (1 / 30))
    known_until = int(days[-1]) + 30
    left_on = np.where(left_on <= known_until, left_on, NEVER)
    return Scored(days, np.broadcast_to(chance, (12, customers)), left_on, 30, 0.05, known_until)


def weekly(seed: int, customers: int = WEEKLY_CUSTOMERS) -> Scored:
    """Nine scorings, a week apart, five of them in one month, of customers who move between ten levels of risk from week to week and leave
    from the high ones. The levels are those of a long past. All is known through the horizon of the month's last scoring."""
    rng = np.random.default_rng(seed)
    move, leaving = _levels()
    alive = move * (1 - leaving)[:, None]
    chance = 1 - np.linalg.matrix_power(alive, 4).sum(axis=1)
    level = rng.choice(len(leaving), customers, p=_settled(alive))
    days = day_number("2025-06-02") + 7 * np.arange(9)
    levels, left_on = [level], np.full(customers, NEVER)
    for day in days[:-1].tolist():
        leaves = (left_on == NEVER) & (rng.random(customers) < leaving[level])
        left_on[leaves] = day + rng.integers(1, 8, int(leaves.sum()))
        steps = rng.random(customers)[:, None] > move[level].cumsum(axis=1)
        level = np.minimum(steps.sum(axis=1), len(leaving) - 1)
        levels.append(level)
    return Scored(days, chance[np.array(levels)], left_on, 28, 0.1, int(days[-1]))


def _levels() -> tuple[Floats, Floats]:
    """The chances of moving from level to level within a week, and of leaving in it."""
    count, up, down = 10, 0.35, 0.55
    move = (1 - up - down) * np.eye(count) + up * np.eye(count, k=1) + down * np.eye(count, k=-1)
    move[0, 0] += down
    move[-1, -1] += up
    return move, 0.002 * np.power(1.7, np.arange(count, dtype=np.float64))


def _settled(alive: Floats) -> Floats:
    """The shares of the levels among customers who are still here after a long time."""
    shares = np.linalg.matrix_power(alive, 200).sum(axis=0)
    return shares / shares.sum()


def by_the_product(scored: Scored) -> list[PeriodFigures]:
    """The months as the product judges them: rows of the history, lives, and its statements."""
    schema = default_schema()
    with TemporaryDirectory() as name, database(Path(name), memory_mb=500, threads=1) as connection:
        history = History(schema, connection, Path(name))
        for run, day in enumerate(scored.days.tolist()):
            here = np.flatnonzero(scored.here(run))
            history.add(f"run-{run:02}", [_row(customer, day, scored.probabilities[run, customer]) for customer in here.tolist()])
        path = Path(name) / "lives.ndjson.gz"
        write_lives((_life(number, day, scored.known_until) for number, day in enumerate(scored.left_on.tolist())), path)
        load_lives(connection, [path])
        terms = Terms(scored.horizon_days, scored.threshold)
        months = sorted({iso_day(day)[:7] for day in scored.days.tolist()})
        return figures([part for month in months for part in tallies(connection, history.files, month, lambda _: terms)])


def of_month(month: PeriodFigures) -> Figures:
    """The realised figures of a judged month.

    Raises:
        ValueError: the month is not judged.
    """
    if (realised := month["realised"]) is None:
        raise ValueError("the month is not judged")
    at = realised["at_threshold"]
    return Figures(
        realised["observed"] / (month["left"] + month["stayed"]),
        realised["observed"] / realised["expected"],
        realised["log_loss"],
        (at and at["precision"]) or 0.0,
        realised["roc_auc"] or 0.0,
    )


def true_figures(scored: Scored, run: int) -> Figures:
    """The figures to expect of a run: those of its true probabilities."""
    chance = scored.probabilities[run, scored.here(run)]
    called = chance >= scored.threshold
    order = np.argsort(chance, kind="stable")
    _, place = np.unique(chance[order], return_inverse=True)
    leavers, stayers = np.bincount(place, chance[order]), np.bincount(place, 1 - chance[order])
    auc = float((leavers * (np.cumsum(stayers) - stayers / 2)).sum() / (leavers.sum() * stayers.sum()))
    return Figures(float(chance.mean()), 1.0, float(_entropy(chance).mean()), float(chance[called].mean()), auc)


def at_one_moment(scored: Scored, run: int) -> Figures:
    """A run's predictions with the outcomes of its horizon, computed from the made data themselves."""
    here = scored.here(run)
    return _figures(scored.probabilities[run, here], scored.left_within(run)[here], scored.threshold)


def by_all_outcomes(scored: Scored) -> Figures:
    """What the earlier version showed before the first judged month: each customer once. Those who ever left were compared with their last
    prediction, those who stayed with the newest one whose horizon had ended."""
    left = scored.left_on <= scored.known_until
    last = np.maximum((scored.days[:, None] < scored.left_on).sum(axis=0) - 1, 0)
    ended = int((scored.days + scored.horizon_days <= scored.known_until).sum()) - 1
    chance = np.where(left, np.take_along_axis(scored.probabilities, last[None], axis=0)[0], scored.probabilities[ended])
    return _figures(chance, left, scored.threshold)


def by_newest_predictions(scored: Scored) -> Figures:
    """What the earlier version showed of the first month: the newest prediction of each customer in it."""
    in_month = scored.days < day_number("2025-07-01")
    newest = (scored.days[in_month, None] < scored.left_on).sum(axis=0) - 1
    there = newest >= 0
    chance = np.take_along_axis(scored.probabilities, np.maximum(newest, 0)[None], axis=0)[0]
    left = scored.left_on <= scored.days[np.maximum(newest, 0)] + scored.horizon_days
    return _figures(chance[there], left[there], scored.threshold)


def _figures(chance: Floats, left: NDArray[np.bool_], threshold: float) -> Figures:
    called = chance >= threshold
    precision = float(left[called].mean()) if called.any() else 0.0
    loss, auc = metrics.log_loss(left, chance), metrics.roc_auc(left, chance)
    return Figures(float(left.mean()), float(left.sum() / chance.sum()), loss, precision, auc)


def _entropy(chance: Floats) -> Floats:
    return -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))


def _row(customer: int, day: int, probability: float) -> ArrivingRow:
    anchor = iso_day(day)
    return {
        "customer_id": f"c{customer:06}",
        "anchor": anchor,
        "moment": f"{anchor}T01:00:00.000+00:00",
        "origin": "scored",
        "group": "",
        "price": None,
        "features": {},
        "probability": float(probability),
        "model_version": VERSION,
    }


def _life(customer: int, left_on: int, known_until: int) -> LifeRow:
    life: LifeRow = {"customer_id": f"c{customer:06}", "place": 0, "source": "import"}
    return {**life, "left_on": left_on} if left_on != NEVER else {**life, "observed_until": known_until}


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of realised performance, as means of the repetitions."""
    count = repetitions or REPETITIONS
    before, after, truth = [], [], []
    for seed in range(count):
        scored = monthly(seed)
        months = [month for month in by_the_product(scored) if month["period"]]
        before.append(by_all_outcomes(scored))
        after.append(of_month(months[-1]))
        truth.append(true_figures(scored, 11))
    old, new, true = (Figures(*np.mean(parts, axis=0).tolist()) for parts in (before, after, truth))
    made = "of a perfect model in month 12, scored monthly"
    table = [
        Row(f"{what} {made}", f"{getattr(old, name):.3f}", f"{getattr(new, name):.3f}", f"{getattr(true, name):.3f}", count, SOURCE)
        for what, name in (("churn", "churn_rate"), ("log loss", "log_loss"), ("precision at the threshold", "precision"))
    ]
    before, after, moment, newest = [], [], [], []
    for seed in range(count):
        scored = weekly(seed)
        moment.append(at_one_moment(scored, 0))
        before.append(by_all_outcomes(scored))
        newest.append(by_newest_predictions(scored))
        after.append(of_month(by_the_product(scored)[0]))
    ever, new, at_once, last = (Figures(*np.mean(parts, axis=0).tolist()) for parts in (before, after, moment, newest))
    made = "of a perfect model, scored weekly, of risks that rise before leaving"
    table += [
        Row(f"AUC {made}, all outcomes together", f"{ever.roc_auc:.3f}", f"{new.roc_auc:.3f}", f"{at_once.roc_auc:.3f}", count, SOURCE),
        Row(f"AUC {made}, of a month", f"{last.roc_auc:.3f}", f"{new.roc_auc:.3f}", f"{at_once.roc_auc:.3f}", count, SOURCE),
        Row(f"leavers ÷ expected leavers {made}, of a month", f"{last.ratio:.2f}", f"{new.ratio:.2f}", "1.00", count, SOURCE),
    ]
    return table
