"""A deployment's own AWS account, for the two commands that no user of the API can do: with the credentials of whoever deploys."""

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
from retainstream.storage.errors import StorageUnavailable

_REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException")
_ENDED = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_BUSY = ("Throttling", "ThrottlingException", "ServiceUnavailable", "InternalError", "InternalServerError", "SlowDown", "RequestTimeout")
_SIGN_IN = "Sign in to AWS, or name credentials by --profile or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


def session(region: str | None, profile: str | None) -> boto3.Session:
    """The person's AWS account and region.

    Raises:
        ServiceError: no such profile, or no region is known.
    """
    with aws_errors():
        made = boto3.Session(region_name=region, profile_name=profile)
    if not made.region_name:
        raise ServiceError("No AWS region is known", "Give --region, such as eu-west-1.")
    return made


def outputs(account: boto3.Session, stack: str) -> dict[str, str]:
    """What a stack tells of itself, by name.

    Raises:
        ServiceError: there is no such stack; and what `aws_errors` raises.
    """
    with aws_errors():
        try:
            found = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ValidationError":
                raise ServiceError(
                    f"There is no stack {stack} in {account.region_name}", "Name it by --stack, and its --region."
                ) from error
            raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turns what AWS refuses into errors that say what to do. Nothing of a request is repeated in them.

    Raises:
        NotSignedIn, Forbidden, Unavailable, ServiceError
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _in_words(error) from error
    except StorageUnavailable as error:
        raise _in_words(error.__cause__ or error) from error


def _in_words(error: BaseException) -> ServiceError:
    match error:
        case ClientError():
            return _of_code(error)
        case NoCredentialsError() | PartialCredentialsError() | SSOError():
            return NotSignedIn("There are no AWS credentials that work", _SIGN_IN)
        case ProfileNotFound() | InvalidRegionError():
            return ServiceError(str(error), "See your AWS configuration, and give --profile or --region.")
        case NoConnectionError() | HTTPClientError():
            return Unavailable(f"AWS cannot be reached ({type(error).__name__})", "Is the region right, and the network there?")
    return ServiceError(f"AWS cannot be asked ({type(error).__name__})", _SIGN_IN)


def _of_code(error: ClientError) -> ServiceError:
    code = error.response["Error"].get("Code", "")
    if code in _ENDED:
        return NotSignedIn(f"AWS does not take these credentials ({code})", _SIGN_IN)
    if code in _REFUSED or code.endswith("AccessDenied"):
        return Forbidden(f"Your AWS credentials may not do {error.operation_name}", "Use those with which the stack is deployed.")
    if code in _BUSY:
        return Unavailable(f"AWS did not do {error.operation_name} ({code})", "Try again later.")
    if code in ("ResourceNotFoundException", "NoSuchBucket", "NoSuchDistribution"):
        return ServiceError(f"AWS does not know what {error.operation_name} was asked about ({code})", "Is the region that of the stack?")
    return ServiceError(f"AWS refused {error.operation_name} ({code})")
