"""Cohorts: the predictions of one scoring run, all made before the outcomes that they are compared with.

Of each calendar month and model version one run is judged. The newest prediction of each customer in the month would not do: it is of the
last days for a customer who left during the month, and of the month's end for a customer who stayed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from retainstream.engine.history.statements import scored_days
from retainstream.engine.lives import day_number

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEAST_SHARE = 0.5
"""A run is judged if it scored at least this share of the customers of the month's largest run."""


class Terms(NamedTuple):
    """The terms on which a version made its predictions.

    horizon_days: of its schema. threshold: the probability from which a customer is predicted to leave, None where it is not known.
    learned_until: the last day (ISO) of the outcomes that the version has learned, None where it is not known.
    """

    horizon_days: int
    threshold: float | None = None
    learned_until: str | None = None


class ScoredDay(NamedTuple):
    """The predictions of a run on features of one day. `moment` is when the first of them was made, ISO 8601 in UTC."""

    model_version: str
    run_id: str
    anchor_day: int
    customers: int
    moment: str


@dataclass(frozen=True)
class Cohort:
    """The predictions of a run by a version, on features of the days from first_day to last_day, which are in one calendar month."""

    model_version: str
    run_id: str
    first_day: int
    last_day: int
    terms: Terms


def cohorts(connection: "DuckDBPyConnection", first_day: int, last_day: int, terms_of: Callable[[str], Terms]) -> list[Cohort]:
    """The cohorts of a month, from its first to its last day, by version. The connection has the table `history`."""
    rows = connection.execute(scored_days(first_day, last_day)).fetchall()
    return chosen((ScoredDay(*row) for row in rows), terms_of)


def chosen(days: Iterable[ScoredDay], terms_of: Callable[[str], Terms]) -> list[Cohort]:
    """Of each version the first run that scored at least half as many customers as its largest run of the month.

    The first, since later runs lack customers who are known to have left by then. Features of days before the end of the outcomes that the
    version has learned do not count: their outcomes were known.
    """
    by_run: defaultdict[str, defaultdict[str, list[ScoredDay]]] = defaultdict(lambda: defaultdict(list))
    for day in days:
        until = terms_of(day.model_version).learned_until
        if until is None or day.anchor_day >= day_number(until):
            by_run[day.model_version][day.run_id].append(day)
    return [_first_of(version, list(runs.values()), terms_of(version)) for version, runs in sorted(by_run.items())]


def _first_of(version: str, runs: list[list[ScoredDay]], terms: Terms) -> Cohort:
    customers = [sum(day.customers for day in run) for run in runs]
    large = [run for run, count in zip(runs, customers, strict=True) if count >= LEAST_SHARE * max(customers)]
    first = min(large, key=lambda run: (min(day.moment for day in run), run[0].run_id))
    days = [day.anchor_day for day in first]
    return Cohort(version, first[0].run_id, min(days), max(days), terms)
