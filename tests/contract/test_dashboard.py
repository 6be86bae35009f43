"""The CloudWatch dashboard shows every metric of the code, and only metrics of AWS and of the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from retainstream.telemetry.metrics import METRICS, NAMESPACE, emf
from tools.expand import TEMPLATE, expand
from tools.monitoring import END, START, monitored

ROOT = Path(__file__).parents[2]
OF_AWS = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},
    "AWS/Lambda": {"Errors", "Duration", "Throttles", "IteratorAge"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    "AWS/States": {"ExecutionsStarted", "ExecutionsFailed", "ExecutionTime"},
}
DIMENSION = {"AWS/ApiGateway": "ApiId", "AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/States": "StateMachineArn"}
type Line = list[Any]


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(expand().template["Resources"])


@pytest.fixture(scope="module")
def widgets(resources: dict[str, Any]) -> list[dict[str, Any]]:
    text, _ = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return list(json.loads(text)["widgets"])


@pytest.fixture(scope="module")
def shown(widgets: list[dict[str, Any]]) -> list[Line]:
    """[namespace, metric, dimension, value, …] of every line."""
    lines = [line for widget in widgets if widget["type"] == "metric" for line in widget["properties"]["metrics"]]
    return [line[:-1] if isinstance(line[-1], dict) else line for line in lines]


def test_every_shown_metric_exists(shown: list[Line]) -> None:
    for namespace, metric, *dimensions in shown:
        if namespace == NAMESPACE:
            assert dimensions[:3] == ["stack", "${AWS::StackName}", "service"]
            assert dimensions[3] in METRICS[metric].services, metric
        else:
            assert metric in OF_AWS[namespace]
            assert dimensions[0] == DIMENSION[namespace]


def test_every_metric_of_every_service_is_shown(shown: list[Line]) -> None:
    expected = {(name, service) for name, metric in METRICS.items() for service in metric.services}
    assert {(line[1], line[5]) for line in shown if line[0] == NAMESPACE} == expected


def test_every_function_and_every_machine_is_shown(shown: list[Line], resources: dict[str, Any]) -> None:
    for kind, namespace, metrics in (
        ("AWS::Lambda::Function", "AWS/Lambda", ("Errors", "Duration", "Throttles")),
        ("AWS::StepFunctions::StateMachine", "AWS/States", ("ExecutionsStarted", "ExecutionsFailed", "ExecutionTime")),
    ):
        names = {name for name, resource in resources.items() if resource["Type"] == kind}
        if namespace == "AWS/States":
            names = names - {"ScoringStateMachine", "DistributedScoringStateMachine"} | {"ScoringMachine"}
        for metric in metrics:
            assert {line[3].strip("${}") for line in shown if line[:2] == [namespace, metric]} == names, metric


def test_every_reference_has_a_target(resources: dict[str, Any]) -> None:
    text, variables = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in re.findall(r"\$\{([^}.:]+)", text):
        assert name in {*resources, *variables, "AWS"}, name


def test_widgets_do_not_overlap(widgets: list[dict[str, Any]]) -> None:
    cells = [
        (column, line)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for line in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24


def test_a_new_function_gets_alarms_and_lines() -> None:
    template = TEMPLATE.read_text().replace("  ExportsFunction:\n", "  NewsFunction:\n  ExportsFunction:\n")
    part = monitored(template).partition(START)[2].partition(END)[0]
    assert {"  NewsErrors:", "  NewsThrottles:"} <= set(part.splitlines())
    assert part.count('"${NewsFunction}"') == 3


@pytest.mark.parametrize("line", [START, END], ids=["start", "end"])
def test_a_template_without_the_bounds_of_the_generated_part_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="lacks the line"):
        monitored(TEMPLATE.read_text().replace(line, ""))


def test_alarms_on_metrics_of_the_code_name_a_metric_and_its_service(resources: dict[str, Any]) -> None:
    alarms = [resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    own = [alarm for alarm in alarms if alarm.get("Namespace") == NAMESPACE]
    assert len(own) == 5
    for alarm in own:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        assert dimensions == {"stack": {"Ref": "AWS::StackName"}, "service": METRICS[alarm["MetricName"]].services[0]}


def test_every_metric_is_written_by_the_code_and_explained() -> None:
    files = [*ROOT.glob("functions/*/app.py"), *(ROOT / "layers/core/retainstream").rglob("*.py")]
    code = "".join(path.read_text() for path in files if path.name != "metrics.py")
    explained = (ROOT / "docs/operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    assert re.findall(r"(?m)^\| `(\w+)` ", explained) == list(METRICS)
    for name, metric in METRICS.items():
        assert f'"{name}"' in code, name
        assert f"| {metric.says} |" in explained


def test_metrics_have_the_embedded_format_of_cloudwatch() -> None:
    line = emf("imports", {"ImportRowsAccepted": 19, "ImportRejectedShare": 5.0})
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["service", "stack"]]
    assert directive["Metrics"] == [{"Name": "ImportRowsAccepted", "Unit": "Count"}, {"Name": "ImportRejectedShare", "Unit": "Percent"}]
    assert (line["stack"], line["service"], line["ImportRowsAccepted"], line["ImportRejectedShare"]) == ("test", "imports", 19, 5.0)
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(KeyError, match="Surprise"):
        emf("imports", {"Surprise": 1})
