"""Every metric there is: its name, its unit, what it tells, and the one form in which it is told (CloudWatch's embedded metric format).

A metric rides on a log line. Its dimensions are the stack and the service; nobody's id or address is ever one.
"""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from retainstream.settings import settings

NAMESPACE = "RetainStream"

type Figures = Mapping[str, float]

UNITS = {
    "Requests": MetricUnit.Count,
    "Latency": MetricUnit.Milliseconds,
    "ClientErrors": MetricUnit.Count,
    "ServerErrors": MetricUnit.Count,
    "PredictionsMade": MetricUnit.Count,
    "ImportRowsAccepted": MetricUnit.Count,
    "ImportRowsRejected": MetricUnit.Count,
    "ImportRejectedShare": MetricUnit.Percent,
    "LargestDrift": MetricUnit.NoUnit,
    "DriftedColumns": MetricUnit.Count,
    "EstimatedAuc": MetricUnit.NoUnit,
    "RealisedAuc": MetricUnit.NoUnit,
    "TrainedAuc": MetricUnit.NoUnit,
    "ModelsPromoted": MetricUnit.Count,
    "ModelsNotPromoted": MetricUnit.Count,
    "CountersLag": MetricUnit.Seconds,
    "ModelAge": MetricUnit.NoUnit,
    "TimeSinceScoring": MetricUnit.NoUnit,
}


def emf(service: str, figures: Figures) -> dict[str, Any]:
    """What a log line must have beside its own so that CloudWatch reads metrics off it.

    Raises:
        KeyError: a figure is of a metric that is not named here.
    """
    stack = settings().stack_name
    return {
        "_aws": {"Timestamp": int(1000 * time.time()), "CloudWatchMetrics": _directive(tuple(figures))},
        "stack": stack,
        "service": service,
        **figures,
    }


@cache
def _directive(names: tuple[str, ...]) -> Any:
    provider = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="-")
    provider.add_dimension("stack", "-")
    for name in names:
        provider.add_metric(name, UNITS[name], 0)
    return provider.serialize_metric_set()["_aws"]["CloudWatchMetrics"]
