"""The model module: status, versions, promotion and rollback, runs, health, documentation."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.registry.active_schema import set_active_schema
from retainstream.registry.versions import register
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.runs import Runs
from tests.integration.conftest import Answer

type Call = Callable[..., Answer]


def record(version: str, **changes: Any) -> Any:
    figures = {"rows": 700, "roc_auc": 0.84, "pr_auc": 0.6, "log_loss": 0.4, "brier": 0.1, "ece": 0.01}
    return {
        "version": version,
        "run_id": f"run-{version}",
        "created_at": "2026-11-01T04:00:00+00:00",
        "status": "registered",
        "schema_name": "streaming",
        "threshold": 0.3,
        "calibration": "none",
        "synthetic": True,
        "metrics": figures,
        "baseline_metrics": figures,
        "ceiling": {"roc_auc": 0.86, "pr_auc": 0.62, "log_loss": 0.39, "brier": 0.1},
        "rows": {"train": 2000, "test": 700},
        "importance": [
            {"feature": "payment_failures", "label": "Failed payments", "mean_abs_contribution": 0.6, "direction": "increasing"},
            {"feature": "plan", "label": "Plan", "mean_abs_contribution": 0.2, "direction": "mixed"},
        ],
        "gate": {"passed": True, "reasons": []},
        "files": {"model.ubj": {"key": f"models/{version}/model.ubj", "sha256": "0" * 64}},
        **changes,
    }


@pytest.fixture
def versions(aws: None) -> list[str]:
    names = [f"20261101T04000{number}Z-abc" for number in range(3)]
    for name in names:
        register(Models(), record(name))
    return names


def test_nothing_in_service_is_said_plainly(call: Call) -> None:
    assert call("model", "GET", "/api/model/status").body["data"]["model"] is None
    answer = call("model", "GET", "/api/model/features")
    assert (answer.status, answer.body["type"]) == (503, "urn:retainstream:problem:no-model")
    assert call("model", "POST", "/api/model/rollback").status == 409


def test_promotion_and_rollback_move_the_pointer(call: Call, versions: list[str]) -> None:
    for name in versions[:2]:
        assert call("model", "POST", f"/api/model/versions/{name}/promote").body["data"]["model"]["version"] == name
    status = call("model", "GET", "/api/model/status", role="viewer").body["data"]
    assert status["model"]["version"] == versions[1]
    assert status["previous"] == versions[0]
    assert status["promoted_by"] == "ann@example.com"
    assert status["model"]["ceiling"]["roc_auc"] > status["model"]["metrics"]["roc_auc"]
    assert call("model", "POST", "/api/model/rollback").body["data"]["model"]["version"] == versions[0]
    assert [entry["version"] for entry in call("model", "GET", "/api/model/status").body["data"]["history"]] == [
        versions[0],
        versions[1],
        versions[0],
    ]


def test_a_rejected_version_stays_out(call: Call, aws: None) -> None:
    register(Models(), record("bad", status="rejected", gate={"passed": False, "reasons": ["ROC AUC 0.600 is below the target of 0.700."]}))
    answer = call("model", "POST", "/api/model/versions/bad/promote")
    assert answer.status == 409
    assert "below the target" in answer.body["detail"]
    assert call("model", "GET", "/api/model/status").body["data"]["model"] is None


def test_versions_are_paged_newest_first(call: Call, versions: list[str]) -> None:
    first = call("model", "GET", "/api/model/versions", query="limit=2").body
    second = call("model", "GET", "/api/model/versions", query=f"limit=2&cursor={first['page']['next']}").body
    assert [view["version"] for view in first["data"] + second["data"]] == versions[::-1]
    assert second["page"]["next"] is None


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("POST", "/api/model/versions/nowhere/promote", "", 404),
        ("POST", f"/api/model/versions/{'x' * 10_000}/promote", "", 422),
        ("POST", "/api/model/versions/a%00b/promote", "", 422),
        ("GET", "/api/model/training/nowhere", "", 404),
        ("GET", "/api/model/training/..", "", 422),
        ("GET", "/api/model/versions", "limit=0", 422),
        ("GET", "/api/model/versions", "limit=-1", 422),
        ("GET", "/api/model/versions", "limit=1000000000", 422),
        ("GET", "/api/model/versions", "cursor=forged", 400),
        ("GET", "/api/model/nowhere", "", 404),
        ("GET", "/somewhere/else", "", 404),
        ("PUT", "/api/model/train", "", 405),
    ],
)
def test_bad_requests_get_their_own_problem(call: Call, method: str, path: str, query: str, status: int) -> None:
    answer = call("model", method, path, query=query)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/model/train", "/api/model/rollback", "/api/model/versions/v/promote"])
@pytest.mark.parametrize(("role", "status"), [("analyst", 403), ("viewer", 403), (None, 401)])
def test_only_administrators_change_the_model(call: Call, path: str, role: str | None, status: int) -> None:
    assert call("model", "POST", path, role=role).status == status


def test_training_starts_once_for_one_key_and_can_be_followed(call: Call) -> None:
    boto3.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
    boto3.client("stepfunctions").create_state_machine(
        name="test-retraining",
        definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/machine",
    )
    first = call("model", "POST", "/api/model/train", headers={"idempotency-key": "monday"})
    again = call("model", "POST", "/api/model/train", headers={"idempotency-key": "monday"})
    assert first.status == again.status == 202
    run_id = first.body["data"]["run_id"]
    assert again.body["data"]["run_id"] == run_id
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:test-retraining"
    assert len(boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1
    Runs().fail(run_id, "Only 12 customers with a known outcome: at least 200 are needed.")
    followed = call("model", "GET", f"/api/model/training/{run_id}", role="viewer").body["data"]
    assert (followed["status"], followed["reason"][:7]) == ("FAILED", "Only 12")


def test_health_tells_what_is_in_service_and_what_is_missing(call: Call, versions: list[str]) -> None:
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["dependencies"]["model"] == "none"
    call("model", "POST", f"/api/model/versions/{versions[0]}/promote")
    missing = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert (missing["status"], missing["dependencies"]["model"]) == ("degraded", "missing")
    boto3.client("s3").put_object(Bucket="test-bucket", Key=f"models/{versions[0]}/model.ubj", Body=b"x")
    other = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert (other["status"], other["model"]["version"]) == ("degraded", versions[0])


def test_the_schema_in_force_is_told_as_the_pages_and_programs_need_it(call: Call) -> None:
    schema = call("model", "GET", "/api/model/schema", role="viewer").body["data"]

    assert FeatureSchema.model_validate(schema) == default_schema()
    assert call("model", "GET", "/api/model/schema", role=None).status == 401


def test_another_schema_is_told_once_it_is_in_force(call: Call) -> None:
    set_active_schema(Documents(), default_schema().model_copy(update={"title": "Ours"}))

    assert call("model", "GET", "/api/model/schema").body["data"]["title"] == "Ours"


def test_the_documentation_loads_nothing_from_elsewhere(call: Call) -> None:
    page = call("model", "GET", "/api/docs", role=None)
    assert page.status == 200
    assert "http" not in page.body.replace("http-equiv", "")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css", "start.js"):
        assert f"/api/docs/{name}" in page.body
        assert call("model", "GET", f"/api/docs/{name}", role=None).status == 200
    assert call("model", "GET", "/api/docs/other.js", role=None).status == 404
