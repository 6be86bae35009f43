"""Errors as RFC 9457 problem documents."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import NotRequired, TypedDict

from aws_lambda_powertools.event_handler import Response

from retainstream.engine.schema.validation import FieldError

PROBLEM_JSON = "application/problem+json"
MEND_SECONDS = 60
"""`Retry-After` where an operator or administrator must act first."""
RETRY_SECONDS = 5
"""`Retry-After` of a service that did not answer."""

TITLES = {
    "invalid-request": (HTTPStatus.UNPROCESSABLE_ENTITY, "The request has fields that cannot be accepted"),
    "malformed-request": (HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    "bad-cursor": (HTTPStatus.BAD_REQUEST, "The cursor does not belong to this list"),
    "unauthenticated": (HTTPStatus.UNAUTHORIZED, "Sign in first"),
    "wrong-credentials": (HTTPStatus.UNAUTHORIZED, "E-mail or password is wrong"),
    "forbidden": (HTTPStatus.FORBIDDEN, "Your role does not allow this"),
    "password-change-required": (HTTPStatus.FORBIDDEN, "Change your first password"),
    "registration-closed": (HTTPStatus.FORBIDDEN, "Registration is not open"),
    "not-found": (HTTPStatus.NOT_FOUND, "There is nothing here"),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "This path does not accept that method"),
    "conflict": (HTTPStatus.CONFLICT, "The request does not fit the present state"),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large"),
    "unsupported-media-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json"),
    "too-many-requests": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "internal-error": (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "A required service did not answer"),
    "no-model": (HTTPStatus.SERVICE_UNAVAILABLE, "No model is in service yet"),
}


class FieldProblem(TypedDict):
    """A field of the request, and its fault."""

    field: str
    detail: str


class ProblemDocument(TypedDict):
    """A problem document (RFC 9457) with the request's id and the faults of its fields."""

    type: str
    title: str
    status: int
    request_id: str
    detail: NotRequired[str]
    errors: NotRequired[list[FieldProblem]]


class Problem(Exception):
    """An error answer. `name` is a key of TITLES, and the stable end of the document's `type`."""

    def __init__(self, name: str, detail: str = "", errors: Iterable[FieldError] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.status, self.title = TITLES[name]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> ProblemDocument:
        """The problem document."""
        document: ProblemDocument = {
            "type": f"urn:retainstream:problem:{self.name}",
            "title": self.title,
            "status": int(self.status),
            "request_id": request_id,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [{"field": error.field, "detail": error.detail} for error in self.errors]
        return document

    def response(self, request_id: str) -> Response[str]:
        headers: dict[str, str | list[str]] = {**self.headers}
        return Response(int(self.status), PROBLEM_JSON, json.dumps(self.document(request_id)), headers)


def wrong_method(methods: Iterable[str]) -> Problem:
    """The answer to a method that the path does not accept."""
    allowed = ", ".join(sorted(methods))
    return Problem("method-not-allowed", f"This path accepts {allowed}.", headers={"Allow": allowed})


def no_model() -> Problem:
    """The answer to a request that needs a model, before the first promotion."""
    return Problem("no-model", "Train one: POST /api/model/train.", headers={"Retry-After": str(MEND_SECONDS)})


def unusable(detail: str) -> Problem:
    """The answer to a request that needs a stored document which cannot be used until an operator repairs it."""
    return Problem("unavailable", detail, headers={"Retry-After": str(MEND_SECONDS)})
