"""Training rows: what was known of a customer on a day, and whether the customer left within the horizon after it."""

import math
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.history.columns import columns_of, feature_column
from retainstream.engine.history.database import Files, files_list
from retainstream.engine.history.statements import counts_by_anchor, rows_of_days
from retainstream.engine.lives import MOST_UNKNOWN, Label, day_number, iso_day
from retainstream.engine.model.encoding import Rows, day_numbers, days_before
from retainstream.engine.records import SYNTHETIC
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.schema.validation import is_date

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NEWEST_MONTHS = 24

type Counts = Mapping[int, int]
"""A label of a row → customers with it."""


class AnchorCounts(TypedDict):
    """The rows of one anchor (2026-01-31) by their label, and whether they are training rows.

    `absent` customers had left by the anchor, or came after it. An anchor is not used if more than MOST_UNKNOWN of its other rows are
    unknown, or if no customer is known to have stayed: its window is not over then, and only leavers are known.
    """

    anchor: str
    left: int
    stayed: int
    unknown: int
    absent: int
    used: bool


@dataclass(frozen=True)
class TrainingTable:
    """n labelled rows, of one customer and one anchor each, ordered by customer id and anchor.

    anchors: int32 (n,), days since 1970-01-01. rows: float32 (n, features) in schema order.
    churned: bool (n,), whether the customer left in (anchor, anchor + horizon].
    groups: int16 (n,), places in schema.groups, -1 without a group. prices: float64 (n,), NaN where not known.
    sources: where the outcome of each row comes from; the generator's are `records.SYNTHETIC`.
    assumed: bool (n,), whether nobody stated the days of the row. anchors_report: the anchors, newest first.
    """

    customer_ids: list[str]
    anchors: NDArray[np.int32]
    rows: Rows
    churned: NDArray[np.bool_]
    groups: NDArray[np.int16]
    prices: NDArray[np.float64]
    sources: list[str]
    assumed: NDArray[np.bool_]
    anchors_report: list[AnchorCounts]

    def __len__(self) -> int:
        return len(self.customer_ids)

    @property
    def synthetic(self) -> NDArray[np.bool_]:
        """Whether the outcome of each row comes from the generator, bool (n,)."""
        return np.array([source == SYNTHETIC for source in self.sources], dtype=bool)


@dataclass(frozen=True)
class Plan:
    """The days of which rows are taken, newest first, and the days that were refused, with the counts behind it.

    Days are counted from 1970-01-01. Of each day rows count whose anchors are in (day − spacing_days, day].
    """

    days: tuple[int, ...]
    refused: Mapping[int, Counts]
    spacing_days: int
    most_unknown: float


def training_rows(
    connection: "DuckDBPyConnection",
    history_files: Files,
    schema: FeatureSchema,
    horizon_days: int,
    *,
    spacing_days: int | None = None,
    most_unknown: float = MOST_UNKNOWN,
    newest_months: int = NEWEST_MONTHS,
) -> TrainingTable:
    """The labelled rows of the newest months, at most one of a customer within `spacing_days` (default: 0.9 of the horizon, rounded up).

    The connection has the lives (see `lives.load_lives`).
    """
    counts = anchor_counts(connection, history_files, horizon_days, schema.silence_days)
    plan = plan_of(counts, horizon_days, spacing_days=spacing_days, most_unknown=most_unknown, newest_months=newest_months)
    return joined([rows_of_day(connection, history_files, schema, day, plan, horizon_days) for day in plan.days], schema, plan)


def anchor_counts(connection: "DuckDBPyConnection", history_files: Files, horizon_days: int, silence_days: int = 0) -> dict[int, Counts]:
    """The customers of each anchor by label: anchor's day → label → customers. Each anchor's files are counted apart from the others'."""
    if not history_files:
        return {}
    show_history(connection, history_files)
    counts: dict[int, dict[int, int]] = {}
    for day, label, customers in connection.execute(counts_by_anchor(BEFORE_ALL, horizon_days, silence_days)).fetchall():
        counts.setdefault(day, {})[label] = customers
    return dict(counts)


