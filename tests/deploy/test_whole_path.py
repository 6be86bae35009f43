"""From `sam deploy` to `sam delete` on an emulator of AWS, with the commands of docs/deploy.md."""

import csv
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.isolation import REGION
from tests.contract.test_docs import rows
from tests.deploy.conftest import BUILT, ROOT, Account
from tests.deploy.emulated import emulated
from tests.deploy.leftovers import existing

STACK, ADMINISTRATOR, PASSWORD = "retainstream", "robin.vega@example.com", "correct horse battery staple"
SCHEMA, CUSTOMERS = ROOT / "examples/schemas/telco.yaml", ROOT / "examples/telco_customers.csv"
SAM, RETAINSTREAM = ROOT / ".venv-sam/bin/sam", ROOT / ".venv/bin/retainstream"
FUNCTIONS_FOLLOW_WITHIN = 31  # seconds until every function reads a schema that was changed
RATE_LIMIT = 900
LOGGING = {"auth", "authorizer", "customers", "model", "predictions", "dashboard", "imports", "retraining", "scoring", "rollups", "recount"}
SAMS_OWN_STACK = "aws-sam-cli-managed-default"
_LAYERS_DIGEST = re.compile(r"(?<=Layer)[0-9a-f]{10}$")

type Resource = tuple[str, str, str]
"""Logical id, type and physical id."""


@dataclass(frozen=True)
class Stack:
    """A stack in the account. `template` is the built template as the emulator takes it."""

    account: Account
    template: Path

    def deploy(self, **parameters: str) -> None:
        overrides = [f"{name}={value}" for name, value in {"Architecture": "x86_64", **parameters}.items()]
        answers: list[str] = ["--no-confirm-changeset", "--no-progressbar", "--capabilities", "CAPABILITY_IAM", "--resolve-s3"]
        command: list[str | Path] = [
            SAM,
            "deploy",
            "--template-file",
            self.template,
            "--stack-name",
            STACK,
            *answers,
            "--parameter-overrides",
            *overrides,
        ]
        self.account.run(*command, seconds=1200)

    def retainstream(self, *words: str | Path, seconds: float = 120) -> Any:
        """What a command of ours answers under --json."""
        passwords = {"RETAINSTREAM_PASSWORD": PASSWORD, "RETAINSTREAM_NEW_PASSWORD": PASSWORD}
        return json.loads(self.account.run(RETAINSTREAM, *words, "--json", seconds=seconds, variables=passwords))

    @property
    def url(self) -> str:
        """The API's address. The output `ApiUrl` has AWS's own host, which the emulator serves under a path."""
        api = self.outputs["ApiUrl"].removeprefix("https://").split(".")[0]
        return f"{self.account.endpoint}/_aws/execute-api/{api}"

    @property
    def outputs(self) -> dict[str, str]:
        [described] = self.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def resources_of(account: Account, stack: str) -> list[Resource]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
    return [(part["LogicalResourceId"], part["ResourceType"], part["PhysicalResourceId"]) for part in summaries]


@contextmanager
def step(account: Account, name: str) -> Iterator[None]:
    """A step of the path, with its name in front of what went wrong. build/deploy/steps.txt has each step's time."""
    began, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "done"
    except Exception as error:
        error.add_note(f"In the step: {name}")
        raise
    finally:
        with (account.folder / "steps.txt").open("a") as steps:
            steps.write(f"{time.monotonic() - began:6.1f} s  {outcome}  {name}\n")


def test_from_deployment_to_deletion(account: Account) -> None:
    stack = Stack(account, emulated(BUILT, account.folder))
    before = existing(account.client)
    with step(account, "deploy"):
        stack.deploy(RecountSettleSeconds="5")
    with step(account, "refuse a request without a token, and with a wrong one"):
        refuse(stack)
    with step(account, "create the first administrator"):
        created = stack.retainstream("bootstrap-admin", "--stack", STACK, "--email", ADMINISTRATOR)
        assert (created["email"], created["role"]) == (ADMINISTRATOR, "admin")
    with step(account, "sign in"):
        stack.retainstream("login", "--url", stack.url, "--email", ADMINISTRATOR)
    with step(account, "activate a schema of one's own"):
        assert stack.retainstream("schema", "put", SCHEMA, "--stack", STACK)["active"]
        time.sleep(FUNCTIONS_FOLLOW_WITHIN)
    with step(account, "import"):
        customers = import_customers(stack)
    with step(account, "train"):
        version = train(stack)
    with step(account, "score"):
        scored = stack.retainstream("score", "--watch", seconds=300)
        assert (scored["status"], scored["result"]["model_version"]) == ("SUCCEEDED", version), scored
    with step(account, "recount"):
        recount(stack, customers)
    with step(account, "export"):
        export(stack, customers)
    with step(account, "change a parameter"):
        change_a_parameter(stack)
    with step(account, "find no error in a log"):
        assert errors_of_functions(account) == []
        assert account.errors() == []
    resources = resources_of(account, STACK)
    with step(account, "delete"):
        account.run(SAM, "delete", "--stack-name", STACK, "--no-prompts", "--region", REGION, seconds=600)
    with step(account, "find what docs/deploy.md names, and nothing else"):
        assert_left(account, before, resources)


