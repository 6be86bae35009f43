"""Features and labels of customers at anchors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from duckdb import DuckDBPyConnection

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.batches import ROWS, Batches
from retainstream.engine.sources.delivered import Delivered, UnusableSources, iso_day
from retainstream.engine.sources.facts import table_query, unlisted_plans
from retainstream.engine.sources.reading import Progress
from retainstream.engine.sql import quoted

FEATURES = "source_features"


class AnchorReport(TypedDict):
    """The rows of an anchor. An anchor has labels when its window is over; otherwise `left` and `stayed` are 0."""

    anchor: str
    labelled: bool
    rows: int
    left: int
    stayed: int


class ColumnReport(TypedDict):
    """Rows of a column without a value that the schema requires, and with a value that the schema does not allow."""

    column: str
    lacking: int
    outside: int


@dataclass(frozen=True)
class Built:
    """A table of features and labels.

    table: the name of a DuckDB table with the columns schema.id.header, schema.anchor_header (ISO day), the headers of the schema's
        columns, and schema.label.header (1 left, 0 stayed, null not known), sorted by anchor and id. A row is a customer at an anchor.
    columns: those with a value that the schema does not accept.
    shortened: the anchors before which the longest window reaches back to days before the first of the sources.
    """

    table: str
    rows: int
    customers: int
    anchors: list[AnchorReport]
    columns: list[ColumnReport]
    longest_window: int
    shortened: list[str]


def build(
    connection: DuckDBPyConnection,
    schema: FeatureSchema,
    delivered: Delivered,
    anchors: Sequence[int],
    *,
    progress: Progress = lambda _step, _share: None,
) -> Built:
    """The features of each customer at each anchor, from what lies strictly before it, and the label, from what lies strictly after it.

    Args:
        delivered: sources that were read on this connection (`delivered.read_sources`).
        anchors: days since 1970-01-01, in order (`anchors.anchor_days`).

    Raises:
        UnusableSources: the schema has no sources.
    """
    if schema.sources is None or schema.churn is None:
        raise UnusableSources("the schema has no sources")
    churn = schema.churn
    wait = max(1, churn.grace_days) if churn.when == "subscription-ended" else 0
    labelled = {anchor: anchor + schema.horizon_days + wait <= delivered.through for anchor in anchors}
    columns = [column for column in schema.columns if column.origin and column.origin.events is not None]
    aggregates = "".join(f", e{place} DOUBLE" for place in range(len(columns)))
    batches = Batches(connection, schema, churn, [column.origin for column in columns if column.origin], list(anchors), labelled)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} (customer INTEGER, anchor INTEGER, label TINYINT{aggregates})")
    ranges = batches.ranges(delivered.customers)
    for number, (first, last) in enumerate(ranges):
        progress("computing features", number / len(ranges))
        batches.keep_rows(first, last)
    progress("joining features", 0.0)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {FEATURES} AS {table_query(schema, ROWS, columns)}")
    longest = max(
        (max(origin.days or 0, origin.of or 0, 2 * (origin.days or 0) if origin.trend else 0) for origin in batches.origins), default=0
    )
    built = Built(
        table=FEATURES,
        rows=connection.execute(f"SELECT COUNT(*) FROM {FEATURES}").fetchall()[0][0],
        customers=connection.execute(f"SELECT COUNT(DISTINCT customer) FROM {ROWS}").fetchall()[0][0],
        anchors=_anchor_reports(connection, anchors, labelled),
        columns=_column_reports(connection, schema),
        longest_window=longest,
        shortened=[iso_day(anchor) for anchor in anchors if anchor - longest < delivered.first],
    )
    connection.execute(f"DROP TABLE {ROWS}")
    return built


def _anchor_reports(connection: DuckDBPyConnection, anchors: Sequence[int], labelled: dict[int, bool]) -> list[AnchorReport]:
    counted = connection.execute(
        f"SELECT anchor, COUNT(*), COUNT(*) FILTER (label = 1), COUNT(*) FILTER (label = 0) FROM {ROWS} GROUP BY anchor"
    ).fetchall()
    counts = {anchor: rest for anchor, *rest in counted}
    return [
        AnchorReport(anchor=iso_day(anchor), labelled=labelled[anchor], rows=rows, left=left, stayed=stayed)
        for anchor in anchors
        for rows, left, stayed in [counts.get(anchor, (0, 0, 0))]
    ]


def _column_reports(connection: DuckDBPyConnection, schema: FeatureSchema) -> list[ColumnReport]:
    """The columns with values that the schema does not accept."""
    cells = []
    for column in schema.columns:
        header = quoted(column.header)
        bounds = [
            f"{header} < {column.min!r}" if column.min is not None else "",
            f"{header} > {column.max!r}" if column.max is not None else "",
        ]
        outside = " OR ".join(filter(None, bounds)) or "FALSE"
        cells += [f"COUNT(*) FILTER ({header} IS NULL)" if not column.missing else "0", f"COUNT(*) FILTER ({outside})"]
    counts = connection.execute(f"SELECT {', '.join(cells)} FROM {FEATURES}").fetchall()[0]
    unlisted = [
        connection.execute(unlisted_plans(schema, column, ROWS)).fetchall()[0][0]
        if column.origin and column.origin.subscriptions == "plan"
        else 0
        for column in schema.columns
    ]
    outside_of = (outside + other for outside, other in zip(counts[1::2], unlisted, strict=True))
    pairs = zip(schema.columns, counts[::2], outside_of, strict=True)
    return [ColumnReport(column=column.name, lacking=lacking, outside=outside) for column, lacking, outside in pairs if lacking or outside]
