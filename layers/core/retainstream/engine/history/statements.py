"""The statements on the history, in the SQL that DuckDB, Athena and DataFusion have in common.

They read two tables: `history`, whose columns `columns.columns_of` names, and `lives`, whose columns `lives.LIFE` names. All days are whole
numbers, counted from 1970-01-01: engines differ in the arithmetic of dates.
"""

from collections.abc import Sequence

from retainstream.engine.history.columns import feature_column
from retainstream.engine.history.rows import ASSUMED
from retainstream.engine.lives import Label
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sql import literal


def label(horizon_days: int, silence_days: int) -> str:
    """The label of row `r` by life `l`, as an expression; the rule is that of `engine.lives`.

    With silence_days, `n` is the life that `l` continues as, if there is one.

    There the assumed day of leaving is the middle of its range, rounded up; a half is at most a day e where the sum is at most 2 e.
    """
    end = f"(r.anchor_day + {horizon_days})"
    left_on, left_after, observed_until = (
        f"(CASE WHEN n.place IS NULL THEN l.{day} ELSE n.{day} END)" if silence_days else f"l.{day}"
        for day in ("left_on", "left_after", "observed_until")
    )
    after = f"COALESCE({left_after}, {left_on} - 1)"
    after = f"(CASE WHEN {after} > r.anchor_day THEN {after} ELSE r.anchor_day END)"
    return f"""CASE
            WHEN COALESCE(l.began_on, l.first_seen_on) > r.anchor_day OR l.left_on <= r.anchor_day THEN {Label.NO_ROW}
            WHEN {left_on} + {after} <= 2 * {end} THEN {Label.LEFT}
            WHEN {left_on} IS NOT NULL OR {observed_until} >= {end} THEN {Label.STAYED}
            ELSE {Label.UNKNOWN}
        END"""


def _labelled(rows: str, keys: Sequence[str], horizon_days: int, silence_days: int) -> str:
    """The labels of the rows of a table: `keys`, label, source of the outcome. Rows of unknown customers are left out.

    Of several lives of a customer the oldest one that had not ended by the anchor counts.
    """
    named, labels = ", ".join(keys), len(Label)
    continued = f"""
            LEFT JOIN lives AS n ON n.customer_id = l.customer_id AND n.place = l.place + 1
                AND n.first_seen_on <= r.anchor_day + {silence_days}"""
    return f"""
        SELECT {named}, MIN(CASE WHEN label = {Label.NO_ROW} THEN {_NONE} ELSE {labels} * place + label END) % {labels} AS label,
            MAX(source) AS source
        FROM (
            SELECT {", ".join(f"r.{key}" for key in keys)}, l.place, {label(horizon_days, silence_days)} AS label, l.source
            FROM {rows} AS r JOIN lives AS l ON l.customer_id = r.customer_id{continued if silence_days else ""}
        ) AS by_life
        GROUP BY {named}"""


_NONE = 1_000_000 * len(Label) + Label.NO_ROW
"""Larger than the place of any life, and the label where no life counts."""


def counts_by_anchor(first_day: int, horizon_days: int, silence_days: int = 0) -> str:
    """The customers with a row, from `first_day` on: anchor_day, label, rows."""
    return f"""
        WITH known AS (SELECT DISTINCT customer_id, anchor_day FROM history WHERE anchor_day >= {first_day}),
        labelled AS ({_labelled("known", ("customer_id", "anchor_day"), horizon_days, silence_days)})
        SELECT anchor_day, label, COUNT(*) AS customers FROM labelled GROUP BY anchor_day, label ORDER BY anchor_day, label"""


def rows_of_days(schema: FeatureSchema, days: Sequence[int], spacing_days: int, horizon_days: int, silence_days: int = 0) -> str:
    """Of each customer the newest row in (day − spacing_days, day] of each of the days, with its label.

    customer_id, anchor_day, day, group, price, the features in the order of the schema, label, source, and assumed (1 where nobody stated
    the days of the row); by customer and anchor.
    """
    kept = ", ".join(f"({day})" for day in days)
    features = ", ".join(f"n.{feature_column(column)}" for column in schema.features)
    return f"""
        WITH kept (kept_day) AS (VALUES {kept}),
        ranked AS (
            SELECT h.*, k.kept_day AS day, ROW_NUMBER() OVER (
                PARTITION BY h.customer_id, k.kept_day
                ORDER BY h.anchor_day DESC, CASE WHEN h.origin = 'scored' THEN 0 ELSE 1 END, h.moment DESC, h.run_id DESC
            ) AS place
            FROM history AS h JOIN kept AS k ON h.anchor_day <= k.kept_day AND h.anchor_day > k.kept_day - {spacing_days}
        ),
        newest AS (SELECT * FROM ranked WHERE place = 1),
        labelled AS ({_labelled("newest", ("customer_id", "anchor_day", "day"), horizon_days, silence_days)})
        SELECT n.customer_id, n.anchor_day, n.day, n."group", n.price, {features}, d.label, d.source,
            CASE WHEN n.run_id LIKE '{ASSUMED}%' THEN 1 ELSE 0 END AS assumed
        FROM newest AS n JOIN labelled AS d ON d.customer_id = n.customer_id AND d.day = n.day
        ORDER BY n.customer_id, n.anchor_day"""


def scored_days(first_day: int, last_day: int) -> str:
    """The predictions with anchors from first_day to last_day: model_version, run_id, anchor_day, customers, moment of the first one."""
    return f"""
        SELECT model_version, run_id, anchor_day, COUNT(DISTINCT customer_id) AS customers, MIN(moment) AS moment
        FROM history
        WHERE origin = 'scored' AND probability IS NOT NULL AND anchor_day BETWEEN {first_day} AND {last_day}
        GROUP BY model_version, run_id, anchor_day ORDER BY model_version, run_id, anchor_day"""


def counts_by_probability(run_id: str, first_day: int, last_day: int, horizon_days: int, silence_days: int = 0) -> str:
    """The predictions of a run with anchors from first_day to last_day, the newest of each customer: millionths of probability, label,
    customers."""
    return f"""
        WITH scored AS (
            SELECT customer_id, anchor_day, probability,
                ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY anchor_day DESC, moment DESC) AS place
            FROM history
            WHERE run_id = {literal(run_id)} AND origin = 'scored' AND probability IS NOT NULL
                AND anchor_day BETWEEN {first_day} AND {last_day}
        ),
        newest AS (SELECT * FROM scored WHERE place = 1),
        labelled AS ({_labelled("newest", ("customer_id", "anchor_day"), horizon_days, silence_days)}),
        counted AS (
            SELECT CAST(ROUND(n.probability * 1000000) AS INTEGER) AS millionths, d.label
            FROM newest AS n JOIN labelled AS d ON d.customer_id = n.customer_id
        )
        SELECT millionths, label, COUNT(*) AS customers FROM counted GROUP BY millionths, label ORDER BY millionths, label"""
