"""Writes the part of the template that repeats: the alarms of every function, state machine and table, and the CloudWatch dashboard.

CloudFormation's own loop, `Fn::ForEach`, would need a switch at every command of the SAM CLI. The template therefore holds the written-out
text, from the line START to the outputs. `make generate` writes it; `make check` fails when it is out of date.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from retainstream.telemetry.metrics import METRICS, NAMESPACE

START: Final = "  # tools/monitoring.py writes everything from here to the outputs. Change it there, then run `make generate`.\n"
END: Final = "Outputs:\n"

FUNCTION_ALARMS: Final = {
    "Errors": "The function {} ended with an error or ran out of time or memory",
    "Throttles": "Lambda refused calls of the function {} because too many functions ran at once",
}
_SCORING_MACHINE: Final = "!If [ScoresInOneExecution, !Ref ScoringStateMachine, !Ref DistributedScoringStateMachine]"
RUN_MACHINES: Final = {
    "Retraining": "!Ref RetrainingStateMachine",
    "Scoring": _SCORING_MACHINE,
    "Import": "!Ref ImportStateMachine",
    "Prepare": "!Ref PrepareStateMachine",
    "Recount": "!Ref RecountStateMachine",
    "Export": "!Ref ExportStateMachine",
    "History": "!Ref HistoryStateMachine",
}
RUN_ALARMS: Final = {
    "Retraining": "A retraining failed; the model in service stays",
    "Scoring": "Scoring all customers failed; the predictions come from different runs",
    "Import": "An import failed; its record gives the reason",
    "Prepare": "A delivery of a source file failed; its record gives the reason",
    "Recount": "A recount failed; the counters are unchanged",
    "Export": "A file of predictions could not be made",
    "History": "People who were removed, or rows that are too old, are still in the history",
}
RUN_FAILURES: Final = {"failed": "ExecutionsFailed", "late": "ExecutionsTimedOut", "stopped": "ExecutionsAborted"}
# The busiest tables: CloudWatch takes ten metrics in an alarm, and each table has two.
WATCHED_TABLES: Final = ("Customers", "Predictions", "Rollups", "Users", "RateLimits")


def monitored(template: str) -> str:
    """The template's text with its generated part up to date.

    Raises:
        ValueError: the text lacks the line START or the outputs.
    """
    before, start, rest = template.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError("the template lacks the line that begins its generated part, or its outputs")
    functions = re.findall(r"^  (\w+)Function:$", before, re.MULTILINE)
    part = "\n".join([*_alarms(functions), _dashboard([name.lower() for name in functions])])
    return f"{before}{start}\n{part}\n{end}{after}"


# ---------------------------------------------------------------------------------------------------------------- alarms


@dataclass(frozen=True)
class Query:
    """One of the metrics that an alarm adds up; `dimensions` are names and values, as CloudFormation writes them."""

    id: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]


def _alarms(functions: list[str]) -> Iterator[str]:
    for metric in FUNCTION_ALARMS:
        yield from (_function_alarm(function, metric) for function in functions)
    for run, description in RUN_ALARMS.items():
        queries = [Query(key, "AWS/States", metric, {"StateMachineArn": RUN_MACHINES[run]}) for key, metric in RUN_FAILURES.items()]
        yield _sum_alarm(f"{run}Failed", description, queries)
    yield _sum_alarm(
        "StateMachineThrottles",
        "Steps of state machines waited because too many started at once",
        [Query(run.lower(), "AWS/States", "ExecutionThrottled", {"StateMachineArn": machine}) for run, machine in RUN_MACHINES.items()],
    )
    yield _sum_alarm(
        "InternalErrors",
        "A module answered 500, which is a fault of RetainStream or of its deployment; its log names the cause",
        [
            Query(module, NAMESPACE, "InternalErrors", {"stack": "!Ref AWS::StackName", "service": module})
            for module in METRICS["InternalErrors"].services
        ],
    )
    yield _sum_alarm(
        "LostEvents",
        "An upload or a day's snapshot failed and could not be sent to the dead letters either",
        [
            *(
                Query(f"{function.lower()}{key}", "AWS/Lambda", metric, {"FunctionName": f"!Ref {function}Function"})
                for function in ("Imports", "Prepare", "Rollups")
                for key, metric in {"Dropped": "AsyncEventsDropped", "Undelivered": "DestinationDeliveryFailures"}.items()
            ),
            Query("uploads", "AWS/Events", "InvocationsFailedToBeSentToDlq", {"RuleName": "!Ref ImportsFunctionUploaded"}),
            Query("deliveries", "AWS/Events", "InvocationsFailedToBeSentToDlq", {"RuleName": "!Ref PrepareFunctionArrived"}),
        ],
    )
    yield _sum_alarm(
        "TableThrottles",
        "A table refused reads or writes because too many came at once",
        [
            Query(f"{table[0].lower()}{table[1:]}{kind}s", "AWS/DynamoDB", f"{kind}ThrottleEvents", {"TableName": f"!Ref {table}Table"})
            for table in WATCHED_TABLES
            for kind in ("Read", "Write")
        ],
    )


def _function_alarm(function: str, metric: str) -> str:
    name = function.lower()
    return f"""\
  {function}{metric}:
    Type: AWS::CloudWatch::Alarm
    Properties: {{
      AlarmName: !Sub "${{AWS::StackName}}-{name}-{metric.lower()}", AlarmActions: [!Ref NotificationTopic],
      AlarmDescription: {FUNCTION_ALARMS[metric].format(name)},
      Namespace: AWS/Lambda, MetricName: {metric}, Dimensions: [{{Name: FunctionName, Value: !Ref {function}Function}}], Statistic: Sum,
      Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 1, ComparisonOperator: GreaterThanThreshold, Threshold: 0,
      TreatMissingData: notBreaching}}
