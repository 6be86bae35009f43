"""The dashboard module's routes."""

from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.auth.roles import Role
from retainstream.http import Api, Data, Problem, requires
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import record_in_service
from retainstream.registry.errors import CorruptModel, NoModel
from retainstream.registry.loading import champion_model
from retainstream.registry.snapshots import keep_model_in_snapshots
from retainstream.rollups.distribution import DistributionView, distribution
from retainstream.rollups.factors import FactorView, factor_views
from retainstream.rollups.metrics import MetricsView, metrics
from retainstream.rollups.sample_view import SampleRequest, SampleView, sample_view
from retainstream.runs.starting import new_run_id
from retainstream.schema import FieldError
from retainstream.scoring.groups import UnknownGroup, groups_of
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups

app = Api("dashboard")
TAGS = ["dashboard"]
rollups, models, documents = cache(Rollups), cache(Models), cache(Documents)
customers, predictions = cache(Customers), cache(Predictions)
keep_model_in_snapshots(models, documents)

app.explain(
    UnknownGroup,
    lambda error: Problem("invalid-request", errors=[FieldError("query.plan", f"must be one of {', '.join(error.known)}")]),
)
app.explain(NoModel, lambda _: Problem("no-model", "Train one: POST /api/model/train.", headers={"Retry-After": "60"}))
app.explain(CorruptModel, lambda _: Problem("unavailable", "The model in service cannot be used; an administrator can roll back."))


@app.get("/api/dashboard/metrics", summary="The figures of the business", tags=TAGS, **requires(Role.VIEWER))
def get_metrics() -> Data[MetricsView]:
    """Customers, churn, who is expected to leave, what that is worth, and how good the model is. Read from counters that are kept as
    customers and predictions change, so they are a few seconds behind and exact."""
    return Data(data=metrics(rollups().dashboard(), record_in_service(models())))


@app.get("/api/dashboard/distribution", summary="How the probabilities are spread", tags=TAGS, **requires(Role.VIEWER))
def get_distribution(
    plan: Annotated[
        str | None, Query(max_length=200, description="A value of the schema's group column; all of them when not given")
    ] = None,
) -> Data[DistributionView]:
    """A histogram of 20 bins for each group, over the scored customers who have not left."""
    groups = groups_of(active_schema(documents()), plan)
    return Data(data=distribution(rollups().dashboard().predictions, groups, only=plan is not None))


@app.get("/api/dashboard/features", summary="What moves the scores", tags=TAGS, **requires(Role.VIEWER))
def get_features() -> Data[list[FactorView]]:
    """The columns by mean absolute contribution over the scored customers who have not left, strongest first."""
    return Data(data=factor_views(rollups().dashboard().predictions, record_in_service(models())))


@app.post("/api/dashboard/predict", summary="Score a sample now", tags=TAGS, **requires(Role.ANALYST))
def predict(body: SampleRequest) -> Data[SampleView]:
    """Scores a random sample of the customers who have not left with the model in service, and stores the predictions."""
    from retainstream.scoring.sample import score_sample

    model = champion_model(models(), documents(), settings().model_cache_seconds)
    summary = score_sample(model, customers(), predictions(), body.sample_size, run_id=new_run_id())
    return Data(data=sample_view(summary, settings().confidence_threshold))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
