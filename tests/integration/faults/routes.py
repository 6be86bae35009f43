"""The requests of the matrix: every operation of the interface, some in several ways."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from retainstream.engine.schema import default_schema
from retainstream.registry.active_schema import digest_of
from tests.integration.conftest import http_event, lambda_context, load_function
from tests.integration.faults.world import (
    ADMIN,
    CARDED,
    DELIVERY,
    EXPORT,
    FILE,
    FIRST,
    KEPT_SCHEMA,
    OTHER,
    PARTED,
    PARTED_DELIVERY,
    PASSWORD,
    PREPARATION,
    RECOUNT,
    SCORING,
    TRAINING,
    VIEWER,
    WAITING,
)

FEATURES = {
    "plan": "standard",
    "watch_time_hours": 6.5,
    "subscription_age_months": 14,
    "device_count": 2,
    "last_login_days": 19,
    "payment_failures": 1,
    "tenure_months": 26,
    "monthly_price": 12.99,
}
SCHEMA_PUT = {
    "document": default_schema().model_copy(update={"title": "Another"}).model_dump_json(),
    "replaces": digest_of(default_schema()),
    "accept_refused": True,
}
KEYED = {"idempotency-key": "key-1"}
SENT_FILE = base64.b64encode(f"customer_id,{','.join(FEATURES)}\nc1,{','.join(map(str, FEATURES.values()))}\n".encode()).decode()


@dataclass(frozen=True)
class Route:
    """One request. `operation` is as the OpenAPI document has it.

    `retried`: the statuses with which the same request may be answered after one that was refused with 503 has had its effect.
    `steps`: why the state may stand between before and after until the request is made again.
    `left`: what may be left over in the bucket, of which nobody is told, until the bucket's own rule takes it away.
    `race`: what has happened when a condition of it does not hold, which an invented refusal makes untrue.
    `anew`: the table in which the same request again is another one, since a sample is drawn and its customers are scored each time.
    `sources`: whether the active schema reads sources.
    `answers`: whether two answers to the same request are the same, but for times and names.
    """

    operation: str
    path: str = ""
    body: Any = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    role: str | None = "admin"
    user: str = ADMIN
    retried: tuple[int, ...] = ()
    steps: str = ""
    answers: bool = True
    left: str = ""
    race: str = ""
    anew: str = ""
    sources: bool = False

    @property
    def module(self) -> str:
        name = self.operation.split("/")[2]
        return "model" if name == "health" else name

    def __str__(self) -> str:
        return f"{self.operation} {self.query}{' keyed' if self.headers else ''}{' ' + str(sorted(self.body)) if self.body else ''}".strip()

    def event(self) -> Any:
        method, stated = self.operation.split()
        body = None if self.body is None else json.dumps(self.body)
        principal = {"userId": self.user, "role": self.role, "tokenId": "token-1", "tokenExpires": "1999999999"} if self.role else None
        headers = {"content-type": "application/json", **self.headers}
        return http_event(method, self.path or stated, query=self.query, body=body, headers=headers, principal=principal)

    def send(self) -> dict[str, Any]:
        """The function's answer."""
        answer: dict[str, Any] = load_function(self.module).handler(self.event(), lambda_context(self.module))
        return answer


