"""Errors between the command and a deployment. Each has a message, advice, and an exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

FAILED, NEEDS_A_LOOK, NOT_ALLOWED, UNAVAILABLE, MOST_REJECTED = 1, 3, 4, 5, 6
"""Exit codes, see docs/cli.md. Code 2, wrong usage, is typer's."""


@dataclass
class ServiceError(Exception):
    """The service refused, or a request failed. `advice` says what the user can do. `problem` is the problem document of the answer."""

    message: str
    advice: str = ""
    status: int | None = None
    problem: Mapping[str, object] | None = None

    exit_code: ClassVar[int] = FAILED

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.advice}".strip()


class NotSignedIn(ServiceError):
    """There is no session, or the service does not accept it."""

    exit_code = NOT_ALLOWED


class Forbidden(ServiceError):
    """The signed-in user may not do this."""

    exit_code = NOT_ALLOWED


class Unavailable(ServiceError):
    """The service cannot be reached, or is busy."""

    exit_code = UNAVAILABLE


class MostRejected(ServiceError):
    """Of a file no row was accepted."""

    exit_code = MOST_REJECTED


def error_of(url: str, status: int, document: object, retry_after: str | None) -> ServiceError:
    """The error for an answer. `document` is the parsed body: a problem document, anything else, or None."""
    problem: Mapping[str, object] = document if isinstance(document, dict) and str(document.get("type", "")).startswith("urn:") else {}
    name = str(problem.get("type", "")).rsplit(":", 1)[-1]
    message = _message(problem) or f"{url} answered with status {status}"
    if status == 401 and name != "wrong-credentials":
        return NotSignedIn(message, f"To sign in: retainstream login --url {url}", status, problem)
    if name == "password-change-required":
        return Forbidden(message, f"To change it: retainstream password --url {url}", status, problem)
    if status in (401, 403):
        return Forbidden(message, "" if status == 401 else "Ask an administrator for a role that allows it.", status, problem)
    if status in (429, 502, 503, 504):
        when = f"in {retry_after} seconds" if retry_after and retry_after.isdigit() else "later"
        return Unavailable(message, f"Try again {when}.", status, problem)
    request_id = problem.get("request_id")
    advice = f"Report this request id to the operator: {request_id}" if status >= 500 and request_id else ""
    if not problem:
        advice = f"Check that {url} is the address of a RetainStream deployment."
    return ServiceError(message, advice, status, problem)


def _message(problem: Mapping[str, object]) -> str:
    title, detail = str(problem.get("title", "")), str(problem.get("detail", ""))
    errors = problem.get("errors")
    fields = (
        [f"{error.get('field')} {error.get('detail')}" for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    )
    return ": ".join(part.rstrip(".") for part in (title, "; ".join(fields) or detail) if part)
