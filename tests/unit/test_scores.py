"""Scores and their reasons: what adds up, what agrees with the definition, and what people read."""

import json
from functools import cache
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.model.encoding import encode
from retainstream.engine.model.model import ScoringModel, UnusableModel, matrix
from retainstream.engine.model.predictions import predictions, scores
from retainstream.engine.model.reasons import circumstance, spoken_points
from retainstream.engine.records import Score
from retainstream.engine.schema import Column, FeatureSchema, default_schema, read_schema
from tests.made_lives import outcome, seen
from tests.small_models import THRESHOLD, small_model, some_features, trained

SCHEMA = FeatureSchema.model_validate(
    {
        "name": "gym",
        "title": "Gym members",
        "id": {"column": "member"},
        "label": {"column": "quit", "positive": "yes"},
        "group": "club",
        "horizon_days": 60,
        "money": {"price": "fee", "currency": "EUR", "months": 6, "margin": 0.7, "offer_cost": 5, "contact_cost": 0.25, "save_rate": 0.5},
        "columns": [
            {"name": "visits", "kind": "integer", "label": "Visits", "missing": True, "phrase": "{value} visit{s} a month"},
            {"name": "club", "kind": "category", "levels": ["north", "south", "east", "west"], "label": "Club", "missing": True},
            {"name": "trainer", "kind": "boolean", "label": "Personal trainer", "missing": True, "action": {"title": "Offer a trainer"}},
            {
                "name": "fee",
                "kind": "number",
                "unit": "EUR",
                "label": "Fee",
                "missing": True,
                "action": {"title": "Lower the fee", "cost": 20},
            },
            {"name": "joined", "kind": "date", "label": "Joined", "missing": True, "feature": False},
        ],
    }
)

members = st.fixed_dictionaries(
    {},
    optional={
        "visits": st.integers(0, 30),
        "club": st.sampled_from(["north", "south", "east", "west"]),
        "trainer": st.booleans(),
        "fee": st.sampled_from([9.5, 20.0, 49.99, 120.0]),
    },
)
calibrations = st.one_of(
    st.just({"method": "none"}),
    st.builds(lambda a, b: {"method": "platt", "a": a, "b": b}, st.floats(0, 3), st.floats(-2, 2)),
    st.builds(lambda a, b, c: {"method": "beta", "a": a, "b": b, "c": c}, st.floats(0, 3), st.floats(0, 3), st.floats(-2, 2)),
    st.just({"method": "isotonic", "x": [-1.0, -0.2, 0.1, 2.0], "y": [0.05, 0.3, 0.3, 0.9]}),
    st.just({"method": "isotonic", "x": [0.0], "y": [0.4]}),
)


@cache
def gym_booster(seed: int) -> bytes:
    """A small booster on random members, with missing values and categories."""
    rng = np.random.default_rng(seed)
    rows = np.stack(
        [rng.integers(0, 30, 80), rng.integers(0, 4, 80), rng.integers(0, 2, 80), rng.choice([9.5, 20, 49.99, 120], 80)], axis=1
    ).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    left = rng.random(80) < 1 / (1 + np.exp(np.nan_to_num(rows[:, 0], nan=10) / 10 - 1 - (rows[:, 1] == 2)))
    settings_ = {
        "objective": "binary:logistic",
        "max_depth": 3,
        "max_cat_to_onehot": int(rng.integers(1, 6)),
        "nthread": 1,
        "seed": seed,
    }
    booster = xgboost.train(settings_, matrix(SCHEMA.features, rows, label=left, threads=1), 4)
    return bytes(booster.save_raw("ubj"))


def gym_model(seed: int, calibration: dict[str, Any]) -> ScoringModel:
    return ScoringModel.from_bytes(gym_booster(seed), calibration, SCHEMA, threshold=0.5, version=f"v{seed}")


