"""Data sets: what is kept of customers, how they are split, and what is said of unfit ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.learning.checks import Finding, OneClass, TooFewRows, check
from retainstream.engine.learning.dataset import DataSet, collect, key_of, merged
from retainstream.engine.learning.split import TEST_SHARE, folds, held_out
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.engine.lives import churned_of
from retainstream.engine.records import Customer
from retainstream.engine.schema import FeatureSchema, default_schema
from tests.made_lives import outcome

SCHEMA = default_schema()
CUSTOMERS = list(as_customers(generate(4_000, 11)))


def labelled(customers: int = 4_000, seed: int = 11) -> DataSet:
    return collect(SCHEMA, [list(as_customers(generate(customers, seed), 1.0))])[0]


def same(first: DataSet, second: DataSet) -> bool:
    return first.to_bytes() == second.to_bytes()


def test_only_customers_with_a_known_outcome_are_kept_and_counted_by_source() -> None:
    imported: Customer = {**CUSTOMERS[0], "customer_id": "imported", "life": outcome(False), "source": "import"}
    data, provenance = collect(SCHEMA, [CUSTOMERS, [imported]])
    known = [customer for customer in CUSTOMERS if churned_of(customer["life"]) is not None]
    assert len(data) == len(known) + 1
    assert provenance.customers == len(CUSTOMERS) + 1
    assert provenance.sources == {"synthetic": len(known), "import": 1}
    assert provenance.synthetic_share == pytest.approx(len(known) / (len(known) + 1))
    assert int(data.synthetic.sum()) == len(known)
    assert not any(b"s0000001" in part.tobytes() for part in (data.keys, data.rows))


def test_an_outcome_somebody_recorded_is_not_the_generators() -> None:
    recorded: Customer = {**CUSTOMERS[0], "life": outcome(True), "outcome_source": "api"}
    data, provenance = collect(SCHEMA, [[recorded]])
    assert not data.synthetic.any()
    assert provenance.sources == {"api": 1}


def test_a_data_set_survives_storage_and_neither_order_nor_pages_matter() -> None:
    data, provenance = collect(SCHEMA, [CUSTOMERS])
    assert same(DataSet.from_bytes(data.to_bytes()), data)
    backwards, _ = collect(SCHEMA, [[customer] for customer in reversed(CUSTOMERS)])
    assert same(backwards, data)
    parts = [collect(SCHEMA, [CUSTOMERS[place::3]]) for place in range(3)]
    assert same(merged(parts)[0], data)
    assert merged(parts)[1] == provenance


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, min_size=1, max_size=200))
def test_a_customer_is_on_the_same_side_in_every_run(ids: list[str]) -> None:
    keys = np.array([key_of(one) for one in ids], dtype=np.uint64)
    side = dict(zip(ids, held_out(keys).tolist(), strict=True))
    assert all(held_out(np.array([key_of(one)], dtype=np.uint64))[0] == side[one] for one in ids)


def test_about_a_fifth_is_held_out_whatever_became_of_it() -> None:
    data = labelled()
    test = held_out(data.keys)
    assert abs(test.mean() - TEST_SHARE) < 0.03
    assert abs(data.churned[test].mean() - data.churned.mean()) < 0.05


@given(st.integers(2, 6), st.lists(st.booleans(), min_size=12, max_size=300), st.integers(0, 100))
def test_folds_are_as_even_as_can_be_and_follow_the_customer(count: int, outcomes: list[bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    churned = np.array(outcomes)
    keys = rng.choice(2**62, size=len(churned), replace=False).astype(np.uint64)
    assigned = folds(keys, churned, count)
    for left in (True, False):
        sizes = np.bincount(assigned[churned == left], minlength=count)
        assert sizes.max() - sizes.min() <= 1
    order = rng.permutation(len(keys))
    assert (folds(keys[order], churned[order], count) == assigned[order]).all()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (0, "Only 0 customers with a known outcome: at least 200 are needed."),
        (12, "Only 12 customers with a known outcome: at least 200 are needed."),
    ],
)
def test_too_few_rows_are_told_in_a_sentence(rows: int, reason: str) -> None:
    with pytest.raises(TooFewRows, match=reason):
        check(labelled().where(np.arange(rows)), fewest_rows=200)


def test_one_class_is_told_in_a_sentence() -> None:
    data = labelled()
    with pytest.raises(OneClass, match=r"None of the \d+ customers with a known outcome left"):
        check(data.where(~data.churned), fewest_rows=200)
    with pytest.raises(OneClass, match=r"None of the \d+ customers with a known outcome stayed"):
        check(data.where(data.churned), fewest_rows=200)
    few = ~data.churned
    few[np.flatnonzero(data.churned)[:5]] = True
    with pytest.raises(OneClass, match=r"Only 5 of the \d+ customers with a known outcome left: at least 20 are needed"):
        check(data.where(few), fewest_rows=200)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clean_data_raises_no_finding(seed: int) -> None:
    assert check(labelled(3_000, seed), fewest_rows=200) == []


def codes(findings: list[Finding]) -> set[tuple[str, str, str]]:
    return {(finding.level, finding.code, finding.column) for finding in findings}


@pytest.mark.parametrize("form", ["copy", "two-sided", "category"])
def test_a_column_that_gives_the_outcome_away_is_named(form: str) -> None:
    data = labelled()
    place, name = (0, "plan") if form == "category" else (6, "tenure_months")
    noise = np.random.default_rng(0).random(len(data))
    told = {
        "copy": np.where(data.churned, 1 + noise, 100 + noise),
        "two-sided": np.where(data.churned, 100 + noise, np.where(noise < 0.5, 1, 200)),
        "category": np.where(data.churned, 2, (noise < 0.5).astype(int)),
    }[form]
    data.rows[:, place] = told
    assert ("alarm", "leak", name) in codes(check(data, fewest_rows=200))


def test_a_column_whose_absence_gives_the_outcome_away_is_named() -> None:
    data = labelled()
    absent = np.where(data.churned, 0.85, 0.05) > np.random.default_rng(0).random(len(data))
    data.rows[absent, 3] = np.nan
    assert ("alarm", "leak_by_missing", "device_count") in codes(check(data, fewest_rows=200))


def with_gaps(left: float, stayed: float) -> DataSet:
    """Customers of whom so many who left, and who stayed, lack a value of one column."""
    data = labelled()
    data.rows[:, 3] = 2
    data.rows[np.where(data.churned, left, stayed) > np.random.default_rng(0).random(len(data)), 3] = np.nan
    return data


@pytest.mark.parametrize(
    ("left", "stayed", "finding"),
    [
        (0.5, 0.0, {"alarm"}),  # only leavers, but half of them: an AUC of 0.75
        (0.15, 0.0, {"alarm"}),
        (1.0, 0.1, {"alarm"}),
        (0.6, 0.2, {"warning"}),
        (0.0, 0.3, {"warning"}),
        (0.3, 0.3, set()),
    ],
)
def test_a_gap_is_judged_by_how_many_of_its_customers_left(left: float, stayed: float, finding: set[str]) -> None:
    findings = check(with_gaps(left, stayed), fewest_rows=200)
    assert {found.level for found in findings if found.code == "leak_by_missing"} == finding


def test_copies_constants_and_values_out_of_range_are_named() -> None:
    data = labelled()
    complete = np.flatnonzero(~np.isnan(data.rows).any(axis=1))[0]  # copies of a row with a gap would make the gap tell
    data.rows[: len(data) // 10] = data.rows[complete]
    data.churned[: len(data) // 10] = data.churned[complete]
    data.rows[:, 5] = 0
    data.rows[:5, 4] = 400
    data.rows[-200:, 7] = -1
    assert codes(check(data, fewest_rows=200)) == {
        ("warning", "duplicates", ""),
        ("warning", "constant", "payment_failures"),
        ("warning", "out_of_range", "last_login_days"),
        ("alarm", "out_of_range", "monthly_price"),
    }


def test_numbers_that_name_a_place_are_named() -> None:
    data = labelled()
    document = data.schema.model_dump(mode="json", exclude_defaults=True)
    document["columns"][6]["source"] = "Zip Code"
    document["columns"][4]["source"] = "customer_latitude"
    data.rows[:, 4] = np.random.default_rng(0).uniform(32, 42, len(data))
    data = replace(data, schema=FeatureSchema.model_validate(document))
    found = {finding.column: finding.detail for finding in check(data, fewest_rows=200) if finding.code == "place"}
    assert set(found) == {data.schema.features[4].name, data.schema.features[6].name}
    assert all("is a place and not a quantity" in detail for detail in found.values())


def with_separation(distance: float) -> DataSet:
    """Customers whose tenure is normal, and higher by so many standard deviations for those who left."""
    data = labelled(6_000)
    data.rows[:, 6] = np.clip(40 + 5 * np.random.default_rng(0).normal(size=len(data)) + 5 * distance * data.churned, 0, 240)
    return data


@pytest.mark.parametrize(
    ("distance", "expected"),  # the AUC of the column alone is the normal distribution's Φ(distance / √2)
    [(1.5, set()), (2.05, {("warning", "leak", "tenure_months")}), (2.6, {("alarm", "leak", "tenure_months")})],
)
def test_a_strong_column_is_suspected_from_an_auc_of_90_and_stops_the_model_from_95(
    distance: float, expected: set[tuple[str, str, str]]
) -> None:
    assert {code for code in codes(check(with_separation(distance), fewest_rows=200)) if code[1] == "leak"} == expected


def test_a_level_of_which_nearly_everybody_left_is_suspected() -> None:
    data = labelled()
    premium = data.churned & (np.random.default_rng(0).random(len(data)) < 0.4)
    data.rows[:, 0] = np.where(premium, 2, data.rows[:, 0] % 2)
    findings = [finding for finding in check(data, fewest_rows=200) if finding.code == "leak"]
    assert [finding.level for finding in findings] == ["warning"]
    assert 'with the value "premium" left' in findings[0].detail


@pytest.mark.parametrize("share", [0.002, 0.01])
def test_a_few_copies_of_many_rows_are_named(share: float) -> None:
    data = labelled()
    copied = round(share * len(data))
    data.rows[:copied], data.churned[:copied] = data.rows[-copied:], data.churned[-copied:]
    assert (
        f"{copied:,} of {len(data):,} rows repeat another row"
        in {finding.code: finding.detail for finding in check(data, fewest_rows=200)}["duplicates"]
    )


def test_customers_who_coincide_in_a_few_coarse_columns_are_no_copies() -> None:
    data = labelled()
    data.rows[:, 1:] = np.random.default_rng(0).integers(0, 3, (len(data), 7))
    assert "duplicates" not in {finding.code for finding in check(data, fewest_rows=200)}