BEFORE_ALL = -1_000_000


def plan_of(
    counts: Mapping[int, Counts],
    horizon_days: int,
    *,
    spacing_days: int | None = None,
    most_unknown: float = MOST_UNKNOWN,
    newest_months: int = NEWEST_MONTHS,
) -> Plan:
    """The days to take rows of: the newest day on which the outcomes are known, and older ones, each at least `spacing_days` before."""
    spacing = spacing_days or math.ceil(0.9 * horizon_days)
    first = months_before(max(counts), newest_months) if counts else 0
    days: list[int] = []
    refused: dict[int, Counts] = {}
    for day in sorted((day for day in counts if day > first), reverse=True):
        if days and day > days[-1] - spacing:
            continue
        near = _total(counts[other] for other in counts if day - spacing < other <= day)
        if _unknown_share(near) <= most_unknown:
            days.append(day)
        else:
            refused[day] = counts[day]
    return Plan(tuple(days), refused, spacing, most_unknown)


def rows_of_day(
    connection: "DuckDBPyConnection", history_files: Files, schema: FeatureSchema, day: int, plan: Plan, horizon_days: int
) -> TrainingTable:
    """The training rows of one day of a plan, from the files with anchors near it."""
    show_history(connection, history_files, schema)
    statement = rows_of_days(schema, [day], plan.spacing_days, horizon_days, schema.silence_days)
    columns = connection.execute(statement).fetchnumpy()
    return table_of({name: np.ma.asarray(values) for name, values in columns.items()}, schema, day, plan)


def table_of(columns: Mapping[str, NDArray[np.generic]], schema: FeatureSchema, day: int, plan: Plan) -> TrainingTable:
    """The training rows of one day, from the columns that `statements.rows_of_days` answered."""
    labels = _filled(columns["label"], Label.NO_ROW).astype(np.int8)
    counts = {int(label): int((labels == label).sum()) for label in Label}
    used = _unknown_share(counts) <= plan.most_unknown
    chosen = np.isin(labels, (Label.STAYED, Label.LEFT)) if used else np.zeros(len(labels), dtype=bool)
    rows = np.empty((int(chosen.sum()), len(schema.features)), dtype=np.float32)
    anchors = _filled(columns["anchor_day"], 0).astype(np.int32)
    for place, column in enumerate(schema.features):
        rows[:, place] = _encoded(columns[feature_column(column)], column, anchors)[chosen]
    groups = _codes(columns["group"], {group: place for place, group in enumerate(schema.groups)}, -1)
    return TrainingTable(
        customer_ids=[str(customer_id) for customer_id in columns["customer_id"][chosen]],
        anchors=anchors[chosen],
        rows=rows,
        churned=labels[chosen] == Label.LEFT,
        groups=np.nan_to_num(groups[chosen], nan=-1).astype(np.int16),
        prices=_filled(columns["price"], math.nan).astype(np.float64)[chosen],
        sources=[str(source) for source in columns["source"][chosen]],
        assumed=_filled(columns["assumed"], 0)[chosen] == 1,
        anchors_report=[_report(day, counts, used=used)],
    )


def joined(tables: Sequence[TrainingTable], schema: FeatureSchema, plan: Plan) -> TrainingTable:
    """The rows of several days as one table, with a report of all days of the plan."""
    ids = [customer_id for table in tables for customer_id in table.customer_ids]
    sources = [source for table in tables for source in table.sources]
    anchors = np.concatenate([np.empty(0, dtype=np.int32), *(table.anchors for table in tables)])
    order = np.lexsort((anchors, np.array(ids, dtype=object))) if ids else np.empty(0, dtype=np.intp)
    report = [row for table in tables for row in table.anchors_report]
    report += [_report(day, counts, used=False) for day, counts in plan.refused.items()]
    return TrainingTable(
        customer_ids=[ids[place] for place in order],
        anchors=anchors[order],
        rows=np.concatenate([np.empty((0, len(schema.features)), dtype=np.float32), *(table.rows for table in tables)])[order],
        churned=np.concatenate([np.empty(0, dtype=bool), *(table.churned for table in tables)])[order],
        groups=np.concatenate([np.empty(0, dtype=np.int16), *(table.groups for table in tables)])[order],
        prices=np.concatenate([np.empty(0, dtype=np.float64), *(table.prices for table in tables)])[order],
        sources=[sources[place] for place in order],
        assumed=np.concatenate([np.empty(0, dtype=bool), *(table.assumed for table in tables)])[order],
        anchors_report=sorted(report, key=lambda row: row["anchor"], reverse=True),
    )


