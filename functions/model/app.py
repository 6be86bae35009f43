"""The routes of the model module, and those of no module: health, the API's documentation, unknown paths."""

import json
from functools import cache
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from retainstream.dashboard.drift_reports import DriftView, drift_view
from retainstream.engine.learning.card.document import CardView
from retainstream.engine.schema import FeatureSchema, FieldError, UnreadableSchema, schema_from_text
from retainstream.http import Api, Caller, Data, IdempotencyKey, Listing, PageInfo, Problem, public, requires
from retainstream.http.documentation import docs_asset, docs_page, openapi_json
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.paging import Cursors
from retainstream.http.problems import no_model, unusable
from retainstream.registry.active_schema import EARLIER_ID, EarlierSchema, UnknownSchema, active_schema, earlier_schema, earlier_schemas
from retainstream.registry.card import NoCard, card_document, card_page
from retainstream.registry.champion import champion, promote, rollback
from retainstream.registry.errors import CorruptModel, NoModel, NotPromotable, UnknownVersion
from retainstream.registry.health import FRESH_SECONDS, Checkup, Health, ServiceStatus
from retainstream.registry.level_learning import LearnedLevels, NewLevels, UnlearnableLevels, learn_levels
from retainstream.registry.schema_change import (
    CheckedCustomers,
    CustomersRefused,
    SchemaChange,
    SchemaChangedMeanwhile,
    SchemaCheck,
    SchemaPut,
    compare_schema,
    put_schema,
)
from retainstream.registry.versions import newest
from retainstream.registry.views import Factor, StatusView, VersionView, factors, promoted_view, status_view, version_views
from retainstream.roles import Role
from retainstream.runs.keys import run_id_for
from retainstream.runs.retraining.request import start_training, training_run
from retainstream.runs.retraining.view import TrainingView
from retainstream.runs.starting import UnknownRun
from retainstream.settings import settings
from retainstream.storage.errors import Conflict
from retainstream.storage.stores import Stores

app = Api("model")
TAGS = ["model"]
HEALTH_REQUESTS = 300
stores = Stores()


@cache
def checkup() -> Checkup:
    return Checkup()


_VERSION = r"^[0-9A-Za-z-]{1,64}$"
Version = Annotated[str, Path(pattern=_VERSION)]
VERSIONS = Cursors[str](Annotated[str, Field(pattern=_VERSION)], stores)
SchemaId = Annotated[str, Path(pattern=EARLIER_ID)]
RunId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,80}$")]

app.explain(NoModel, lambda _: no_model())
app.explain(UnknownVersion, lambda _: Problem("not-found", "No model version has this name."))
app.explain(NoCard, lambda _: Problem("not-found", "This version was registered without a card."))
app.explain(CorruptModel, lambda error: unusable(str(error)))
app.explain(UnknownRun, lambda _: Problem("not-found", "No training run has this id."))
app.explain(UnknownSchema, lambda _: Problem("not-found", "No earlier feature schema has this id."))
app.explain(
    UnreadableSchema,
    lambda error: Problem(
        "invalid-request", "The document is not a feature schema.", [FieldError("body.document", fault) for fault in error.problems]
    ),
)
app.explain(
    SchemaChangedMeanwhile, lambda _: Problem("conflict", "Another feature schema became active meanwhile. Compare with that one first.")
)
app.explain(UnlearnableLevels, lambda error: Problem("invalid-request", errors=error.faults))
app.explain(CustomersRefused, lambda error: _customers_refused(error.change.customers))
app.explain(NotPromotable, lambda error: Problem("conflict", str(error)))
app.explain(Conflict, lambda _: Problem("conflict", "Another version was promoted at the same moment. Read the status again."))


@app.get("/api/model/status", summary="The model in service", tags=TAGS, **requires(Role.VIEWER))
def status() -> Data[StatusView]:
    """Its figures on held-out customers, its promotions, and the version that a rollback restores."""
    return Data(data=status_view(stores.models))


@app.get("/api/model/features", summary="The columns that move the scores", tags=TAGS, **requires(Role.VIEWER, "no-model"))
def features() -> Data[list[Factor]]:
    """The columns of the model in service by mean absolute contribution over held-out customers."""
    return Data(data=factors(stores.models))


