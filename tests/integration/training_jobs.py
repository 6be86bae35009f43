"""SageMaker training jobs for tests: moto keeps them; the work of the container is done here, with the XGBoost that is installed."""

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import numpy as np
import xgboost

from tests.stored import stored_keys

CONTAINER_PARAMETERS = {
    *("objective", "eval_metric", "tree_method", "max_depth", "eta", "min_child_weight", "subsample", "colsample_bynode", "lambda"),
    *("monotone_constraints", "max_bin", "seed", "num_round"),
}
"""Of the parameters that the container takes, those that we give it."""

type Request = dict[str, Any]


@dataclass
class Jobs:
    """What was asked of SageMaker, and how it answers.

    `refuse`: the code of an error in place of taking the job. `taken_before`: the job is there, and creating it is answered so.
    `standings`: what the job is told to be at each look, the last one from then on. `leave`: what becomes of the model.
    """

    asked: list[Request] = field(default_factory=list)
    rows: list[tuple[float, dict[int, float]]] = field(default_factory=list)
    leave: Callable[[bytes], bytes | None] = lambda model: packed({"xgboost-model": model})
    refuse: str = ""
    taken_before: bool = False
    standings: list[str] = field(default_factory=lambda: ["Completed"])
    failure_reason: str = ""
    looks: int = 0


@contextmanager
def training_jobs() -> Iterator[Jobs]:
    """Does the container's work as soon as a job is asked for: reads its rows, fits, and leaves what `leave` makes of the model."""
    jobs = Jobs()

    def asked(params: Request, **_: Any) -> None:
        jobs.asked.append(params)
        if jobs.standings[-1] == "Completed" and not jobs.refuse:
            _work(jobs, params)

    def created(http_response: Any, parsed: Any, **_: Any) -> None:
        if jobs.refuse or jobs.taken_before:
            http_response.status_code = 400
            parsed["Error"] = {"Code": jobs.refuse or "ResourceInUse", "Message": "The limit for ml.m5.2xlarge is 0."}

    def looked(http_response: Any, parsed: Any, **_: Any) -> None:
        if jobs.refuse:
            http_response.status_code = 400
            parsed["Error"] = {"Code": "ValidationException", "Message": "Requested resource not found."}
        elif "TrainingJobStatus" in parsed:
            parsed["TrainingJobStatus"] = jobs.standings[min(jobs.looks, len(jobs.standings) - 1)]
            parsed["FailureReason"] = jobs.failure_reason
            jobs.looks += 1
            for name in parsed.keys() - {"TrainingJobName", "TrainingJobStatus", "FailureReason", "ResponseMetadata"}:
                del parsed[name]  # moto leaves moments in them as no JSON

    boto3.setup_default_session()
    events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register_first("before-parameter-build.sagemaker.CreateTrainingJob", asked)
    events.register_first("after-call.sagemaker.CreateTrainingJob", created)
    events.register_first("after-call.sagemaker.DescribeTrainingJob", looked)
    try:
        yield jobs
    finally:
        boto3.DEFAULT_SESSION = None


def packed(files: dict[str, bytes]) -> bytes:
    """A tar.gz of files by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _work(jobs: Jobs, request: Request) -> None:
    s3 = boto3.client("s3")
    bucket, _, prefix = request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
    for key in stored_keys(bucket, prefix):
        for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines():
            outcome, *values = line.split(" ")
            jobs.rows.append((float(outcome), {int(number): float(value) for number, value in (part.split(":") for part in values)}))
    given = dict(request["HyperParameters"])
    assert set(given) == CONTAINER_PARAMETERS
    rounds = int(given.pop("num_round"))
    assert re.fullmatch(r"\((-?[01], ?)*(-?[01])?\)", given["monotone_constraints"])
    width = max(max(values, default=-1) for _, values in jobs.rows) + 1
    table = np.full((len(jobs.rows), width), np.nan, dtype=np.float32)
    for row, (_, codes) in enumerate(jobs.rows):
        table[row, list(codes)] = list(codes.values())
    booster = xgboost.train({**given, "nthread": 1}, xgboost.DMatrix(table, label=[outcome for outcome, _ in jobs.rows], nthread=1), rounds)
    left = jobs.leave(bytes(booster.save_raw("ubj")))
    if left is not None:
        key = f"{request['OutputDataConfig']['S3OutputPath'].partition(bucket + '/')[2]}{request['TrainingJobName']}/output/model.tar.gz"
        s3.put_object(Bucket=bucket, Key=key, Body=left)
