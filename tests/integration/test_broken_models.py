"""A model or a schema that cannot be used: health says so, reads answer, scoring says why not, and a mend takes effect at once."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import boto3
import pytest

from retainstream.registry import loading
from retainstream.registry.active_schema import forget_active_schema
from retainstream.registry.errors import CorruptModel
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from retainstream.storage.runs import Runs
from retainstream.storage.table import Table
from tests.integration.conftest import lambda_context, load_function
from tests.small_models import add_customers, put_in_service, some_features

type Call = Callable[..., Any]

VERSION = "20260201T000000Z-bbbbbbbb"
FILES = ("model.ubj", "schema.json", "calibration.json")


def key(name: str) -> str:
    return f"models/{VERSION}/{name}"


def remove(name: str) -> None:
    boto3.client("s3").delete_object(Bucket=settings().bucket, Key=key(name))


def rewrite(name: str, content: bytes, *, registered: bool = False) -> None:
    """Other bytes in a file's place; `registered`: its checksum is made to fit, as if it had been registered so."""
    Documents().put_bytes(key(name), content)
    if registered:
        change_record(lambda record: record["files"][name].update(sha256=hashlib.sha256(content).hexdigest()))


def models_table() -> Table:
    return Table(settings().models_table, ("pk", "sk"))


