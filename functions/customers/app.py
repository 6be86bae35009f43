"""The routes of the customers module."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from retainstream.customers import records, removal, segment_views, views
from retainstream.customers.criteria import UnacceptableCriteria, criteria_of
from retainstream.customers.high_risk import high_risk
from retainstream.customers.segment import Wanted, segment
from retainstream.drafts.sent_file import LARGEST_BODY
from retainstream.engine.model.groups import UnknownGroup
from retainstream.engine.model.levels import RISK_LEVELS, LevelBounds
from retainstream.engine.schema import FeatureSchema, FieldError, UnacceptableFeatures
from retainstream.engine.schema.customer_id import AddressedId, CustomerId, ImpossibleId
from retainstream.engine.tables import UnreadableTable
from retainstream.http import Api, Caller, Data, IdempotencyKey, Listing, PageInfo, Problem, requires
from retainstream.http.addressed_ids import with_escaped_id
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.paging import Cursors
from retainstream.predictions.at_risk import FURTHEST, Rank, TooFar
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import levels_in_service
from retainstream.roles import Role
from retainstream.runs.deliveries import request as deliveries
from retainstream.runs.deliveries import sources
from retainstream.runs.deliveries.request import DeliveryRequest
from retainstream.runs.deliveries.view import DeliveryView, SourceView
from retainstream.runs.imports import request as imports
from retainstream.runs.imports.preview import ImportPreview, ImportPreviewRequest, preview
from retainstream.runs.imports.request import ImportRequest
from retainstream.runs.imports.view import ImportView
from retainstream.runs.preparing import request as preparing
from retainstream.runs.preparing.view import PreparationView
from retainstream.runs.starting import UnknownRun
from retainstream.runs.uploading import IncompleteUpload
from retainstream.settings import settings
from retainstream.storage.stores import Stores

app = Api("customers")
TAGS = ["customers"]
stores = Stores()

InPath = Annotated[AddressedId, Path()]
Limit = Annotated[int, Query(ge=1, le=100)]
ImportId = Annotated[str, Path(max_length=100)]
DeliveryId = Annotated[str, Path(max_length=100)]
Cursor = Annotated[str | None, Query(max_length=2000, description="`page.next` of the previous page, with the same filters")]

CUSTOMERS = Cursors[str](CustomerId, stores)
IMPORTS = Cursors[str](imports.RecentKey, stores)
DELIVERIES = Cursors[str](deliveries.RecentKey, stores)
RANKS = Cursors[str](Rank, stores)

app.explain(records.UnknownCustomer, lambda _: Problem("not-found", "No customer has this id."))
app.explain(ImpossibleId, lambda _: Problem("not-found", "No customer can have this id."))
app.explain(UnacceptableFeatures, lambda error: Problem("invalid-request", errors=_in_body(error.errors)))
app.explain(UnacceptableCriteria, lambda error: Problem("invalid-request", errors=_in_body(error.errors)))
app.explain(
    UnknownGroup,
    lambda error: Problem("invalid-request", errors=[FieldError("query.plan", f"must be one of {', '.join(error.known)}")]),
)
app.explain(
    TooFar,
    lambda _: Problem(
        "invalid-request", f"Page numbers reach {FURTHEST:,} customers; a cursor reaches all.", [FieldError("query.page", "is too high")]
    ),
)
app.explain(
    UnreadableTable,
    lambda error: Problem(
        "invalid-request", "The file cannot be read.", [FieldError("body.content", text) for text in error.first_problems]
    ),
)
app.explain(UnknownRun, lambda _: Problem("not-found", "No run has this id."))
app.explain(
    imports.NumberedCustomers,
    lambda _: Problem("conflict", "The active schema numbers customers by row, so a file cannot identify them."),
)
app.explain(preparing.NothingToPrepare, lambda error: Problem("conflict", str(error)))
app.explain(IncompleteUpload, lambda error: Problem("conflict", error.advice))


class SegmentAnswer(BaseModel):
    """A segment and the page of its customers."""

    data: segment_views.SegmentView
    page: PageInfo


@app.get("/api/customers/high-risk", summary="Customers at risk", tags=TAGS, **requires(Role.VIEWER))
def get_high_risk(
    page: Annotated[int | None, Query(ge=1, le=FURTHEST, description="Page number, counted from 1, in place of a cursor")] = None,
    limit: Limit = 10,
    cursor: Cursor = None,
    plan: Annotated[str | None, Query(max_length=200, description="A value of the schema's group column")] = None,
    min_probability: Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)] = None,
    sort: Annotated[views.Order, Query(description="By probability, or by value at risk; highest first")] = "probability",
) -> Listing[views.AtRiskView]:
    """Customers at medium risk or above who have not left, with reasons and recommended actions. Ties are ordered by id, descending. By
    value with min_probability a page may hold fewer than `limit` customers, even none, although `next` says that more follow."""
    if cursor is not None and page is not None:
        raise Problem("invalid-request", errors=[FieldError("query.page", "does not go with a cursor")])
    scope = f"/api/customers/high-risk {(plan, min_probability, sort)!r}"
    ranked = high_risk(
        _schema(),
        stores.predictions,
        stores.rollups,
        group=plan,
        min_probability=min_probability,
        order=sort,
        limit=limit,
        number=page or 1,
        after=RANKS.read(cursor, scope=scope),
    )
    number = None if cursor else page or 1
    info = PageInfo(limit=limit, next=RANKS.write(ranked.after, scope=scope), number=number, total=ranked.total)
    return Listing(data=[views.at_risk_view(prediction) for prediction in ranked.predictions], page=info)


@app.post("/api/customers/segment", summary="A segment of the customers", tags=TAGS, **requires(Role.VIEWER))
def get_segment(body: segment_views.SegmentRequest) -> SegmentAnswer:
    """The segment's size, risk levels, value at risk and first customers. Criteria apply to the features as they were scored."""
    scope = f"/api/customers/segment {body.scope()}"
    levels = [level for level in RISK_LEVELS if level in body.levels]
    wanted = Wanted(criteria_of(_schema(), [criterion.parts() for criterion in body.criteria]), levels, body.sort)
    place = RANKS.read(body.cursor, scope=scope)
    figures = segment(_schema(), stores.predictions, stores.rollups, _levels, wanted, limit=body.limit, after=place)
    money = _schema().money
    view = segment_views.segment_view(figures, money.currency if money else None)
    return SegmentAnswer(data=view, page=PageInfo(limit=body.limit, next=RANKS.write(figures.after, scope=scope)))


