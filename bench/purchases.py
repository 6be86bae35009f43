"""Six monthly rounds on real purchases: what each training promised, and what the three months after it showed.

`python -m bench.purchases FILE` reads a CSV file with the columns customer_id, date and amount: the sample of 2,357 CDNOW customers that
Fader and Hardie published. A customer has left when 90 days have passed without a purchase. In each round the model knows the purchases
before that day alone; features, outcomes and training are those of `retainstream features build` and `retainstream evaluate --by-time`.
It prints the rounds and writes them to purchases.json and to docs/model.md.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypedDict

import numpy as np
from duckdb import DuckDBPyConnection
from rich.table import Table

from bench.pages import between
from bench.report import terminal
from bench.rounds import trained_on
from retainstream.engine.history.database import database
from retainstream.engine.learning import metrics
from retainstream.engine.learning.dataset import DataSet, in_order, key_of
from retainstream.engine.learning.delong import auc_interval
from retainstream.engine.lives import day_number, iso_day
from retainstream.engine.model.encoding import encode
from retainstream.engine.records import Value
from retainstream.engine.schema import FeatureSchema, schema_from_text
from retainstream.engine.sources.build import build
from retainstream.engine.sources.delivered import Delivered, SourceFiles, read_sources

PAGE = Path(__file__).parents[1] / "docs/model.md"
FILE = Path(__file__).parent / "purchases.json"
NAME = "purchases.csv"
FIRST_ANCHOR = (1997, 4)
ROUNDS = ((1997, 11), (1997, 12), (1998, 1), (1998, 2), (1998, 3), (1998, 4))
SECONDS = 10.0
MOST_LOG_LOSS_GAP = 0.1

SCHEMA = """
name: purchases
title: Customers of a shop
id: {column: customer_id, label: Customer}
label: {column: left, positive: 1, meaning: 90 days without a purchase}
horizon_days: 90
sources:
  events: {file: purchases.csv, id: customer_id, at: date, amount: amount}
churn: {when: no-event, days: 90}
anchors: monthly
columns:
  - {name: purchases, kind: integer, label: Purchases, from: {events: "*", count: true}}
  - {name: purchases_30d, kind: integer, label: Purchases in 30 days, from: {events: "*", count: true, days: 30}}
  - {name: purchases_90d, kind: integer, label: Purchases in 90 days, from: {events: "*", count: true, days: 90}}
  - {name: purchases_180d, kind: integer, label: Purchases in 180 days, from: {events: "*", count: true, days: 180}}
  - {name: spent, kind: number, label: Spent, from: {events: "*", sum: amount}}
  - {name: spent_90d, kind: number, label: Spent in 90 days, from: {events: "*", sum: amount, days: 90}}
  - {name: mean_amount, kind: number, label: Mean amount, missing: true, from: {events: "*", mean: amount}}
  - {name: last_purchase, kind: integer, label: Days since the last purchase, missing: true, from: {events: "*", days_since_last: true}}
  - {name: first_purchase, kind: integer, label: Days since the first purchase, missing: true, from: {events: "*", days_since_first: true}}
  - {name: mean_gap, kind: number, label: Days between purchases, missing: true, from: {events: "*", mean_gap: true}}
