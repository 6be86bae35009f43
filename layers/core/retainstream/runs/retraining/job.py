"""What SageMaker is asked for: a training job on its own XGBoost container, as CreateTrainingJob takes it."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from retainstream.engine.learning.sagemaker.bins import MOST_CODES, Bins
from retainstream.engine.learning.trees import TreeSettings, parameters
from retainstream.engine.schema import FeatureSchema
from retainstream.settings import Settings

VERSION = "3.0-5"
"""SageMaker's name of the container with XGBoost 3.0.5; the model files it writes are read by XGBoost 3.4."""

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
    """SageMaker's XGBoost is not known to be in this region."""


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
    """The name of a run's job: the same every time, and never another run's."""
    left = _LONGEST_NAME - len(stack) - 1
    plain = len(run_id) <= left and _PLAIN_NAME.fullmatch(run_id)
    return f"{stack}-{run_id if plain else hashlib.sha256(run_id.encode()).hexdigest()[:left]}"


def hyper_parameters(schema: FeatureSchema, shape: TreeSettings, rounds: int, bins: Bins, *, seed: int) -> dict[str, str]:
    """The parameters of a fit in a function, under the same names, as the container takes them.

    It finds the base score by itself, has no categories, and uses all processors; the directions are those of the job's columns.
    """
    given = {name: value for name, value in parameters(schema, shape, seed=seed, threads=1).items() if name not in _OWN_TO_A_FUNCTION}
    directions = tuple(axis.direction for axis in bins.axes)
    return {
        **{name: str(value) for name, value in given.items()},
        "monotone_constraints": str(directions),
        "max_bin": str(MOST_CODES),
        "num_round": str(rounds),
    }


def request(configured: Settings, run_id: str, given: Mapping[str, str], *, rows_prefix: str, output_prefix: str) -> dict[str, Any]:
    """The request, but for the role.

    The container reads what lies under `rows_prefix` and sees no network but the other instances.

    Raises:
        NoContainer: SageMaker's XGBoost is not known to be in the stack's region.
    """
    stack = configured.retraining_state_machine_arn.rpartition(":")[2].removesuffix("-retraining")
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{configured.bucket}/{rows_prefix}",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    return {
        "TrainingJobName": job_name(stack, run_id),
        "AlgorithmSpecification": {"TrainingImage": image(region(configured)), "TrainingInputMode": "File"},
        "HyperParameters": dict(given),
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


def failure(error: str, cause: Any) -> str | None:
    """What SageMaker says of a job that failed or was not taken, as a sentence; None where the error is not SageMaker's."""
    if error == "TrainingJobFailed":
        told = _parsed(cause)
        status, reason = (
            told.get("TrainingJobStatus", "Failed"),
            told.get("FailureReason") or told.get("SecondaryStatus") or "no reason was given",
        )
        return f"The training job {told.get('TrainingJobName', '')} on SageMaker ended as {status}: {_short(reason)}"
    if error.endswith(("ResourceLimitExceededException", "ResourceLimitExceeded")):
        return f"SageMaker did not take the training job, because the account's limit is reached: {_short(str(cause))}"
    if error.startswith("SageMaker."):
        return f"SageMaker did not take the training job ({error}); the execution of the state machine has the details."
    return None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def _parsed(cause: Any) -> Mapping[str, Any]:
    try:
        told = json.loads(cause)
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