@app.get("/api/customers", summary="All customers", tags=TAGS, **requires(Role.ANALYST))
def list_customers(limit: Limit = 20, cursor: Cursor = None) -> Listing[views.CustomerSummary]:
    """All customers in no particular order, without predictions."""
    place = CUSTOMERS.read(cursor, scope="/api/customers")
    page = stores.customers.page(limit, {"customer_id": place} if place else None)
    onward = CUSTOMERS.write(page.next_key["customer_id"] if page.next_key else None, scope="/api/customers")
    return Listing(data=[views.customer_summary(customer) for customer in page.items], page=PageInfo(limit=limit, next=onward))


@app.delete("/api/customers", summary="Delete the sample customers", tags=TAGS, **requires(Role.ADMIN))
def delete_customers(
    source: Annotated[Literal["synthetic"], Query(description="Only customers of this origin")],
) -> Data[removal.SamplesRemoved]:
    """Deletes the synthetic customers that a stack was tried with, as the deletion of each of them does. A request ends after 15 seconds:
    send it again while the answer says `more`. Customers of files and of the API stay."""
    return Data(data=removal.remove_all(source, stores.customers, stores.predictions, stores.documents, stores.removals))


@app.post(
    "/api/customers/imports",
    summary="Import customers from a file",
    tags=TAGS,
    responses={202: {"description": "Upload the file now", "content": {"application/json": {"model": Data[ImportView]}}}},
    **requires(Role.ANALYST, "conflict"),
)
def post_import(body: ImportRequest, caller: Caller, idempotency_key: IdempotencyKey = None) -> Response[Data[ImportView]]:
    """Answers a link to PUT the file (CSV, also gzip, up to 5 GB). The upload starts the import. The same Idempotency-Key from the same
    user gives the same import, with new links while it waits for its file."""
    asked = imports.ask(stores, _schema(), body, by=caller.user_id, idempotency_key=idempotency_key)
    return Response(202, "application/json", Data(data=asked), {"Location": f"/api/customers/imports/{asked.import_id}"})