"""


class BuiltRow(NamedTuple):
    """A customer at an anchor (days since 1970-01-01). left: 1 left, 0 stayed, None unknown."""

    customer_id: str
    anchor: int
    features: Mapping[str, Value]
    left: int | None


class Round(TypedDict):
    """realised_low, realised_high: the 95% interval of the realised AUC."""

    anchor: str
    learned_rows: int
    split: str
    customers: int
    left: int
    expected: float
    promised_auc: float
    realised_auc: float
    realised_low: float
    realised_high: float
    promised_log_loss: float
    realised_log_loss: float


def measure(purchases: Path, seconds: float = SECONDS) -> Iterator[Round]:
    """The figures of each round."""
    schema = schema_from_text(SCHEMA)
    for round_anchor in ROUNDS:
        with TemporaryDirectory() as name, database(Path(name), memory_mb=1500, threads=2) as connection:
            folder = Path(name)
            shutil.copy(purchases, folder / NAME)
            anchors = months(FIRST_ANCHOR, round_anchor)
            now = anchors[-1]
            known = delivered(connection, schema, folder, as_of=now - 1)
            rows = rows_at(connection, schema, known, anchors)
            trained = trained_on(data_of(schema, [row for row in rows if row.left is not None]), seconds)
            later = rows_at(connection, schema, delivered(connection, schema, folder, as_of=None), [now])
            encoded = encode(schema, [row.features for row in later])
            if not np.allclose(encoded, encode(schema, [row.features for row in rows if row.anchor == now]), equal_nan=True):
                raise AssertionError("a feature changed with purchases after its anchor")
            probabilities = trained.model.probabilities(encoded).astype(np.float64)
            left = np.array([row.left == 1 for row in later])
            interval = auc_interval(left, probabilities)
            if interval is None:
                raise AssertionError("too few churners for an interval")
            yield {
                "anchor": iso_day(now),
                "learned_rows": trained.rows,
                "split": trained.split,
                "customers": len(left),
                "left": int(left.sum()),
                "expected": float(probabilities.sum()),
                "promised_auc": trained.reported_auc,
                "realised_auc": metrics.roc_auc(left, probabilities),
                "realised_low": interval.low,
                "realised_high": interval.high,
                "promised_log_loss": trained.reported_log_loss,
                "realised_log_loss": metrics.log_loss(left, probabilities),
            }


def months(first: tuple[int, int], last: tuple[int, int]) -> list[int]:
    """The first days of the months from one to another."""
    numbers = range(first[0] * 12 + first[1] - 1, last[0] * 12 + last[1])
    return [day_number(date(number // 12, number % 12 + 1, 1).isoformat()) for number in numbers]


def delivered(connection: DuckDBPyConnection, schema: FeatureSchema, folder: Path, as_of: int | None) -> Delivered:
    return read_sources(connection, schema, SourceFiles(events=[folder / NAME]), today=day_number("2000-01-01"), as_of=as_of)


def rows_at(connection: DuckDBPyConnection, schema: FeatureSchema, known: Delivered, anchors: list[int]) -> list[BuiltRow]:
    """The customers of each anchor."""
    built = build(connection, schema, known, anchors)
    names = [column.name for column in schema.columns]
    return [
        BuiltRow(
            str(customer_id), day_number(day), {name: value for name, value in zip(names, values, strict=True) if value is not None}, left
        )
        for customer_id, day, *values, left in connection.table(built.table).fetchall()
    ]


def data_of(schema: FeatureSchema, rows: Sequence[BuiltRow]) -> DataSet:
    return in_order(
        DataSet(
            schema,
            np.array([key_of(row.customer_id) for row in rows], dtype=np.uint64),
            encode(schema, [row.features for row in rows]),
            np.array([row.left == 1 for row in rows]),
            np.full(len(rows), -1, dtype=np.int16),
            np.full(len(rows), np.nan),
            np.zeros(len(rows), dtype=bool),
            np.array([row.anchor for row in rows], dtype=np.int32),
        )
    )


HEADINGS = (
    "round",
    "rows learned from",
    "split",
    "customers",
    "left",
    "expected",
    "AUC promised",
    "AUC realised",
    "log loss promised",
    "log loss realised",
)


def cells(row: Round) -> tuple[str, ...]:
    """A round as a line of the table."""
    return (
        row["anchor"],
        f"{row['learned_rows']:,}",
        f"by {row['split']}",
        f"{row['customers']:,}",
        f"{row['left']:,}",
        f"{row['expected']:,.0f}",
        f"{row['promised_auc']:.3f}",
        f"{row['realised_auc']:.3f} [{row['realised_low']:.3f}–{row['realised_high']:.3f}]",
        f"{row['promised_log_loss']:.3f}",
        f"{row['realised_log_loss']:.3f}",
    )


def misses(rounds: Sequence[Round]) -> list[str]:
    """A sentence for each round whose promise was not kept."""
    sentences = []
    for row in rounds:
        if not row["realised_low"] <= row["promised_auc"] <= row["realised_high"]:
            sentences.append(f"{row['anchor']}: the promised AUC {row['promised_auc']:.3f} is outside the realised one's interval")
        gap = row["realised_log_loss"] / row["promised_log_loss"] - 1
        if abs(gap) > MOST_LOG_LOSS_GAP:
            sentences.append(f"{row['anchor']}: the realised log loss is {gap:+.0%} of the promised one away from it")
    return sentences


def markdown(rounds: Sequence[Round]) -> str:
    """The rounds as a Markdown table."""
    lines = [HEADINGS, ("---", "---:", "---", *["---:"] * (len(HEADINGS) - 3)), *map(cells, rounds)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m bench.purchases FILE`; 1 when more than one round's AUC, or any log loss, misses its target."""
    parser = argparse.ArgumentParser(prog="python -m bench.purchases")
    parser.add_argument("purchases", type=Path, help="CSV file with customer_id, date and amount")
    rounds = list(measure(parser.parse_args(arguments).purchases))
    table = Table(*HEADINGS, title="Six rounds on purchases", title_justify="left")
    for row in rounds:
        table.add_row(*cells(row))
    terminal().print(table)
    for sentence in (missed := misses(rounds)):
        print(sentence)
    FILE.write_text(json.dumps(rounds, indent=1) + "\n")
    PAGE.write_text(between(PAGE.read_text(), "purchases", markdown(rounds)))
    return 1 if sum("AUC" in sentence for sentence in missed) > 1 or any("log loss" in sentence for sentence in missed) else 0


if __name__ == "__main__":
    raise SystemExit(main())