def shapley_values(booster: xgboost.Booster, row: dict[str, float | None]) -> dict[str, float]:
    """Shapley values by their definition: over all coalitions, of the path-dependent expectation of the trees."""
    names, values = list(row), dict[str, float]()
    trees = [json.loads(text) for text in booster.get_dump(dump_format="json", with_stats=True)]

    def expectation(node: dict[str, Any], known: frozenset[str]) -> float:
        if "leaf" in node:
            return float(node["leaf"])
        children = {child["nodeid"]: child for child in node["children"]}
        if node["split"] not in known:
            return sum(float(child["cover"] / node["cover"]) * expectation(child, known) for child in children.values())
        value, condition = row[node["split"]], node["split_condition"]
        if value is None:
            way = "missing"
        elif isinstance(condition, list):
            way = "yes" if int(value) in condition else "no"
        else:
            way = "yes" if np.float32(value) < np.float32(condition) else "no"
        return expectation(children[node[way]], known)

    def worth(known: frozenset[str]) -> float:
        return sum(expectation(tree, known) for tree in trees)

    for name in names:
        others = [other for other in names if other != name]
        values[name] = 0.0
        for size in range(len(others) + 1):
            share = float(factorial(size) * factorial(len(names) - size - 1) / factorial(len(names)))
            for coalition in combinations(others, size):
                values[name] += share * (worth(frozenset({*coalition, name})) - worth(frozenset(coalition)))
    return values


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 60), calibration=calibrations, customers=st.lists(members, min_size=1, max_size=20))
def test_contributions_add_up_to_the_margin_and_points_to_the_probability(
    seed: int, calibration: dict[str, Any], customers: list[dict[str, Any]]
) -> None:
    model = gym_model(seed, calibration)
    rows = encode(SCHEMA, customers)
    explained = model.explain(rows)
    np.testing.assert_allclose(explained.base_margin + explained.contributions.sum(axis=1), model.margins(rows), atol=1e-5)
    np.testing.assert_allclose(model.calibration.probability(explained.margin), explained.probability, atol=0)
    points = explained.contributions * explained.slope[:, None]
    np.testing.assert_allclose(points.sum(axis=1), explained.probability - explained.base_probability, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 60), customer=members)
def test_contributions_are_shapley_values(seed: int, customer: dict[str, Any]) -> None:
    model = gym_model(seed, {"method": "none"})
    codes = encode(SCHEMA, [customer])
    names = [column.name for column in SCHEMA.features]
    row = {name: None if np.isnan(code) else float(code) for name, code in zip(names, codes[0].tolist(), strict=True)}
    expected = shapley_values(model.booster, row)
    found = dict(zip(names, model.explain(codes).contributions[0].tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100), customers=st.lists(members, min_size=1, max_size=12))
def test_a_block_scores_as_its_rows_do(seed: int, customers: list[dict[str, Any]]) -> None:
    model = gym_model(seed, {"method": "none"})
    assert scores(model, customers) == [score for customer in customers for score in scores(model, [customer])]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100), customers=st.lists(members, min_size=1, max_size=12))
def test_scores_keep_what_they_promise(seed: int, customers: list[dict[str, Any]]) -> None:
    interval = {"x": [-0.5, 0.0, 0.5], "low": [0.0, 0.1, 0.3, 0.5], "high": [0.3, 0.45, 0.8, 1.0]}
    model = gym_model(seed, {"method": "platt", "a": 1.5, "b": 0.2, "rows": 80, "interval": interval})
    for customer, score in zip(customers, scores(model, customers), strict=True):
        assert score["features"] == customer
        assert 0 <= score["probability"] <= 1
        assert score["interval"]
        low, high = score["interval"]["low"], score["interval"]["high"]
        assert 0 <= low <= score["probability"] <= high <= 1
        step = sum(score["margin"] > bound for bound in interval["x"])
        assert low == min(interval["low"][step], score["probability"])
        assert high == max(interval["high"][step], score["probability"])
        assert score["confidence"] == pytest.approx(1 - (high - low), abs=1e-6)
        assert sum(score["contributions"].values()) == pytest.approx(score["margin"] - score["base_margin"], abs=1e-5)
        strengths = [abs(reason["contribution"]) for reason in score["reasons"]]
        assert strengths == sorted(strengths, reverse=True)
        assert strengths == sorted((abs(amount) for amount in score["contributions"].values() if amount), reverse=True)[:5]
        assert sum(reason["points"] for reason in score["reasons"]) == pytest.approx(
            100 * (score["probability"] - score["base_probability"]), abs=1e-3
        )
        price = customer.get("fee")
        assert score["price"] == price
        assert score["value_at_risk"] == pytest.approx(score["probability"] * saved_value(score["probability"], price or 0), abs=0.006)
        assert score["action"] == best_action(score, price)
        json.dumps(score, allow_nan=False)


