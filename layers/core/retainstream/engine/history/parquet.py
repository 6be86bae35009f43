"""The files of the history: rows that arrived become Parquet, one file for each anchor, and people who were removed go from them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.history.columns import ROW, TYPES, contribution_column, feature_column
from retainstream.engine.history.database import Files, files_list
from retainstream.engine.lives import iso_day
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sql import literal, quoted

CONTRIBUTION_DECIMALS = 3
"""Contributions are kept in thousandths of log-odds: at most 0.0125 points of probability each, at half the size of the file. Probabilities
and margins have the six decimals that are shown."""

type RemovedAmong = Callable[[list[str]], Mapping[str, str]]
"""Customers' ids → those of removed customers, each with the moment of the removal (ISO 8601)."""

_IDS_AT_ONCE = 100_000
_LAYOUT = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000"


@dataclass(frozen=True)
class KeptFile:
    """A file with the rows of one anchor (2026-01-31)."""

    anchor: str
    path: Path
    rows: int


def keep(
    connection: DuckDBPyConnection, arrivals: Files, schema: FeatureSchema, run_id: str, folder: Path, removed_among: RemovedAmong | None
) -> list[KeptFile]:
    """Writes rows that arrived (see `rows.ArrivingRow`) to `folder`, a file for each anchor, sorted by customer.

    Of a customer's rows of one anchor the newest is kept, and none that is older than the customer's removal. A value that is not of its
    column's kind becomes empty.
    """
    connection.execute(f"CREATE OR REPLACE TABLE arrived AS {_arrived(arrivals, schema, run_id)}")
    if removed_among:
        _forget("arrived", connection, removed_among)
    counted = connection.execute("SELECT anchor_day, COUNT(*) FROM arrived GROUP BY anchor_day ORDER BY anchor_day").fetchall()
    kept = []
    for day, rows in counted:
        anchor = iso_day(day)
        path = folder / f"{anchor}.parquet"
        _write(connection, f"SELECT * FROM arrived WHERE anchor_day = {day}", path)
        kept.append(KeptFile(anchor, path, rows))
    connection.execute("DROP TABLE arrived")
    return kept


def _arrived(arrivals: Files, schema: FeatureSchema, run_id: str) -> str:
    features = ", ".join(f'"{column.name}" {TYPES[column.kind]}' for column in schema.features)
    contributions = ", ".join(f'"{column.name}" DOUBLE' for column in schema.features)
    fields = {
        **{name: kind for name, kind in ROW.items() if name not in ("anchor_day", "run_id", "treated")},
        "anchor": "DATE",
        "features": f"STRUCT({features})",
        "contributions": f"STRUCT({contributions})",
    }
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in fields.items())
    computed = {"anchor_day": "CAST(anchor - DATE '1970-01-01' AS INTEGER)", "run_id": literal(run_id), "treated": "CAST(NULL AS BOOLEAN)"}
    of_row = ", ".join(f'{computed.get(name, quoted(name))} AS "{name}"' for name in ROW)
    of_features = ", ".join(f'features."{column.name}" AS {feature_column(column)}' for column in schema.features)
    of_contributions = ", ".join(
        f'CAST(ROUND(contributions."{column.name}", {CONTRIBUTION_DECIMALS}) AS REAL) AS {contribution_column(column)}'
        for column in schema.features
    )
    return f"""
        SELECT {of_row}, {of_features}, {of_contributions}
        FROM read_json({files_list(arrivals)}, format = 'newline_delimited', columns = {{{types}}}, ignore_errors = true)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id, anchor ORDER BY moment DESC) = 1
        ORDER BY anchor_day, customer_id
    """


def forget(connection: DuckDBPyConnection, file: Path, removed_among: RemovedAmong, rewritten: Path) -> int:
    """Writes a file anew without the rows of removed customers that are older than the removal. Returns the number of those rows.

    Without such rows nothing is written.
    """
    connection.execute(f"CREATE OR REPLACE VIEW kept AS SELECT * FROM read_parquet({literal(str(file))})")
    if not _note_removed("kept", connection, removed_among):
        return 0
    (gone,) = connection.execute(f"SELECT COUNT(*) FROM kept WHERE {_IS_GONE}").fetchall()[0]
    if gone:
        _write(connection, f"SELECT * FROM kept WHERE NOT {_IS_GONE}", rewritten)
    return int(gone)


def rows_in(connection: DuckDBPyConnection, file: Path) -> int:
    """The number of rows of a file."""
    ((rows,),) = connection.execute(f"SELECT COUNT(*) FROM read_parquet({literal(str(file))})").fetchall()
    return int(rows)


_IS_GONE = """EXISTS (
    SELECT 1 FROM removed
    WHERE removed.customer_id = kept.customer_id AND CAST(kept.moment AS TIMESTAMPTZ) <= CAST(removed.removed_at AS TIMESTAMPTZ)
)"""


def _forget(table: str, connection: DuckDBPyConnection, removed_among: RemovedAmong) -> None:
    if _note_removed(table, connection, removed_among):
        connection.execute(f"DELETE FROM {table} WHERE {_IS_GONE.replace('kept.', f'{table}.')}")


def _note_removed(table: str, connection: DuckDBPyConnection, removed_among: RemovedAmong) -> bool:
    """Fills the table `removed` with the removed customers of a table. Returns whether there are any."""
    removed: dict[str, str] = {}
    for ids in _customer_ids(table, connection):
        removed |= removed_among(ids)
    connection.execute("CREATE OR REPLACE TABLE removed (customer_id VARCHAR, removed_at VARCHAR)")
    if removed:
        connection.executemany("INSERT INTO removed VALUES (?, ?)", list(removed.items()))
    return bool(removed)


def _customer_ids(table: str, connection: DuckDBPyConnection) -> Iterator[list[str]]:
    cursor = connection.cursor().execute(f"SELECT DISTINCT customer_id FROM {table}")
    while rows := cursor.fetchmany(_IDS_AT_ONCE):
        yield [customer_id for (customer_id,) in rows]


def _write(connection: DuckDBPyConnection, rows: str, path: Path) -> None:
    connection.execute(f"COPY ({rows} ORDER BY customer_id) TO {literal(str(path))} ({_LAYOUT})")
