"""The CloudWatch dashboard and the metrics it shows: each is one that AWS has or the code tells, and each that is told is shown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from retainstream.telemetry.metrics import METRICS, NAMESPACE, emf
from tools.expand import expand

ROOT = Path(__file__).parents[2]
OF_AWS = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},
    "AWS/Lambda": {"Errors", "Duration", "Throttles", "IteratorAge"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    "AWS/States": {"ExecutionsStarted", "ExecutionsFailed", "ExecutionTime"},
}
DIMENSION = {"AWS/ApiGateway": "ApiId", "AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/States": "StateMachineArn"}
type Told = list[Any]


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(expand().template["Resources"])


@pytest.fixture(scope="module")
def widgets(resources: dict[str, Any]) -> list[dict[str, Any]]:
    text, _ = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return list(json.loads(text)["widgets"])


@pytest.fixture(scope="module")
def shown(widgets: list[dict[str, Any]]) -> list[Told]:
    """[namespace, metric, dimension, value, …] of every line."""
    lines = [line for widget in widgets if widget["type"] == "metric" for line in widget["properties"]["metrics"]]
    return [line[:-1] if isinstance(line[-1], dict) else line for line in lines]


def test_every_metric_shown_is_one_that_somebody_tells(shown: list[Told]) -> None:
    for namespace, metric, *dimensions in shown:
        if namespace == NAMESPACE:
            assert dimensions[:3] == ["stack", "${AWS::StackName}", "service"]
            assert dimensions[3] in METRICS[metric].services, metric
        else:
            assert metric in OF_AWS[namespace]
            assert dimensions[0] == DIMENSION[namespace]


def test_every_metric_told_is_shown_of_every_service_that_tells_it(shown: list[Told]) -> None:
    expected = {(name, service) for name, metric in METRICS.items() for service in metric.services}
    assert {(line[1], line[5]) for line in shown if line[0] == NAMESPACE} == expected


def test_every_function_and_every_machine_is_shown(shown: list[Told], resources: dict[str, Any]) -> None:
    for kind, namespace, metrics in (
        ("AWS::Lambda::Function", "AWS/Lambda", ("Errors", "Duration", "Throttles")),
        ("AWS::StepFunctions::StateMachine", "AWS/States", ("ExecutionsStarted", "ExecutionsFailed", "ExecutionTime")),
    ):
        there = {name for name, resource in resources.items() if resource["Type"] == kind}
        if namespace == "AWS/States":
            there = there - {"ScoringStateMachine", "DistributedScoringStateMachine"} | {"ScoringMachine"}
        for metric in metrics:
            assert {line[3].strip("${}") for line in shown if line[:2] == [namespace, metric]} == there, metric


def test_what_it_names_is_there(resources: dict[str, Any]) -> None:
    text, also = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in re.findall(r"\$\{([^}.:]+)", text):
        assert name in {*resources, *also, "AWS"}, name


def test_no_widget_lies_on_another(widgets: list[dict[str, Any]]) -> None:
    taken = [
        (column, line)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for line in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24


def test_alarms_on_our_own_metrics_name_what_is_told(resources: dict[str, Any]) -> None:
    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    own = [alarm for alarm in alarms if alarm.get("Namespace") == NAMESPACE]
    assert len(own) == 4
    for alarm in own:
        dimensions = {told["Name"]: told["Value"] for told in alarm["Dimensions"]}
        assert dimensions == {"stack": {"Ref": "AWS::StackName"}, "service": METRICS[alarm["MetricName"]].services[0]}


def test_every_metric_is_told_by_the_code_and_explained() -> None:
    files = [*ROOT.glob("functions/*/app.py"), *(ROOT / "layers/core/retainstream").rglob("*.py")]
    code = "".join(path.read_text() for path in files if path.name != "metrics.py")
    explained = (ROOT / "docs/operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    assert re.findall(r"(?m)^\| `(\w+)` ", explained) == list(METRICS)
    for name, metric in METRICS.items():
        assert f'"{name}"' in code, name
        assert f"| {metric.says} |" in explained


def test_a_metric_is_told_in_cloudwatchs_form() -> None:
    told = emf("imports", {"ImportRowsAccepted": 19, "ImportRejectedShare": 5.0})
    [directive] = told["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["service", "stack"]]
    assert directive["Metrics"] == [{"Name": "ImportRowsAccepted", "Unit": "Count"}, {"Name": "ImportRejectedShare", "Unit": "Percent"}]
    assert (told["stack"], told["service"], told["ImportRowsAccepted"], told["ImportRejectedShare"]) == ("test", "imports", 19, 5.0)
    assert told["_aws"]["Timestamp"] > 1_700_000_000_000


def test_a_metric_that_is_not_named_is_refused() -> None:
    with pytest.raises(KeyError, match="Surprise"):
        emf("imports", {"Surprise": 1})
