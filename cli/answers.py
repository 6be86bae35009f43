"""The parts of the API's answers that commands read. An answer may have more fields; `--json` prints all of them."""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict, final

type Features = Mapping[str, str | float | bool | None]

# ------------------------------------------------------------------------------------------------------------- accounts


class User(TypedDict):
    email: str
    name: str
    role: str
    must_change_password: NotRequired[bool]
    status: str
    created_at: str


class SignedIn(TypedDict):
    """Answer to a sign-in. `expires_at` is ISO 8601."""

    token: str
    expires_at: str
    user: User


class Me(TypedDict):
    email: str
    role: str
    token_expires_at: str


# ------------------------------------------------------------------------------------------------------------ customers


class Reason(TypedDict):
    text: str


class Action(TypedDict):
    """`cost` and `expected_value` are money, in the currency of the schema."""

    title: str
    cost: float
    expected_value: float


class EarlierPrediction(TypedDict):
    probability: float
    scored_at: str


class Prediction(TypedDict):
    """`change` is the difference to the prediction before, as a probability."""

    probability: float
    level: str
    change: NotRequired[float | None]
    reasons: list[Reason]
    value_at_risk: float
    action: Action | None
    scored_at: str
    model_version: str
    history: list[EarlierPrediction]


class Life(TypedDict):
    began_on: str | None
    first_seen_on: str | None
    observed_until: str | None
    left_on: str | None
    left_on_exact: bool | None
    left_after: str | None


class Customer(TypedDict):
    customer_id: str
    group: str
    churned: bool | None
    outcome_at: str | None
    life: Life
    earlier_lives: list[Life]
    prediction: Prediction | None
    features_changed: bool
    features: Features


class CustomerAtRisk(TypedDict):
    customer_id: str
    group: str
    probability: float
    level: str
    value_at_risk: float
    reasons: list[Reason]
    action: Action | None


class RemovedRows(TypedDict):
    customer: bool
    prediction: bool
    exports: int


class ExpiringCopy(TypedDict):
    what: str
    within_days: int


class Removal(TypedDict):
    removed: RemovedRows
    expiring: list[ExpiringCopy]


class Money(TypedDict):
    currency: str


class SchemaColumn(TypedDict):
    name: str
    label: str
    kind: str
    feature: bool
    unit: NotRequired[str | None]


class SchemaMoments(TypedDict, total=False):
    """Headers of a file's columns of days; empty or absent where there is none."""

    features_as_of: str
    anchor: str


class Schema(TypedDict):
    name: str
    title: str
    money: Money | None
    moments: NotRequired[SchemaMoments | None]
    columns: list[SchemaColumn]


class ColumnChange(TypedDict):
    """`column` is empty for the schema as a whole."""

    kind: str
    column: str
    label: str
    text: str


class ColumnMisfit(TypedDict):
    text: str


class CheckedCustomers(TypedDict):
    """`complete`: all customers were checked, not a sample of them."""

    checked: int
    complete: bool
    refused: int
    misfits: list[ColumnMisfit]


class ModelEffect(TypedDict):
    text: str


class SchemaChange(TypedDict):
    """A feature schema beside the active one. `replaces` is the digest of that one, `kept` the id under which it is kept."""

    title: str
    replaces: str
    active: bool
    same: bool
    kept: str | None
    changes: list[ColumnChange]
    customers: CheckedCustomers
    model: ModelEffect | None
    next_steps: list[str]


class LearnedLevels(TypedDict):
    """A category with new levels. `kept` is the id under which the schema before is kept, null where nothing was new."""

    column: str
    label: str
    added: list[str]
    known: list[str]
    levels: list[str]
    kept: str | None
    next_steps: list[str]


class EarlierSchema(TypedDict):
    id: str
    name: str
    active_since: str | None


# ------------------------------------------------------------------------------------------------------------ the model


class Interval(TypedDict):
    low: float
    high: float


