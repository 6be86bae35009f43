"""Twelve monthly rounds on a generated business whose true churn is known, by the product and by the old routine (see `rounds`).

`python -m bench.twelve_months` prints the months and writes them to twelve_months.json and to docs/model.md.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.conditions import conditions
from bench.pages import between
from bench.report import terminal
from bench.rounds import History, OldRoutine, Product, Routine, Row, Trained
from retainstream.engine.business.calendar import day_of
from retainstream.engine.business.simulation import simulate
from retainstream.engine.business.streams import MonthlyRow, monthly_table
from retainstream.engine.history.database import database
from retainstream.engine.learning import metrics
from retainstream.engine.schema import default_schema

PAGE = Path(__file__).parents[1] / "docs/model.md"
FILE = Path(__file__).parent / "twelve_months.json"
CUSTOMERS, QUICK_CUSTOMERS = 40_000, 600
ROUNDS, QUICK_ROUNDS = 12, 3
UNTIL = date(2026, 10, 31)
SEED = 1
SECONDS, QUICK_SECONDS = 10.0, 0.2
LEAST_RATIO, MOST_RATIO, MOST_ECE, MOST_GAP = 0.93, 1.07, 0.03, 0.02

type Floats = NDArray[np.float64]


class Figures(TypedDict):
    """A routine in one month. expected: the sum of its probabilities. auc: of its probabilities, by the truth. ece: likewise."""

    rows: int
    split: str
    expected: float
    ece: float
    reported_auc: float
    auc: float


class Month(TypedDict):
    """true_leavers: the sum of the true probabilities. best_auc: the AUC of the true probabilities, by themselves."""

    anchor: str
    customers: int
    true_leavers: float
    best_auc: float
    product: Figures
    old: Figures


class Document(TypedDict):
    """All months, with the conditions of the measurement."""

    customers: int
    seed: int
    conditions: Mapping[str, object]
    seconds: float
    months: list[Month]


def measure(customers: int, *, rounds: int = ROUNDS, seconds: float = SECONDS, seed: int = SEED) -> Iterator[Month]:
    """The figures of each round. The first table comes a month before the first round, so that its outcomes are known then."""
    business = simulate(customers, rounds + 1, UNTIL, seed)
    schema = default_schema()
    with TemporaryDirectory() as name, database(Path(name), memory_mb=1500, threads=2) as connection:
        history = History(schema, connection, Path(name))
        routines: dict[str, Routine] = {"product": Product(schema, history, seconds), "old": OldRoutine(schema, seconds)}
        for place, anchor in enumerate(business.anchors):
            day = day_of(anchor).isoformat()
            rows = [_row(row) for row in monthly_table(business, place)]
            here, truth = [row for row in rows if not row.left_on], business.truths[int(anchor)]
            figures = {}
            for routine_name, routine in routines.items():
                routine.take_in(day, rows)
                if place:
                    trained = routine.train()
                    figures[routine_name] = figures_of(trained, routine.score(trained, day, here), truth)
            if place:
                yield {
                    "anchor": day,
                    "customers": len(here),
                    "true_leavers": float(truth.sum()),
                    "best_auc": expected_auc(truth, truth),
                    "product": figures["product"],
                    "old": figures["old"],
                }


def figures_of(trained: Trained, probabilities: Floats, truth: Floats) -> Figures:
    """The figures of probabilities (n,) by the true ones (n,)."""
    bins = np.minimum((probabilities * metrics.ECE_BINS).astype(int), metrics.ECE_BINS - 1)
    error = np.abs(np.bincount(bins, probabilities) - np.bincount(bins, truth)).sum() / len(truth)
    return {
        "rows": trained.rows,
        "split": trained.split,
        "expected": float(probabilities.sum()),
        "ece": float(error),
        "reported_auc": trained.reported_auc,
        "auc": expected_auc(truth, probabilities),
    }


def expected_auc(truth: Floats, scores: Floats) -> float:
    """The chance that a leaver scores above a stayer, with the true probabilities as weights; ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    leavers, stayers = np.bincount(place, truth), np.bincount(place, 1 - truth)
    below = np.cumsum(stayers) - stayers / 2
    themselves = float((truth * (1 - truth)).sum())  # nobody is a pair with themselves
    return float((leavers @ below - themselves / 2) / (truth.sum() * (1 - truth).sum() - themselves))


