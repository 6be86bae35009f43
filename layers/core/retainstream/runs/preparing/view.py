"""A preparation as the interface shows it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from retainstream.runs.record import StartedRunView
from retainstream.storage.runs import Run

STEPS = ("build", "store")


class AnchorFigures(TypedDict):
    """The rows of an anchor, by their label where its outcome window is over."""

    anchor: str
    labelled: bool
    rows: int
    left: int
    stayed: int


class FindingFigures(TypedDict):
    source: str
    rows: int
    text: str
    kept: bool


class Result(TypedDict):
    """`features_on` is the anchor of the present features, `through` the last day of the sources; both ISO days."""

    through: str
    features_on: str
    anchors: Sequence[AnchorFigures]
    findings: Sequence[FindingFigures]
    notes: Sequence[str]


type PreparationRun = Run[None, Result]


class PreparationCounts(BaseModel):
    """created + changed + unchanged + older + rejected = customers."""

    customers: int = Field(description="Customers with a row at some anchor")
    created: int
    changed: int
    unchanged: int
    older: int = Field(description="Customers with newer data, or who were removed meanwhile; the newer state stays")
    rejected: int = Field(description="Customers whose features the schema does not accept")


class PreparedAnchor(BaseModel):
    """The training rows of one anchor."""

    model_config = ConfigDict(extra="ignore")

    anchor: str = Field(description="ISO day; the features use only what happened before it")
    labelled: bool = Field(description="Whether the horizon after the anchor is over")
    rows: int = Field(description="Customers at the anchor")
    left: int
    stayed: int


class PreparationFinding(BaseModel):
    """Rows of a source with something to know about."""

    model_config = ConfigDict(extra="ignore")

    source: Literal["profile", "subscriptions", "events", "features"]
    rows: int
    text: str = Field(description="A sentence with the number of rows")
    kept: bool = Field(description="false: the rows were set aside")


class PreparationView(StartedRunView):
    """A preparation: training rows and present features from the sources."""

    run_id: str
    kind: Literal["preparation"]
    planned_steps: list[str] = Field(default=list(STEPS))
    features_on: str | None = Field(description="The day that the present features describe; null until they are computed")
    counts: PreparationCounts
    anchors: list[PreparedAnchor]
    findings: list[PreparationFinding]
    notes: list[str]


def preparation_view(run: PreparationRun, *, already_running: bool = False) -> PreparationView:
    result, counts = run.get("result"), Counter(run.get("counts", {}))
    return PreparationView.of(
        run,
        features_on=result["features_on"] if result else None,
        counts={name: counts[name] for name in PreparationCounts.model_fields},
        anchors=result["anchors"] if result else [],
        findings=result["findings"] if result else [],
        notes=result["notes"] if result else [],
        already_running=already_running,
    )
