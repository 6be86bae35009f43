"""Drift and performance from scoring runs, through the functions' doors."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pytest

from retainstream.engine.model.encoding import encode
from retainstream.engine.monitoring.histograms import Ruler, tally
from retainstream.runs.scoring import segment as segments
from retainstream.runs.scoring import steps as run
from retainstream.runs.scoring.partials import Partials
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups
from retainstream.storage.runs import Run, Runs
from retainstream.storage.stores import Stores
from tests.integration.base_of_customers import storage_requests
from tests.integration.conftest import Answer, lambda_context, load_function
from tests.small_models import add_customers, put_in_service, small_model, small_reference

type Call = Callable[..., Answer]

DRIFT, PERFORMANCE = "/api/model/drift", "/api/predictions/performance"


def task(name: str, run_id: str, **given: Any) -> Any:
    """One task of the scoring function; what it takes and gives is JSON, as in the state machine."""
    event = {"task": name, "run_id": run_id, "input": {"started_by": "test"}, **given}
    return json.loads(json.dumps(load_function("scoring").handler(json.loads(json.dumps(event)), lambda_context("scoring"))))


def score_everybody(run_id: str, *, repeat: int = 1) -> Run:
    """A scoring run, each task of it done `repeat` times. Returns the run's record."""
    planned = [task("plan", run_id) for _ in range(repeat)][-1]
    version, parts = planned["model_version"], []
    for part in planned["segments"]:
        while not part.get("done"):
            part = [task("score", run_id, model_version=version, part=part) for _ in range(repeat)][-1]
        parts.append(part)
    total = [task("verify", run_id, parts=parts, planned=len(planned["segments"])) for _ in range(repeat)][-1]
    for _ in range(repeat):
        task("finish", run_id, model_version=version, counts=total["counts"])
    record = Runs().get(run_id)
    assert record
    return record


def test_before_a_model_and_before_a_run_the_answer_is_plain(call: Call) -> None:
    answer = call("model", "GET", DRIFT, role="viewer")
    assert (answer.status, answer.body["data"]["state"], answer.body["data"]["report"]) == (200, "no-model", None)
    version = put_in_service()
    waiting = call("model", "GET", DRIFT).body["data"]
    assert (waiting["state"], waiting["report"]) == ("not-scored", None)
    assert version in waiting["told"]
    score_everybody("empty")
    assert call("model", "GET", DRIFT).body["data"]["state"] == "not-scored"


def test_only_those_signed_in_see_drift(call: Call) -> None:
    assert call("model", "GET", DRIFT, role=None).status == 401
    assert call("model", "POST", DRIFT).status == 405
    for role in ("viewer", "analyst", "admin"):
        assert call("model", "GET", DRIFT, role=role).status == 200


def test_a_run_that_repeats_every_task_counts_each_customer_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "BLOCK", 7)
    monkeypatch.setattr(segments, "RESERVE_SECONDS", 10_000)  # one page to an invocation
    monkeypatch.setattr(run, "CUSTOMERS_PER_SEGMENT", 20)
    version = put_in_service()
    ids = add_customers(60, churned=5)
    record = score_everybody("r1", repeat=2)
    stored = [Predictions().get_many(ids)[customer_id] for customer_id in ids[5:]]
    rows = encode(small_model().schema, [prediction["features"] for prediction in stored])
    direct = tally(
        Ruler.of(small_reference()["features"]), rows, [prediction["probability"] for prediction in stored], stayed=0, synthetic=0
    )
    assert Partials(Documents(), "r1").whole().tally == direct
    assert record["counts"]["scored"] == record["result"]["estimate"]["customers"] == 55
    report = call("model", "GET", DRIFT, role="viewer").body["data"]["report"]
    assert (report["run_id"], report["model_version"], report["customers"], report["synthetic"]) == ("r1", version, 55, False)
    assert report["reference_rows"] == 3000
    assert len(report["features"]) == 8
    assert [point["run_id"] for point in Rollups().dashboard().trend] == ["r1"]


def test_drift_is_named_in_plain_words_and_silent_without(call: Call) -> None:
    put_in_service()
    ids = add_customers(900, seed=11)
    score_everybody("steady")
    steady = call("model", "GET", DRIFT).body["data"]
    assert (steady["state"], steady["told"], steady["report"]["level"]) == ("known", "No feature has drifted.", "none")
    changed: list[Any] = list(Customers().get_many(ids).values())
    for customer in changed:
        customer["features"]["last_login_days"] += 25
    Customers().put_many(changed)
    record = score_everybody("moved")
    moved = call("model", "GET", DRIFT).body["data"]
    assert moved["report"]["run_id"] == "moved"
    assert moved["told"].startswith("1 of 8 features has drifted: Last login; the score has drifted too")
    [login, *others] = moved["report"]["features"]
    assert (login["feature"], login["level"]) == ("last_login_days", "strong")
    assert "Last login is higher than it was: " in login["told"]
    assert login["churn_shift"]["level"] == "strong"
    assert login["churn_shift"]["customers"] == pytest.approx(900 * login["churn_shift"]["probability"], abs=0.1)
    assert all(part["churn_shift"]["level"] == "none" for part in others)
    assert {part["level"] for part in others} == {"none"}
    assert record["result"]["drift"] == "strong"