ROUTES = [
    Route("POST /api/auth/login", body={"email": VIEWER, "password": PASSWORD}, role=None, answers=False),
    Route("POST /api/auth/logout"),
    Route("GET /api/auth/me"),
    Route(
        "POST /api/auth/password",
        body={"current_password": PASSWORD, "new_password": "eleven slow rivers bend"},
        steps="the password is changed, and with it every token refused, before the token of the request is revoked",
        retried=(422,),
        answers=False,
    ),
    Route(
        "POST /api/auth/register",
        body={"email": "new@example.com", "password": PASSWORD},
        role=None,
        retried=(409,),
        answers=False,
    ),
    Route("GET /api/auth/users"),
    Route("PATCH /api/auth/users", body={"email": VIEWER, "role": "analyst"}),
    Route("PATCH /api/auth/users", body={"email": OTHER, "status": "disabled"}),
    Route("POST /api/auth/users", body={"email": "new@example.com", "password": PASSWORD, "role": "analyst"}, retried=(409,)),
    Route("POST /api/auth/users", body={"email": "new@example.com", "password": PASSWORD, "role": "admin", "name": "N"}, retried=(409,)),
    Route("GET /api/customers"),
    Route(
        "DELETE /api/customers",
        query="source=synthetic",
        steps="every part of a removal may be done again",
        race="somebody else is removed at a later moment",
        answers=False,
    ),
    Route("GET /api/customers/high-risk"),
    Route("GET /api/customers/high-risk", query="sort=value&plan=basic"),
    Route("GET /api/customers/imports"),
    Route("POST /api/customers/imports", body={"file_name": "new.csv", "size": 60}, headers=KEYED, answers=False, steps="as above"),
    Route(
        "POST /api/customers/imports",
        body={"file_name": "large.csv", "size": 260},
        headers=KEYED,
        answers=False,
        left="upload imports/uploads/",
        steps="an import that is in no list yet waits for a file, and nobody was told where to put it",
    ),
    Route("POST /api/customers/imports/preview", body={"file_name": "new.csv", "content": SENT_FILE}),
    Route("GET /api/customers/imports/{import_id}", f"/api/customers/imports/{WAITING}"),
    Route("POST /api/customers/imports/{import_id}/complete", f"/api/customers/imports/{PARTED}/complete"),
    Route("GET /api/customers/sources"),
    Route("GET /api/customers/sources/deliveries"),
    Route(
        "POST /api/customers/sources/deliveries",
        body={"kind": "events", "file_name": "new.csv", "size": 60},
        headers=KEYED,
        answers=False,
        steps="a delivery that is in no list yet waits for a file, and nobody was told where to put it",
    ),
    Route("GET /api/customers/sources/deliveries/{delivery_id}", f"/api/customers/sources/deliveries/{DELIVERY}"),
    Route(
        "POST /api/customers/sources/deliveries/{delivery_id}/complete",
        f"/api/customers/sources/deliveries/{PARTED_DELIVERY}/complete",
    ),
    Route("GET /api/customers/preparations/latest"),
    Route("GET /api/customers/preparations/{run_id}", f"/api/customers/preparations/{PREPARATION}"),
    Route("POST /api/customers/preparations", headers=KEYED, steps="the machine is started before the record is made", sources=True),
    Route("POST /api/customers/segment", body={"levels": ["high", "critical"]}),
    Route(
        "DELETE /api/customers/{customer_id}",
        "/api/customers/C-000003",
        steps="every part of a removal may be done again",
        race="somebody else is removed at a later moment",
        answers=False,
    ),
    Route("GET /api/customers/{customer_id}", "/api/customers/C-000003"),
    Route("PUT /api/customers/{customer_id}", "/api/customers/C-000003", body={"features": FEATURES}),
    Route(
        "PUT /api/customers/{customer_id}",
        "/api/customers/new",
        body={
            "features": FEATURES,
        },
    ),
    Route(
        "POST /api/customers/{customer_id}/outcome",
        "/api/customers/C-000003/outcome",
        body={"churned": True},
        race="the same outcome is there already, or the customer is not",
        steps="the outcome is recorded before the prediction tells of it",
    ),
    Route("GET /api/dashboard/distribution"),
    Route("GET /api/dashboard/features"),
    Route("GET /api/dashboard/metrics"),
    Route(
        "POST /api/dashboard/predict",
        body={"sample_size": 30},
        answers=False,
        steps="every prediction is whole by itself",
        anew="predictions",
    ),
    Route("POST /api/dashboard/recount", body={}, headers=KEYED, steps="the machine is started before the record is made"),
    Route("GET /api/dashboard/recounts/{run_id}", f"/api/dashboard/recounts/{RECOUNT}"),
    Route("GET /api/health", role=None, answers=False),
    Route("GET /api/health/details", answers=False),
    Route("GET /api/model/drift"),
    Route("GET /api/model/features"),
    Route("POST /api/model/rollback", headers=KEYED),
    Route("GET /api/model/schema"),
    Route("PUT /api/model/schema", body=SCHEMA_PUT, steps="the active schema is kept before another one is active", answers=False),
    Route("POST /api/model/schema/check", body={"document": SCHEMA_PUT["document"]}),
    Route(
        "POST /api/model/schema/levels",
        body={"column": "plan", "levels": ["family"]},
        steps="the active schema is kept before another one is active",
        answers=False,
    ),
    Route("GET /api/model/schema/earlier"),
    Route("GET /api/model/schema/earlier/{earlier_id}", f"/api/model/schema/earlier/{KEPT_SCHEMA}"),
    Route("GET /api/model/status"),
    Route("POST /api/model/train", headers=KEYED, steps="the machine is started before the record is made"),
    Route("GET /api/model/training/{run_id}", f"/api/model/training/{TRAINING}"),
    Route("GET /api/model/versions"),
    Route("GET /api/model/versions/{version}/card", f"/api/model/versions/{CARDED}/card", answers=False),
    Route("GET /api/model/versions/{version}/card", f"/api/model/versions/{CARDED}/card", query="format=html"),
    Route("POST /api/model/versions/{version}/promote", f"/api/model/versions/{FIRST}/promote"),
    Route("GET /api/predictions/exports/{run_id}", f"/api/predictions/exports/{EXPORT}", answers=False),
    Route("POST /api/predictions/generate", body={"all": True}, headers=KEYED, steps="the machine is started before the record is made"),
    Route(
        "POST /api/predictions/generate",
        body={"customer_ids": ["C-000002", "C-000003"]},
        headers=KEYED,
        steps="every prediction is whole by itself",
    ),
    Route("POST /api/predictions/generate", body={"rows": [FEATURES]}),
    Route("GET /api/predictions/performance"),
    Route("GET /api/predictions/results"),
    Route("GET /api/predictions/results", query="level=high"),
    Route("GET /api/predictions/results", query="format=csv", answers=False, left="exports/"),
    Route("GET /api/predictions/runs/{run_id}", f"/api/predictions/runs/{SCORING}"),
    Route("POST /api/drafts", body={"file_name": "new.csv", "content": SENT_FILE}),
    Route("POST /api/predictions/what-if", body={"customer_id": "C-000003", "changes": {"payment_failures": 0}}),
]
ANNOUNCED = len(FILE)
