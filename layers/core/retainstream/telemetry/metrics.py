"""Every metric there is: its name, its unit, what it tells, and the one form in which it is told (CloudWatch's embedded metric format).

A metric rides on a log line. Its dimensions are the stack and the service; nobody's id or address is ever one.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from retainstream.settings import settings

NAMESPACE = "RetainStream"

type Figures = Mapping[str, float]


@dataclass(frozen=True)
class Metric:
    """What a figure is counted in, which services tell it, and what it says."""

    unit: MetricUnit
    services: tuple[str, ...]
    says: str


_API = ("auth", "customers", "dashboard", "drafts", "model", "predictions")
_NONE, _COUNT = MetricUnit.NoUnit, MetricUnit.Count

METRICS = {
    "Requests": Metric(_COUNT, _API, "answered requests"),
    "Latency": Metric(MetricUnit.Milliseconds, _API, "the function's own time for a request"),
    "ClientErrors": Metric(_COUNT, _API, "answers 4xx"),
    "ServerErrors": Metric(_COUNT, _API, "answers 5xx"),
    "InternalErrors": Metric(_COUNT, _API, "answers 500: faults of RetainStream or of its deployment, such as a missing permission"),
    "PredictionsMade": Metric(_COUNT, ("dashboard", "predictions", "scoring"), "scored customers or rows"),
    "ImportRowsAccepted": Metric(_COUNT, ("imports",), "accepted rows of an import"),
    "ImportRowsRejected": Metric(_COUNT, ("imports",), "rejected rows of an import"),
    "ImportRejectedShare": Metric(MetricUnit.Percent, ("imports",), "the share of rejected rows"),
    "LargestDrift": Metric(_NONE, ("scoring",), "the largest PSI of a column or of the score in a scoring run"),
    "DriftedColumns": Metric(_COUNT, ("scoring",), "the number of strongly drifted columns, including the score"),
    "EstimatedAuc": Metric(_NONE, ("scoring",), "the estimated AUC on the customers just scored, without their outcomes"),
    "RealisedAuc": Metric(_NONE, ("history",), "the realised AUC of the newest judged month"),
    "RealisedOutsidePromise": Metric(
        _COUNT, ("history",), "1 where the realised AUC of the newest judged month is outside the promised interval, else 0"
    ),
    "TrainedAuc": Metric(_NONE, ("retraining",), "a new version's AUC on held-out customers"),
    "ModelsPromoted": Metric(_COUNT, ("retraining",), "versions that passed the gate and went into service"),
    "ModelsNotPromoted": Metric(_COUNT, ("retraining",), "versions that were rejected, or kept the champion in service"),
    "CountersLag": Metric(MetricUnit.Seconds, ("rollups",), "the age of the oldest change when it was counted"),
    "ModelAge": Metric(_NONE, ("rollups",), "days since the training of the model in service, daily"),
    "TimeSinceScoring": Metric(_NONE, ("rollups",), "days since the last full scoring run, daily"),
}


def emf(service: str, figures: Figures) -> dict[str, Any]:
    """The fields of a log line from which CloudWatch reads metrics.

    Raises:
        KeyError: a figure has no metric here.
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
        provider.add_metric(name, METRICS[name].unit, 0)
    return provider.serialize_metric_set()["_aws"]["CloudWatchMetrics"]
