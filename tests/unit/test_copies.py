"""Copies of rows are told from customers who coincide."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from retainstream.engine.drafting.drafting import draft
from retainstream.engine.traps.copies import copies, row_hashes, surplus
from tests.made_tables import as_table, clean
from tests.spreadsheets.traps import few_purchases, phone_customers

type Coded = list[NDArray[np.intp]]


def coded(columns: list[NDArray[Any]]) -> Coded:
    return [np.unique(column, return_inverse=True)[1] for column in columns]


def with_copies(columns: list[NDArray[Any]], count: int, rng: np.random.Generator) -> Coded:
    rows = len(columns[0])
    chosen = np.concatenate([np.arange(rows), rng.choice(rows, count)])
    return coded([column[chosen] for column in columns])


def named(columns: Coded) -> int:
    """The rows that are left out when one of each kind is kept."""
    return surplus(row_hashes(columns), copies(columns))


def test_customers_with_a_single_purchase_are_no_copies() -> None:
    assert sum(named(coded(few_purchases(seed))) > 0 for seed in range(40)) == 0


def test_copies_among_customers_with_a_single_purchase_are_named() -> None:
    """A copy of a customer who coincides with others anyway cannot be told from a coincidence, so not all are named."""
    for seed in range(20):
        columns = with_copies(few_purchases(seed, rows=6000), 300, np.random.default_rng(seed))
        assert named(columns) > 100


@pytest.mark.parametrize("count", [15, 556])
def test_copies_in_a_table_whose_rows_resemble_each_other_are_named(count: int) -> None:
    """Rows of the same customers that differ in a column or two, as in tables with a row for each state of a customer."""
    rng = np.random.default_rng(4)
    columns = phone_customers(rng, rows=3000, states=2)
    assert named(coded(columns)) == 0
    assert named(with_copies(columns, count, rng)) == pytest.approx(count, rel=0.1)


def test_another_key_hides_no_copies() -> None:
    made = clean(7, rows=(800, 2000), most_columns=20)
    count = len(made.churned)
    columns = made.rows([*range(count), *range(0, count, 10)])
    total = len(columns["churned"])
    columns |= {"customer_id": [f"N{number}" for number in range(total)], "row_number": [str(number) for number in range(1, total + 1)]}
    columns["churned"] = columns.pop("churned")
    [found] = [finding for finding in draft(as_table(columns), "churned").warnings if finding.sort == "duplicates"]
    assert found.evidence["rows"] == len(range(0, count, 10))
    assert "apart from" in found.text


def test_a_row_that_is_there_hundreds_of_times_is_named() -> None:
    rng = np.random.default_rng(4)
    columns = phone_customers(rng, rows=3000, states=1)
    for column in columns:
        column[:300] = column[0]
    assert named(coded(columns)) == 299


def test_few_coarse_columns_make_no_copies() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        columns = [rng.integers(0, rng.integers(2, 8), 4000) for _ in range(7)]
        columns += [columns[0] // 2, (rng.random(4000) < 0.05 + 0.1 * (columns[1] > 0)).astype(int)]
        assert named(coded(columns)) == 0