def _row(row: MonthlyRow) -> Row:
    return Row(row.customer_id, row.features, row.began_on, row.left_on or None)


HEADINGS = (
    "table of",
    "customers",
    "true leavers",
    "expected ÷ true",
    "ECE",
    "AUC reported",
    "AUC true",
    "best AUC",
    "old: expected ÷ true",
    "old: AUC reported",
    "old: AUC true",
)


def cells(month: Month) -> tuple[str, ...]:
    """A month as a line of the table."""
    product, old = month["product"], month["old"]
    return (
        month["anchor"],
        f"{month['customers']:,}",
        f"{month['true_leavers']:,.0f}",
        f"{product['expected'] / month['true_leavers']:.2f}",
        f"{product['ece']:.3f}",
        f"{product['reported_auc']:.3f}",
        f"{product['auc']:.3f}",
        f"{month['best_auc']:.3f}",
        f"{old['expected'] / month['true_leavers']:.2f}",
        f"{old['reported_auc']:.3f}",
        f"{old['auc']:.3f}",
    )


def misses(months: Sequence[Month]) -> list[str]:
    """A sentence for each figure of the product that misses its target."""
    found = []
    for month in months:
        product = month["product"]
        ratio, gap = product["expected"] / month["true_leavers"], product["reported_auc"] - product["auc"]
        if not LEAST_RATIO <= ratio <= MOST_RATIO:
            found.append(f"{month['anchor']}: expected ÷ true leavers is {ratio:.3f}, outside {LEAST_RATIO}–{MOST_RATIO}")
        if product["ece"] > MOST_ECE:
            found.append(f"{month['anchor']}: ECE is {product['ece']:.3f}, above {MOST_ECE}")
        if abs(gap) > MOST_GAP:
            found.append(f"{month['anchor']}: the reported AUC is {gap:+.3f} from the true one, more than {MOST_GAP}")
    return found


def markdown(document: Document) -> str:
    """The months as a Markdown table, with the targets and what misses them."""
    rows = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *map(cells, document["months"])]
    missed = misses(document["months"])
    taken = f"About {document['customers']:,} customers, taken {document['conditions']['at']}."
    return "\n".join(
        [
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
            f"{taken} Targets of each month: expected ÷ true leavers from {LEAST_RATIO} to {MOST_RATIO}, "
            f"ECE at most {MOST_ECE}, the reported AUC within {MOST_GAP} of the true one.",
            "",
            *([f"- {sentence}" for sentence in missed] or ["Every month reaches them."]),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m bench.twelve_months`; 1 when a figure misses its target."""
    parser = argparse.ArgumentParser(prog="python -m bench.twelve_months")
    parser.add_argument("--quick", action="store_true", help="few customers and rounds, to check that it works; writes nothing")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    options = parser.parse_args(arguments)
    under, started, months = conditions(), time.perf_counter(), list[Month]()
    table = Table(*HEADINGS, title="Twelve monthly rounds", title_justify="left")
    sizes = (QUICK_CUSTOMERS, QUICK_ROUNDS, QUICK_SECONDS) if options.quick else (options.customers, ROUNDS, SECONDS)
    for month in measure(sizes[0], rounds=sizes[1], seconds=sizes[2]):
        months.append(month)
        table.add_row(*cells(month))
        print(" ".join(cells(month)), flush=True)
    terminal().print(table)
    for sentence in (missed := misses(months)):
        print(sentence)
    if options.quick:
        return 0
    document: Document = {
        "customers": options.customers,
        "seed": SEED,
        "conditions": under,
        "seconds": round(time.perf_counter() - started, 1),
        "months": months,
    }
    FILE.write_text(json.dumps(document, indent=1) + "\n")
    PAGE.write_text(between(PAGE.read_text(), "twelve_months", markdown(document)))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