@app.get("/api/model/schema", summary="The active feature schema", tags=TAGS, **requires(Role.VIEWER))
def schema() -> Data[FeatureSchema]:
    """The columns of a customer with their kinds, units, ranges and phrases, the actions against risk, and the money."""
    return Data(data=active_schema(stores.documents))


@app.put("/api/model/schema", summary="Change the active feature schema", tags=TAGS, **requires(Role.ADMIN, "conflict"))
def change_schema(body: SchemaPut) -> Data[SchemaChange]:
    """Activates a schema and keeps the one before. All functions use it within 30 seconds. The answer is 409 where another schema than
    `replaces` is active, and where customers do not fit, unless `accept_refused`. The active schema itself changes nothing."""
    new = schema_from_text(body.document)
    parties = stores.documents, stores.customers, stores.models
    return Data(data=put_schema(*parties, new, replaces=body.replaces, accept_refused=body.accept_refused))


@app.post("/api/model/schema/check", summary="Compare a feature schema with the active one", tags=TAGS, **requires(Role.ADMIN))
def check_schema(body: SchemaCheck) -> Data[SchemaChange]:
    """The differences, the customers who would not fit, the model in service beside it, and the next steps. Nothing is changed. Of more
    than 10,000 customers, a sample of 10,000 is checked, fewer where that takes more than 12 seconds."""
    return Data(data=compare_schema(stores.documents, stores.customers, stores.models, schema_from_text(body.document)))


@app.post("/api/model/schema/levels", summary="Add levels to a category", tags=TAGS, **requires(Role.ADMIN, "conflict"))
def add_levels(body: NewLevels) -> Data[LearnedLevels]:
    """Adds values of a category to the active schema, such as those that an import reports as new, and keeps the schema before. No customer
    has to be checked, and the model in service goes on scoring. Levels that the column has already change nothing."""
    return Data(data=learn_levels(stores.documents, stores.models, body))


@app.get("/api/model/schema/earlier", summary="Earlier feature schemas", tags=TAGS, **requires(Role.ADMIN))
def list_earlier_schemas() -> Data[list[EarlierSchema]]:
    """At most 100 schemas that were active before, the last one first."""
    return Data(data=earlier_schemas(stores.documents))


@app.get("/api/model/schema/earlier/<earlier_id>", summary="An earlier feature schema", tags=TAGS, **requires(Role.ADMIN))
def get_earlier_schema(earlier_id: SchemaId) -> Data[FeatureSchema]:
    """The schema as it was active. To go back to it, PUT it as the active one."""
    return Data(data=earlier_schema(stores.documents, earlier_id))


@app.get("/api/model/drift", summary="Drift", tags=TAGS, **requires(Role.VIEWER))
def drift() -> Data[DriftView]:
    """The customers that the model in service scored last, compared with those that it was made with: the population stability index of
    every feature and of the score, each with its level, its bins, and the largest change in words."""
    pointer = champion(stores.models)
    return Data(data=drift_view(pointer.version if pointer else None, stores.rollups, stores.documents))


@app.post(
    "/api/model/train",
    summary="Train a model",
    tags=TAGS,
    responses={202: {"description": "A training run has started", "content": {"application/json": {"model": Data[TrainingView]}}}},
    **requires(Role.ADMIN),
)
def train(caller: Caller, idempotency_key: IdempotencyKey = None) -> Response[Data[TrainingView]]:
    """Starts the retraining state machine. Follow the run at /api/model/training/{run_id}. While a training is under way, the answer is
    that run, with `already_running`."""
    run = start_training(stores, caller.user_id, idempotency_key)
    return Response(202, "application/json", Data(data=run), {"Location": f"/api/model/training/{run.run_id}"})


@app.get("/api/model/training/<run_id>", summary="A training run", tags=TAGS, **requires(Role.VIEWER))
def training(run_id: RunId) -> Data[TrainingView]:
    """Each step with its state, and after the end the result or the reason of the failure."""
    return Data(data=training_run(stores, run_id))


@app.get("/api/model/versions", summary="All model versions", tags=TAGS, **requires(Role.VIEWER))
def versions(
    limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: Annotated[str | None, Query(max_length=2000)] = None
) -> Listing[VersionView]:
    """All versions, newest first, rejected ones with the reasons."""
    page = newest(stores.models, limit=limit, after=VERSIONS.read(cursor, scope="/api/model/versions"))
    pointer = champion(stores.models)
    onward = VERSIONS.write(page.next_key["sk"] if page.next_key else None, scope="/api/model/versions")
    views = version_views(page.items, pointer.version if pointer else None)
    return Listing(data=views, page=PageInfo(limit=limit, next=onward))