@app.get("/api/customers/imports", summary="Recent imports", tags=TAGS, **requires(Role.ANALYST))
def list_imports(limit: Annotated[int, Query(ge=1, le=50)] = 10, cursor: Cursor = None) -> Listing[ImportView]:
    """The imports of the last 30 days, newest first."""
    recent, after = imports.recent(stores, limit=limit, after=IMPORTS.read(cursor, scope="/api/customers/imports"))
    return Listing(data=recent, page=PageInfo(limit=limit, next=IMPORTS.write(after, scope="/api/customers/imports")))


@app.post(
    "/api/customers/imports/preview",
    summary="Preview an import",
    tags=TAGS,
    **requires(Role.ANALYST, largest_body=LARGEST_BODY),
)
def preview_import(body: ImportPreviewRequest) -> Data[ImportPreview]:
    """The columns of a file as the active schema reads them, its first rows, and what would not be read. Nothing is stored."""
    return Data(data=preview(_schema(), body))


@app.get("/api/customers/imports/<import_id>", summary="An import", tags=TAGS, **requires(Role.ANALYST))
def get_import(import_id: ImportId) -> Data[ImportView]:
    """Its progress, the numbers of rows by result, and the rejected rows with their reasons."""
    return Data(data=imports.import_run(stores, import_id))


@app.post(
    "/api/customers/imports/<import_id>/complete",
    summary="All parts of a file are uploaded",
    tags=TAGS,
    **requires(Role.ANALYST, "conflict"),
)
def complete_import(import_id: ImportId) -> Data[ImportView]:
    """Joins the parts to one file, which starts the import. A second call changes nothing."""
    return Data(data=imports.complete(stores, import_id))


@app.get("/api/customers/sources", summary="The sources of features", tags=TAGS, **requires(Role.ANALYST))
def list_sources() -> Data[list[SourceView]]:
    """Profile, subscriptions and events: their rows, the days that they cover, and their last delivery. A row of several deliveries counts
    once."""
    return Data(data=sources.sources(stores, _schema()))


@app.post(
    "/api/customers/sources/deliveries",
    summary="Deliver a source file",
    tags=TAGS,
    responses={202: {"description": "Upload the file now", "content": {"application/json": {"model": Data[DeliveryView]}}}},
    **requires(Role.ANALYST),
)
def post_delivery(body: DeliveryRequest, caller: Caller, idempotency_key: IdempotencyKey = None) -> Response[Data[DeliveryView]]:
    """Answers a link to PUT the file (CSV, also gzip, or Parquet, up to 5 GB). The upload starts the run that adds its rows to the source.
    Rows that the source has already are counted and not added again. The same Idempotency-Key from the same user gives the same delivery,
    with new links while it waits for its file."""
    asked = deliveries.ask(stores, body, by=caller.user_id, idempotency_key=idempotency_key)
    return Response(202, "application/json", Data(data=asked), {"Location": f"/api/customers/sources/deliveries/{asked.delivery_id}"})


@app.get("/api/customers/sources/deliveries", summary="Recent deliveries", tags=TAGS, **requires(Role.ANALYST))
def list_deliveries(limit: Annotated[int, Query(ge=1, le=50)] = 10, cursor: Cursor = None) -> Listing[DeliveryView]:
    """The deliveries of the last 30 days, newest first, with the files that were put into the bucket's folder of arriving files."""
    scope = "/api/customers/sources/deliveries"
    recent, after = deliveries.recent(stores, limit=limit, after=DELIVERIES.read(cursor, scope=scope))
    return Listing(data=recent, page=PageInfo(limit=limit, next=DELIVERIES.write(after, scope=scope)))


@app.get("/api/customers/sources/deliveries/<delivery_id>", summary="A delivery", tags=TAGS, **requires(Role.ANALYST))
def get_delivery(delivery_id: DeliveryId) -> Data[DeliveryView]:
    """Its progress, the numbers of rows by result, and notes on how the file was read."""
    return Data(data=deliveries.delivery_run(stores, delivery_id))


@app.post(
    "/api/customers/sources/deliveries/<delivery_id>/complete",
    summary="All parts of a source file are uploaded",
    tags=TAGS,
    **requires(Role.ANALYST, "conflict"),
)
def complete_delivery(delivery_id: DeliveryId) -> Data[DeliveryView]:
    """Joins the parts to one file, which starts the run. A second call changes nothing."""
    return Data(data=deliveries.complete(stores, delivery_id))


