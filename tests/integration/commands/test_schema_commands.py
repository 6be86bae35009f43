"""`retainstream schema put`, `history` and `show`: with AWS credentials for a stack, and with the session of an administrator."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from cli.session import Session
from retainstream.engine.schema import default_schema, read_schema
from retainstream.registry.active_schema import stored_schema
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.table import Table
from tests.integration.commands.conftest import Ended, Run, Service, problem
from tests.integration.commands.test_aws_commands import deploy
from tests.made_lives import seen
from tests.small_models import some_features

type RunHere = Callable[..., Ended]

STREAMING = Path(__file__).parents[3] / "examples/schemas/streaming.yaml"
STACK = ("--stack", "shop")


def table(*keys: str) -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
        },
    }


@pytest.fixture
def documents(aws: None) -> Documents:
    """The bucket of a stack named shop, which has three customers of the default schema and no model."""
    resources = {"Bucket": {"Type": "AWS::S3::Bucket"}, "Customers": table("customer_id"), "Models": table("pk", "sk")}
    names = {"BucketName": "Bucket", "CustomersTableName": "Customers", "ModelsTableName": "Models"}
    outputs = deploy("shop", resources, {output: {"Ref": resource} for output, resource in names.items()})
    customers = Customers(Table(outputs["CustomersTableName"], ("customer_id",), boto3.client("dynamodb")))
    rows = [{**features, "plan": "basic"} for features in some_features(3)]
    customers.put_many(
        {"customer_id": f"C-{at}", "group": "basic", "features": row, "source": "api", "life": seen()} for at, row in enumerate(rows)
    )
    return Documents(outputs["BucketName"], boto3.client("s3"))


def written(folder: Path, **plan: Any) -> Path:
    """The default schema with another column plan, as YAML."""
    schema = yaml.safe_load(STREAMING.read_text())
    for column in schema["columns"]:
        if column["name"] == "plan":
            column |= plan
    path = folder / "schema.yaml"
    path.write_text(yaml.safe_dump(schema, sort_keys=False))
    return path


def test_a_schema_is_put_in_force_and_the_one_before_can_come_back(run_here: RunHere, documents: Documents, tmp_path: Path) -> None:
    ended = run_here("schema", "put", written(tmp_path, label="Tariff"), *STACK)
    assert ended.returncode == 0, ended.stderr
    assert "words changed" in ended.stdout
    assert "3 customers checked: all fit the new schema." in ended.stderr
    assert "is the active schema. The schema before is kept as 00000000T000000Z.streaming." in ended.stderr
    assert "1. Wait 30 seconds before you import" in ended.stderr
    assert stored_schema(documents).column("plan").label == "Tariff"

    [kept] = json.loads(run_here("schema", "history", *STACK, "--json").stdout)
    assert kept["id"] in run_here("schema", "history", *STACK).stdout
    before = tmp_path / "earlier.json"
    before.write_text(run_here("schema", "show", kept["id"], *STACK, "--json").stdout)
    assert run_here("schema", "put", before, *STACK).returncode == 0
    assert stored_schema(documents) == default_schema()
    assert "plan" in run_here("schema", "show", *STACK).stdout


def test_the_same_schema_again_says_so(run_here: RunHere, documents: Documents) -> None:
    ended = run_here("schema", "put", STREAMING, *STACK)
    assert ended.returncode == 0
    assert ended.stderr.endswith("is the active schema already. Nothing was changed.\n")
    assert documents.tags("schemas/") == {}


def test_customers_who_do_not_fit_stop_it_until_that_is_accepted(run_here: RunHere, documents: Documents, tmp_path: Path) -> None:
    schema = written(tmp_path, levels=["family", "standard", "premium"])
    sentence = "Plan: 3 of 3 checked customers have a value that the new schema does not allow, for example basic."
    checked = run_here("schema", "put", schema, *STACK, "--check")
    assert (checked.returncode, sentence in checked.stderr) == (3, True)
    refused = run_here("schema", "put", schema, *STACK)
    assert refused.returncode == 1
    assert "3 of 3 checked customers do not fit. Nothing was changed." in refused.stderr
    assert "--accept-refused" in refused.stderr
    assert documents.tags("schemas/") == {}

    accepted = run_here("schema", "put", schema, *STACK, "--accept-refused", "--json")

    assert accepted.returncode == 0, accepted.stderr
    answer = json.loads(accepted.stdout)
    assert (answer["active"], answer["customers"]["refused"]) == (True, 3)
    assert stored_schema(documents) == read_schema(schema)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("put", STREAMING, "--stack", "other"), 1, "There is no stack other"),
        (("put", "no-such-file.yaml", *STACK), 1, "no-such-file.yaml: cannot be read"),
        (("put", STREAMING, *STACK, "--url", "http://localhost:5000"), 2, "not both"),
        (("put", STREAMING, "--region", "eu-west-1"), 2, "--stack"),
        (("show", "20260101T000000Z.streaming.0123456789ab", *STACK), 1, "No earlier feature schema has this id"),
    ],
)
def test_what_is_wrong_is_said(run_here: RunHere, documents: Documents, arguments: tuple[object, ...], code: int, words: str) -> None:
    ended = run_here("schema", *arguments)
    assert ended.returncode == code
    assert words in " ".join(ended.stderr.replace("│", "").split())


def test_a_stack_of_something_else_is_refused(run_here: RunHere, aws: None) -> None:
    deploy("else", {"Pages": {"Type": "AWS::S3::Bucket"}}, {})
    ended = run_here("schema", "put", STREAMING, "--stack", "else")
    assert (ended.returncode, "has no output BucketName" in ended.stderr) == (1, True)


def change(**more: Any) -> dict[str, Any]:
    customers = {"checked": 1500, "complete": True, "refused": 0, "misfits": []}
    base = {"title": "Ours", "replaces": "a" * 64, "active": False, "same": False, "kept": None, "changes": [], "customers": customers}
    return {"data": {**base, "model": None, "next_steps": ["Train a model."], **more}}


def test_an_administrator_needs_no_aws_credentials(run: Run, service: Service, session: Session) -> None:
    service.will((200, change()), (200, change(active=True, kept="20260101T000000Z.ours.0123456789ab")))
    ended = run("schema", "put", STREAMING)
    assert ended.returncode == 0, ended.stderr
    assert "1,500 customers checked: all fit the new schema." in ended.stderr
    assert "1. Train a model." in ended.stderr
    assert [(method, path) for method, path, _ in service.requests] == [("POST", "/api/model/schema/check"), ("PUT", "/api/model/schema")]
    check, put = map(json.loads, service.bodies)
    assert put == {**check, "replaces": "a" * 64, "accept_refused": False}
    assert json.loads(put["document"])["name"] == "streaming"


def test_a_sample_is_called_one(run: Run, service: Service, session: Session) -> None:
    misfits = [{"text": "Plan: 12 of 10,000 checked customers have no value, and the new schema requires one."}]
    service.will((200, change(customers={"checked": 10_000, "complete": False, "refused": 12, "misfits": misfits})))
    ended = run("schema", "put", STREAMING)
    assert ended.returncode == 1
    assert "12 of 10,000 checked customers (a sample, there are more) do not fit the new schema:" in ended.stderr
    assert misfits[0]["text"] in ended.stderr
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "name", "title", "code"), [(403, "forbidden", "Your role does not allow this", 4), (409, "conflict", "Changed meanwhile", 1)]
)
def test_a_refusal_of_the_api_is_shown(run: Run, service: Service, session: Session, status: int, name: str, title: str, code: int) -> None:
    service.will((200, change()), (status, problem(name, status, title)))
    ended = run("schema", "put", STREAMING)
    assert ended.returncode == code
    assert f"error: {title}" in ended.stderr


def test_levels_are_learned_with_credentials_and_known_ones_change_nothing(documents: Documents, run_here: RunHere) -> None:
    done = run_here("schema", "learn", "plan=family", "plan=Basic", *STACK)
    assert done.returncode == 0, done.stderr
    assert "Plan has new levels: family." in done.stderr
    assert "Plan has these levels already: Basic." in done.stderr
    assert stored_schema(documents).column("plan").levels[-1] == "family"
    assert run_here("schema", "learn", "tenure_months=9", *STACK).returncode != 0


def test_levels_or_an_import_are_named_but_not_both(documents: Documents, run_here: RunHere) -> None:
    assert run_here("schema", "learn", *STACK).returncode == 2
    assert run_here("schema", "learn", "plan", *STACK).returncode == 2
    assert run_here("schema", "learn", "plan=a", "--import", "x").returncode == 2