def change_record(change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the version's record, and the copy of it that the pointer carries."""
    record = models_table().get({"pk": "version", "sk": VERSION})
    pointer = models_table().get({"pk": "champion", "sk": "current"})
    assert record
    assert pointer
    change(record)
    change(pointer["record"])
    models_table().put(record)
    models_table().put(pointer)


def change_pointer(change: Callable[[dict[str, Any]], object]) -> None:
    pointer = models_table().get({"pk": "champion", "sk": "current"})
    assert pointer
    change(pointer)
    models_table().put(pointer)


def without_record() -> None:
    models_table().delete({"pk": "version", "sk": VERSION})
    change_pointer(lambda pointer: pointer.pop("record"))


def schema_with(**changes: Any) -> bytes:
    return json.dumps({**json.loads(content("schema.json")), **changes}).encode()


def columns() -> list[Any]:
    found: list[Any] = json.loads(content("schema.json"))["columns"]
    return found


def content(name: str) -> bytes:
    return Documents().get_bytes(key(name))


def on_files(change: Callable[[str], object], what: str) -> dict[str, Callable[[], object]]:
    """The same fault of each file that scoring needs."""
    return {f"{name} {what}": partial(change, name) for name in FILES}


FAULTS: dict[str, Callable[[], object]] = {
    **on_files(remove, "is missing"),
    "model.ubj is empty": lambda: rewrite("model.ubj", b""),
    **on_files(lambda name: rewrite(name, content(name)[:-20]), "is cut short"),
    "calibration.json is tampered with": lambda: rewrite("calibration.json", b'{"method":"platt","a":9,"b":0}'),
    **on_files(lambda name: rewrite(name, b"{}", registered=True), "was never one"),
    "model.ubj was cut short when it was registered": lambda: rewrite("model.ubj", content("model.ubj")[:-20], registered=True),
    "the schema is of another version": lambda: rewrite("schema.json", schema_with(format_of="tomorrow"), registered=True),
    "the schema has other columns": lambda: rewrite("schema.json", schema_with(columns=columns()[:-2]), registered=True),
    "the calibration is of an unknown method": lambda: rewrite("calibration.json", b'{"method": "tomorrow"}', registered=True),
    "the calibration is a list": lambda: rewrite("calibration.json", b"[1]", registered=True),
    "the record has no files": lambda: change_record(lambda record: record.pop("files")),
    "the record lacks a file": lambda: change_record(lambda record: record["files"].pop("calibration.json")),
    "the record has no threshold": lambda: change_record(lambda record: record.pop("threshold")),
    "the threshold is a word": lambda: change_record(lambda record: record.update(threshold="high")),
    "the threshold is absurd": lambda: change_record(lambda record: record.update(threshold=7)),
    "a level is a word": lambda: change_record(lambda record: record.update(levels={"medium": "low", "high": 0.3, "critical": 0.6})),
    "the levels descend": lambda: change_record(lambda record: record.update(levels={"medium": 0.7, "high": 0.3, "critical": 0.6})),
    "there is no record": without_record,
    "the pointer is broken": lambda: change_pointer(lambda pointer: [pointer.pop(name) for name in ("revision", "history", "record")]),
}
UNSEEN = {
    *("model.ubj was never one", "calibration.json was never one", "model.ubj was cut short when it was registered"),
    *("the schema has other columns", "the calibration is of an unknown method", "the calibration is a list"),
}
"""What only loading the model shows, which health does not: what is registered has been loaded before."""

READS = (
    ("customers", "/api/customers"),
    ("customers", "/api/customers/C-000003"),
    ("customers", "/api/customers/high-risk"),
    ("dashboard", "/api/dashboard/metrics"),
    ("dashboard", "/api/dashboard/distribution"),
    ("dashboard", "/api/dashboard/features"),
    ("predictions", "/api/predictions/results"),
    ("predictions", "/api/predictions/performance"),
    ("model", "/api/model/status"),
    ("model", "/api/model/features"),
    ("model", "/api/model/versions"),
    ("model", "/api/model/drift"),
    ("model", "/api/model/schema"),
)
SCORES = (
    ("dashboard", "/api/dashboard/predict", {"sample_size": 5}),
    ("predictions", "/api/predictions/generate", {"customer_ids": ["C-000003"]}),
    ("predictions", "/api/predictions/generate", {"rows": [some_features(1)[0]]}),
    ("predictions", "/api/predictions/generate", {"all": True}),
    ("predictions", "/api/predictions/what-if", {"customer_id": "C-000003", "changes": {"payment_failures": 5}}),
)


BEFORE = "20260101T000000Z-aaaaaaaa"


@pytest.fixture
def base(call: Call, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Customers scored by a version, with another one before it; nothing of either is loaded."""
    ids = add_customers(12)
    put_in_service(0, BEFORE)
    put_in_service(1, VERSION)
    figures = {"rows": 100, "roc_auc": 0.8, "pr_auc": 0.5, "log_loss": 0.4, "brier": 0.1, "ece": 0.01}
    whole: dict[str, Any] = {"metrics": figures, "ceiling": None, "rows": {"test": 100}, "gate": {"passed": True, "reasons": []}}
    whole["importance"] = [{"feature": "plan", "label": "Plan", "mean_abs_contribution": 0.5, "direction": "mixed"}]
    change_record(lambda record: record.update(whole))
    record = models_table().get({"pk": "version", "sk": BEFORE})
    models_table().put({**(record or {}), **whole})
    answer = call("predictions", "POST", "/api/predictions/generate", {"customer_ids": ids})
    assert answer.status == 200
    forget(monkeypatch)
    return ids


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has loaded is gone: the next request is a new process's first."""
    monkeypatch.setattr(loading, "_cache", loading.ChampionCache())
    forget_active_schema()


def asked(call: Call, routes: Sequence[tuple[str, str]]) -> dict[str, int]:
    return {path: call(module, "GET", path, role="analyst").status for module, path in routes}


def scores(call: Call) -> list[Any]:
    return [call(module, "POST", path, body, role="analyst") for module, path, body in SCORES]


@pytest.mark.parametrize("name", FAULTS)
def test_reads_answer_scoring_says_why_not_and_a_rollback_mends_it(
    call: Call, base: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Predictions().get_many(base)
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["status"] == "ok"
    FAULTS[name]()
    told = call("model", "GET", "/api/health/details", role="viewer")
    assert told.status == 200
    if name not in UNSEEN:
        assert told.body["data"]["status"] == "degraded"
        assert told.body["data"]["dependencies"]["model"] in ("missing", "damaged")
        [advice] = told.body["data"]["advice"]
        assert "An administrator can roll back" in advice
    needs = ("/api/model/status", "/api/model/features", "/api/model/drift", "/api/model/versions") if "pointer" in name else ()
    reads = asked(call, [(module, path) for module, path in READS if path not in (*needs, "/api/predictions/performance")])
    assert set(reads.values()) == {200}, reads
    for answer in scores(call):
        assert answer.status == 503, answer.body
        assert answer.body["detail"]
        assert int(answer.headers["Retry-After"]) > 0
        assert "roll back" in answer.body["detail"]
    reason = failed_run(name)
    assert VERSION in reason or "pointer" in reason
    assert Predictions().get_many(base) == before
    if "pointer" in name:
        return
    assert call("model", "POST", "/api/model/rollback").status == 200
    assert [answer.status for answer in scores(call)][:3] == [200, 200, 200]
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["status"] == "ok"


def failed_run(name: str) -> str:
    """What a scoring run, started all the same, gives as its reason."""
    function = load_function("scoring")
    run_id = "run-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    with pytest.raises(CorruptModel) as raised:
        function.handler({"task": "plan", "run_id": run_id, "input": {"started_by": "test"}}, lambda_context("scoring"))
    cause = json.dumps({"errorType": "CorruptModel", "errorMessage": str(raised.value)})
    function.handler(
        {"task": "fail", "run_id": run_id, "input": {}, "error": {"Error": "CorruptModel", "Cause": cause}}, lambda_context("scoring")
    )
    record = Runs().existing(run_id)
    assert record["status"] == "FAILED"
    return str(record["reason"])


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_put_back_is_used_at_once(call: Call, base: list[str], name: str) -> None:
    kept = content(name)
    remove(name)
    assert {answer.status for answer in scores(call)} == {503}
    rewrite(name, kept)
    assert [answer.status for answer in scores(call)][:3] == [200, 200, 200]
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["advice"] == []


def test_a_process_that_has_the_model_goes_on_with_it_while_health_tells(call: Call, base: list[str]) -> None:
    assert scores(call)[0].status == 200
    remove("model.ubj")
    assert scores(call)[0].status == 200
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["dependencies"]["model"] == "missing"


def test_without_any_champion_reads_answer_and_scoring_says_to_train(call: Call) -> None:
    add_customers(12)
    told = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert (told["status"], told["dependencies"]["model"]) == ("degraded", "none")
    assert told["advice"] == ["No model is in service yet. Train one: POST /api/model/train."]
    assert {path for path, status in asked(call, READS).items() if status != 200} == {
        "/api/predictions/performance",
        "/api/model/features",
    }
    for answer in scores(call):
        assert (answer.status, answer.body["type"].rsplit(":", 1)[1]) == (503, "no-model")
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize("broken", [b"", b"{}", b"\xff\xfe", b'{"columns": []}', b"[1, 2]", b"x" * 100_000])
def test_a_schema_in_force_that_is_none_is_told_and_what_needs_no_schema_answers(
    call: Call, base: list[str], broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    Documents().put_bytes("schemas/active.json", broken)
    told = call("model", "GET", "/api/health/details", role="viewer").body["data"]
    assert (told["status"], told["dependencies"]["feature_schema"]) == ("degraded", "damaged")
    assert "schemas/active.json" in told["advice"][0]
    for module, path in READS:
        answer = call(module, "GET", path, role="analyst")
        assert answer.status in (200, 503), path
        if answer.status == 503:
            assert "schemas/active.json" in answer.body["detail"]
            assert answer.headers["Retry-After"]
    answering = ("/api/customers", "/api/customers/C-000003", "/api/dashboard/metrics", "/api/dashboard/features", "/api/model/status")
    assert all(asked(call, READS)[path] == 200 for path in answering)
    assert {answer.status for answer in scores(call)[:3]} == {200}, "the model has a schema of its own"
    wrote = call("customers", "PUT", "/api/customers/new", {"features": some_features(1)[0]}, role="analyst")
    assert wrote.status == 503
    assert "schemas/active.json" in wrote.body["detail"]
    boto3.client("s3").delete_object(Bucket=settings().bucket, Key="schemas/active.json")
    assert set(asked(call, READS).values()) == {200}
    assert call("customers", "PUT", "/api/customers/new", {"features": some_features(1)[0]}, role="analyst").status == 200


def test_a_process_that_has_read_the_schema_goes_on_with_it(call: Call, base: list[str]) -> None:
    assert call("customers", "GET", "/api/customers/high-risk").status == 200
    Documents().put_bytes("schemas/active.json", b"{")
    assert call("customers", "GET", "/api/customers/high-risk").status == 200
    assert call("model", "GET", "/api/health/details", role="viewer").body["data"]["dependencies"]["feature_schema"] == "damaged"


@pytest.mark.parametrize("broken", [b"", b"{}", b"[1]", b'{"columns": 5}'])
@pytest.mark.parametrize("registered", [True, False])
def test_a_reference_that_is_none_costs_drift_and_nothing_else(call: Call, base: list[str], broken: bytes, registered: bool) -> None:
    rewrite("reference.json", broken, registered=registered)
    function = load_function("scoring")

    def do(task: str, **given: Any) -> Any:
        return json.loads(json.dumps(function.handler({"task": task, "run_id": "run", **given}, lambda_context("scoring"))))

    plan = do("plan", input={"started_by": "test"})
    chosen = {name: plan[name] for name in ("model_version", "chosen_at")}
    parts = []
    for part in plan["segments"]:
        while not (part := do("score", part=part, **chosen)).get("done"):
            pass
        parts.append(part)
    verified = do("verify", parts=parts, planned=len(plan["segments"]))
    do("finish", counts=verified["counts"], model_version=plan["model_version"])
    record = Runs().existing("run")
    assert (record["status"], record["counts"]["scored"]) == ("SUCCEEDED", 12)
    assert call("model", "GET", "/api/model/drift").body["data"]["state"] in ("no-reference", "known")
