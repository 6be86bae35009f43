"""What can go wrong between the command and a deployment: each error says what happened, what to do next, and how the command ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

FAILED, NEEDS_A_LOOK, NOT_ALLOWED, UNAVAILABLE = 1, 3, 4, 5
"""Exit codes, see docs/cli.md. 2 is typer's own, for a command that was called wrongly."""


@dataclass
class ServiceError(Exception):
    """The service refused, or something on the way to it failed. `advice` is what the person can do."""

    message: str
    advice: str = ""
    status: int | None = None
    problem: Mapping[str, Any] | None = None

    exit_code: ClassVar[int] = FAILED

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.advice}".strip()

    def document(self) -> dict[str, Any]:
        """The error for a script."""
        return {"error": self.message, "advice": self.advice, "status": self.status, "problem": dict(self.problem or {})}


class NotSignedIn(ServiceError):
    """There is no session, or the service does not accept it any more."""

    exit_code = NOT_ALLOWED


class Forbidden(ServiceError):
    """The signed-in user may not do this."""

    exit_code = NOT_ALLOWED


class Unavailable(ServiceError):
    """The service cannot be reached, or asked to be left alone for a while."""

    exit_code = UNAVAILABLE


def error_of(url: str, status: int, document: Any, retry_after: str | None) -> ServiceError:
    """The error that an answer means; `document` is a problem document, or anything else that came in its place."""
    problem: Mapping[str, Any] = document if isinstance(document, dict) and str(document.get("type", "")).startswith("urn:") else {}
    name = str(problem.get("type", "")).rsplit(":", 1)[-1]
    told = _told(problem) or f"{url} answered with status {status}"
    if status == 401 and name != "wrong-credentials":
        return NotSignedIn(told, f"Sign in: retainstream login --url {url}", status, problem)
    if status in (401, 403):
        return Forbidden(told, "" if status == 401 else "Ask an administrator for a role that may.", status, problem)
    if status in (429, 502, 503, 504):
        when = f"in {retry_after} seconds" if retry_after and retry_after.isdigit() else "later"
        return Unavailable(told, f"Try again {when}.", status, problem)
    request_id = problem.get("request_id")
    advice = f"The request id helps whoever operates it: {request_id}" if status >= 500 and request_id else ""
    if not problem:
        advice = f"Is {url} the address of a RetainStream deployment?"
    return ServiceError(told, advice, status, problem)


def _told(problem: Mapping[str, Any]) -> str:
    title, detail = str(problem.get("title", "")), str(problem.get("detail", ""))
    fields = [f"{error.get('field')} {error.get('detail')}" for error in problem.get("errors", ()) if isinstance(error, dict)]
    return ": ".join(part.rstrip(".") for part in (title, "; ".join(fields) or detail) if part)
