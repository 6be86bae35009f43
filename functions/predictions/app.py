"""The routes of the predictions module."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.dashboard.performance import PerformanceView, performance
from retainstream.engine.lives import day_number
from retainstream.engine.model.groups import UnknownGroup, groups_of
from retainstream.engine.model.levels import LevelBounds
from retainstream.engine.model.past import described_day
from retainstream.engine.records import Prediction, RiskLevel
from retainstream.engine.schema import FeatureSchema, FieldError, UnacceptableFeatures
from retainstream.http import Api, Data, IdempotencyKey, Listing, PageInfo, Problem, requires
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.paging import Cursors
from retainstream.http.problems import no_model, unusable
from retainstream.predictions import generate, views
from retainstream.predictions.requests import GenerateRequest, WhatIfRequest
from retainstream.predictions.results import Filters, Position, results_page
from retainstream.predictions.what_if import what_if
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import levels_in_service, record_in_service
from retainstream.registry.errors import ADVICE, CorruptModel, NoModel
from retainstream.registry.loading import champion_model
from retainstream.registry.snapshots import keep_model_in_snapshots
from retainstream.roles import Role
from retainstream.runs.exports.layout import FileLayout, Mark, Separator
from retainstream.runs.exports.request import export, export_run
from retainstream.runs.exports.view import ExportRunView, ExportView
from retainstream.runs.keys import Request, request_of
from retainstream.runs.scoring.request import scoring_run, start_scoring
from retainstream.runs.scoring.view import ScoringRunView
from retainstream.runs.starting import UnknownRun
from retainstream.settings import settings
from retainstream.storage.stores import Stores

if TYPE_CHECKING:
    from retainstream.engine.model.model import ScoringModel

app = Api("predictions")
TAGS = ["predictions"]
stores = Stores()
keep_model_in_snapshots(stores)
RESULTS = Cursors[Position](Position, stores)

app.explain(NoModel, lambda _: no_model())
app.explain(CorruptModel, lambda error: unusable(f"{error} {ADVICE}"))
app.explain(UnacceptableFeatures, lambda error: Problem("invalid-request", errors=_in_body(error.errors)))
app.explain(
    UnknownGroup,
    lambda error: Problem("invalid-request", errors=[FieldError("query.plan", f"must be one of {', '.join(error.known)}")]),
)
app.explain(
    generate.UnknownCustomers,
    lambda error: Problem("not-found", "Nothing was scored.", [FieldError(f"body.{place}", "is not a customer") for place in error.places]),
)
app.explain(UnknownRun, lambda _: Problem("not-found", "No run has this id."))


@app.get(
    "/api/predictions/results",
    summary="Stored predictions",
    tags=TAGS,
    responses={
        200: {
            "description": "A page, or a link to a file",
            "content": {"application/json": {"model": Listing[views.PredictionView] | Data[ExportView]}},
        },
        202: {"description": "A run makes the file", "content": {"application/json": {"model": Data[ExportRunView]}}},
    },
    **requires(Role.ANALYST),
)
def results(
    level: Annotated[RiskLevel | None, Query(description="Risk level, as the model that scored the customer gave it")] = None,
    plan: Annotated[str | None, Query(max_length=200, description="A value of the schema's group column")] = None,
    min_probability: Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)] = None,
    max_probability: Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)] = None,
    model_version: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    format: Annotated[  # noqa: A002
        Literal["json", "csv", "data"],
        Query(description="csv: a link to a file of every matching row, for a spreadsheet; data: the same for a program"),
    ] = "json",
    separator: Annotated[Separator, Query(description="What separates the fields of a file")] = "comma",
    decimal: Annotated[Mark, Query(description="The decimal mark of a file")] = "point",
) -> Response[Listing[views.PredictionView] | Data[ExportView] | Data[ExportRunView]]:
    """Predictions of customers who have not left. With filters that allow only medium risk and above, the order is by probability,
    highest first; otherwise there is no particular order. A filtered page may hold fewer than `limit`, even none, although `next`
    says that more follow.

    With `format=csv` the answer is a link to a file of every matching row: CSV in UTF-8 with a byte order mark, not compressed, with
    headers in the words of the schema and without cells that a spreadsheet takes for formulas. `separator` and `decimal` are those
    of the country of a spreadsheet. With `format=data` headers are the names of fields and columns, and there is no byte order mark.
    Where many predictions must be read, the answer is 202 with a run, which has the link when it ends;
    the rows of such a file are in no particular order. The same request meanwhile, or within 15 minutes, gives the same run, unless all
    customers were scored in between."""
    schema = active_schema(stores.documents)
    groups, filters = groups_of(schema, plan), Filters(level, plan, min_probability, max_probability, model_version)
    if format != "json":
        return _exported(schema, filters, FileLayout(separator, decimal, data=format == "data"))
    scope = f"/api/predictions/results {filters.scope()}"
    position = RESULTS.read(cursor, scope=scope)
    page = results_page(stores.predictions, groups, filters, _levels(), limit=limit, position=position)
    onward = RESULTS.write(page.position, scope=scope)
    views_of_page = [_prediction_view(prediction) for prediction in page.predictions]
    return Response(200, "application/json", Listing(data=views_of_page, page=PageInfo(limit=limit, next=onward)))


@app.get("/api/predictions/exports/<run_id>", summary="A run that makes a file", tags=TAGS, **requires(Role.ANALYST))
def get_export(run_id: Annotated[str, Path(max_length=100)]) -> Data[ExportRunView]:
    """Its progress, and when the file is complete a link to it, which is new in every answer."""
    return Data(data=export_run(stores, run_id))


@app.post(
    "/api/predictions/generate",
    summary="Score customers now",
    tags=TAGS,
    responses={
        200: {"description": "Scored", "content": {"application/json": {"model": Data[views.GeneratedView]}}},
        202: {"description": "A scoring run has started", "content": {"application/json": {"model": Data[ScoringRunView]}}},
    },
    **requires(Role.ANALYST, "not-found", "no-model"),
)
def generate_predictions(body: GenerateRequest, idempotency_key: IdempotencyKey = None) -> Response[Any]:
    """Up to 100 stored customers (their predictions are stored) or rows of features (nothing is stored) are answered at once with 200. All
    customers are scored by a run: 202 with the run. While such a run with the model in service is under way, the answer is that run, with
    `already_running`. The same Idempotency-Key from the same user with the same body gives the same run."""
    request = request_of("scoring", app.caller.user_id, idempotency_key, body)
    if body.all:
        return _accepted(request, app.caller.user_id)
    run_id = request.claim(stores.request_keys)
    return Response(200, "application/json", Data(data=_generated(body, run_id)).model_dump_json())


@app.get("/api/predictions/performance", summary="The quality of the predictions", tags=TAGS, **requires(Role.VIEWER, "no-model"))
def get_performance() -> Data[PerformanceView]:
    """Held-out figures of the model in service, realised figures of its judged months, and an estimate without outcomes; and by month and
    version, for one scoring run each, what was promised at the training, what was estimated, and what was realised."""
    record = record_in_service(stores.models)
    if record is None:
        raise NoModel
    return Data(data=performance(record, stores.rollups, stores.runs, stores.documents))


@app.post("/api/predictions/what-if", summary="What if columns changed", tags=TAGS, **requires(Role.VIEWER, "not-found", "no-model"))
def ask_what_if(body: WhatIfRequest) -> Data[views.WhatIfView]:
    """Scores a customer as it is and with changed columns; null makes a value missing. Nothing is stored. Dates are counted to the day
    that the customer's features describe, and those of features in the request to today (UTC)."""
    customer = generate.known_customer(stores.customers, body.customer_id) if body.customer_id else None
    features, day = (customer["features"], day_number(described_day(customer))) if customer else (body.features or {}, generate.today())
    asked = what_if(_model(), features, body.changes, day, stored=customer is not None)
    return Data(data=views.what_if_view(asked, settings().confidence_threshold))