def refuse(stack: Stack) -> None:
    for headers in ({}, {"Authorization": "Bearer made.up.token"}):
        answer = httpx.get(f"{stack.url}/api/dashboard/metrics", headers=headers, timeout=60)
        assert answer.status_code == 401, answer.text


def import_customers(stack: Stack) -> list[dict[str, str]]:
    """The rows of the file, after all of them were accepted."""
    with CUSTOMERS.open() as file:
        customers = list(csv.DictReader(file))
    view = stack.retainstream("import", CUSTOMERS, "--watch")
    assert (view["status"], view["counts"]["created"], view["counts"]["rejected"]) == ("SUCCEEDED", len(customers), 0), view
    return customers


def train(stack: Stack) -> str:
    """The version that is in service after the training."""
    view = stack.retainstream("train", "--watch", seconds=600)
    assert (view["status"], view["result"]["promoted"]) == ("SUCCEEDED", True), view
    assert {part["status"] for part in view["steps"]} == {"SUCCEEDED"}, view
    version: str = view["result"]["version"]
    return version


def recount(stack: Stack, customers: list[dict[str, str]]) -> None:
    view = stack.retainstream("recount", "--watch", seconds=300)
    assert (view["status"], view["exact"]) == ("SUCCEEDED", True), view
    counted = {table["source"]: (table["rows"], table["outcome"]) for table in view["tables"]}
    assert counted == {"customers": (len(customers), "exact"), "predictions": (len(staying(customers)), "exact")}


def export(stack: Stack, customers: list[dict[str, str]]) -> None:
    path = stack.account.folder / "predictions.csv"
    stack.retainstream("export", "--for-programs", "--output", path, seconds=300)
    with path.open() as file:
        exported = {row["customerID"] for row in csv.DictReader(file)}
    assert exported == staying(customers)


def staying(customers: list[dict[str, str]]) -> set[str]:
    return {customer["customerID"] for customer in customers if customer["Churn"] == "No"}


def change_a_parameter(stack: Stack) -> None:
    functions = {physical for _, kind, physical in resources_of(stack.account, STACK) if kind == "AWS::Lambda::Function"}
    before = {name: versions(stack.account, name) for name in functions}
    stack.deploy(RateLimitUser=str(RATE_LIMIT))
    for name in functions:
        added = versions(stack.account, name) - before[name]
        assert before[name] < versions(stack.account, name), f"{name}: no version was added, or an earlier one is gone"
        assert alias(stack.account, name) in added, name
    token = json.loads((stack.account.folder / "config/sessions.json").read_text())["sessions"][stack.url]["token"]
    answer = httpx.get(f"{stack.url}/api/dashboard/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert (answer.status_code, answer.headers["ratelimit-limit"]) == (200, str(RATE_LIMIT)), answer.text


def versions(account: Account, function: str) -> set[str]:
    pages = account.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return {version["Version"] for page in pages for version in page["Versions"]} - {"$LATEST"}


def alias(account: Account, function: str) -> str:
    version: str = account.client("lambda").get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    return version


def errors_of_functions(account: Account) -> list[str]:
    logs = account.client("logs")
    groups = [group["logGroupName"] for page in logs.get_paginator("describe_log_groups").paginate() for group in page["logGroups"]]
    pages = (page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group))
    lines = [event["message"] for page in pages for event in page["events"] if event["message"].startswith("{")]
    records = [json.loads(line) for line in lines]
    assert {record["service"] for record in records} >= LOGGING, "a function that took part has logged nothing"
    return [line for line, record in zip(lines, records, strict=True) if record["level"] in ("ERROR", "CRITICAL")]


def assert_left(account: Account, before: Mapping[str, set[str]], resources: list[Resource]) -> None:
    """What docs/deploy.md names is left, and nothing else, but the bucket that `sam deploy` made for its packages."""
    documented = {name for cells in rows("docs/deploy.md", "kept", "why") for name in re.findall(r"`(\w+)`", cells[0])}
    packages = {(kind, physical) for _, kind, physical in resources_of(account, SAMS_OWN_STACK)}
    names = {(kind, physical): logical for logical, kind, physical in resources}
    left = {(kind, physical) for kind, ids in existing(account.client).items() for physical in ids - before[kind]} - packages
    kept = {_LAYERS_DIGEST.sub("", names[part]) if part in names else f"{part}, not of the stack" for part in left}
    [bucket] = [physical for logical, _, physical in resources if logical == "Bucket"]
    if account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]:
        kept.add("BucketPolicy")
    assert kept == documented