def test_a_promoted_version_has_no_drift_until_it_has_scored(call: Call) -> None:
    put_in_service()
    add_customers(30)
    score_everybody("first")
    assert call("model", "GET", DRIFT).body["data"]["state"] == "known"
    put_in_service(1, "20260201T000000Z-test0001")
    assert call("model", "GET", DRIFT).body["data"]["state"] == "not-scored"
    assert call("predictions", "GET", PERFORMANCE).body["data"]["estimate"] is None


def test_a_model_without_its_reference_scores_and_says_so(call: Call) -> None:
    version = put_in_service()
    boto3.client("s3").put_object(Bucket=settings().bucket, Key=f"models/{version}/reference.json", Body=b"{}")
    add_customers(30)
    record = score_everybody("r1")
    assert record["counts"]["scored"] == 30
    assert record["result"]["estimate"]["calibration_error"] is None
    assert "drift" not in record["result"]
    assert call("model", "GET", DRIFT).body["data"]["state"] == "no-reference"


def test_lost_counts_fail_the_run_by_name(aws: None) -> None:
    put_in_service()
    add_customers(5)
    planned = task("plan", "r1")
    part = task("score", "r1", model_version=planned["model_version"], part=planned["segments"][0])
    boto3.client("s3").delete_object(Bucket=settings().bucket, Key="scoring/r1/0-0.json")
    with pytest.raises(run.IncompleteRun, match="counts of segment 1"):
        task("verify", "r1", parts=[part], planned=1)


def test_a_thousand_segments_fit_into_the_state_machine(aws: None) -> None:
    add_customers(1)
    part = segments.score_segment(
        Stores(), small_model(), small_reference(), "r1", {"segment": 999, "segments": 1000, "start": None, "turns": 0}, lambda: 60
    )
    planned = {"segment": 999, "segments": 1000, "start": None, "turns": 0}
    assert 1000 * (len(json.dumps(part)) + len(json.dumps(planned)) + 2) < 200_000


def test_outcomes_say_nothing_of_predictions_before_a_horizon_has_ended(call: Call) -> None:
    """Until then only those who left are known, so that any figure would be wrong."""
    version = put_in_service(horizon_days=30)
    ids = add_customers(120, seed=5)
    assert call("predictions", "GET", PERFORMANCE).body["data"]["first_judged_on"] is None
    score_everybody("r1")
    predicted = {customer_id: prediction["probability"] for customer_id, prediction in Predictions().get_many(ids).items()}
    rng = np.random.default_rng(3)
    for customer_id in ids[:40]:
        churned = bool(rng.random() < predicted[customer_id])
        assert call("customers", "POST", f"/api/customers/{customer_id}/outcome", {"churned": churned}).status == 200
    with storage_requests() as requests:
        answer = call("predictions", "GET", PERFORMANCE, role="viewer")
    assert requests == ["GetItem", "Query", "GetObject", "GetItem"]
    data = answer.body["data"]
    month_later = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert (data["realised"], data["by_period"]) == (None, [])
    assert data["first_judged_on"] == data["next_judged_on"] == month_later
    assert [data[part]["customers"] for part in ("held_out", "estimate")] == [2000, 120]
    assert all(data[part]["basis"] for part in ("held_out", "estimate"))
    assert (data["estimate"]["run_id"], data["estimate"]["model_version"], data["estimate"]["synthetic"]) == ("r1", version, False)
    assert data["estimate"]["churners"] == pytest.approx(sum(predicted.values()), abs=0.01)
    assert data["estimate"]["roc_auc_interval"]["low"] < data["estimate"]["roc_auc"] < data["estimate"]["roc_auc_interval"]["high"]


def test_drift_takes_three_reads(call: Call) -> None:
    put_in_service()
    add_customers(20)
    score_everybody("r1")
    with storage_requests() as requests:
        assert call("model", "GET", DRIFT).status == 200
    assert requests == ["GetItem", "GetItem", "GetObject"]


def test_generated_customers_are_called_synthetic(call: Call) -> None:
    put_in_service()
    [customer_id, *_] = add_customers(20)
    found = Customers().get(customer_id)
    assert found
    Customers().put({**found, "source": "synthetic"})
    score_everybody("r1")
    assert call("model", "GET", DRIFT).body["data"]["report"]["synthetic"] is True
    assert call("predictions", "GET", PERFORMANCE).body["data"]["estimate"]["synthetic"] is True
