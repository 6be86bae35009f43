"""Predictions as a CSV file that is safe to open in a spreadsheet."""

import csv
import io
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from retainstream.schema import FeatureSchema
from retainstream.scoring.groups import groups_of
from retainstream.scoring.levels import REASONS
from retainstream.scoring.results import Filters, ResultsPage, every_result
from retainstream.scoring.safe_cells import safe_cell as safe_cell
from retainstream.scoring.views import ExportView
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions

EXPORT_ROWS = 20_000
EXPORT_EXAMINED = 60_000
LINK_SECONDS = 900


class TooManyRows(Exception):
    """More predictions than one file may hold, or than may be read for it."""


def download(
    predictions: Predictions, documents: Documents, schema: FeatureSchema, filters: Filters, threshold: float | None
) -> ExportView:
    """Writes every prediction that passes the filters to a CSV file in the bucket, and links to it for 15 minutes.

    Raises:
        TooManyRows: see `csv_export`.
    """
    content, rows = csv_export(schema, every_result(predictions, groups_of(schema, filters.group), filters, threshold))
    made = datetime.now(UTC)
    key = f"exports/{made:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}.csv"
    documents.put_bytes(key, content, "text/csv; charset=utf-8")
    url = documents.download_link(key, file_name=f"predictions-{made:%Y-%m-%d}.csv", seconds=LINK_SECONDS)
    return ExportView(url=url, expires_at=(made + timedelta(seconds=LINK_SECONDS)).isoformat(timespec="seconds"), rows=rows)


def csv_export(schema: FeatureSchema, pages: Iterable[ResultsPage]) -> tuple[bytes, int]:
    """A CSV file in UTF-8 with a header, and how many rows it has below it.

    Text that a spreadsheet might take for a formula (starting with =, +, -, @, tab or a line end) is led by an apostrophe.

    Raises:
        TooManyRows: more than EXPORT_ROWS predictions, or more than EXPORT_EXAMINED read.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe_cell(cell) for cell in _header(schema)])
    rows = examined = 0
    for page in pages:
        rows += len(page.predictions)
        examined += page.examined
        if rows > EXPORT_ROWS or examined > EXPORT_EXAMINED:
            raise TooManyRows
        writer.writerows([safe_cell(cell) for cell in _row(schema, prediction)] for prediction in page.predictions)
    return text.getvalue().encode(), rows


def _header(schema: FeatureSchema) -> list[str]:
    return [
        schema.id.column,
        "probability",
        "level",
        "confidence",
        "change",
        "value_at_risk",
        "action",
        "action_expected_value",
        *(f"reason_{number}" for number in range(1, REASONS + 1)),
        *(column.name for column in schema.columns),
        "model_version",
        "scored_at",
    ]


def _row(schema: FeatureSchema, prediction: Mapping[str, Any]) -> list[Any]:
    action = prediction["action"] or {}
    reasons = [reason["text"] for reason in prediction["reasons"]]
    return [
        prediction["customer_id"],
        prediction["probability"],
        prediction["level"],
        prediction["confidence"],
        prediction.get("change"),
        prediction["value_at_risk"],
        action.get("title"),
        action.get("expected_value"),
        *reasons,
        *([None] * (REASONS - len(reasons))),
        *(prediction["features"].get(column.name) for column in schema.columns),
        prediction["model_version"],
        prediction["scored_at"],
    ]
