"""All answers of an operation: the successful ones, and the problems that follow from its parameters and from its route."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from retainstream.http.problems import PROBLEM_JSON, TITLES
from retainstream.http.routes import PROBLEMS, PUBLIC, ROLE, UNCOUNTED, WITH_FIRST_PASSWORD

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An RFC 9457 problem document",
    "required": ["type", "title", "status", "request_id"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "Stable name of the problem: urn:retainstream:problem:…"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "additionalProperties": False,
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
HEADERS: dict[str, Any] = {
    "X-Request-Id": {"description": "The request's id, which its log lines carry", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Requests allowed in a quarter of an hour", "schema": {"type": "integer", "minimum": 0}},
    "RateLimit-Remaining": {"description": "Requests left in this quarter of an hour", "schema": {"type": "integer", "minimum": 0}},
    "RateLimit-Reset": {"description": "Seconds until the next quarter of an hour", "schema": {"type": "integer", "minimum": 0}},
    "Location": {"description": "The address of the run", "schema": {"type": "string"}, "required": True},
    "LocationOfOtherRun": {"description": "The address of the run that is under way, where it is in the way", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before the next attempt", "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "How to sign in", "schema": {"type": "string", "const": "Bearer"}, "required": True},
}
_RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_BY_STATUS = {202: ("Location",), 401: ("WWW-Authenticate",), 409: ("Location",), 429: ("Retry-After",), 503: ("Retry-After",)}
_OF_STATUS = {(409, "Location"): "LocationOfOtherRun"}
"""The component of a header where it says something else than in other answers."""


def stated_answers(operation: Mapping[str, Any], document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The responses of an operation by status, and the names of the problems among them. Each problem is a component of the document."""
    answers = {status: dict(answer) for status, answer in operation["responses"].items() if str(status)[0] == "2"}
    if "204" in answers:
        del answers["204"]["content"]
    for status, answer in answers.items():
        answer["headers"] = _headers(operation, int(status))
    names = sorted({*_problems(operation, document), *operation.get(PROBLEMS, ())}, key=lambda name: (int(TITLES[name][0]), name))
    for status, same in groupby(names, key=lambda name: int(TITLES[name][0])):
        problems = list(same)
        component = "-or-".join((*problems, "uncounted") if operation.get(UNCOUNTED) else problems)
        document["components"].setdefault("responses", {})[component] = {
            "description": " or ".join(TITLES[name][1] for name in problems),
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "headers": _headers(operation, status),
        }
        answers[str(status)] = {"$ref": f"#/components/responses/{component}"}
    return answers, names


def _headers(operation: Mapping[str, Any], status: int) -> dict[str, Any]:
    names = ("X-Request-Id", *(() if operation.get(UNCOUNTED) else _RATE_LIMIT), *_BY_STATUS.get(status, ()))
    return {name: {"$ref": f"#/components/headers/{_OF_STATUS.get((status, name), name)}"} for name in names}


def _problems(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("invalid-request", "internal-error", "unavailable")
    if not operation.get(UNCOUNTED):
        yield "too-many-requests"
    if operation[ROLE] != PUBLIC:
        yield from ("unauthenticated", "forbidden")
        if not operation.get(WITH_FIRST_PASSWORD):
            yield "password-change-required"
    places = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", ())}
    if ("header", "idempotency-key") in places and "requestBody" in operation:
        yield "conflict"
    if any(place == "path" for place, _ in places):
        yield "not-found"
    fields: Mapping[str, Any] = {}
    if "requestBody" in operation:
        yield from ("malformed-request", "too-large", "unsupported-media-type")
        shape = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        fields = document["components"]["schemas"][shape]["properties"]
    if ("query", "cursor") in places or "cursor" in fields:
        yield "bad-cursor"
