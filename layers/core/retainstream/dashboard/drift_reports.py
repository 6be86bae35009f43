"""Drift reports of scoring runs: storing one, and the latest of the model in service in the API."""

from typing import Literal

from pydantic import BaseModel, Field

from retainstream.engine.monitoring.stability import Level
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.rollups import Rollups


class BinView(BaseModel):
    label: str = Field(description="Values of the bin; `missing` stands for missing values", examples=["4 to 9", "premium", "missing"])
    reference: float = Field(description="Share among the customers that the model was made with")
    now: float = Field(description="Share among the customers scored")


class ChurnShiftView(BaseModel):
    """The shift of expected churn that comes from the changed distribution of one column alone."""

    probability: float = Field(
        description="Change of the mean churn probability: sum of (now - reference) * mean probability over the bins"
    )
    customers: float = Field(description="The change as a number of churners among the customers scored")
    relative: float = Field(description="The change as a share of the churn that the reference leads to expect")
    critical: float = Field(description="The size of the change that is rarely exceeded without drift; there is no alarm below it")
    level: Level = Field(
        description="Size of relative: none below 0.05, some below 0.2, else strong; none when the change is not above critical"
    )


class StabilityView(BaseModel):
    """The drift of a feature, or of the score, since the model was made."""

    feature: str = Field(description="The column, or score")
    label: str
    unit: str
    psi: float = Field(description="Population stability index: sum of (now - reference) * ln(now / reference) over the bins")
    noise: float = Field(description="The PSI that sampling alone is expected to give, without drift")
    critical: float = Field(description="The PSI that is rarely exceeded without drift; there is no alarm below it")
    level: Level = Field(
        description="The higher of that of churn_shift and that of psi - noise: none below 0.1, some below 0.25, else strong; "
        "none when psi is not above critical"
    )
    told: str | None = Field(description="The largest change, in words; null without drift")
    churn_shift: ChurnShiftView | None = Field(
        default=None, description="What the change does to expected churn; null where the model's reference has no probabilities"
    )
    bins: list[BinView]


class Report(BaseModel):
    """The drift of the customers that one run scored."""

    run_id: str
    at: str = Field(description="When the run ended; ISO 8601, UTC")
    model_version: str
    synthetic: bool = Field(description="Whether synthetic customers are among them")
    customers: int = Field(description="Customers scored")
    reference_rows: int = Field(description="Customers that the model was made with")
    level: Level = Field(description="The highest of all")
    score: StabilityView
    features: list[StabilityView] = Field(description="Most drifted first")


class DriftView(BaseModel):
    """Whether the customers still resemble those that the model in service was made with."""

    state: Literal["known", "no-model", "not-scored", "no-reference"]
    told: str = Field(description="The answer in words", examples=["2 of 8 features have drifted: Watch time, Last login."])
    report: Report | None = Field(description="Report of the last run of the model in service; null unless the state is known")


def put_report(documents: Documents, report: Report) -> None:
    """Stores a run's report, and replaces an earlier one of the same run."""
    documents.put_bytes(_key(report.run_id), report.model_dump_json().encode(), "application/json")


def drift_view(version: str | None, rollups: Rollups, documents: Documents) -> DriftView:
    """The last report of the model in service. `version` is None before the first promotion."""
    if version is None:
        return DriftView(state="no-model", told="No model is in service yet.", report=None)
    runs = [snapshot for snapshot in rollups.trend() if snapshot["model_version"] == version]
    if not runs:
        return DriftView(state="not-scored", told=f"Model {version} has not scored all customers yet.", report=None)
    try:
        report = Report.model_validate_json(documents.get_bytes(_key(runs[-1]["run_id"])))
    except NotStored:
        told = "The last run scored no customers." if not runs[-1]["scored"] else f"Model {version} has no reference for drift."
        return DriftView(state="no-reference" if runs[-1]["scored"] else "not-scored", told=told, report=None)
    return DriftView(state="known", told=_in_words(report), report=report)


def _in_words(report: Report) -> str:
    drifted = [part.label for part in report.features if part.level != "none"]
    if not drifted:
        return "No feature has drifted." + ("" if report.score.level == "none" else " The score has drifted.")
    names = f"{', '.join(drifted)}{'' if report.score.level == 'none' else '; the score has drifted too'}"
    return f"{len(drifted)} of {len(report.features)} features {'has' if len(drifted) == 1 else 'have'} drifted: {names}."


def _key(run_id: str) -> str:
    return f"drift/{run_id}.json"