def test_a_model_of_an_earlier_release_has_no_intervals() -> None:
    for calibration in ({"method": "none"}, {"method": "platt", "a": 1.5, "b": 0.2, "rows": 80}):
        for score in scores(gym_model(1, calibration), [{}, {"visits": 3}]):
            assert (score["interval"], score["confidence"]) == (None, 0)


def best_action(score: Score, price: float | None) -> dict[str, Any] | None:
    """The best action by the definition."""
    choices: list[dict[str, Any]] = []
    raising = {name: amount for name, amount in score["contributions"].items() if amount > 0}
    for column in SCHEMA.features:
        share = raising.get(column.name, 0) / (sum(raising.values()) or 1)
        if column.action and share >= 0.1 and price is not None:
            cost = 5.0 if column.action.cost is None else column.action.cost
            saved, stays = score["probability"] * 0.5 * share, 1 - score["probability"]
            worth = saved * (saved_value(score["probability"], price) - cost) - stays * cost - 0.25
            if worth > 0:
                choice = {"feature": column.name, "title": column.action.title, "cost": cost}
                choices.append(
                    {**choice, "expected_value": pytest.approx(worth, abs=0.006), "share_of_raise": pytest.approx(share, abs=1e-4)}
                )
                choices[-1]["worth"] = worth
    best = max(choices, key=lambda choice: float(choice["worth"]), default=None)
    return best and {name: value for name, value in best.items() if name != "worth"}


def saved_value(probability: float, price: float) -> float:
    """The margin within six months from a saved customer who then leaves with this probability in each 60 days."""
    horizon = 60 / 30.4375
    horizons = 6 / horizon
    kept = (1 - (1 - probability) ** horizons) / probability if probability else horizons
    return 0.7 * price * horizon * kept


def texts(features: dict[str, Any], schema: FeatureSchema = SCHEMA) -> dict[str, str]:
    return {column.name: circumstance(schema, column, features.get(column.name)) for column in schema.features}


def test_reasons_are_worded_by_the_schema() -> None:
    assert texts({"visits": 1, "club": "east", "trainer": True, "fee": 1234.5}) == {
        "visits": "1 visit a month",
        "club": "Club east",
        "trainer": "Personal trainer: yes",
        "fee": "Fee €1,234.50",
    }
    assert texts({}) == {"visits": "Visits unknown", "club": "Club unknown", "trainer": "Personal trainer unknown", "fee": "Fee unknown"}
    assert texts({"visits": 1200})["visits"] == "1,200 visits a month"
    default = texts(
        {"plan": "basic", "payment_failures": 3, "last_login_days": 1, "watch_time_hours": 0.25, "device_count": 2}, default_schema()
    )
    assert default["payment_failures"] == "3 failed payments in 90 days"
    assert default["last_login_days"] == "last login 1 day ago"
    assert default["watch_time_hours"] == "0.25 hours watched in 30 days"
    assert default["plan"] == "on the basic plan"
    assert texts({}, default_schema())["watch_time_hours"] == "Watch time unknown"


def test_every_amount_in_the_currency_is_spoken_as_money() -> None:
    telco = read_schema(Path(__file__).parents[2] / "examples/schemas/telco.yaml")
    assert circumstance(telco, telco.column("TotalCharges"), 1889.5) == "paid $1,889.50 in all"
    assert circumstance(telco, telco.column("MonthlyCharges"), 29) == "pays $29.00 a month"


