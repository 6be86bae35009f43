"""The stack used over HTTP with `sam local start-api`: what people do from signing in to signing out.

State machines, streams and uploads call the functions through `sam local start-lambda`. What is stored is read by the tests themselves.
"""

import base64
import csv
import importlib.metadata
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.generate import write_csv
from retainstream.accounts.administration import add_administrator
from retainstream.engine.learning.synthetic import generate
from retainstream.engine.schema import FeatureSchema
from retainstream.settings import settings
from retainstream.storage.users import Users
from tests.containers.account import Account, Containers, deployed, items, keys, wired
from tests.containers.conftest import Lambda
from tests.containers.image import PYTHONPATH
from tests.containers.sam import TEMPLATE, Sam
from tests.delivered_sources import PROFILE
from tests.made_sources import streaming_with_sources
from tools import as_lambda

ADMINISTRATOR, PASSWORD = "robin.vega@example.com", "correct horse battery staple"
PARAMETERS = {"RecountSettleSeconds": "5", "ExportAtOnce": "0"}
CUSTOMERS, DRAFTED = 1500, 200
WRONG_ROWS = b",basic,1,1,1,1,0,1,9.99,\ns9000001,basic,4,1\n"


@dataclass
class Walk:
    """What was answered and stored on the way, and where it was asked."""

    account: Account
    sam: Sam
    api: httpx.Client
    answers: dict[str, Any] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict)

    def follow(self, started: httpx.Response, seconds: float = 300) -> Any:
        """The run that a request has started, when it has ended."""
        assert started.status_code == 202, started.text
        deadline = time.monotonic() + seconds
        while (run := data(self.api.get(started.headers["location"])))["status"] in {"WAITING", "RUNNING"}:
            assert time.monotonic() < deadline, run
            time.sleep(1)
        return run


def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def read_csv(url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(httpx.get(url).text)))


def put_schema(api: httpx.Client, schema: FeatureSchema) -> httpx.Response:
    document = {"document": schema.model_dump_json(exclude_defaults=True)}
    replaces = data(api.post("/api/model/schema/check", json=document))["replaces"]
    return api.put("/api/model/schema", json={**document, "replaces": replaces})


def sound_file(customers: int) -> bytes:
    written = io.BytesIO()
    write_csv(generate(customers, 7), written)
    return written.getvalue()


def file_of_customers() -> bytes:
    return sound_file(CUSTOMERS) + WRONG_ROWS


@pytest.fixture(scope="module")
def path(containers: Lambda) -> Iterator[Walk]:
    """Walked to its end; the functions' containers are still there."""
    with ExitStack() as stack:
        account = stack.enter_context(deployed(PARAMETERS, executing=True))
        quick = {name: {**given, "TRAINING_SECONDS": "5"} for name, given in account.environments.items()}
        sam = Sam(containers.engine, containers.folder, quick)
        functions = Containers(account, stack.enter_context(sam.served("start-lambda")))
        api = stack.enter_context(httpx.Client(base_url=stack.enter_context(sam.served("start-api")), timeout=120))
        feeder = stack.enter_context(wired(account, functions))
        stack.callback(containers.engine.end_containers)  # sam asks each to end by itself, one after the other
        walked = Walk(account, sam, api)
        walk(walked, feeder.wait_until_drained)
        walked.stored["events"] = {name: len(events) for name, events in functions.told.items()}
        yield walked