class Metrics(TypedDict):
    """Figures on held-out customers. `rows` counts them."""

    rows: int
    roc_auc: float
    roc_auc_interval: NotRequired[Interval | None]
    pr_auc: float
    brier: float


class Gate(TypedDict):
    reasons: list[str]
    doubts: NotRequired[list[str]]


class Version(TypedDict):
    version: str
    status: str
    in_service: bool
    synthetic: bool
    metrics: Metrics
    gate: Gate


class ModelStatus(TypedDict):
    model: Version | None
    previous: str | None
    promoted_at: str | None
    promoted_by: str | None


class Health(TypedDict):
    status: str
    version: str
    dependencies: dict[str, str]
    advice: list[str]


class ChurnShift(TypedDict):
    probability: float
    customers: float


class Stability(TypedDict):
    """`churn_shift` is absent in the answers of earlier services, and null for models without it."""

    label: str
    psi: float
    noise: float
    level: str
    told: str | None
    churn_shift: NotRequired[ChurnShift | None]


class DriftReport(TypedDict):
    customers: int
    at: str
    synthetic: bool
    level: str
    score: Stability
    features: list[Stability]


class Drift(TypedDict):
    told: str
    report: DriftReport | None


class Figures(TypedDict):
    """Realised or estimated performance. The figures themselves are looked up by name."""

    basis: str
    synthetic: bool


class HeldOut(TypedDict):
    model_version: str
    customers: int
    basis: str
    synthetic: bool
    metrics: Mapping[str, float | None]


class Promised(TypedDict):
    roc_auc: float | None
    roc_auc_interval: Interval | None
    log_loss: float | None


class Estimated(TypedDict):
    roc_auc: float | None


class AtThreshold(TypedDict):
    """The customers who were predicted to leave: all of them, and those who left."""

    threshold: float
    called: int
    left: int
    precision: float | None
    recall: float | None


class Realised(TypedDict):
    roc_auc: float | None
    roc_auc_interval: Interval | None
    log_loss: float
    expected: float
    observed: int
    at_threshold: AtThreshold | None


class Period(TypedDict):
    """The predictions of one scoring run of a month by one model version. `kept_promise` is None where it cannot be said."""

    period: str
    model_version: str
    rows: int
    promised: Promised | None
    estimated: Estimated
    realised: Realised | None
    kept_promise: bool | None


class Performance(TypedDict):
    held_out: HeldOut
    realised: Figures | None
    estimate: Figures | None
    first_judged_on: str | None
    by_period: list[Period]
    next_judged_on: str | None


# ------------------------------------------------------------------------------------------------------------ dashboard


class CustomerCounts(TypedDict):
    active: int
    churned: int
    scored: int


class LevelMeanings(TypedDict):
    medium: str
    high: str
    critical: str


class PredictedChurners(TypedDict):
    count: int
    expected: float
    expected_interval: Interval | None
    horizon_days: int | None
    level_meanings: LevelMeanings | None


class Revenue(TypedDict):
    currency: str
    months: float
    total: float


class ChurnRate(TypedDict):
    rate: float
    left: int
    active_at_start: int
    starts_on: str


class MonthOfChurn(TypedDict):
    month: str
    rate: float | None
    left: int
    active_at_start: int
    unknown: int


class DashboardMetrics(TypedDict):
    customers: CustomerCounts
    predicted_churners: PredictedChurners
    revenue_at_risk: Revenue | None
    churn_rate: ChurnRate | None
    churn_by_month: list[MonthOfChurn]


# ----------------------------------------------------------------------------------------------------------------- runs


class RunView(TypedDict):
    """What all runs have in common. `step` is the name of the current step; `reason` says why a run failed.

    `already_running`: the answer to a start is a run that was under way.
    """

    status: Literal["WAITING", "RUNNING", "SUCCEEDED", "SUCCEEDED_WITH_REJECTS", "FAILED"]
    already_running: NotRequired[bool]
    step: NotRequired[str | None]
    reason: NotRequired[str | None]


