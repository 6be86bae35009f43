"""Predictions as rows of a CSV file, and a small file of them made at once."""

import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from retainstream.engine.model.groups import groups_of
from retainstream.engine.model.levels import REASONS, LevelBounds
from retainstream.engine.records import Prediction
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.predictions.results import Filters, ResultsPage, every_result
from retainstream.runs.exports.layout import Cell, FileLayout
from retainstream.runs.exports.view import ExportView, link
from retainstream.storage.stores import Stores

SECONDS_AT_ONCE = 15.0
"""A file that takes longer is left to a run, so that the request is answered within 30 seconds."""
CONTENT_TYPE = "text/csv; charset=utf-8"
READ = (
    *("customer_id", "probability", "level", "interval", "confidence", "change", "value_at_risk", "action", "reasons", "features"),
    *("model_version", "scored_at", "group", "churned"),
)
"""The attributes of a prediction that its row and the filters need."""


class TooManyRows(Exception):
    """More predictions must be read than allowed, or than the time allows."""


def download(
    stores: Stores, schema: FeatureSchema, filters: Filters, bounds: LevelBounds | None, layout: FileLayout, *, at_most: int
) -> ExportView:
    """Writes every prediction that passes the filters to a CSV file in the bucket, and links to it for 15 minutes. The file is written anew
    when a customer was removed meanwhile.

    Raises:
        TooManyRows: more than `at_most` predictions would have to be read, or SECONDS_AT_ONCE are over. Nothing was written.
    """
    until = time.monotonic() + SECONDS_AT_ONCE
    made = datetime.now(UTC)
    key = f"exports/{made:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}.csv"
    removed_before, removed = -1, stores.removals.count()
    while removed_before != removed:
        removed_before = removed
        pages = every_result(stores.predictions, groups_of(schema, filters.group), filters, bounds)
        content, rows = _whole_file(schema, layout, pages, at_most, until)
        stores.documents.put_bytes(key, content, CONTENT_TYPE)
        removed = stores.removals.count()
    url, expires_at = link(stores.documents, key, made)
    return ExportView(url=url, expires_at=expires_at, rows=rows)


def header_of(schema: FeatureSchema, layout: FileLayout) -> bytes:
    """The first line of a file, in UTF-8."""
    kept = _kept(schema, layout)
    return layout.header([name if layout.data else words for name, words in _columns(schema) if name in kept])


def rows_of(schema: FeatureSchema, layout: FileLayout, predictions: Iterable[Prediction]) -> bytes:
    """The lines of predictions (their READ attributes), in UTF-8; no cell is a formula to a spreadsheet."""
    kept, names = _kept(schema, layout), [name for name, _ in _columns(schema)]
    places = [place for place, name in enumerate(names) if name in kept]
    rows = (_row(schema, prediction) for prediction in predictions)
    return layout.lines([row[place] for place in places] for row in rows)


def _kept(schema: FeatureSchema, layout: FileLayout) -> set[str]:
    """The names of the columns that are written: no amounts, in a file for people, where the schema has no money."""
    amounts = set() if layout.data or schema.money else {"value_at_risk", "action_expected_value"}
    return {name for name, _ in _columns(schema)} - (amounts - {column.name for column in schema.columns})


def _columns(schema: FeatureSchema) -> list[tuple[str, str]]:
    """The columns of a file: their names, and their headers in words."""
    currency = f" ({schema.money.currency})" if schema.money else ""
    return [
        (schema.id.column, schema.id.label),
        ("probability", "Probability"),
        ("level", "Level"),
        ("probability_low", "Probability from"),
        ("probability_high", "Probability to"),
        ("confidence", "Confidence"),
        ("change", "Change since last run"),
        ("value_at_risk", f"Value at risk{currency}"),
        ("action", "Action"),
        ("action_expected_value", f"Expected value{currency}"),
        *((f"reason_{number}", f"Reason {number}") for number in range(1, REASONS + 1)),
        *((column.name, f"{column.label} ({column.unit})" if column.unit else column.label) for column in schema.columns),
        ("model_version", "Model"),
        ("scored_at", "Scored at"),
    ]


def _whole_file(schema: FeatureSchema, layout: FileLayout, pages: Iterable[ResultsPage], at_most: int, until: float) -> tuple[bytes, int]:
    content = [header_of(schema, layout)]
    rows = examined = 0
    for page in pages:
        rows += len(page.predictions)
        examined += page.examined
        if examined > at_most or time.monotonic() > until:
            raise TooManyRows
        content.append(rows_of(schema, layout, page.predictions))
    return b"".join(content), rows


def _row(schema: FeatureSchema, prediction: Prediction) -> list[Cell]:
    action, interval = prediction["action"], prediction.get("interval")
    reasons = [reason["text"] for reason in prediction["reasons"]]
    return [
        prediction["customer_id"],
        _real(prediction["probability"]),
        prediction["level"],
        _real(interval["low"]) if interval else None,
        _real(interval["high"]) if interval else None,
        _real(prediction["confidence"]) if interval else None,
        _real(prediction.get("change")),
        _real(prediction["value_at_risk"]),
        action["title"] if action else None,
        _real(action["expected_value"]) if action else None,
        *reasons,
        *([None] * (REASONS - len(reasons))),
        *(_cell(column, prediction["features"].get(column.name)) for column in schema.columns),
        prediction["model_version"],
        prediction["scored_at"],
    ]


def _cell(column: Column, value: str | bool | float | None) -> Cell:
    return _real(value) if column.kind == "number" and not isinstance(value, str) else value


def _real(number: float | None) -> float | None:
    """A real number as such: DynamoDB returns a whole one without its decimal point."""
    return None if number is None else float(number)
