"""Every trap planted in a made table is named; a clean table raises no warning."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.learning.synthetic import generate
from retainstream.engine.schema import schema_from_text
from tests.made_tables import LABEL, Made, as_table, clean


def seeds(usual: range, more: range) -> list[Any]:
    """Tables for each run of the tests, and more for the long one."""
    return [*usual, *(pytest.param(seed, marks=pytest.mark.long) for seed in more)]


SEEDS = seeds(range(1000, 1002), range(1002, 1004))


def named(drafted: Draft) -> set[tuple[str, str]]:
    return {(finding.sort, column) for finding in drafted.warnings for column in finding.columns or ("",)}


@pytest.mark.parametrize("seed", seeds(range(6), range(6, 12)))
def test_a_clean_table_raises_no_warning(seed: int) -> None:
    drafted = draft(as_table(clean(seed).columns), LABEL)
    assert drafted.warnings == []
    assert drafted.schema.id.column == "customer_id"


def test_the_synthetic_customers_raise_no_warning() -> None:
    base = generate(20_000, 5)
    columns: dict[str, list[str]] = {"customer_id": base.ids}
    columns |= {name: ["" if value != value else str(value) for value in values.tolist()] for name, values in base.columns.items()}
    columns[LABEL] = [str(left).lower() for left in base.churned.tolist()]
    assert draft(as_table(columns), LABEL).warnings == []


def _copy_with_noise(made: Made) -> Iterator[Any]:
    yield from (int(left ^ (made.rng.random() < 0.02)) for left in made.churned)


def _noisy_score(made: Made) -> Iterator[Any]:
    yield from (f"{left + made.rng.normal() * 0.3:.3f}" for left in made.churned)


def _half_known_state(made: Made) -> Iterator[Any]:
    yield from ("closed" if left and made.rng.random() < 0.5 else "open" for left in made.churned)


def _reason(made: Made) -> Iterator[Any]:
    yield from (str(made.rng.choice(["price", "moved"])) if left and made.rng.random() < 0.9 else "" for left in made.churned)


def _days_since(made: Made) -> Iterator[Any]:
    yield from (int(made.rng.integers(0, 60)) if left else "" for left in made.churned)


def _two_sided(made: Made) -> Iterator[Any]:
    """No direction: who left is at both ends."""
    yield from (f"{(made.rng.choice([-1, 1]) * 3 if left else 0) + made.rng.normal() * 0.6:.3f}" for left in made.churned)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("flag", _copy_with_noise),
        ("outcome_score", _noisy_score),
        ("status", _half_known_state),
        ("reason", _reason),
        ("days_since_call", _days_since),
        ("balance", _two_sided),
        ("churn_risk", lambda made: (f"{left + made.rng.normal() * 0.6:.3f}" for left in made.churned)),
    ],
)
def test_a_leak_is_named_left_out_and_can_be_brought_back(name: str, column: Callable[[Made], Iterator[Any]], seed: int) -> None:
    made = clean(seed)
    drafted = draft(made.with_column(name, column(made)), LABEL)
    assert ("leak", name) in named(drafted)
    assert {found for sort, found in named(drafted) if sort == "leak"} == {name}
    assert not drafted.schema.column(name).feature
    text = yaml_of(drafted)
    assert f"{name} predicts {LABEL} almost alone" in " ".join(line.strip(" #") for line in text.splitlines())
    entry = text[text.index(f"- name: {name}") :]
    brought_back = schema_from_text(text.replace(entry, entry.replace("    feature: false\n", "", 1)))
    assert brought_back.column(name).feature


@pytest.mark.parametrize("seed", SEEDS)
def test_a_column_that_is_missing_more_often_for_those_who_left_is_named_and_kept(seed: int) -> None:
    made = clean(seed)
    survey = ["" if made.rng.random() < (0.5 if left else 0.15) else str(made.rng.integers(1, 6)) for left in made.churned]
    drafted = draft(made.with_column("survey", survey), LABEL)
    assert named(drafted) == {("missingness", "survey")}
    assert drafted.schema.column("survey").feature


def test_a_column_that_is_missing_for_customers_who_all_stayed_is_named() -> None:
    made = clean(SEEDS[0])
    stayed = [place for place, left in enumerate(made.churned) if not left]
    without = set(stayed[:60])
    survey = ["" if place in without else str(made.rng.integers(1, 6)) for place in range(len(made.churned))]
    [gap] = draft(made.with_column("survey", survey), LABEL).warnings
    assert (gap.sort, gap.columns, gap.evidence["missing"], gap.evidence["churn_rate_missing"]) == ("missingness", ("survey",), 60, 0)
    assert "0% of the 60 customers without a value left" in gap.text


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("phone", lambda made: [f"+49 {number}" for number in made.rng.permutation(900_000)[: len(made.churned)]]),
        ("email", lambda made: [f"p{number}@mail.example" for number in range(len(made.churned))]),
        ("row", lambda made: list(range(1, len(made.churned) + 1))),
        ("account_no", lambda made: made.rng.permutation(1_000_000)[: len(made.churned)].tolist()),
        ("serial", lambda made: (10_000_000 + 8 * made.rng.permutation(1_000_000)[: len(made.churned)]).tolist()),
    ],
)
def test_an_identifier_among_the_features_is_named_and_left_out(name: str, values: Callable[[Made], list[Any]], seed: int) -> None:
    made = clean(seed)
    drafted = draft(made.with_column(name, values(made)), LABEL, id_header="customer_id")
    assert named(drafted) == {("identifier", name)}
    assert name in drafted.left_out


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("new_ids", [False, True])
def test_copied_rows_are_named_with_and_without_their_id(new_ids: bool, seed: int) -> None:
    made = clean(seed)
    count = len(made.churned)
    columns = made.rows([*range(count), *made.rng.integers(0, count, count // 50)])
    if new_ids:
        columns["customer_id"] = [f"N{number}" for number in range(len(columns[LABEL]))]
    drafted = draft(as_table(columns), LABEL, id_header="customer_id")
    found = next(finding for finding in drafted.warnings if finding.sort == "duplicates")
    assert found.evidence["rows"] == pytest.approx(count // 50, abs=2)


def test_customers_who_coincide_in_a_few_coarse_columns_are_no_copies() -> None:
    rng = np.random.default_rng(3)
    columns = {"customer_id": [str(10_000 + number) for number in range(5000)]}
    columns |= {name: [str(value) for value in rng.integers(0, 4, 5000)] for name in ("plan", "visits", "calls", "children")}
    columns[LABEL] = [str(int(value)) for value in rng.random(5000) < 0.2]
    assert draft(as_table(columns), LABEL, id_header="customer_id").warnings == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_customer_on_several_rows_is_contamination(seed: int) -> None:
    made = clean(seed)
    columns = made.rows(np.repeat(np.arange(len(made.churned) // 3), 3).tolist())
    columns["usage_now"] = [f"{value:.6f}" for value in made.rng.random(len(columns[LABEL]))]
    columns[LABEL] = columns.pop(LABEL)
    assert ("contamination", "customer_id") in named(draft(as_table(columns), LABEL, id_header="customer_id"))


@pytest.mark.parametrize("seed", SEEDS)
def test_households_that_leave_together_are_contamination(seed: int) -> None:
    made = clean(seed)
    count = len(made.churned)
    household = made.rng.permutation(count) // 3
    left = (made.rng.random(count) < 0.3)[household] ^ (made.rng.random(count) < 0.08)
    table = Made({**made.columns, LABEL: [str(int(value)) for value in left]}, left, made.rng).with_column(
        "household", [f"H{number}" for number in household]
    )
    assert ("contamination", "household") in named(draft(table, LABEL))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "form"), [("snapshot_date", "2024-{:02d}-01"), ("month", "{}"), ("period", "2024{:02d}")])
def test_outcomes_from_another_time_are_contamination(name: str, form: str, seed: int) -> None:
    made = clean(seed)
    months = [int(made.rng.integers(1, 8)) + (3 if left else 0) for left in made.churned]
    assert ("contamination", name) in named(draft(made.with_column(name, [form.format(month) for month in months]), LABEL))


@pytest.mark.parametrize("seed", SEEDS)
def test_too_few_customers_who_left_are_told_with_their_number(seed: int) -> None:
    made = clean(seed)
    chosen = [*np.flatnonzero(~made.churned).tolist(), *np.flatnonzero(made.churned)[:40].tolist()]
    drafted = draft(as_table(made.rows(chosen)), LABEL)
    assert [(finding.sort, finding.evidence["customers"]) for finding in drafted.warnings] == [("few_outcomes", 40)]


@pytest.mark.parametrize("seed", seeds(range(15), range(15, 30)))
def test_noise_on_small_data_is_no_leak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(30, 250))
    columns = {f"measure_{place}": [f"{value:.2f}" for value in rng.normal(size=rows)] for place in range(80)}
    columns |= {f"sort_{place}": [f"v{value}" for value in rng.integers(0, 15, rows)] for place in range(20)}
    columns[LABEL] = [str(number % 4 == 0).lower() for number in range(rows)]
    assert {finding.sort for finding in draft(as_table(columns), LABEL).warnings} <= {"few_outcomes"}


@pytest.mark.parametrize("seed", range(8))
def test_an_honest_strong_predictor_is_no_leak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strong = rng.normal(size=4000)
    churned = rng.random(4000) < 1 / (1 + np.exp(-(1.8 * strong - 2)))
    columns = {"tenure": [f"{value:.3f}" for value in strong], LABEL: [str(left).lower() for left in churned.tolist()]}
    assert draft(as_table(columns), LABEL).warnings == []
