"""The routes of the dashboard module."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.dashboard.distribution import DistributionView, distribution
from retainstream.dashboard.factors import FactorView, factor_views
from retainstream.dashboard.metrics import MetricsView, metrics
from retainstream.dashboard.sample_view import SampleRequest, SampleView, sample_view
from retainstream.engine.model.groups import UnknownGroup, groups_of
from retainstream.engine.schema import FieldError
from retainstream.http import Api, Caller, Data, IdempotencyKey, Problem, requires
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.problems import no_model, unusable
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import record_in_service
from retainstream.registry.errors import ADVICE, CorruptModel, NoModel
from retainstream.registry.loading import champion_model
from retainstream.registry.snapshots import keep_model_in_snapshots
from retainstream.roles import Role
from retainstream.runs.keys import new_run_id
from retainstream.runs.recounts.request import RecountRequest, recount_run, start_recount
from retainstream.runs.recounts.view import RecountView
from retainstream.runs.starting import OtherRunning, UnknownRun
from retainstream.settings import settings
from retainstream.storage.stores import Stores

app = Api("dashboard")
TAGS = ["dashboard"]
stores = Stores()
keep_model_in_snapshots(stores)

app.explain(
    UnknownGroup,
    lambda error: Problem("invalid-request", errors=[FieldError("query.plan", f"must be one of {', '.join(error.known)}")]),
)
app.explain(UnknownRun, lambda _: Problem("not-found", "No recount has this id."))
app.explain(
    OtherRunning,
    lambda error: Problem(
        "conflict",
        f"The recount {error.run['run_id']} is under way with the other choice of repair. Start this one when it has ended.",
        headers={"Location": _address(error.run["run_id"])},
    ),
)
app.explain(NoModel, lambda _: no_model())
app.explain(CorruptModel, lambda error: unusable(f"{error} {ADVICE}"))


@app.get("/api/dashboard/metrics", summary="The figures of the business", tags=TAGS, **requires(Role.VIEWER))
def get_metrics() -> Data[MetricsView]:
    """Customers, churn, expected churners, revenue at risk, and the model's quality. The figures come from counters that follow every
    change of customers and predictions: they are exact, a few seconds late."""
    return Data(data=metrics(stores.rollups.dashboard(), record_in_service(stores.models)))


@app.get("/api/dashboard/distribution", summary="The distribution of the churn probabilities", tags=TAGS, **requires(Role.VIEWER))
def get_distribution(
    plan: Annotated[str | None, Query(max_length=200, description="A value of the schema's group column. Default: all")] = None,
) -> Data[DistributionView]:
    """A histogram of 20 bins for each group, over the scored customers who have not left."""
    schema = active_schema(stores.documents)
    groups = schema.groups if plan is None else groups_of(schema, plan)  # customers without a group are shown where there are any
    return Data(data=distribution(stores.rollups.dashboard().predictions, groups, only=plan is not None))


@app.get("/api/dashboard/features", summary="The columns that move the scores", tags=TAGS, **requires(Role.VIEWER))
def get_features() -> Data[list[FactorView]]:
    """The columns by mean absolute contribution over the scored customers who have not left, strongest first."""
    return Data(data=factor_views(stores.rollups.dashboard().predictions, record_in_service(stores.models)))


@app.post("/api/dashboard/predict", summary="Score a sample now", tags=TAGS, **requires(Role.ANALYST, "no-model"))
def predict(body: SampleRequest) -> Data[SampleView]:
    """Scores a random sample of the customers who have not left with the model in service, and stores the predictions."""
    from retainstream.predictions.sample import score_sample

    model = champion_model(stores.models, stores.documents, settings().model_cache_seconds)
    summary = score_sample(model, stores.customers, stores.predictions, body.sample_size, run_id=new_run_id())
    app.measure("PredictionsMade", summary.scored)
    return Data(data=sample_view(summary, settings().confidence_threshold))


@app.post(
    "/api/dashboard/recount",
    summary="Compare the figures with the base",
    tags=TAGS,
    status_code=202,
    responses={202: {"description": "A recount has started", "content": {"application/json": {"model": Data[RecountView]}}}},
    **requires(Role.ADMIN),
)
def recount(body: RecountRequest, caller: Caller, idempotency_key: IdempotencyKey = None) -> Response[Data[RecountView]]:
    """Counts customers and predictions again and compares the dashboard's counters with the result; `repair` corrects the counters. While
    a recount is under way, the same request gets that recount with `already_running`, and the other one of `repair` is refused. The same
    Idempotency-Key from the same user with the same body gives the same recount."""
    return _accepted(body, caller.user_id, idempotency_key)


@app.get("/api/dashboard/recounts/<run_id>", summary="A recount", tags=TAGS, **requires(Role.VIEWER))
def get_recount(run_id: Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,80}$")]) -> Data[RecountView]:
    """Its state, and each counter that differs, with its value and the value of the rows."""
    return Data(data=recount_run(stores, run_id))


def _accepted(body: RecountRequest, user_id: str, idempotency_key: str | None) -> Response[Data[RecountView]]:
    run = start_recount(stores, user_id, body, idempotency_key)
    return Response(202, "application/json", Data(data=run), {"Location": _address(run.run_id)})


def _address(run_id: str) -> str:
    return f"/api/dashboard/recounts/{run_id}"


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(event, context)
