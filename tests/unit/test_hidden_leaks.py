"""Leaks that no single column shows by its ranking: sums of columns, and money that is spent because a customer leaves."""

import numpy as np
import pytest

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.learning.checks import Finding, check
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.tables.columnar import customers_in
from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.linear_leaks import linear_leak
from tests.made_tables import Columns, as_table, clean
from tests.spreadsheets.traps import LABEL, with_costs, with_sums


def leaks(columns: Columns, label: str = LABEL) -> set[str]:
    return {column for finding in draft(as_table(columns), label).warnings if finding.sort == "leak" for column in finding.columns}


def with_all_columns(drafted: Draft) -> FeatureSchema:
    """The draft as a person accepts it who sees no leak."""
    document = drafted.schema.model_dump(mode="json", exclude_defaults=True)
    columns = [{**column, "feature": column["kind"] != "date"} for column in document["columns"]]
    return FeatureSchema.model_validate({**document, "columns": columns})


def training_findings(columns: Columns) -> list[Finding]:
    table = as_table(columns)
    return check(labelled(customers_in(table, with_all_columns(draft(table, LABEL)))), fewest_rows=200)


@pytest.mark.parametrize("columns", [3, 20, 120])
def test_three_columns_that_give_the_outcome_together_are_named_and_left_out(columns: int) -> None:
    table = with_sums(columns=columns + 1)
    drafted = draft(as_table(table), LABEL)
    [found] = drafted.warnings
    assert (found.sort, set(found.columns)) == ("leak", {"invoiced", "fees", "usage"})
    assert "invoiced − fees − usage is 1 for customers who left and 0 for those who stayed" in found.text
    assert {column.name for column in drafted.schema.columns if not column.feature} == {"invoiced", "fees", "usage"}


def test_training_raises_an_alarm_over_columns_that_give_the_outcome_together() -> None:
    [alarm] = [finding for finding in training_findings(with_sums()) if finding.level == "alarm"]
    assert alarm.code == "leak"
    assert "Invoiced − Fees − Usage is 1" in alarm.detail


def test_gaps_hide_no_sum() -> None:
    table = with_sums()
    rng = np.random.default_rng(5)
    for name in ("amount_0", "amount_1", "fees"):
        table[name] = ["" if rng.random() < 0.3 else value for value in table[name]]
    assert leaks(table) == {"invoiced", "fees", "usage"}


def test_sums_that_say_nothing_of_the_outcome_are_no_leak() -> None:
    for seed in range(20):
        assert leaks(with_sums(seed, rows=800, leak=False)) == set()


def test_columns_that_predict_well_are_no_sum() -> None:
    named = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows, columns = int(rng.integers(150, 1500)), int(rng.integers(2, 80))
        values = rng.normal(size=(rows, columns))
        churned = rng.random(rows) < 1 / (1 + np.exp(1 - 3 * values[:, 0] - 3 * values[:, 1]))
        named += linear_leak(list(values.T), Outcome(np.ones(rows, bool), churned)) is not None
    assert named == 0


@pytest.mark.parametrize(
    ("name", "of_left", "of_stayed"),
    [("adjustment", 0.3, 0.0), ("refund", 0.3, 0.02), ("retention_offer_cost", 0.4, 0.03), ("Cost of retention", 0.35, 0.05)],
)
def test_money_that_is_spent_because_a_customer_leaves_is_named_and_left_out(name: str, of_left: float, of_stayed: float) -> None:
    assert leaks(with_costs(name, of_left, of_stayed)) == {name}


@pytest.mark.parametrize("name", ["refund", "retention_offer_cost", "adjustment"])
def test_money_that_says_little_of_the_outcome_is_no_leak(name: str) -> None:
    assert sum(leaks(with_costs(name, 0.15, 0.10, seed)) != set() for seed in range(20)) == 0


@pytest.mark.parametrize("name", ["early_termination_fee", "offer_value"])
def test_money_that_keeps_customers_is_no_leak(name: str) -> None:
    assert leaks(with_costs(name, 0.1, 0.6)) == set()


def test_training_warns_of_an_amount_that_only_leavers_have() -> None:
    [found] = [finding for finding in training_findings(with_costs("adjustment", 0.3, 0.0)) if finding.code == "leak"]
    assert 'with a value other than "0" left' in found.detail


@pytest.mark.long
@pytest.mark.parametrize("first", range(2000, 2200, 20))
def test_two_hundred_clean_tables_raise_no_warning(first: int) -> None:
    for seed in range(first, first + 20):
        columns = clean(seed, rows=(800, 4000), most_columns=30).columns
        assert [finding.text for finding in draft(as_table(columns), "churned").warnings] == []
