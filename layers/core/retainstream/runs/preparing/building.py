"""Building: the sources become training rows of the past, and the present features and lives of all customers."""

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retainstream.engine.history.prepared import write_prepared
from retainstream.engine.lives import day_number, iso_day
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.anchors import anchor_days
from retainstream.engine.sources.build import Built, build
from retainstream.engine.sources.delivered import Delivered, SourceFiles, UnusableSources, read_sources
from retainstream.engine.sources.kept import as_delivered, kept_columns
from retainstream.engine.sources.lives import lives
from retainstream.engine.sql import quoted
from retainstream.runs.preparing.prepared import PreparedCustomer, SourceLife
from retainstream.runs.preparing.view import FindingFigures, Result
from retainstream.settings import settings
from retainstream.storage.sources import KINDS
from retainstream.storage.stores import Stores

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CUSTOMERS_IN_PART = 20_000
PREPARED = "prepared-0"
"""The name of the file of an anchor: each preparation replaces what the one before it computed."""
_FETCHED = 5_000


def read_kept(stores: Stores, connection: "DuckDBPyConnection", schema: FeatureSchema, folder: Path) -> Delivered:
    """Reads the kept sources that the schema reads."""
    files: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        source = getattr(schema.sources, kind)
        for number, file in enumerate(stores.sources.parts(kind).values()) if source else ():
            kept, path = folder / "kept", folder / f"{kind}-{number}.parquet"
            stores.sources.read(file, kept)
            as_delivered(connection, kept_columns(schema, source), kept, path)
            kept.unlink()
            files[kind].append(path)
    today = day_number(datetime.now(UTC).date().isoformat())
    return read_sources(connection, schema, SourceFiles(**files), today=today)


def built_at(connection: "DuckDBPyConnection", schema: FeatureSchema, delivered: Delivered) -> tuple[list[int], Built, list[str]]:
    """The features at the anchors of the newest months, whose days are returned with notes, and at the first day after the sources."""
    notes: list[str] = []
    try:
        newest = delivered.through + 1 - round(settings().history_months * 30.44)
        days = [day for day in anchor_days(schema.anchors or "monthly", delivered) if day >= newest]
    except UnusableSources as error:
        days, notes = [], [f"No training rows of the past: {error}"]
    built = build(connection, schema, delivered, sorted({*days, delivered.through + 1}))
    if built.shortened:
        notes.append(
            f"The longest window is {built.longest_window} days, and the sources begin on {iso_day(delivered.first)}: "
            f"{len(built.shortened)} of {len(built.anchors)} anchors see only a part of it."
        )
    return days, built, [*delivered.notes, *notes]


def keep_snapshots(
    stores: Stores, connection: "DuckDBPyConnection", schema: FeatureSchema, built: Built, days: Sequence[int], run_id: str, folder: Path
) -> int:
    """Puts the rows of each anchor into the history, in place of those of the preparation before. Returns their number."""
    moment, rows = stores.runs.existing(run_id)["started_at"], 0
    for day in days:
        path = folder / "snapshot.parquet"
        rows += write_prepared(connection, built.table, schema, iso_day(day), moment=moment, run_id=run_id, path=path)
        stores.history.put(iso_day(day), PREPARED, path)
    wanted = {iso_day(day) for day in days}
    for file in stores.history.files():
        if file.key.endswith(f"/{PREPARED}.parquet") and file.anchor not in wanted:
            stores.history.remove(file)
    return rows


def keep_customers(
    stores: Stores, connection: "DuckDBPyConnection", schema: FeatureSchema, built: Built, delivered: Delivered, run_id: str
) -> tuple[list[str], int]:
    """Leaves every customer with a row at some anchor, in parts. Returns the names of the parts, and the number of customers."""
    names, number = [], 0
    for place, customers in enumerate(batched(prepared_customers(connection, schema, built, delivered), CUSTOMERS_IN_PART)):
        name = f"customers-{place}"
        content = b"".join(json.dumps(customer, separators=(",", ":")).encode() + b"\n" for customer in customers)
        stores.documents.put_bytes(work_key(run_id, name), zlib.compress(content, 1))
        names.append(name)
        number += len(customers)
    return names, number


def prepared_customers(
    connection: "DuckDBPyConnection", schema: FeatureSchema, built: Built, delivered: Delivered
) -> Iterator[PreparedCustomer]:
    """The customers by id. Their features are those of their newest row."""
    identity, anchor = quoted(schema.id.header), quoted(schema.anchor_header)
    headers = ", ".join(f"f.{quoted(column.header)}" for column in schema.columns)
    table = lives(connection, schema, delivered)
    cursor = connection.execute(f"""
        SELECT CAST(f.{identity} AS VARCHAR) AS id, CAST(f.{anchor} AS VARCHAR) AS anchor, l.lives, {headers}
        FROM {built.table} AS f
        LEFT JOIN (
            SELECT customer_id, LIST([began_on, first_seen_on, left_on, observed_until] ORDER BY first_seen_on) AS lives
            FROM {table} GROUP BY customer_id
        ) AS l ON l.customer_id = CAST(f.{identity} AS VARCHAR)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY anchor DESC) = 1
        ORDER BY id
    """)  # noqa: S608
    names = [column.name for column in schema.columns]
    while rows := cursor.fetchmany(_FETCHED):
        for customer_id, day, known, *values in rows:
            features: dict[str, Any] = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            yield {"customer_id": customer_id, "features": features, "features_on": day, "lives": [_life(life) for life in known or ()]}


def _life(days: Sequence[int | None]) -> SourceLife:
    began, first, left, until = (iso_day(day) if day is not None else None for day in days)
    return {"began_on": began, "first_seen_on": first or until or "", "left_on": left, "observed_until": until or first or ""}


def result_of(built: Built, delivered: Delivered, notes: Sequence[str]) -> Result:
    """What is told of a preparation at its end."""
    findings: list[FindingFigures] = [
        {"source": finding.source, "rows": finding.rows, "text": finding.text, "kept": finding.kept} for finding in delivered.findings
    ]
    for column in built.columns:
        if column["lacking"]:
            text = f"rows without a value of {column['column']}, which the schema requires: {column['lacking']:,}"
            findings.append({"source": "features", "rows": column["lacking"], "text": text, "kept": False})
        if column["outside"]:
            text = f"rows with a value of {column['column']} that the schema does not allow, which counts as missing: {column['outside']:,}"
            findings.append({"source": "features", "rows": column["outside"], "text": text, "kept": True})
    features_on, through = iso_day(delivered.through + 1), iso_day(delivered.through)
    return {
        "through": through,
        "features_on": features_on,
        "anchors": [{**report} for report in built.anchors],
        "findings": findings,
        "notes": list(notes),
    }


def work_key(run_id: str, name: str) -> str:
    return f"preparing/{run_id}/{name}"