@app.get("/api/predictions/runs/<run_id>", summary="A scoring run", tags=TAGS, **requires(Role.VIEWER))
def get_run(run_id: Annotated[str, Path(max_length=100)]) -> Data[ScoringRunView]:
    """The state of the run, and after the end its result."""
    return Data(data=scoring_run(stores, run_id))


def _model() -> "ScoringModel":
    return champion_model(stores.models, stores.documents, settings().model_cache_seconds)


def _levels() -> LevelBounds | None:
    return levels_in_service(stores.models)


def _generated(body: GenerateRequest, run_id: str) -> views.GeneratedView:
    if body.rows is not None:
        scored = generate.score_rows(_model(), body.rows)
        app.measure("PredictionsMade", len(scored))
        return views.GeneratedView(scores=[views.score_view(score, settings().confidence_threshold) for score in scored])
    made = generate.score_customers(_model(), stores.customers, stores.predictions, body.customer_ids or [], run_id=run_id)
    app.measure("PredictionsMade", len(made))
    return views.GeneratedView(predictions=[_prediction_view(prediction) for prediction in made])


def _exported(schema: FeatureSchema, filters: Filters, layout: FileLayout) -> Response[Any]:
    made = export(stores, schema, filters, _levels(), layout, started_by=app.caller.user_id)
    if isinstance(made, ExportView):
        return Response(200, "application/json", Data(data=made))
    return Response(202, "application/json", Data(data=made), {"Location": f"/api/predictions/exports/{made.run_id}"})


def _accepted(request: Request, user_id: str) -> Response[Any]:
    _model()  # refuses while there is none
    run = start_scoring(stores, request, started_by=user_id)
    return Response(202, "application/json", Data(data=run), {"Location": f"/api/predictions/runs/{run.run_id}"})


def _prediction_view(prediction: Prediction) -> views.PredictionView:
    return views.prediction_view(prediction, settings().confidence_threshold)


def _in_body(errors: tuple[FieldError, ...]) -> list[FieldError]:
    return [FieldError(f"body.{error.field}", error.detail) for error in errors]


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(event, context)