@app.post(
    "/api/customers/preparations",
    summary="Prepare features from the sources",
    tags=TAGS,
    status_code=202,
    responses={202: {"description": "A preparation has started", "content": {"application/json": {"model": Data[PreparationView]}}}},
    **requires(Role.ANALYST, "conflict"),
)
def post_preparation(caller: Caller, idempotency_key: IdempotencyKey = None) -> Response[Data[PreparationView]]:
    """Computes training rows of the past, lives, and the present features of all customers from the sources. While a preparation is under
    way, the answer is that one, with `already_running`. The same Idempotency-Key from the same user gives the same preparation."""
    run = preparing.start_preparation(stores, _schema(), caller.user_id, idempotency_key)
    return Response(202, "application/json", Data(data=run), {"Location": f"/api/customers/preparations/{run.run_id}"})


@app.get("/api/customers/preparations/latest", summary="The last preparation", tags=TAGS, **requires(Role.ANALYST))
def get_latest_preparation() -> Data[PreparationView | None]:
    """The preparation that was started last, by a person or by the schedule; null before the first."""
    return Data(data=preparing.latest_preparation(stores))


@app.get("/api/customers/preparations/<run_id>", summary="A preparation", tags=TAGS, **requires(Role.ANALYST))
def get_preparation(run_id: DeliveryId) -> Data[PreparationView]:
    """Its progress, the anchors with their rows, what was found in the sources, and the customers by result."""
    return Data(data=preparing.preparation_run(stores, run_id))


@app.get("/api/customers/<customer_id>", summary="One customer", tags=TAGS, **requires(Role.VIEWER))
def get_customer(customer_id: InPath) -> Data[views.CustomerView]:
    """The features, and the latest prediction with its reasons, action, value and history."""
    return Data(data=_view(records.profile(customer_id, stores.customers, stores.predictions)))


@app.put("/api/customers/<customer_id>", summary="Create or change a customer", tags=TAGS, **requires(Role.ANALYST))
def put_customer(customer_id: InPath, body: views.Features) -> Data[views.CustomerView]:
    """Replaces the features, which are of today. The latest prediction stays, and the next scoring uses the new features. A customer who
    left before today has come back: a new life begins, and the earlier one is kept."""
    return Data(data=_view(records.put(customer_id, body.features, _schema(), stores.customers, stores.predictions)))


@app.delete("/api/customers/<customer_id>", summary="Delete a customer", tags=TAGS, **requires(Role.ANALYST))
def delete_customer(customer_id: InPath) -> Data[removal.Removal]:
    """Deletes the customer and the prediction with its history at once, and every file of predictions of any user. Data that was read
    before does not bring the customer back: neither a scoring run, nor an import of a file that describes an earlier moment, nor
    an export. Training does not read the customer any more. The answer lists the copies that expire by themselves, with the time.
    Deleting an unknown customer is not an error."""
    return Data(data=removal.remove(customer_id, stores.customers, stores.predictions, stores.documents, stores.removals))


@app.post("/api/customers/<customer_id>/outcome", summary="Record a customer's outcome", tags=TAGS, **requires(Role.ANALYST))
def post_outcome(customer_id: InPath, body: views.OutcomeRequest) -> Data[views.CustomerView]:
    """The outcome is used in training, and in the figures of the predictions whose horizon it falls into. It counts as of its day, whenever
    it is recorded. A customer is known to have stayed through the horizon of a prediction when "stayed" is recorded at its end or later. A
    customer who left is not listed among the customers at risk any more. "Stayed" on the day of a recorded leaving or before it says that
    the customer has not left after all; "stayed" on a later day says that the customer came back and begins a new life. Recording the same
    outcome again changes nothing else."""
    recorded = records.record_outcome(customer_id, body.outcome, customers=stores.customers, predictions=stores.predictions)
    return Data(data=_view(recorded))


def _view(profile: records.Profile) -> views.CustomerView:
    return views.customer_view(profile.customer, profile.prediction, settings().confidence_threshold)


def _schema() -> FeatureSchema:
    return active_schema(stores.documents)


def _levels() -> LevelBounds | None:
    return levels_in_service(stores.models)


def _in_body(errors: tuple[FieldError, ...]) -> list[FieldError]:
    return [FieldError(f"body.{error.field}", error.detail) for error in errors]


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(with_escaped_id(event), context)