def walk(path: Walk, drained: Any) -> None:
    api, answers, stored = path.api, path.answers, path.stored
    add_administrator(Users(), ADMINISTRATOR, PASSWORD, name="Robin Vega", first=True)
    answers["refused"] = api.get("/api/dashboard/metrics", headers={"Authorization": "Bearer made.up.token"})
    answers["wrong password"] = api.post("/api/auth/login", json={"email": ADMINISTRATOR, "password": "another horse"})
    answers["sign-in"] = data(api.post("/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD}))
    api.headers["Authorization"] = f"Bearer {answers['sign-in']['token']}"

    content = file_of_customers()
    today = datetime.now(UTC).date()
    moments = {"features_as_of": str(today - timedelta(days=30)), "outcomes_as_of": str(today)}
    asked = api.post("/api/customers/imports", json={"file_name": "customers.csv", "size": len(content), **moments})
    answers["upload"] = httpx.put(asked.json()["data"]["upload"]["parts"][0]["url"], content=content, timeout=60)
    answers["import"] = path.follow(asked)
    stored["customers imported"] = items(settings().customers_table)

    answers["training"] = path.follow(api.post("/api/model/train", json={}))
    assert drained(120)
    stored["predictions"] = items(settings().predictions_table)
    answers["metrics"] = data(api.get("/api/dashboard/metrics"))
    answers["distribution"] = data(api.get("/api/dashboard/distribution"))
    answers["features"] = data(api.get("/api/dashboard/features"))
    answers["high-risk"] = data(api.get("/api/customers/high-risk?limit=10"))
    answers["scored now"] = data(api.post("/api/predictions/generate", json={"customer_ids": [answers["high-risk"][0]["customer_id"]]}))
    answers["recount"] = path.follow(api.post("/api/dashboard/recount", json={}))

    answers["export"] = path.follow(api.get("/api/predictions/results?format=data"))
    stored["export"] = read_csv(answers["export"]["url"])

    sent = {"file_name": "customers.csv", "content": base64.b64encode(sound_file(DRAFTED)).decode()}
    answers["draft"] = data(api.post("/api/drafts", json=sent))
    answers["schema"] = put_schema(api, streaming_with_sources())
    source = PROFILE.format(*sorted(row["customer_id"] for row in stored["export"])[:2]).encode()
    asked = api.post("/api/customers/sources/deliveries", json={"kind": "profile", "file_name": "profile.csv", "size": len(source)})
    httpx.put(asked.json()["data"]["upload"]["parts"][0]["url"], content=source, timeout=60).raise_for_status()
    answers["delivery"] = path.follow(asked)

    forgotten = answers["high-risk"][0]["customer_id"]
    answers["delete"] = data(api.delete(f"/api/customers/{forgotten}"))
    assert drained(60)
    answers["deleted"] = api.get(f"/api/customers/{forgotten}")
    answers["metrics after"] = data(api.get("/api/dashboard/metrics"))
    answers["health"] = data(api.get("/api/health/details"))
    answers["sign-out"] = data(api.post("/api/auth/logout"))
    answers["after sign-out"] = api.get("/api/auth/me")


def test_who_cannot_show_who_they_are_is_refused(path: Walk) -> None:
    for name in ("refused", "wrong password", "after sign-out"):
        answer = path.answers[name]
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), name
    assert path.answers["sign-in"]["user"]["role"] == "admin"
    assert path.answers["sign-out"] == {"signed_out": True}
    assert len(items(settings().revoked_tokens_table)) == 1


def test_the_file_is_imported_row_by_row(path: Walk) -> None:
    done = path.answers["import"]
    assert path.answers["upload"].status_code == 200
    assert (done["status"], done["rows"]) == ("SUCCEEDED", CUSTOMERS + 2)
    assert (done["counts"]["accepted"], done["counts"]["created"], done["counts"]["rejected"]) == (CUSTOMERS, CUSTOMERS, 2)
    assert [reject["column"] for reject in done["rejects"]] == ["customer_id", ""]
    assert [row["error"] for row in read_csv(done["rejects_url"])] == ["customer_id: is missing", done["rejects"][1]["reason"]]
    assert {item["customer_id"]["S"] for item in path.stored["customers imported"]} == set(generate(CUSTOMERS, 7).ids)


def test_a_source_file_is_delivered(path: Walk) -> None:
    assert path.answers["schema"].status_code == 200
    delivery = path.answers["delivery"]
    assert (delivery["status"], delivery["counts"]["added"]) == ("SUCCEEDED", 2), delivery
    assert "sources/profile/all.parquet" in keys("sources/")


def test_a_model_is_trained_and_in_service(path: Walk) -> None:
    run = path.answers["training"]
    assert (run["status"], run["result"]["promoted"]) == ("SUCCEEDED", True), run
    assert [step["status"] for step in run["steps"]] == ["SUCCEEDED"] * len(run["planned_steps"])
    version = run["result"]["version"]
    assert path.answers["health"]["model"]["version"] == version
    assert {f"models/{version}/{name}" for name in ("model.ubj", "schema.json", "calibration.json", "card.html")} <= keys(
        f"models/{version}/"
    )


def test_everybody_who_has_not_left_is_scored_and_the_dashboard_counts_them(path: Walk) -> None:
    predictions = {item["customer_id"]["S"]: item for item in path.stored["predictions"]}
    here = [item for item in path.stored["customers imported"] if "left_on" not in item["life"]["M"]]
    assert {item["customer_id"]["S"] for item in here} <= predictions.keys()
    levels = Counter(predictions[item["customer_id"]["S"]]["level"]["S"] for item in here)
    metrics = path.answers["metrics"]
    assert metrics["customers"] == {"total": CUSTOMERS, "active": len(here), "churned": CUSTOMERS - len(here), "scored": len(here)}
    assert {level["level"]: level["customers"] for level in metrics["levels"] if level["customers"]} == levels
    assert path.answers["distribution"]["customers"] == len(here)
    assert path.answers["features"]
    assert (path.answers["recount"]["status"], path.answers["recount"]["exact"]) == ("SUCCEEDED", True), path.answers["recount"]


def test_those_most_at_risk_are_told_with_reasons(path: Walk) -> None:
    stored = {item["customer_id"]["S"]: float(item["probability"]["N"]) for item in path.stored["predictions"]}
    told = [(person["customer_id"], person["probability"]) for person in path.answers["high-risk"]]
    assert told == [(name, stored[name]) for name, _ in told]
    highest = sorted(stored.values(), reverse=True)
    assert [probability for _, probability in told] == highest[: len(told)]
    assert all(person["reasons"] for person in path.answers["high-risk"])
    [now] = path.answers["scored now"]["predictions"]
    assert now["probability"] == told[0][1]


def test_the_file_of_predictions_holds_everybody(path: Walk) -> None:
    assert path.answers["export"]["status"] == "SUCCEEDED"
    assert len(path.stored["export"]) == path.answers["export"]["rows"] == path.answers["metrics"]["customers"]["scored"]


def test_a_sent_file_is_described(path: Walk) -> None:
    assert path.answers["draft"]["rows"] == DRAFTED
    assert path.answers["draft"]["likely_ids"] == ["customer_id"]


def test_who_is_deleted_is_gone_everywhere(path: Walk) -> None:
    forgotten = path.answers["high-risk"][0]["customer_id"]
    assert path.answers["deleted"].status_code == 404
    for table in (settings().customers_table, settings().predictions_table):
        left = {item["customer_id"]["S"] for item in items(table)}
        assert forgotten not in left
        assert left
    assert path.answers["metrics after"]["customers"]["total"] == CUSTOMERS - 1
    assert path.answers["metrics after"]["customers"]["scored"] == path.answers["metrics"]["customers"]["scored"] - 1
    assert path.answers["export"]["run_id"] not in str(keys("exports/"))


def test_every_function_ran_within_the_memory_and_the_time_of_the_template(path: Walk) -> None:
    functions = {path.account.logical_ids[name]: function for name, function in path.account.deployment.functions.items()}
    running = described(path)
    assert {name for name, _ in running} == functions.keys()
    for name, container in running:
        assert container["HostConfig"]["Memory"] == functions[name].memory * 1024 * 1024, name
        assert f"AWS_LAMBDA_FUNCTION_TIMEOUT={functions[name].timeout}" in container["Config"]["Env"], name
        assert f"AWS_LAMBDA_FUNCTION_MEMORY_SIZE={functions[name].memory}" in container["Config"]["Env"], name


def test_functions_find_their_own_layers_and_nothing_else(path: Walk) -> None:
    look = "import importlib.metadata, json; print(json.dumps([found.name for found in importlib.metadata.distributions()]))"
    for name, container in described(path):
        assert [(mount["Source"], mount["Destination"], mount["RW"]) for mount in container["Mounts"]] == [
            (str(TEMPLATE.parent / name), "/var/task", False)
        ]
        found = path.sam.engine.docker("exec", container["Id"], "env", f"PYTHONPATH={PYTHONPATH}", "python3.13", "-c", look)
        own = [str(folder) for folder in as_lambda.search_path(TEMPLATE.parent, name, as_lambda.runtime_packages())]
        assert set(json.loads(found)) == {distribution.name for distribution in importlib.metadata.distributions(path=own)}, name
        opt = path.sam.engine.docker("exec", container["Id"], "find", "/opt/python", "-maxdepth", "1", "-mindepth", "1", "-printf", "%f\\n")
        assert set(opt.split()) == {part.name for folder in own[1:-1] for part in Path(folder).iterdir()}, name


def described(path: Walk) -> list[tuple[str, Any]]:
    """The containers there are, with the function of each."""
    engine = path.sam.engine
    told = json.loads(engine.docker("inspect", *engine.docker("ps", "--quiet").split()))
    prefix = "AWS_LAMBDA_FUNCTION_NAME="
    return [
        (next(part for part in container["Config"]["Env"] if part.startswith(prefix)).removeprefix(prefix), container) for container in told
    ]
