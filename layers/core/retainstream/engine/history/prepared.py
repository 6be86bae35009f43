"""Rows that were computed from sources, as rows of the history."""

from pathlib import Path

from duckdb import DuckDBPyConnection

from retainstream.engine.history.columns import ROW, TYPES, contribution_column, feature_column
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.sql import literal, quoted

_LAYOUT = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000"


def write_prepared(
    connection: DuckDBPyConnection, table: str, schema: FeatureSchema, anchor: str, *, moment: str, run_id: str, path: Path
) -> int:
    """Writes the rows of one anchor (ISO day) of a table, whose columns have the headers of the schema, to a file. Returns their number.

    `moment` is a time before the sources were read (ISO 8601 in UTC). A value that the schema does not allow becomes empty.
    """
    values = {
        "customer_id": f"CAST({quoted(schema.id.header)} AS VARCHAR)",
        "anchor_day": f"CAST(DATE {literal(anchor)} - DATE '1970-01-01' AS INTEGER)",
        "moment": literal(moment),
        "origin": "'prepared'",
        "run_id": literal(run_id),
        "group": f"CAST({_allowed(schema.column(schema.group))} AS VARCHAR)" if schema.group else "'all'",
        "price": f"CAST({_allowed(schema.column(schema.money.price))} AS DOUBLE)" if schema.money else "CAST(NULL AS DOUBLE)",
    }
    of_row = ", ".join(f"{values.get(name, f'CAST(NULL AS {kind})')} AS {quoted(name)}" for name, kind in ROW.items())
    of_features = ", ".join(
        f"TRY_CAST({_allowed(column)} AS {TYPES[column.kind]}) AS {feature_column(column)}" for column in schema.features
    )
    of_contributions = ", ".join(f"CAST(NULL AS REAL) AS {contribution_column(column)}" for column in schema.features)
    at_anchor = f"CAST({quoted(schema.anchor_header)} AS VARCHAR) = {literal(anchor)}"
    rows = f"SELECT {of_row}, {of_features}, {of_contributions} FROM {table} WHERE {at_anchor}"
    connection.execute(f"COPY ({rows} ORDER BY customer_id) TO {literal(str(path))} ({_LAYOUT})")
    (number,) = connection.execute(f"SELECT COUNT(*) FROM read_parquet({literal(str(path))})").fetchall()[0]
    return int(number)


def _allowed(column: Column) -> str:
    """The value of a column where the schema allows it, and nothing otherwise."""
    value = quoted(column.header)
    if column.kind == "category":
        listed = ", ".join(literal(level) for level in column.levels)
        other = literal(column.other) if column.other else "NULL"
        text = f"CAST({value} AS VARCHAR)"
        return f"CASE WHEN {value} IS NULL THEN NULL WHEN {text} IN ({listed}) THEN {text} ELSE {other} END"
    bounds = [
        f"{value} >= {column.min!r}" if column.min is not None else "",
        f"{value} <= {column.max!r}" if column.max is not None else "",
    ]
    within = " AND ".join(filter(None, bounds))
    return f"CASE WHEN {within} THEN {value} END" if within else value