"""


def _sum_alarm(alarm: str, description: str, queries: Iterable[Query]) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alarm).lower()
    metrics = "".join(
        f"""\
        - Id: {query.id}
          ReturnData: false
          MetricStat:
            Metric:
              Namespace: {query.namespace}
              MetricName: {query.metric}
              Dimensions: [{", ".join(f"{{Name: {name}, Value: {value}}}" for name, value in query.dimensions.items())}]
            Stat: Sum
            Period: 60
"""
        for query in queries
    )
    return f"""\
  {alarm}:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${{AWS::StackName}}-{name}
      AlarmDescription: {description}
      AlarmActions: [!Ref NotificationTopic]
      EvaluationPeriods: 5
      DatapointsToAlarm: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      TreatMissingData: notBreaching
      Metrics:
        - {{Id: total, Expression: SUM(METRICS()), Label: {name}}}
{metrics}"""


# ------------------------------------------------------------------------------------------------------------- dashboard

_HOUR, _DAY, _FIVE_MINUTES = 3600, 86400, 300
_COLUMNS, _GRAPH_HEIGHT = 24, 6

type Line = list[str | Mapping[str, str]]


@dataclass(frozen=True)
class Graph:
    """A graph of the dashboard: its statistic, the seconds of a point, its lines, and further properties of the widget."""

    title: str
    statistic: str
    period: int
    lines: list[Line]
    options: Mapping[str, object] = field(default_factory=dict)


def _own(metric: str, service: str, label: str, **options: str) -> Line:
    return [NAMESPACE, metric, "stack", "${AWS::StackName}", "service", service, {"label": label, **options}]


def _api(metric: str, **options: str) -> Line:
    return ["AWS/ApiGateway", metric, "ApiId", "${Api}", *([options] if options else [])]


def _function(metric: str, function: str, label: str, **options: str) -> Line:
    return ["AWS/Lambda", metric, "FunctionName", f"${{{function.capitalize()}Function}}", {"label": label, **options}]


def _runs(metric: str) -> list[Line]:
    machines = {run: f"${{{run}StateMachine}}" for run in RUN_MACHINES} | {"Scoring": "${ScoringMachine}"}
    return [["AWS/States", metric, "StateMachineArn", machine, {"label": run.lower()}] for run, machine in machines.items()]


def _sections(functions: list[str]) -> dict[str, list[Graph]]:
    """The graphs below each heading of the dashboard."""
    modules = [name for name in functions if name in METRICS["Requests"].services]

    def by_module(title: str, metric: str, statistic: str = "Sum") -> Graph:
        return Graph(title, statistic, _FIVE_MINUTES, [_own(metric, module, module) for module in modules])

    def by_function(title: str, metric: str, statistic: str = "Sum") -> Graph:
        return Graph(title, statistic, _FIVE_MINUTES, [_function(metric, name, name) for name in functions])

    predictions = {"scoring": "scoring runs", "predictions": "on request", "dashboard": "samples"}
    rejected_share = _own("ImportRejectedShare", "imports", "rejected, %", stat="Maximum", yAxis="right")
    rows = [_own("ImportRowsAccepted", "imports", "accepted"), _own("ImportRowsRejected", "imports", "rejected"), rejected_share]
    auc = [_own("TrainedAuc", "retraining", "hold-out"), _own("EstimatedAuc", "scoring", "estimated without outcomes")]
    auc += [_own("RealisedAuc", "history", "realised")]
    drift = [_own("LargestDrift", "scoring", "largest PSI")]
    drift += [_own("DriftedColumns", "scoring", "columns with strong drift", yAxis="right")]
    drift += [_own("RealisedOutsidePromise", "history", "realised AUC outside its promise", yAxis="right")]
    ages = [_own("ModelAge", "rollups", "model in service"), _own("TimeSinceScoring", "rollups", "latest scoring of all customers")]
    trained = [_own("ModelsPromoted", "retraining", "promoted"), _own("ModelsNotPromoted", "retraining", "not promoted")]
    delay = [_own("CountersLag", "rollups", "latest batch, s")]
    delay += [_function("IteratorAge", "rollups", "iterator age, ms", yAxis="right")]
    latency = [_api("Latency", stat="p50", label="p50"), _api("Latency", stat="p99", label="p99")]
    latency += [_api("IntegrationLatency", stat="p99", label="p99 of the functions")]
    return {
        "Business": [
            Graph("Predictions", "Sum", _HOUR, [_own("PredictionsMade", service, label) for service, label in predictions.items()]),
            Graph("Imported rows", "Sum", _HOUR, rows),
            Graph("Model AUC", "Average", _DAY, auc, {"yAxis": {"left": {"min": 0.5, "max": 1}}}),
            Graph("Drift", "Maximum", _DAY, drift),
        ],
        "Freshness": [
            Graph("Age in days", "Maximum", _DAY, ages),
            Graph("Trained models", "Sum", _DAY, trained),
            Graph("Delay of the counters", "Maximum", _FIVE_MINUTES, delay),
        ],
        "API": [
            Graph("Requests and errors", "Sum", _FIVE_MINUTES, [_api("Count", label="requests"), _api("4xx"), _api("5xx")]),
            Graph("Latency, ms", "p99", _FIVE_MINUTES, latency),
            by_module("Requests by module", "Requests"),
            by_module("p99 latency by module, ms", "Latency", "p99"),
        ],
        "Errors by module": [
            by_module("4xx responses", "ClientErrors"),
            by_module("5xx responses", "ServerErrors"),
            by_module("500 responses", "InternalErrors"),
        ],
        "Functions": [
            by_function("Errors", "Errors"),
            by_function("p99 duration, ms", "Duration", "p99"),
            by_function("Throttles", "Throttles"),
        ],
        "Runs": [
            Graph("Started", "Sum", _FIVE_MINUTES, _runs("ExecutionsStarted")),
            Graph("Failed", "Sum", _FIVE_MINUTES, _runs("ExecutionsFailed")),
            Graph("Longest, ms", "Maximum", _FIVE_MINUTES, _runs("ExecutionTime")),
            Graph(
                "Dead letters",
                "Maximum",
                _FIVE_MINUTES,
                [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${DeadLetters.QueueName}"]],
            ),
        ],
    }


def _dashboard(functions: list[str]) -> str:
    widgets = ",\n".join(_widgets(_sections(functions)))
    body = "\n".join(f"            {line}" for line in f'{{"widgets":[\n{widgets}\n]}}'.splitlines())
    return f"""\
  Overview:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Ref AWS::StackName
      DashboardBody: !Sub
        - |
{body}
        - ScoringMachine: {_SCORING_MACHINE}
"""


def _widgets(sections: Mapping[str, list[Graph]]) -> Iterator[str]:
    """Every widget as JSON: a heading over the whole width, and below it the section's graphs side by side, all of one width."""
    top = 0
    for heading, graphs in sections.items():
        text = {"markdown": f"## {heading}"}
        yield json.dumps({"type": "text", "x": 0, "y": top, "width": _COLUMNS, "height": 1, "properties": text})
        width = _COLUMNS // len(graphs)
        for index, graph in enumerate(graphs):
            place = {"type": "metric", "x": index * width, "y": top + 1, "width": width, "height": _GRAPH_HEIGHT}
            properties = {
                "title": graph.title,
                "region": "${AWS::Region}",
                "view": "timeSeries",
                "stat": graph.statistic,
                "period": graph.period,
            }
            head = json.dumps({**place, "properties": {**properties, **graph.options, "metrics": []}})
            yield head.removesuffix("]}}") + "\n" + ",\n".join(f"  {json.dumps(line)}" for line in graph.lines) + "\n]}}"
        top += 1 + _GRAPH_HEIGHT