@app.get(
    "/api/model/versions/<version>/card",
    summary="A version's model card",
    tags=TAGS,
    responses={
        200: {
            "description": "The card",
            "content": {"application/json": {"model": Data[CardView]}, "text/html": {"schema": {"type": "string"}}},
        }
    },
    **requires(Role.VIEWER),
)
def card(
    version: Version,
    format: Annotated[Literal["json", "html"] | None, Query(description="Default: by the header Accept")] = None,  # noqa: A002
) -> Response[str]:
    """Every figure, curve and table of the version, as registered. The JSON has `html_url`, a link that a browser opens without a token
    for 15 minutes. The answer is the page itself for `format=html`, and where Accept names text/html and not JSON."""
    return _card_page(version) if (format or _accepted_format()) == "html" else _card_document(version)


@app.post("/api/model/versions/<version>/promote", summary="Put a version into service", tags=TAGS, **requires(Role.ADMIN, "conflict"))
def promote_version(version: Version, caller: Caller) -> Data[StatusView]:
    """One conditional write. A rejected version cannot be promoted."""
    return Data(data=promoted_view(stores.models, promote(stores.models, version, caller.user_id)))


@app.post("/api/model/rollback", summary="Roll back to the previous version", tags=TAGS, **requires(Role.ADMIN, "conflict"))
def roll_back(caller: Caller, idempotency_key: IdempotencyKey = None) -> Data[StatusView]:
    """The same conditional write. A second rollback undoes the first. With the same Idempotency-Key it answers as the first did, for a
    day, whatever was promoted meanwhile."""
    asked = run_id_for("rollback", caller.user_id, idempotency_key) if idempotency_key else None
    return Data(data=promoted_view(stores.models, rollback(stores.models, caller.user_id, asked=asked)))


@app.get("/api/health", summary="Status", tags=["health"], **public(own_limit=HEALTH_REQUESTS))
def show_status() -> Data[ServiceStatus]:
    """For monitors and load balancers. The answer is 200 while this function runs and can count requests: read `status`."""
    health = _health()
    return Data(data=ServiceStatus(status=health.status, checked_at=health.checked_at))


@app.get("/api/health/details", summary="Health", tags=["health"], **requires(Role.VIEWER))
def show_health() -> Data[Health]:
    """Version, model in service and dependencies, with the reason and remedy of each problem."""
    return Data(data=_health())


@app.get("/api/openapi.json", include_in_schema=False, enable_validation=True, **public(counted=False))
def openapi() -> Response[str]:
    return Response(200, "application/json", openapi_json())


@app.get("/api/docs", include_in_schema=False, **public(counted=False))
def docs() -> Response[str]:
    return docs_page()


@app.get("/api/docs/<name>", include_in_schema=False, **public(counted=False))
def docs_file(name: str) -> Response[str]:
    asset = docs_asset(name)
    if asset is None:
        raise Problem("not-found")
    return asset


def _customers_refused(customers: CheckedCustomers) -> Problem:
    count = f"{customers.refused:,} of {customers.checked:,} checked customers"
    detail = f"{count} do not fit the schema. Send accept_refused: true to activate it nevertheless."
    return Problem("conflict", detail, [FieldError("body.document", misfit.text) for misfit in customers.misfits])


def _health() -> Health:
    return checkup().health(stores.models, stores.documents, min(FRESH_SECONDS, settings().model_cache_seconds))


def _accepted_format() -> str:
    accepted = app.current_event.headers.get("accept", "")
    return "html" if "text/html" in accepted and "application/json" not in accepted else "json"


def _card_page(version: str) -> Response[str]:
    page = card_page(stores.models, stores.documents, version)
    return Response(200, "text/html; charset=utf-8", page.html, {"Content-Security-Policy": page.policy, "Vary": "Accept"})


def _card_document(version: str) -> Response[str]:
    content = json.dumps({"data": card_document(stores.models, stores.documents, version)}, separators=(",", ":"))
    return Response(200, "application/json", content, {"Vary": "Accept"})


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(event, context)
