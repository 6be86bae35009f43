"""A recount as the interface shows it."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from retainstream.runs.record import StartedRunView
from retainstream.storage.rollups import Source
from retainstream.storage.runs import Run

type RecountOutcome = Literal["exact", "different", "repaired"]


class Asked(TypedDict):
    repair: bool


class CountedTable(TypedDict):
    """The outcome for one table, as the run's result keeps it."""

    source: Source
    outcome: str
    attempt: int
    rows: int
    differences: int


class Result(TypedDict):
    exact: bool
    sources: Sequence[CountedTable]


class Difference(TypedDict):
    """A counter that differs from the rows: its name, its own value, and the sum of the rows."""

    counter: str
    counted: int
    recounted: int


type RecountRun = Run[Asked, Result]


class RecountedTable(BaseModel):
    """One table, counted."""

    model_config = ConfigDict(extra="ignore")

    source: Literal["customers", "predictions"]
    outcome: RecountOutcome = Field(description="repaired: there were differences, and the counters now are the recount")
    rows: int
    differences: int = Field(description="Counters that differed")
    attempt: int = Field(description="The attempt during which nothing was written")


class DifferenceView(BaseModel):
    """A counter that differs from the rows."""

    source: Literal["customers", "predictions"]
    counter: str = Field(examples=["level/high/basic"])
    counted: int = Field(description="Value of the counter")
    recounted: int = Field(description="Sum of the rows")


class RecountView(StartedRunView):
    """A recount of the base. Its steps are settle (wait until the counters are still) and count (read the rows); either may come again."""

    run_id: str
    kind: Literal["recount"]
    repair: bool
    exact: bool | None = Field(description="Whether every counter was right; null until that is known")
    tables: list[RecountedTable] | None = Field(description="Null until everything is counted")
    differences: list[DifferenceView] | None = Field(description="By name; null until everything is counted, and again after 30 days")


def recount_view(run: RecountRun, differences: Sequence[DifferenceView] | None, *, already_running: bool = False) -> RecountView:
    """A run with the differences that it found, as far as these are known."""
    result, asked = run.get("result"), run.get("asked")
    return RecountView.of(
        run,
        repair=asked["repair"] if asked else False,
        exact=result["exact"] if result else None,
        tables=result["sources"] if result else None,
        differences=differences,
        already_running=already_running,
    )
