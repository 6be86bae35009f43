"""Seven anchors against one, and a promise by customers against one by time, on real purchases.

`python -m bench.by_time FILE` reads the file of `bench.purchases`, or the one that the variable PURCHASES names; without a file it says so
and ends. For each of four quarters, a training learns from the newest anchor whose 90 days are over before the quarter, or from the newest
seven, and forecasts the quarter. The same with boosted trees alone, without the linear stage. It prints the quarters and writes them to
by_time.json and to docs/model.md.
"""

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import numpy as np
from rich.table import Table

from bench.pages import between
from bench.purchases import FIRST_ANCHOR, NAME, SCHEMA, data_of, delivered, months, rows_at
from bench.report import terminal
from retainstream.engine.history.database import database
from retainstream.engine.learning import metrics
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.fit import fit
from retainstream.engine.learning.search import Search
from retainstream.engine.lives import iso_day
from retainstream.engine.schema import schema_from_text

PAGE = Path(__file__).parents[1] / "docs/model.md"
FILE = Path(__file__).parent / "by_time.json"
QUARTERS, ANCHORS = 4, 7
LAST_ANCHOR = (1998, 4)
SECONDS = 10.0
SEED = 0


class Forecast(TypedDict):
    """The AUC on the quarter: of the product, of boosted trees alone, and the AUC that folds of customers promise of the product."""

    rows: int
    product: float
    log_loss: float
    trees: float
    by_customers: float


class Quarter(TypedDict):
    """anchor: the day of the forecast. one, seven: learned from the newest anchor, and from the newest seven."""

    anchor: str
    customers: int
    left: int
    one: Forecast
    seven: Forecast


def measure(purchases: Path, seconds: float = SECONDS) -> Iterator[Quarter]:
    """The figures of each quarter."""
    data = _all_rows(purchases)
    horizon, days = data.schema.horizon_days, np.unique(data.anchors)
    for day in days[-QUARTERS:].tolist():
        quarter = data.where(data.anchors == day)
        known = days[days + horizon <= day]
        one, seven = (_forecast(data.where(np.isin(data.anchors, known[-count:])), quarter, seconds) for count in (1, ANCHORS))
        yield {"anchor": iso_day(day), "customers": len(quarter), "left": int(quarter.churned.sum()), "one": one, "seven": seven}


def _all_rows(purchases: Path) -> DataSet:
    """The labelled rows of all anchors."""
    schema = schema_from_text(SCHEMA)
    with TemporaryDirectory() as name, database(Path(name), memory_mb=1500, threads=2) as connection:
        folder = Path(name)
        shutil.copy(purchases, folder / NAME)
        rows = rows_at(connection, schema, delivered(connection, schema, folder, as_of=None), months(FIRST_ANCHOR, LAST_ANCHOR))
    return data_of(schema, [row for row in rows if row.left is not None])


def _forecast(learned: DataSet, quarter: DataSet, seconds: float) -> Forecast:
    candidate = fit(learned, version="quarter", seconds=seconds, seed=SEED)
    promised = candidate.record["out_of_fold"]
    probabilities = candidate.model.probabilities(quarter.rows)
    search = Search(learned, seconds, SEED, trees_alone=True)
    trees = search.final(search.run()).inplace_predict(quarter.rows, predict_type="margin").astype(np.float64)
    return {
        "rows": len(learned),
        "product": metrics.roc_auc(quarter.churned, probabilities),
        "log_loss": metrics.log_loss(quarter.churned, probabilities),
        "trees": metrics.roc_auc(quarter.churned, trees),
        "by_customers": promised["roc_auc"] if promised else float("nan"),
    }


HEADINGS = (
    "quarter from",
    "customers",
    "left",
    "one anchor",
    "seven anchors",
    "trees alone: one",
    "trees alone: seven",
    "seven, promised by customers",
)


def cells(quarter: Quarter) -> tuple[str, ...]:
    """A quarter as a line of the table."""
    one, seven = quarter["one"], quarter["seven"]
    aucs = (one["product"], seven["product"], one["trees"], seven["trees"], seven["by_customers"])
    return (quarter["anchor"], f"{quarter['customers']:,}", f"{quarter['left']:,}", *(f"{auc:.3f}" for auc in aucs))


def means(quarters: Sequence[Quarter]) -> tuple[str, ...]:
    """The last line of the table: the mean of each AUC."""
    columns = (
        [quarter["one"]["product"] for quarter in quarters],
        [quarter["seven"]["product"] for quarter in quarters],
        [quarter["one"]["trees"] for quarter in quarters],
        [quarter["seven"]["trees"] for quarter in quarters],
        [quarter["seven"]["by_customers"] for quarter in quarters],
    )
    return ("mean", "", "", *(f"{np.mean(column):.3f}" for column in columns))


def markdown(quarters: Sequence[Quarter]) -> str:
    """The quarters as a Markdown table."""
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *map(cells, quarters), means(quarters)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m bench.by_time [FILE]`; 0, also without a file."""
    parser = argparse.ArgumentParser(prog="python -m bench.by_time")
    parser.add_argument("purchases", type=Path, nargs="?", help="CSV file with customer_id, date and amount; or the variable PURCHASES")
    named = parser.parse_args(arguments).purchases or os.environ.get("PURCHASES")
    if not named or not Path(named).is_file():
        print("Skipped: no file of purchases. Name one: python -m bench.by_time FILE, or PURCHASES=FILE.")
        return 0
    quarters = list(measure(Path(named)))
    table = Table(*HEADINGS, title="AUC of the next quarter", title_justify="left")
    for quarter in quarters:
        table.add_row(*cells(quarter))
    table.add_section()
    table.add_row(*means(quarters))
    terminal().print(table)
    FILE.write_text(json.dumps(quarters, indent=1) + "\n")
    PAGE.write_text(between(PAGE.read_text(), "by_time", markdown(quarters)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
