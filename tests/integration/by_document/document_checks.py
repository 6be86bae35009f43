"""What every answer is held to besides what schemathesis itself checks."""

import json
from typing import Any

import schemathesis
from schemathesis import Case, Response
from schemathesis.checks import CheckContext

from retainstream.http.api import SECURITY_HEADERS
from retainstream.http.problems import PROBLEM_JSON, TITLES
from retainstream.http.routes import PUBLIC, ROLE
from retainstream.roles import Role

_ON_EVERY_ANSWER = {"content-type", "content-length", "date", "server", *(name.lower() for name in SECURITY_HEADERS)}
_OF_THE_GATEWAY = {"vary", "connection"}
_IN_PROBLEMS = f"urn:retainstream:{'problem'}:"

calling: dict[str, str | None] = {"role": "admin"}
"""The role of the token that is sent; None without one."""


def _stated(case: Case[Any]) -> dict[str, Any]:
    stated: dict[str, Any] = case.operation.definition.raw
    return stated


@schemathesis.check
def security_headers_are_there(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    missing = [name for name in SECURITY_HEADERS if name.lower() not in response.headers]
    assert not missing or response.status_code in (413, 404) or _from_the_gateway(response), f"without {missing}"


@schemathesis.check
def headers_are_documented(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    answers = _stated(case)["responses"]
    if (answer := answers.get(str(response.status_code))) is None:
        return
    if "$ref" in answer:
        answer = case.operation.schema.raw_schema["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    documented = {name.lower() for name in answer.get("headers", ())} | _ON_EVERY_ANSWER | _OF_THE_GATEWAY
    unknown = sorted({name.lower() for name in response.headers} - documented)
    assert not unknown, f"headers the document does not know: {unknown}"


@schemathesis.check
def problems_are_stated(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    if response.status_code < 400 or case.method.upper() != case.operation.method.upper():
        return
    assert response.headers["content-type"] == [PROBLEM_JSON]
    problem = json.loads(response.content)
    name = problem["type"].removeprefix(_IN_PROBLEMS)
    status, title = TITLES[name]
    assert (problem["status"], problem["title"], response.status_code) == (status, title, status)
    assert name in _stated(case)["x-problems"], f"{name} is not among the problems of this operation"


@schemathesis.check
def the_role_is_enough(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    needed, role = _stated(case)[ROLE], calling["role"]
    if needed == PUBLIC or (role is not None and Role(role).includes(Role(needed))):
        return
    assert response.status_code >= 400, f"{role} got in where {needed} is needed"


def _from_the_gateway(response: Response) -> bool:
    return response.status_code == 401
