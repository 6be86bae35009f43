"""A training job on SageMaker's own XGBoost container, as CreateTrainingJob takes it."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TypedDict

from retainstream.engine.learning import trees
from retainstream.engine.learning.sagemaker.bins import MOST_CODES, Bins
from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.schema import FeatureSchema
from retainstream.runs.failure import CaughtError
from retainstream.settings import Settings

VERSION = "3.0-5"
"""SageMaker's name of the container with XGBoost 3.0.5; the model files it writes are read by XGBoost 3.4."""


class _S3DataSource(TypedDict):
    S3DataType: str
    S3Uri: str
    S3DataDistributionType: str


class _DataSource(TypedDict):
    S3DataSource: _S3DataSource


class _Channel(TypedDict):
    ChannelName: str
    ContentType: str
    DataSource: _DataSource


class _Algorithm(TypedDict):
    TrainingImage: str
    TrainingInputMode: str


class _Output(TypedDict):
    S3OutputPath: str


class _Resources(TypedDict):
    InstanceType: str
    InstanceCount: int
    VolumeSizeInGB: int


class _Stopping(TypedDict):
    MaxRuntimeInSeconds: int


class JobRequest(TypedDict):
    """The parameters of CreateTrainingJob, except for the role."""

    TrainingJobName: str
    AlgorithmSpecification: _Algorithm
    HyperParameters: dict[str, str]
    InputDataConfig: list[_Channel]
    OutputDataConfig: _Output
    ResourceConfig: _Resources
    StoppingCondition: _Stopping
    EnableNetworkIsolation: bool
    EnableInterContainerTrafficEncryption: bool


_LONGEST_NAME = 63
_PLAIN_NAME = re.compile(r"[a-zA-Z0-9](-?[a-zA-Z0-9])*")
_OWN_TO_A_FUNCTION = ("base_score", "max_cat_to_onehot", "nthread", "monotone_constraints")
_LONGEST_REASON = 500

_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""The registries of SageMaker's own containers, as its SDK lists them."""


class NoContainer(ValueError):
    """No container with SageMaker's XGBoost is known for this region."""


def image(in_region: str) -> str:
    """The container's address.

    Raises:
        NoContainer: the region's registry is not known.
    """
    if in_region not in _ACCOUNTS:
        raise NoContainer(f"SageMaker's XGBoost {VERSION} is not known to be in region {in_region}; set SageMakerRowThreshold to 0.")
    suffix = "amazonaws.com.cn" if in_region.startswith("cn-") else "amazonaws.com"
    return f"{_ACCOUNTS[in_region]}.dkr.ecr.{in_region}.{suffix}/sagemaker-xgboost:{VERSION}"


def region(configured: Settings) -> str:
    """The stack's region."""
    return configured.retraining_state_machine_arn.split(":")[3]


def job_name(stack: str, run_id: str) -> str:
    """The name of a run's job: the same at every call, and another for every other run."""
    left = _LONGEST_NAME - len(stack) - 1
    plain = len(run_id) <= left and _PLAIN_NAME.fullmatch(run_id)
    return f"{stack}-{run_id if plain else hashlib.sha256(run_id.encode()).hexdigest()[:left]}"


def hyper_parameters(schema: FeatureSchema, shape: TreeSettings, rounds: int, bins: Bins, *, seed: int) -> dict[str, str]:
    """The parameters of a fit in a function, under the same names, as the container takes them.

    It finds the base score by itself, has no categories, and uses all processors; the directions are those of the job's columns.
    """
    of_function = trees.parameters(schema.features, shape, seed=seed, threads=1)
    directions = tuple(axis.direction for axis in bins.axes)
    return {
        **{name: str(value) for name, value in of_function.items() if name not in _OWN_TO_A_FUNCTION},
        "monotone_constraints": str(directions),
        "max_bin": str(MOST_CODES),
        "num_round": str(rounds),
    }


def request(configured: Settings, run_id: str, parameters: Mapping[str, str], *, rows_prefix: str, output_prefix: str) -> JobRequest:
    """The request for a run's job.

    The container reads what lies under `rows_prefix` and sees no network but the other instances.

    Raises:
        NoContainer: SageMaker's XGBoost is not known to be in the stack's region.
    """
    stack = configured.retraining_state_machine_arn.rpartition(":")[2].removesuffix("-retraining")
    source: _S3DataSource = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{configured.bucket}/{rows_prefix}",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    return {
        "TrainingJobName": job_name(stack, run_id),
        "AlgorithmSpecification": {"TrainingImage": image(region(configured)), "TrainingInputMode": "File"},
        "HyperParameters": dict(parameters),
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/libsvm", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{configured.bucket}/{output_prefix}"},
        "ResourceConfig": {
            "InstanceType": configured.sagemaker_instance_type,
            "InstanceCount": configured.sagemaker_instance_count,
            "VolumeSizeInGB": configured.sagemaker_volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": configured.sagemaker_max_seconds},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }


def failure(error: CaughtError) -> str | None:
    """SageMaker's reason why a job failed or was refused, as a sentence; None where the error is not SageMaker's."""
    name, cause = error.get("Error", ""), error.get("Cause")
    if name == "TrainingJobFailed":
        job = _job_in(cause)
        status = job.get("TrainingJobStatus", "Failed")
        reason = job.get("FailureReason") or job.get("SecondaryStatus") or "no reason was given"
        return f"The training job {job.get('TrainingJobName', '')} on SageMaker ended as {status}: {_short(reason)}"
    if name.endswith(("ResourceLimitExceededException", "ResourceLimitExceeded")):
        return f"SageMaker did not take the training job, because the account's limit is reached: {_short(str(cause))}"
    if name.startswith("SageMaker."):
        return f"SageMaker did not take the training job ({name}); the execution of the state machine has the details."
    return None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def _job_in(cause: str | None) -> Mapping[str, str]:
    try:
        job = json.loads(cause or "")
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}
