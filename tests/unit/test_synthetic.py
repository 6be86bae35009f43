"""Generated customers: reproducible, valid, and true to the process that is documented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.business.truth import is_generated_for, true_probability
from retainstream.engine.learning.metrics import roc_auc
from retainstream.engine.learning.synthetic import Drift, as_customers, generate
from retainstream.engine.lives import churned_of
from retainstream.engine.model.encoding import encode, feature_names
from retainstream.engine.schema import checked_features, default_schema

SCHEMA = default_schema()


def test_the_same_seed_makes_the_same_customers_and_another_seed_others() -> None:
    first, again, other = generate(300, 7), generate(300, 7), generate(300, 8)
    assert list(first.features()) == list(again.features())
    assert (first.churned == again.churned).all()
    assert list(first.features()) != list(other.features())


def test_churn_and_ceiling_are_as_documented() -> None:
    base = generate(60_000, 3)
    assert 0.15 <= base.churned.mean() <= 0.20
    assert 0.85 <= roc_auc(base.churned, base.probabilities) <= 0.88
    assert abs(base.churned.mean() - base.probabilities.mean()) < 0.01


def test_every_customer_passes_the_schema() -> None:
    for features in generate(3_000, 1).features():
        checked, errors = checked_features(SCHEMA, features)
        assert not errors
        assert checked == features


def test_some_values_are_missing_but_only_where_they_may_be() -> None:
    base = generate(20_000, 1)
    missing = {name: np.isnan(values).mean() for name, values in base.columns.items() if name != "plan"}
    assert {name for name, share in missing.items() if share} == {"watch_time_hours", "device_count"}
    assert all(0.01 < share < 0.1 for share in missing.values() if share)


def test_a_customer_is_never_older_in_the_subscription_than_in_all() -> None:
    base = generate(5_000, 1)
    assert (base.columns["tenure_months"] >= base.columns["subscription_age_months"]).all()


@given(seed=st.integers(0, 50), step=st.floats(0.5, 60))
def test_the_true_probability_moves_as_the_schema_says(seed: int, step: float) -> None:
    rows = encode(SCHEMA, list(generate(200, seed).features()))
    before = true_probability(SCHEMA, rows)
    for place, column in enumerate(SCHEMA.features):
        if column.monotone is None:
            continue
        moved = rows.copy()
        moved[:, place] += np.float32(step)
        difference = true_probability(SCHEMA, moved) - before
        assert (difference >= 0).all() if column.monotone == "increasing" else (difference <= 0).all()


def test_the_true_probability_follows_from_the_observed_values_alone() -> None:
    base = generate(2_000, 5)
    again = true_probability(SCHEMA, encode(SCHEMA, list(base.features())))
    assert (again == base.probabilities).all()


def test_failed_payments_weigh_more_in_the_first_months() -> None:
    names = feature_names(SCHEMA.features)
    rows = encode(SCHEMA, list(generate(1, 0).features())).repeat(4, axis=0)
    rows[:, names.index("payment_failures")] = [0, 3, 0, 3]
    rows[:, names.index("subscription_age_months")] = [0, 0, 60, 60]
    rows[:, names.index("tenure_months")] = 60
    odds = np.log(1 / (1 / true_probability(SCHEMA, rows) - 1))
    assert odds[1] - odds[0] > odds[3] - odds[2]


def test_known_outcomes_are_chosen_without_a_look_at_them() -> None:
    base = generate(40_000, 2)
    customers = list(as_customers(base, 0.7))
    known = np.array([churned_of(customer["life"]) is not None for customer in customers])
    assert abs(known.mean() - 0.7) < 0.02
    assert abs(base.churned[known].mean() - base.churned[~known].mean()) < 0.015
    outcomes = [churned_of(customer["life"]) for customer in customers]
    assert all(outcome is bool(left) for outcome, left in zip(outcomes, base.churned, strict=True) if outcome is not None)
    assert {customer["source"] for customer in customers} == {"synthetic"}
    assert len({customer["customer_id"] for customer in customers}) == len(customers)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_no_outcomes_may_be_known(share: float) -> None:
    assert {churned_of(customer["life"]) is not None for customer in as_customers(generate(50, 1), share)} == {bool(share)}


def test_a_month_with_drift_moves_features_and_keeps_the_churn_function() -> None:
    usual = generate(20_000, 4)
    for drift, column, direction in (
        (Drift(engagement=-0.5), "watch_time_hours", -1),
        (Drift(price=0.2), "monthly_price", 1),
        (Drift(payment_failures=2.0), "payment_failures", 1),
    ):
        month = generate(20_000, 4, drift)
        assert direction * (np.nanmean(month.columns[column]) - np.nanmean(usual.columns[column])) > 0
        assert (true_probability(SCHEMA, encode(SCHEMA, list(month.features()))) == month.probabilities).all()
        assert month.churned.mean() > usual.churned.mean()


def test_concept_drift_changes_the_function_and_nothing_else() -> None:
    usual, changed = generate(2_000, 4), generate(2_000, 4, Drift(concept=1.0))
    assert list(usual.features()) == list(changed.features())
    assert (changed.probabilities > usual.probabilities).all()


def test_the_process_speaks_of_the_default_schema_only() -> None:
    assert is_generated_for(SCHEMA)
    fewer = SCHEMA.model_copy(update={"columns": SCHEMA.columns[1:], "group": None})
    assert not is_generated_for(type(SCHEMA).model_validate(fewer.model_dump()))
