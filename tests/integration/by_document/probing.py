"""A running stack tried out by its OpenAPI document."""

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis import AuthContext, Case
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.hooks import HookContext

from retainstream.predictions.at_risk import FURTHEST
from tests.integration.by_document import document_checks
from tests.integration.by_document.narrowed import narrowed
from tests.integration.conftest import LocalProcess

FEWEST = {"accounts": 600, "customers": 1200, "answers": 1200, "roles": 2000, "walks": 100}
"""The cases that each run has at least."""

IN_CI = bool(os.environ.get("CI"))
ADMIN = ("alex.chen@netflix.com", "password")
_FIRST_PASSWORD, _GOOD_PASSWORD = "six loud harbours at dawn", "seven quiet lighthouses"
_A_LEVEL = "family"
_A_SCHEMA = (Path(__file__).parents[3] / "examples/schemas/telco.yaml").read_text()
_REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429"]


@dataclass
class Outcome:
    """What a run did: cases with an answer by operation and by status, and every failure as a text."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    followed: Counter[str] = field(default_factory=Counter)

    def shows_no_fault(self, run: str) -> None:
        """Fails unless every check of at least FEWEST[run] cases went well."""
        print(f"{run}: {self.cases.total()} cases, answers {dict(sorted(self.statuses.items()))}")  # noqa: T201
        assert not self.failures, f"{len(self.failures)} faults:\n\n" + "\n\n".join(self.failures[:20])
        assert self.cases.total() >= FEWEST[run]


class Probe:
    """Accounts of a stack, and runs against it. `seed` chooses the cases: the same in continuous integration, others for people."""

    def __init__(self, stack: LocalProcess) -> None:
        self.stack = stack
        self.seed = 1 if IN_CI else random.randrange(2**32)
        self._http = stack.client(*ADMIN)
        self._document = httpx.get(f"{stack.url}/api/openapi.json").json()
        self._columns = self._http.get("/api/model/schema").json()["data"]

    @property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document that the stack answers."""
        found: dict[str, Any] = self._document
        return found

    def account(self, role: str) -> tuple[str, str]:
        """A new account of that role: its address, and a token."""
        email = f"{role}-{uuid.uuid4().hex[:12]}@probe.example"
        made = self._http.post("/api/auth/users", json={"email": email, "password": _FIRST_PASSWORD, "role": role})
        assert made.status_code == 201, made.text
        with self.stack.client(email, _FIRST_PASSWORD) as client:
            changed = client.post("/api/auth/password", json={"current_password": _FIRST_PASSWORD, "new_password": _GOOD_PASSWORD})
        return email, changed.json()["data"]["token"]

    def run(
        self,
        tags: Sequence[str] = (),
        *,
        role: str | None = "admin",
        phases: Sequence[str] = ("examples", "coverage", "fuzzing"),
        most: int = 50,
    ) -> Outcome:
        """Tries every operation with one of the tags, or every one, as somebody of the role; `most` cases of each kind for each."""
        document = narrowed(self._document, self._columns)
        if tags:
            document = _only(tags, document)
        schema = schemathesis.openapi.from_dict(document, config=self._config(role, phases, most))
        schema.config.update(base_url=self.stack.url)
        outcome = Outcome()
        document_checks.calling["role"] = role
        with _hooks(self._before_call(), self._tokens(role) if role else None):
            for event in from_schema(schema).execute():
                _take_in(event, outcome)
        return outcome

    def _tokens(self, role: str) -> type:
        """Who sends the token of an account of the role; those who end their own sessions have an account each."""
        everyday, probe = self.account(role)[1], self

        class Tokens:
            def get(self, case: Case[Any], context: AuthContext) -> str:
                ends = _name(case) in ("logout", "change_password")
                return probe.account(role)[1] if ends else everyday

            def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
                case.headers["Authorization"] = f"Bearer {data}"

        return Tokens

    def _group_levels(self) -> list[str]:
        levels: list[str] = next(column["levels"] for column in self._columns["columns"] if column["name"] == self._columns["group"])
        return levels

    def _config(self, role: str | None, phases: Sequence[str], most: int) -> SchemathesisConfig:
        accepted = {"expected-statuses": ["2xx", "400", "404", "409", *([] if role == "admin" else ["401", "403"])]}
        sign_in = {"include-path": "/api/auth/login", "checks": {"positive_data_acceptance": {"expected-statuses": ["200", "401", "429"]}}}
        of_another_account = {"include-name": "PATCH /api/auth/users", "checks": {"ensure_resource_availability": {"enabled": False}}}
        # It takes away the customers that the other operations need.
        of_the_sample = {"include-name": "DELETE /api/customers", "enabled": False}
        return SchemathesisConfig.from_dict(
            {
                "seed": self.seed,
                "auth": {"auto-signup": False},
                "continue-on-failure": True,
                "request-timeout": 60,
                "generation": {"max-examples": most, "deterministic": IN_CI, "no-shrink": IN_CI, "database": "none"},
                "checks": {
                    "negative_data_rejection": {"expected-statuses": _REFUSALS},
                    "positive_data_acceptance": accepted,
                },
                "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
                "operations": [
                    sign_in,
                    of_another_account,
                    of_the_sample,
                ],  # the account is named in the body, where that check does not look
            }
        )

    def _before_call(self) -> Callable[[HookContext, Case[Any], dict[str, Any]], None]:
        def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
            name = _name(case)
            valid = case.meta is None or case.meta.generation.mode.is_positive
            if name == "change_password" and valid and isinstance(case.body, dict):
                case.body = {**case.body, "current_password": _GOOD_PASSWORD}
            if name == "check_schema" and valid and isinstance(case.body, dict):
                case.body = {**case.body, "document": _A_SCHEMA}
            if (
                name == "change_schema" and valid and isinstance(case.body, dict)
            ):  # `replaces` may be of an answer, so that the change is made
                case.body = {**case.body, "document": json.dumps(self._columns)}
            if name == "add_levels" and valid and isinstance(case.body, dict) and isinstance(levels := case.body["levels"], list):
                known = self._group_levels()  # a new level is valid for every operation from then on
                case.body = {**case.body, "levels": [level if level in known else _A_LEVEL for level in levels]}
            if (
                name == "change_user"
                and isinstance(case.body, dict)
                and str(case.body.get("email")).endswith(("netflix.com", "probe.example"))
            ):
                case.body = {**case.body, "email": "somebody@else.example"}
            if name == "get_high_risk" and valid and "page" in case.query:
                case.query.pop("cursor", None)
                case.query["page"] = min(int(case.query["page"]), FURTHEST // int(case.query.get("limit", 10)))
            if valid and (name == "train" or (name == "generate_predictions" and isinstance(case.body, dict) and case.body.get("all"))):
                case.headers["idempotency-key"] = "one run is enough"

        return before_call


def _only(tags: Sequence[str], document: dict[str, Any]) -> dict[str, Any]:
    """The document without the other tags' operations and the links to them."""
    paths = {
        path: {
            method: {
                **operation,
                "responses": {
                    status: {part: told for part, told in answer.items() if part != "links"}
                    for status, answer in operation["responses"].items()
                },
            }
            for method, operation in operations.items()
            if set(tags) & set(operation["tags"])
        }
        for path, operations in document["paths"].items()
    }
    return {**document, "paths": {path: operations for path, operations in paths.items() if operations}}


def _name(case: Case[Any]) -> str:
    return str(case.operation.definition.raw["operationId"]).partition("_api_")[0]


@contextmanager
def _hooks(before_call: Callable[[HookContext, Case[Any], dict[str, Any]], None], tokens: type | None) -> Iterator[None]:
    schemathesis.hook(before_call)
    if tokens:
        schemathesis.auth(refresh_interval=None)(tokens)
    try:
        yield
    finally:
        schemathesis.hooks.unregister_all()
        schemathesis.auths.unregister()


def _take_in(event: events.EngineEvent, outcome: Outcome) -> None:
    if isinstance(event, events.NonFatalError):
        outcome.failures.append(f"{event.label}: {event.info.title}: {event.info.message}")
    if isinstance(event, events.FatalError):
        outcome.failures.append(repr(event.exception))
    if not isinstance(event, events.ScenarioFinished):
        return
    for identity, interaction in event.recorder.interactions.items():
        if interaction.response is not None:
            node = event.recorder.cases[identity]
            outcome.cases[node.value.operation.label] += 1
            outcome.statuses[interaction.response.status_code] += 1
            if node.transition is not None and node.is_transition_applied:
                outcome.followed[node.transition.id] += 1
    for identity, checks in event.recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                outcome.failures.append(_told(event, identity, check.name, check.failure_info, event.recorder.interactions.get(identity)))


def _told(event: events.ScenarioFinished, identity: str, name: str, info: Any, interaction: Any) -> str:
    case = event.recorder.cases[identity].value
    answer = interaction.response.text[:600] if interaction and interaction.response is not None else "no answer"
    return f"{case.operation.label}: {name}: {info.failure.title} {info.failure.message[:300]}\n  {info.code_sample[:800]}\n  {answer}"
