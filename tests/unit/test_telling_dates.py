"""Dates in a draft: which are features, and which give the outcome away."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import schema_from_text
from retainstream.engine.tables.columnar import customers_in
from tests.made_tables import as_table

ROWS = 3_000
TODAY = date(2026, 6, 30)
RNG = np.random.default_rng(16)
LEFT = RNG.random(ROWS) < 0.2
VISITS = RNG.integers(0, 30, ROWS).astype(str).tolist()

type Days = list[int | None]


def days_ago(days: Sequence[int | None]) -> list[str]:
    return ["" if ago is None else (TODAY - timedelta(days=ago)).isoformat() for ago in days]


def drafted(name: str, days: Days, **more: list[str]) -> Draft:
    columns = {"visits": VISITS, name: days_ago(days), **more, "left": ["yes" if left else "no" for left in LEFT]}
    return draft(as_table(columns), "left")


def made(of_a_leaver: Callable[[], int | None], of_others: Callable[[], int | None]) -> Days:
    return [(of_a_leaver if left else of_others)() for left in LEFT]


def within(first: int, last: int) -> Callable[[], int]:
    return lambda: int(RNG.integers(first, last))


def sometimes(share: float, days: Callable[[], int]) -> Callable[[], int | None]:
    return lambda: days() if RNG.random() < share else None


def never() -> None:
    return None


HONEST: dict[str, Days] = {
    "joined": made(within(30, 900), within(30, 1500)),
    "contract_end": made(within(-100, 300), within(-300, 300)),
    "last_login": made(within(0, 60), within(0, 45)),
    "second_contract": made(sometimes(0.3, within(30, 300)), sometimes(0.5, within(30, 300))),
    "birth_date": made(within(7000, 25000), within(7000, 25000)),
}
TELLING: dict[str, tuple[Days, str]] = {
    "churn_date": (made(within(0, 30), never), "churn"),
    "ticket_date": (made(sometimes(0.05, within(0, 30)), never), "by whether it is filled in"),
    "next_invoice": (made(never, within(-30, 0)), "without a value"),
    "letter_sent": (made(within(0, 400), sometimes(0.5, within(0, 400))), "by whether it is filled in"),
    "last_payment": (made(within(10, 120), within(0, 60)), "last event or an end"),
    "contract_ends": (made(within(-60, 60), within(-400, 100)), "last event or an end"),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_date_is_a_feature(name: str) -> None:
    made_of_it = drafted(name, HONEST[name])
    column = made_of_it.schema.column(name)
    assert (column.kind, column.feature) == ("date", True)
    assert not [finding for finding in made_of_it.findings if finding.sort == "leak"]
    assert "The model takes the days from this date to the day that a row describes." in yaml_of(made_of_it)


@pytest.mark.parametrize("name", TELLING)
def test_a_date_that_gives_the_outcome_away_is_left_out_and_named(name: str) -> None:
    days, said = TELLING[name]
    made_of_it = drafted(name, days)
    assert not made_of_it.schema.column(name).feature
    [leak] = [finding for finding in made_of_it.findings if finding.sort == "leak"]
    assert leak.columns == (name,)
    assert said in leak.text
    assert f"Left out of the model as a suspected leak: {leak.text}" in yaml_of(made_of_it).replace("\n# ", " ").replace("\n  # ", " ")


@pytest.mark.parametrize("name", ["snapshot_date", "date", "report_date", "month"])
def test_the_day_of_a_row_is_no_feature(name: str) -> None:
    made_of_it = drafted(name, made(within(0, 400), within(0, 400)))
    assert not made_of_it.schema.column(name).feature
    assert "it may be the day of each row" in yaml_of(made_of_it)


def anchored(days_after: int, share: float) -> Draft:
    """A table with the day of each row, and dates of which a share is so many days after it."""
    anchors = RNG.integers(60, 400, ROWS)
    late = RNG.random(ROWS) < share
    days: Days = [int(ago) - days_after if is_late else int(ago) + 30 for ago, is_late in zip(anchors, late, strict=True)]
    return drafted("last_visit", days, anchor=days_ago([int(ago) for ago in anchors]))


def test_dates_after_the_day_of_their_row_are_left_out() -> None:
    made_of_it = anchored(10, 0.05)
    assert not made_of_it.schema.column("last_visit").feature
    [leak] = [finding for finding in made_of_it.findings if finding.sort == "leak"]
    assert "is after the day of its row" in leak.text


def test_dates_before_the_day_of_their_row_are_counted_to_it() -> None:
    made_of_it = anchored(10, 0.0)
    assert made_of_it.schema.column("last_visit").feature
    assert made_of_it.left_out["anchor"] == "the day of each row"
    table = as_table(
        {
            "visits": VISITS,
            "last_visit": days_ago([90] * ROWS),
            "anchor": days_ago([60] * ROWS),
            "left": ["yes" if left else "no" for left in LEFT],
        }
    )
    rows = customers_in(table, schema_from_text(yaml_of(made_of_it)))
    assert rows.anchors is not None
    assert set(rows.rows[:, 1].tolist()) == {30.0}


def test_a_typing_error_is_no_leak() -> None:
    assert anchored(10, 0.003).schema.column("last_visit").feature


@pytest.mark.parametrize(("days", "warned"), [((30, 60), False), ((30, 30), True)], ids=["two days", "one day"])
def test_a_customer_may_have_a_row_for_each_day(days: tuple[int, int], *, warned: bool) -> None:
    half = ROWS // 2
    table = as_table(
        {
            "customer_id": [f"C{number:05d}" for number in range(half)] * 2,
            "anchor": days_ago([days[0]] * half + [days[1]] * half),
            "visits": VISITS,
            "left": ["yes" if left else "no" for left in LEFT],
        }
    )
    said = [finding for finding in draft(table, "left", id_header="customer_id").warnings if "is not unique" in finding.text]
    assert bool(said) is warned