@pytest.mark.parametrize(
    ("phrase", "value", "spoken"),
    [
        ("{fewer} logins in 30 days than in the 30 before", -0.6, "60% fewer logins in 30 days than in the 30 before"),
        ("{fewer} logins in 30 days than in the 30 before", 1.5, "150% more logins in 30 days than in the 30 before"),
        ("{fewer} logins in 30 days than in the 30 before", 0.001, "no more logins in 30 days than in the 30 before"),
        ("{less} paid in 90 days than in the 90 before", -1, "100% less paid in 90 days than in the 90 before"),
        ("{percent} of the logins of 90 days in the last 30", 0.25, "25% of the logins of 90 days in the last 30"),
        ("{value} visit{s} in {braces}", 1, "1 visit in {braces}"),
    ],
)
def test_shares_and_changes_are_spoken_in_percent(phrase: str, value: float, spoken: str) -> None:
    column = Column(name="x", kind="number", label="X", phrase=phrase)
    assert circumstance(default_schema(), column, value) == spoken


@pytest.mark.parametrize(
    ("points", "spoken"),
    [
        (18.4, "+18 points"),
        (-7.6, "-8 points"),
        (1.2, "+1 point"),
        (-0.97, "-1 point"),
        (0.94, "+0.9 points"),
        (-0.44, "-0.4 points"),
        (0.01, "+0.0 points"),
    ],
)
def test_points_are_spoken_in_whole_numbers_where_they_matter(points: float, spoken: str) -> None:
    assert spoken_points(points) == spoken


def test_an_unlisted_level_is_missing_and_so_is_none() -> None:
    rows = encode(SCHEMA, [{"club": "moon", "trainer": None}, {"club": "west", "trainer": False, "visits": 4}])
    assert np.isnan(rows[0]).all()
    np.testing.assert_array_equal(rows[1], np.array([4, 3, 0, np.nan], dtype=np.float32))
    assert rows.dtype == np.float32


def test_nobody_scores_nothing() -> None:
    assert scores(small_model(), []) == []
    assert small_model().explain(encode(default_schema(), [])).probability.shape == (0,)


def test_predictions_of_churned_and_low_risk_customers_stay_out_of_the_indexes() -> None:
    customers: list[Any] = [
        {
            "customer_id": f"c{number}",
            "group": features["plan"],
            "features": features,
            "life": outcome(left=True) if number % 3 == 0 else seen(),
        }
        for number, features in enumerate(some_features(300))
    ]
    made = predictions(small_model(), customers, {}, run_id="r", scored_at="2026-01-01T00:00:00.000+00:00")
    assert [prediction["customer_id"] for prediction in made] == [customer["customer_id"] for customer in customers]
    for prediction in made:
        indexed = {"risk_shard", "probability_rank", "value_rank"} & set(prediction)
        assert len(indexed) == (0 if prediction["churned"] or prediction["level"] == "low" else 3)
        assert (prediction["level"] == "low") == (prediction["probability"] < THRESHOLD / 2)
    assert {prediction["level"] for prediction in made} == {"low", "medium", "high", "critical"}


@pytest.mark.parametrize("content", [b"", b"no model", trained()[:200], trained()[:-10]])
def test_a_broken_model_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableModel):
        ScoringModel.from_bytes(content, {"method": "none"}, default_schema(), threshold=0.5, version="v")


def test_a_model_that_does_not_fit_is_refused() -> None:
    good = trained()
    for average in (-0.1, 1.1, float("nan")):
        with pytest.raises(UnusableModel):
            ScoringModel.from_bytes(good, {"method": "none"}, default_schema(), threshold=0.5, version="v", average_probability=average)
    for calibration, schema, threshold in (
        ({"method": "magic"}, default_schema(), 0.5),
        ({"method": "platt", "a": -1, "b": 0}, default_schema(), 0.5),
        ({"method": "none"}, SCHEMA, 0.5),
        ({"method": "none"}, default_schema(), 0.0),
        ({"method": "none"}, default_schema(), float("nan")),
    ):
        with pytest.raises(UnusableModel):
            ScoringModel.from_bytes(good, calibration, schema, threshold=threshold, version="v")
