"""What work has left in the tables: rows without their moments, counters once the streams are consumed, runs as they ended."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from retainstream.dashboard.consume import COUNT
from retainstream.dashboard.fold import Counters, recount
from retainstream.runs.recounts.counting import differences
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.predictions import Predictions
from retainstream.storage.rollups import Rollups, Source
from retainstream.storage.runs import Runs
from tests.integration.base_of_customers import stream_records

MOMENTS = frozenset({"updated_at", "features_at", "outcome_recorded_at", "imported", "scored_at", "model_chosen_at", "run_id"})

type Rows = dict[str, dict[str, Any]]


def stored_rows() -> dict[str, Rows]:
    """Customers and predictions by id, as they are."""
    return {"customers": _by_id(Customers().segment_pages()), "predictions": _by_id(Predictions().segment_pages())}


def rows_left() -> dict[str, Rows]:
    """Customers and predictions by id, without what tells when and by which run they were written."""
    return {table: {name: _timeless(row) for name, row in rows.items()} for table, rows in stored_rows().items()}


def counters_left(consume: Callable[[dict[str, Any]], object], batch: int = 40) -> dict[Source, Counters]:
    """The counters after `consume` has taken all records of the streams; they are the recount of the rows."""
    for table in (settings().customers_table, settings().predictions_table):
        records = stream_records(table)
        for start in range(0, len(records), batch):
            consume({"Records": records[start : start + batch]})
    counters = {source: Rollups().counters(source).counters for source in COUNT}
    rows = stored_rows()
    for source, count in COUNT.items():
        differ = differences(counters[source], recount(count, rows[source].values()))
        assert not differ, f"{source}: {differ}"
    return dict(counters)


def run_left(run_id: str) -> dict[str, Any]:
    """A run's record without its id and moments."""
    run = Runs().existing(run_id)
    steps = [{name: value for name, value in step.items() if not name.endswith("_at")} for step in run["steps"]]
    return {**{name: run.get(name) for name in ("status", "counts", "result", "reason")}, "steps": steps}


def _by_id(pages: Iterable[Sequence[Mapping[str, Any]]]) -> Rows:
    return {row["customer_id"]: dict(row) for page in pages for row in page}


def _timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in MOMENTS}
