"""Model versions, and the pointer to the one in service."""

from typing import Literal, NotRequired, TypedDict, cast

from retainstream.engine.model.levels import LevelsRecord
from retainstream.engine.model.threshold_rule import ThresholdRule
from retainstream.settings import settings
from retainstream.storage.table import Key, Page, Table

_VERSION = "version"
_CHAMPION = {"pk": "champion", "sk": "current"}

type Direction = Literal["increasing", "decreasing", "mixed"]


class Interval(TypedDict):
    """A 95% interval."""

    low: float
    high: float


class Ceiling(TypedDict):
    """The best figures that any model can reach on the same synthetic customers."""

    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float


class CrossFitted(TypedDict):
    """The figures of all rows of a small table, with more beside these; see `engine.learning.cross_fitted`."""

    rows: int
    churned: int
    roc_auc: float | None
    intervals: dict[str, Interval]


class Figures(TypedDict):
    """A model's figures on customers that it was not trained on, with more beside these."""

    rows: int
    roc_auc: float
    pr_auc: float
    log_loss: float
    brier: float
    ece: float
    roc_auc_interval: NotRequired[Interval | None]
    observed_to_expected: NotRequired[float]
    observed_to_expected_interval: NotRequired[Interval]
    calibration_slope: NotRequired[float | None]
    calibration_slope_interval: NotRequired[Interval | None]
    cross_fitted: NotRequired[CrossFitted]


class Importance(TypedDict):
    """How much a column moves the scores: mean absolute contribution in log-odds over held-out customers."""

    feature: str
    label: str
    mean_abs_contribution: float
    direction: Direction
    kind: NotRequired[Literal["date"]]


class Verdict(TypedDict):
    """The gate's decision about a version: its faults, and why it does not go into service although it has none."""

    passed: bool
    reasons: list[str]
    held_back: NotRequired[list[str]]
    doubts: NotRequired[list[str]]


class MoneyRecord(TypedDict):
    """The money of the version's feature schema; see `engine.schema.Money`. Earlier versions lack `margin` and `contact_cost`."""

    price: str
    currency: str
    months: float
    margin: NotRequired[float]
    offer_cost: float
    contact_cost: NotRequired[float]
    save_rate: float


class VersionFile(TypedDict):
    """A file of a version: its key in the bucket, and the SHA-256 of its bytes in hexadecimal."""

    key: str
    sha256: str


class LearnedRecord(TypedDict):
    """The outcomes that a version has learned; see `engine.learning.unseen.Learned`."""

    customers: Literal["all", "development"]
    until: str | None


class SplitRecord(TypedDict):
    """The choice of the test rows; see `engine.learning.split.SplitDocument`. development: rows that the judged model was fitted to."""

    by: Literal["time", "customers"]
    horizon_days: int
    development: int
    period: NotRequired[str]
    test_from: NotRequired[str]


class Version(TypedDict):
    """The record of a model version. It never changes."""

    version: str
    run_id: str
    created_at: str
    created_by: NotRequired[str]
    status: Literal["registered", "rejected"]
    schema_name: str
    horizon_days: NotRequired[int]
    money: NotRequired[MoneyRecord | None]
    feature_names: NotRequired[list[str]]
    threshold: float
    average_probability: NotRequired[float | None]
    threshold_rule: NotRequired[ThresholdRule]
    levels: NotRequired[LevelsRecord]
    calibration: str
    metrics: Figures
    group_metrics: NotRequired[dict[str, Figures]]
    baseline_metrics: Figures
    ceiling: Ceiling | None
    synthetic: bool
    importance: list[Importance]
    rows: dict[str, int]
    data: NotRequired[dict[str, object]]
    split: NotRequired[SplitRecord]
    learned: NotRequired[LearnedRecord]
    gate: Verdict
    card_policy: NotRequired[str]
    files: dict[str, VersionFile]


class PromotionRecord(TypedDict):
    """One move of the pointer."""

    version: str
    promoted_at: str
    promoted_by: str


class RollbackRecord(PromotionRecord):
    """A rollback with an idempotency key: the id of the request, and where the pointer stood after it."""

    asked: str
    revision: int
    previous: str | None


class Pointer(PromotionRecord):
    """The pointer to the version in service; see `registry.champion.Champion`."""

    revision: int
    history: list[PromotionRecord]
    previous: NotRequired[str]
    record: NotRequired[Version]
    rollbacks: NotRequired[list[RollbackRecord]]


class Models:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().models_table, ("pk", "sk"))

    @property
    def name(self) -> str:
        return self._table.name

    def version(self, version: str) -> Version | None:
        return cast("Version | None", self._table.get({"pk": _VERSION, "sk": version}))

    def versions(self, *, limit: int | None = None, after: str | None = None) -> Page[Version]:
        """Versions, newest first; `after` is the last version of the previous page. A page is empty only at the end of the list."""
        start: Key | None = {"pk": _VERSION, "sk": after} if after else None
        while True:
            page = self._table.query("pk = :version", {":version": _VERSION}, limit=limit, ascending=False, start=start)
            start = page.next_key
            if page.items or start is None:
                return cast("Page[Version]", page)

    def add_version(self, version: str, record: Version) -> None:
        """Writes a new version.

        Raises:
            Conflict: a version of that name exists.
        """
        self._table.put({**record, "pk": _VERSION, "sk": version}, "attribute_not_exists(pk)")

    def champion(self) -> Pointer | None:
        """The pointer to the version in service, as the last write left it."""
        return cast("Pointer | None", self._table.get(_CHAMPION, consistent=True))

    def set_champion(self, pointer: Pointer, *, expected_revision: int) -> None:
        """Moves the pointer from the expected revision (0: there is no pointer yet).

        Raises:
            Conflict: the pointer is at another revision.
        """
        item = {**pointer, **_CHAMPION}
        if expected_revision == 0:
            self._table.put(item, "attribute_not_exists(pk)")
        else:
            self._table.put(item, "#revision = :expected", {":expected": expected_revision}, {"#revision": "revision"})
