"""What a schema document may say, and what it says of a customer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retainstream.engine.schema import ALL, FeatureSchema, checked_features, default_schema, group_of

GOOD: dict[str, Any] = {
    "plan": "basic",
    "watch_time_hours": 12.5,
    "subscription_age_months": 10,
    "device_count": 2,
    "last_login_days": 3,
    "payment_failures": 0,
    "tenure_months": 12,
    "monthly_price": 9.99,
}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "title": "Shop",
        "id": {"column": "id"},
        "label": {"column": "left", "positive": True},
        "horizon_days": 30,
        "columns": [
            {"name": "visits", "kind": "integer", "label": "Visits", "min": 0},
            {"name": "kind", "kind": "category", "levels": ["a", "b"], "label": "Kind"},
        ],
        **changes,
    }


def test_a_good_customer_has_no_errors() -> None:
    assert checked_features(default_schema(), GOOD) == (GOOD, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"plan": "gold"}, "plan"),
        ({"plan": 1}, "plan"),
        ({"payment_failures": -1}, "payment_failures"),
        ({"payment_failures": 1.5}, "payment_failures"),
        ({"payment_failures": True}, "payment_failures"),
        ({"payment_failures": "1"}, "payment_failures"),
        ({"watch_time_hours": float("nan")}, "watch_time_hours"),
        ({"watch_time_hours": float("inf")}, "watch_time_hours"),
        ({"watch_time_hours": 10**400}, "watch_time_hours"),
        ({"tenure_months": None}, "tenure_months"),
        ({"shoe_size": 44}, "shoe_size"),
    ],
)
def test_each_fault_is_named(change: dict[str, Any], field: str) -> None:
    features, errors = checked_features(default_schema(), {**GOOD, **change})
    assert [error.field for error in errors] == [field]
    assert field not in features


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "other"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())),
    )
)
def test_whatever_is_given_is_either_accepted_or_named(given_features: dict[str, Any]) -> None:
    schema = default_schema()
    features, errors = checked_features(schema, given_features)
    named = {error.field for error in errors}
    for name, value in given_features.items():
        assert name in features or name in named or (value is None and schema.column(name).missing)
    assert not named & set(features)


def test_a_missing_value_is_fine_where_the_schema_allows_it() -> None:
    features, errors = checked_features(default_schema(), {**GOOD, "watch_time_hours": None})
    assert not errors
    assert "watch_time_hours" not in features


def test_the_group_is_the_value_of_the_group_column() -> None:
    assert group_of(default_schema(), GOOD) == "basic"
    assert group_of(FeatureSchema.model_validate(document()), {"visits": 1}) == ALL


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": []},
        {"columns": [{"name": "visits", "kind": "integer", "label": "V"}] * 2},
        {"columns": [{"name": "left", "kind": "integer", "label": "V"}]},
        {"columns": [{"name": "kind", "kind": "category", "label": "K"}]},
        {"columns": [{"name": "kind", "kind": "category", "levels": ["a", "a"], "label": "K"}]},
        {"columns": [{"name": "n", "kind": "number", "label": "N", "min": 2, "max": 1}]},
        {"columns": [{"name": "n", "kind": "number", "label": "N", "feature": False}]},
        {"columns": [{"name": "born", "kind": "date", "label": "Born", "min": 1900}]},
        {"columns": [{"name": "n", "kind": "category", "levels": ["a"], "monotone": "increasing", "label": "N"}]},
        {"group": "visits"},
        {"group": "nowhere"},
        {"money": {"price": "kind", "offer_cost": 1, "save_rate": 0.1}},
        {"money": {"price": "visits", "offer_cost": 1, "save_rate": 1.1}},
        {"horizon_days": 0},
        {"colour": "red"},
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    FeatureSchema.model_validate(document())
    with pytest.raises(ValidationError):
        FeatureSchema.model_validate(document(**changes))


def test_names_of_columns_differ_in_more_than_case() -> None:
    columns = [{"name": name, "source": name, "kind": "integer", "label": "Visits"} for name in ("Visits", "price", "visits")]
    with pytest.raises(ValidationError, match="the names of the columns Visits and visits differ only in upper and lower case"):
        FeatureSchema.model_validate(document(columns=columns))
    columns[2]["name"] = "calls"
    assert FeatureSchema.model_validate(document(columns=columns)).names == {"Visits", "price", "calls"}


def test_moments_name_columns_of_their_own() -> None:
    schema = FeatureSchema.model_validate(document(moments={"features_as_of": "taken", "left_on": "ended", "format": "%d.%m.%Y"}))
    assert schema.moments is not None
    assert schema.moments.headers == {"features_as_of": "taken", "left_on": "ended"}


@pytest.mark.parametrize(
    ("moments", "sentence"),
    [
        ({"left_on": "left"}, "moments: left_on is read from left, which is the label"),
        ({"anchor": "visits"}, "moments: anchor is read from visits, which is the column visits"),
        ({"anchor": "day", "features_as_of": "day"}, "leave out features_as_of"),
        ({"began_on": "day", "left_on": "day"}, "the same column"),
        ({"ended_on": "day"}, "Extra inputs"),
    ],
)
def test_moments_that_contradict_the_schema_are_refused(moments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        FeatureSchema.model_validate(document(moments=moments))
