"""What became of customers, recorded over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retainstream.engine.lives import churned_of, outcome_day
from retainstream.settings import settings
from retainstream.storage.arriving_customers import RowChange
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from tests.integration.base_of_customers import (
    FEATURES,
    customer_ids,
    prediction,
    store_predictions,
)
from tests.made_lives import outcome
from tests.stored import stored_items

type Call = Callable[..., Any]

HIGH_RISK = "/api/customers/high-risk"


def test_an_outcome_takes_the_customer_off_the_list(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9), prediction("c2", 0.8)])
    answer = call("customers", "POST", "/api/customers/c1/outcome", {"churned": True, "date": "2026-10-01"}, role="analyst")
    assert answer.status == 200
    assert answer.body["data"]["churned"] is True
    assert answer.body["data"]["outcome_at"] == "2026-10-01"
    assert answer.body["data"]["prediction"]["churned"] is True
    assert not {"risk_shard", "probability_rank", "value_rank"} & set(Predictions().get("c1") or {})
    assert customer_ids(call("customers", "GET", HIGH_RISK)) == ["c2"]


@pytest.mark.parametrize("body", [{"churned": True}, {"churned": True, "date": "2026-10-01"}, {"churned": False}])
def test_the_same_outcome_again_changes_nothing(call: Call, body: dict[str, Any]) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    call("customers", "POST", "/api/customers/c1/outcome", body)
    before = Customers().get("c1"), Predictions().get("c1")
    assert call("customers", "POST", "/api/customers/c1/outcome", body).status == 200
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": body["churned"]}).status == 200
    assert (Customers().get("c1"), Predictions().get("c1")) == before


def test_a_recording_that_was_interrupted_is_finished_by_the_next(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    customer = Customers().get("c1")
    Customers().change(RowChange("c1", customer, {"life": {"left_on": "2026-10-01"}}))
    assert customer_ids(call("customers", "GET", HIGH_RISK)) == ["c1"]
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert customer_ids(call("customers", "GET", HIGH_RISK)) == []


def test_a_corrected_outcome_puts_the_customer_back_on_the_list(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    before = Predictions().get("c1")
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": False}).body["data"]["churned"] is False
    assert Predictions().get("c1") == before
    assert customer_ids(call("customers", "GET", HIGH_RISK)) == ["c1"]


def test_that_a_customer_stayed_is_known_through_the_latest_day_that_says_so(call: Call) -> None:
    def told(day: str, *, churned: bool = False) -> tuple[Any, ...]:
        assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": churned, "date": day}).status == 200
        stored: Any = Customers().get("c1")
        return churned_of(stored["life"]), outcome_day(stored["life"])

    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    assert told("2026-01-31") == (False, "2026-01-31")
    assert told("2026-02-09") == (False, "2026-02-09")
    assert told("2026-01-20") == (False, "2026-02-09"), "an earlier day says nothing new"
    assert told("2026-02-10", churned=True) == (True, "2026-02-10")
    assert told("2026-01-20") == (False, "2026-02-09"), "the leaving is withdrawn, the earlier outcome is not"


def test_only_the_day_of_an_outcome_is_changed(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    store_predictions([prediction("c1", 0.9)])
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    store_predictions([prediction("c1", 0.1, churned=True)])
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True, "date": "2026-10-02"})
    stored: Any = Customers().get("c1")
    assert stored["life"]["left_on"] == "2026-10-02"


def test_an_outcome_without_a_prediction(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    answer = call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert answer.body["data"]["outcome_at"] <= datetime.now(UTC).date().isoformat()


def test_who_recorded_an_outcome_is_kept_beside_who_made_the_customer(call: Call) -> None:
    Customers().put({"customer_id": "c1", "group": "standard", "features": FEATURES, "source": "synthetic", "life": outcome(False)})
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    stored: Any = Customers().get("c1")
    assert (stored["source"], stored["outcome_source"]) == ("synthetic", "api")


def test_changing_features_keeps_a_known_outcome(call: Call) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    call("customers", "POST", "/api/customers/c1/outcome", {"churned": True})
    assert call("customers", "PUT", "/api/customers/c1", {"features": FEATURES}).body["data"]["churned"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"churned": "true"},
        {"churned": 1},
        {"churned": None},
        {"churned": True, "date": 1},
        {"churned": True, "date": "yesterday"},
        {"churned": True, "date": "2026-02-30"},
        {"churned": True, "date": "2026-1-1"},
        {"churned": True, "date": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()},
        {"churned": True, "when": "2026-01-01"},
        {"churned": True, "left_after": "2026-02-30"},
        {"churned": True, "date": "2026-10-01", "left_after": "2026-10-01"},
        {"churned": True, "left_after": datetime.now(UTC).date().isoformat()},
        {"churned": False, "date": "2026-10-01", "left_after": "2026-09-01"},
    ],
)
def test_outcomes_that_make_no_sense(call: Call, body: dict[str, Any]) -> None:
    call("customers", "PUT", "/api/customers/c1", {"features": FEATURES})
    assert call("customers", "POST", "/api/customers/c1/outcome", body).status == 422
    stored: Any = Customers().get("c1")
    assert churned_of(stored["life"]) is None


def test_the_outcome_of_nobody(call: Call) -> None:
    assert call("customers", "POST", "/api/customers/c1/outcome", {"churned": True}).status == 404
    assert Customers().get("c1") is None


def life_after(call: Call, *bodies: dict[str, Any]) -> dict[str, Any]:
    """The customer in the API after these outcomes."""
    for body in bodies:
        answer = call("customers", "POST", "/api/customers/c1/outcome", body)
        assert answer.status == 200, answer.body
    found: dict[str, Any] = call("customers", "GET", "/api/customers/c1").body["data"]
    return found


TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture
def known_since_june(call: Call) -> None:
    customer: Any = {"customer_id": "c1", "group": "standard", "features": FEATURES, "source": "api"}
    Customers().put(customer | {"life": {"first_seen_on": "2026-06-01", "observed_until": "2026-06-30"}})


@pytest.mark.usefixtures("known_since_june")
def test_a_leaving_without_a_day_lies_between_the_last_sight_and_today(call: Call) -> None:
    life = life_after(call, {"churned": True})["life"]
    assert (life["left_on"], life["left_on_exact"], life["left_after"]) == (TODAY, False, "2026-06-30")


@pytest.mark.usefixtures("known_since_june")
def test_a_leaving_has_an_exact_day_or_a_range(call: Call) -> None:
    life = life_after(call, {"churned": True, "date": "2026-08-15"})["life"]
    assert (life["left_on"], life["left_on_exact"], life["left_after"]) == ("2026-08-15", True, None)
    life = life_after(call, {"churned": True, "date": "2026-08-31", "left_after": "2026-07-31"})["life"]
    assert (life["left_on"], life["left_on_exact"], life["left_after"]) == ("2026-08-31", False, "2026-07-31")
    assert life["observed_until"] == "2026-07-31"


@pytest.mark.usefixtures("known_since_june")
def test_a_customer_who_stayed_after_the_leaving_has_come_back(call: Call) -> None:
    customer = life_after(call, {"churned": True, "date": "2026-08-15"}, {"churned": False, "date": "2026-10-01"})
    assert (customer["churned"], customer["outcome_at"]) == (False, "2026-10-01")
    assert customer["life"]["first_seen_on"] == "2026-10-01"
    assert [life["left_on"] for life in customer["earlier_lives"]] == ["2026-08-15"]


@pytest.mark.usefixtures("known_since_june")
@pytest.mark.parametrize("day", ["2026-08-15", "2026-08-01"])
def test_a_customer_who_has_not_left_after_all_keeps_one_life(call: Call, day: str) -> None:
    customer = life_after(call, {"churned": True, "date": "2026-08-15"}, {"churned": False, "date": day})
    assert (customer["churned"], customer["earlier_lives"]) == (False, [])
    assert (customer["life"]["left_on"], customer["life"]["observed_until"]) == (None, day)


@pytest.mark.usefixtures("known_since_june")
def test_features_after_the_leaving_begin_a_new_life_without_an_outcome(call: Call) -> None:
    store_predictions([prediction("c1", 0.9)])
    life_after(call, {"churned": True, "date": "2026-08-15"})
    customer = call("customers", "PUT", "/api/customers/c1", {"features": FEATURES}).body["data"]
    assert (customer["churned"], customer["outcome_at"]) == (None, None)
    assert (customer["life"]["first_seen_on"], customer["life"]["observed_until"]) == (TODAY, TODAY)
    assert [life["left_on"] for life in customer["earlier_lives"]] == ["2026-08-15"]
    assert customer["prediction"]["churned"] is False
    stored: Any = Customers().get("c1")
    assert "outcome_source" not in stored


OLD_ITEMS = [
    ({"churned": True, "outcome_at": "2026-08-15", "features_at": "2026-07-01T00:00:00+00:00"}, (True, "2026-08-15", "2026-07-01")),
    ({"churned": True, "outcome_at": "2026-08-15", "outcome_recorded_at": "2026-08-20T00:00:00+00:00"}, (True, "2026-08-15", None)),
    ({"churned": True, "outcome_prediction": {"scored_at": "2026-05-01T00:00:00+00:00"}}, (True, "2026-09-01", "2026-05-01")),
    ({"churned": False, "outcome_at": "2026-08-15"}, (False, "2026-08-15", None)),
    ({}, (None, None, None)),
]


@pytest.mark.parametrize(("attributes", "expected"), OLD_ITEMS)
def test_an_item_of_an_earlier_version_is_read_as_a_life(call: Call, attributes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    old = {"customer_id": "c1", "group": "standard", "features": FEATURES, "source": "api", "updated_at": "2026-09-01T00:00:00+00:00"}
    Customers().put_many([old | attributes])  # type: ignore[list-item]
    customer = life_after(call)
    assert (customer["churned"], customer["outcome_at"], customer["life"]["left_after"]) == expected
    assert Customers().left(["c1"]) == {"c1": expected[0] is True}
    assert call("customers", "GET", "/api/customers", role="analyst").body["data"][0]["life"] == customer["life"]


def test_a_write_replaces_the_outcome_of_an_earlier_version(call: Call) -> None:
    old = {"customer_id": "c1", "group": "standard", "features": FEATURES, "source": "api", "updated_at": "2026-09-01T00:00:00+00:00"}
    judged = {"outcome_prediction": {"scored_at": "2026-05-01T00:00:00+00:00", "probability": 0.9, "level": "high", "model_version": "m1"}}
    Customers().put_many([old | judged | {"churned": True, "outcome_at": "2026-08-15"}])  # type: ignore[list-item]
    life_after(call, {"churned": True, "date": "2026-08-10"})
    [item] = stored_items(settings().customers_table)
    assert not {"churned", "outcome_at", "outcome_recorded_at", "outcome_prediction"} & item.keys()
    assert item["life"]["M"]["left_on"] == {"S": "2026-08-10"}