class StepView(TypedDict):
    name: str
    status: str


class SteppedRunView(RunView):
    run_id: str
    steps: list[StepView]


class TrainingResult(TypedDict):
    version: str
    roc_auc: float
    promoted: bool
    reasons: list[str]
    doubts: NotRequired[list[str]]
    status: NotRequired[Literal["registered", "rejected"] | None]


class TrainingView(SteppedRunView):
    planned_steps: list[str]
    result: TrainingResult


class ScoringCounts(TypedDict):
    scored: int
    refused: int


class ScoringResult(TypedDict):
    model_version: str
    high_risk: int
    predicted_churners: float


class ScoringView(SteppedRunView):
    counts: ScoringCounts
    result: ScoringResult


class ImportCounts(TypedDict):
    read: int
    accepted: int
    rejected: int
    created: int
    changed: int
    unchanged: int
    older: int
    left: int
    stayed: int
    not_known: int
    unreadable: NotRequired[int]
    snapshots: int
    after_leaving: int
    older_features: int


class Reject(TypedDict):
    line: int
    column: str | None
    reason: str
    value: NotRequired[str]
    rows: NotRequired[int]


class UnreadKind(TypedDict):
    column: str
    value: str
    reason: str
    rows: int


class IdsQuestion(TypedDict):
    sentence: str
    examples: list[str]


class UploadPart(TypedDict):
    """A piece of the file, in bytes, and the link it goes to."""

    number: int
    offset: int
    size: int
    url: str


class Upload(TypedDict):
    parts: list[UploadPart]
    complete: str | None


class UploadedRun(RunView):
    """A run of an uploaded file. `upload` is there while it waits for the file."""

    file_name: str
    notes: list[str]
    upload: Upload | None


class ImportView(UploadedRun):
    import_id: str
    rows: int | None
    counts: ImportCounts
    rejects: list[Reject]
    rejects_url: str | None
    unread: NotRequired[list[UnreadKind]]
    unread_url: NotRequired[str | None]
    outcomes: NotRequired[str]
    question: NotRequired[IdsQuestion | None]


class DeliveryCounts(TypedDict):
    read: int
    added: int
    changed: int
    repeated: int
    older: int
    removed: int


class DeliveryView(UploadedRun):
    delivery_id: str
    kind: str
    counts: DeliveryCounts


class PreparationCounts(TypedDict):
    customers: int
    created: int
    changed: int
    unchanged: int
    older: int
    rejected: int


class PreparedAnchor(TypedDict):
    """The training rows of an anchor (ISO day)."""

    anchor: str
    labelled: bool
    rows: int
    left: int
    stayed: int


class PreparationFinding(TypedDict):
    text: str
    kept: bool


class PreparationView(SteppedRunView):
    planned_steps: list[str]
    features_on: str | None
    counts: PreparationCounts
    anchors: list[PreparedAnchor]
    findings: list[PreparationFinding]
    notes: list[str]


class LastDelivery(TypedDict):
    file_name: str
    at: str


class Source(TypedDict):
    """`first` and `last` are ISO days."""

    kind: str
    expected: bool
    rows: int
    first: str | None
    last: str | None
    last_delivery: LastDelivery | None


class CountedTable(TypedDict):
    source: str
    rows: int
    differences: int
    outcome: str


class CounterDifference(TypedDict):
    source: str
    counter: str
    counted: int
    recounted: int


class RecountView(RunView):
    run_id: str
    exact: bool | None
    tables: list[CountedTable] | None
    differences: list[CounterDifference] | None


@final
class FileLink(TypedDict):
    """A file of predictions that is ready."""

    url: str | None
    rows: int


class ExportView(RunView):
    run_id: str
    url: str | None
    rows: int
    examined: int
    predictions: int
