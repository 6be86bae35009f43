"""A run's report on drift: as it is stored, as it is shown, and which one is the latest of the model in service."""

from typing import Literal

from pydantic import BaseModel, Field

from retainstream.engine.monitoring.stability import Level
from retainstream.storage.documents import Documents
from retainstream.storage.errors import NotStored
from retainstream.storage.rollups import Rollups


class BinView(BaseModel):
    label: str = Field(description="What the bin holds; `missing` is the bin of unknown values", examples=["4 to 9", "premium", "missing"])
    reference: float = Field(description="Share when the model was made")
    now: float = Field(description="Share among the customers scored")


class StabilityView(BaseModel):
    """How far a feature, or the score, is from what it was when the model was made."""

    feature: str = Field(description="The column, or score")
    label: str
    unit: str
    psi: float = Field(description="Population stability index: sum of (now - reference) * ln(now / reference) over the bins")
    noise: float = Field(description="What the PSI is expected to be by sampling alone, without drift")
    critical: float = Field(description="What the PSI hardly ever exceeds without drift; there is no alarm below it")
    level: Level = Field(description="Of psi - noise: none below 0.1, some below 0.25, else strong; none when psi is not above critical")
    told: str | None = Field(description="What moved most, in words; null without drift")
    bins: list[BinView]


class Report(BaseModel):
    """The drift of the customers whom one run scored."""

    run_id: str
    at: str = Field(description="When the run ended; ISO 8601, UTC")
    model_version: str
    synthetic: bool = Field(description="Whether generated customers are among them")
    customers: int = Field(description="Customers scored")
    reference_rows: int = Field(description="Customers the model was made with")
    level: Level = Field(description="The highest of all")
    score: StabilityView
    features: list[StabilityView] = Field(description="Most drifted first")


class DriftView(BaseModel):
    """Whether customers still look as they did when the model in service was made."""

    state: Literal["known", "no-model", "not-scored", "no-reference"]
    told: str = Field(description="The answer in words", examples=["2 of 8 features have drifted: Watch time, Last login."])
    report: Report | None = Field(description="Of the last run of the model in service; null unless the state is known")


def put_report(documents: Documents, report: Report) -> None:
    """Stores a run's report, over an earlier one of the same run."""
    documents.put_bytes(_key(report.run_id), report.model_dump_json().encode(), "application/json")


def drift_view(version: str | None, rollups: Rollups, documents: Documents) -> DriftView:
    """The last report of the model in service; `version` is None while there is none."""
    if version is None:
        return DriftView(state="no-model", told="No model is in service yet.", report=None)
    runs = [snapshot for snapshot in rollups.trend() if snapshot["model_version"] == version]
    if not runs:
        return DriftView(state="not-scored", told=f"Model {version} has not scored everybody yet.", report=None)
    try:
        report = Report.model_validate_json(documents.get_bytes(_key(runs[-1]["run_id"])))
    except NotStored:
        told = "The last run scored nobody." if not runs[-1]["scored"] else f"What customers looked like for model {version} is not known."
        return DriftView(state="no-reference" if runs[-1]["scored"] else "not-scored", told=told, report=None)
    return DriftView(state="known", told=_in_words(report), report=report)


def _in_words(report: Report) -> str:
    drifted = [part.label for part in report.features if part.level != "none"]
    if not drifted:
        return "No feature has drifted." + ("" if report.score.level == "none" else " The score has.")
    names = f"{', '.join(drifted)}{'' if report.score.level == 'none' else '; and so has the score'}"
    return f"{len(drifted)} of {len(report.features)} features {'has' if len(drifted) == 1 else 'have'} drifted: {names}."


def _key(run_id: str) -> str:
    return f"drift/{run_id}.json"
