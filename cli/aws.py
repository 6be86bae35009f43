"""The AWS account of a deployment, for commands that use AWS credentials in place of an account of the API."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from cli.service_errors import Forbidden, NotSignedIn, ServiceError, Unavailable
from retainstream.storage.errors import RequestRefused, StorageUnavailable

_REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException")
_ENDED = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_BUSY = ("Throttling", "ThrottlingException", "ServiceUnavailable", "InternalError", "InternalServerError", "SlowDown", "RequestTimeout")
_SIGN_IN = "Sign in to AWS, or give --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


def session(region: str | None, profile: str | None) -> boto3.Session:
    """A session of the AWS account and region.

    Raises:
        ServiceError: the profile does not exist, or no region is set.
    """
    with aws_errors():
        account = boto3.Session(region_name=region, profile_name=profile)
    if not account.region_name:
        raise ServiceError("No AWS region is set", "Give --region, such as eu-west-1.")
    return account


def outputs(account: boto3.Session, stack: str) -> dict[str, str]:
    """The outputs of a stack by name.

    Raises:
        ServiceError: the stack does not exist. Also the errors of `aws_errors`.
    """
    with aws_errors():
        try:
            described = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ValidationError":
                raise ServiceError(f"There is no stack {stack} in {account.region_name}", "Check --stack and --region.") from error
            raise
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turns errors of AWS into errors with advice. They never contain a part of the request.

    Raises:
        NotSignedIn, Forbidden, Unavailable, ServiceError
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _service_error(error) from error
    except (RequestRefused, StorageUnavailable) as error:
        raise _service_error(error.__cause__ or error) from error


def _service_error(error: BaseException) -> ServiceError:
    match error:
        case ClientError():
            return _from_code(error)
        case NoCredentialsError() | PartialCredentialsError() | SSOError():
            return NotSignedIn("There are no valid AWS credentials", _SIGN_IN)
        case ProfileNotFound() | InvalidRegionError():
            return ServiceError(str(error), "Check your AWS configuration, or give --profile or --region.")
        case NoConnectionError() | HTTPClientError():
            return Unavailable(f"AWS cannot be reached ({type(error).__name__})", "Check the region and the network.")
    return ServiceError(f"The request to AWS failed ({type(error).__name__})", _SIGN_IN)


def _from_code(error: ClientError) -> ServiceError:
    code = error.response["Error"].get("Code", "")
    if code in _ENDED:
        return NotSignedIn(f"AWS does not accept these credentials ({code})", _SIGN_IN)
    if code in _REFUSED or code.endswith("AccessDenied"):
        return Forbidden(f"Your AWS credentials do not allow {error.operation_name}", "Use the credentials that deploy the stack.")
    if code in _BUSY:
        return Unavailable(f"AWS is busy: {error.operation_name} failed ({code})", "Try again later.")
    if code in ("ResourceNotFoundException", "NoSuchBucket", "NoSuchDistribution"):
        return ServiceError(f"AWS has no such resource: {error.operation_name} failed ({code})", "Check that the region is the stack's.")
    return ServiceError(f"AWS refused {error.operation_name} ({code})")
