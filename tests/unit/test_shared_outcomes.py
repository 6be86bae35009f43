"""Groups whose members leave together are named; customers with the same number of seconds are no group."""

import numpy as np
import pytest

from retainstream.engine.drafting.drafting import draft
from tests.made_tables import Columns, as_table, clean
from tests.spreadsheets.traps import LABEL, PHONE, as_columns, phone_customers


def groups(columns: Columns, label: str = LABEL) -> set[str]:
    return {column for finding in draft(as_table(columns), label).warnings if finding.sort == "contamination" for column in finding.columns}


@pytest.mark.parametrize("states", [1, 2, 4])
@pytest.mark.parametrize("copied", [0, 300])
def test_customers_with_the_same_seconds_of_use_are_no_group(states: int, copied: int) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        columns = phone_customers(rng, rows=2800, states=states)
        chosen = np.concatenate([np.arange(len(columns[0])), rng.choice(len(columns[0]), copied)])
        assert groups(as_columns([column[chosen] for column in columns], PHONE)) == set()


@pytest.mark.parametrize("name", ["household", "hh", "building"])
@pytest.mark.parametrize("low", [0, 40_000])
def test_numbered_households_that_leave_together_are_named(name: str, low: int) -> None:
    for seed in range(5):
        made = clean(seed, rows=(800, 3000), most_columns=20)
        count = len(made.churned)
        household = low + made.rng.permutation(count) // 3
        left = (made.rng.random(low + count) < 0.3)[household] ^ (made.rng.random(count) < 0.05)
        columns = {**made.columns, name: [str(value) for value in household]}
        columns.pop("churned")
        assert groups({**columns, "churned": [str(int(each)) for each in left]}, "churned") == {name}