def show_history(connection: "DuckDBPyConnection", files: Files, schema: FeatureSchema | None = None) -> None:
    """Makes the files the table `history`, by the names of their columns: a file may lack some, and what none has is empty.

    A feature whose kind changed is read as the kind of the schema; a value that is not of it is empty.
    """
    source = f"read_parquet({files_list(files)}, union_by_name = true)"
    if schema is None:
        connection.execute(f"CREATE OR REPLACE VIEW history AS SELECT * FROM {source}")
        return
    present = {name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    columns = ", ".join(
        f'TRY_CAST("{name}" AS {kind}) AS "{name}"' if name in present else f'CAST(NULL AS {kind}) AS "{name}"'
        for name, kind in columns_of(schema).items()
    )
    connection.execute(f"CREATE OR REPLACE VIEW history AS SELECT {columns} FROM {source}")


def _encoded(values: NDArray[np.generic], column: Column, anchors: NDArray[np.int32]) -> NDArray[np.float64]:
    """A feature's values as the model reads them, see `model.encoding.encode`. `anchors` are the days that they describe."""
    if column.kind == "date":
        return days_before(_dates(values), anchors)
    if column.kind != "category":
        return _filled(values, math.nan)
    return _codes(values, column.places, column.places.get(column.other, math.nan))


def _dates(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Dates as days since 1970-01-01, NaN where there is none: a column that was of another kind may hold other texts."""
    here = zip(np.ma.getdata(values).tolist(), np.ma.getmaskarray(values).tolist(), strict=True)
    return day_numbers([text if not missing and isinstance(text, str) and is_date(text) else None for text, missing in here])


def _codes(values: NDArray[np.generic], places: Mapping[str, float], unlisted: float) -> NDArray[np.float64]:
    """Texts as their places, float64 (n,); `unlisted` stands for every other text, and NaN for a missing one."""
    missing = np.ma.getmaskarray(values)
    codes = np.array([places.get(text, unlisted) for text in np.ma.getdata(values).tolist()], dtype=np.float64)
    codes[missing] = math.nan
    return codes


def _filled(values: NDArray[np.generic], missing: float) -> NDArray[np.float64]:
    return np.ma.filled(np.ma.asarray(values).astype(np.float64), missing)


def _report(day: int, counts: Counts, *, used: bool) -> AnchorCounts:
    return {
        "anchor": iso_day(day),
        "left": counts.get(Label.LEFT, 0),
        "stayed": counts.get(Label.STAYED, 0),
        "unknown": counts.get(Label.UNKNOWN, 0),
        "absent": counts.get(Label.NO_ROW, 0),
        "used": used,
    }


def _unknown_share(counts: Counts) -> float:
    """The share of unknown outcomes among customers who were there; 1 where no customer is known to have stayed."""
    there = sum(counts.get(label, 0) for label in (Label.UNKNOWN, Label.STAYED, Label.LEFT))
    return counts.get(Label.UNKNOWN, 0) / there if counts.get(Label.STAYED, 0) else 1.0


def _total(counts: Iterable[Counts]) -> dict[int, int]:
    total: dict[int, int] = {}
    for each in counts:
        for label, customers in each.items():
            total[label] = total.get(label, 0) + customers
    return total


def months_before(day: int, months: int) -> int:
    """The same day so many calendar months before, or the last day of that month where it is shorter."""
    newest = date.fromisoformat(iso_day(day))
    year, month = divmod(newest.year * 12 + newest.month - 1 - months, 12)
    return day_number(date(year, month + 1, min(newest.day, monthrange(year, month + 1)[1])).isoformat())
