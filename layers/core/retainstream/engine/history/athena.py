"""The statements on the history as Athena runs them, and its answers, which are Parquet files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from retainstream.engine.history.columns import ROW, TYPES, feature_column
from retainstream.engine.history.database import Files, files_list
from retainstream.engine.history.lives import LIFE
from retainstream.engine.history.statements import counts_by_anchor, rows_of_days
from retainstream.engine.history.training_rows import BEFORE_ALL, Counts, Plan, TrainingTable, joined, table_of
from retainstream.engine.lives import Label, iso_day
from retainstream.engine.schema import FeatureSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_GLUE = {"DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean", "VARCHAR": "string", "INTEGER": "int"}
_READ = ("customer_id", "anchor_day", "moment", "origin", "run_id", "group", "price")


def table_columns(schema: FeatureSchema) -> dict[str, str]:
    """The columns of the table `history` that the statements read under this schema, with Glue's types."""
    features = {feature_column(column): TYPES[column.kind] for column in schema.features}
    return {name: _GLUE[kind] for name, kind in {**{name: ROW[name] for name in _READ}, **features}.items()}


def ask_counts(schema: FeatureSchema, database: str, first: str, last: str, location: str) -> str:
    """The statement that leaves the customers of each anchor by label at `location`, for anchors from `first` to `last` (ISO days)."""
    statement = counts_by_anchor(BEFORE_ALL, schema.horizon_days, schema.silence_days)
    return _unload(statement, ("customer_id", "anchor_day"), database, first, last, location)


def ask_rows(schema: FeatureSchema, plan: Plan, database: str, location: str) -> str:
    """The statement that leaves the rows of all days of a plan, with their labels, at `location`."""
    statement = rows_of_days(schema, plan.days, plan.spacing_days, schema.horizon_days, schema.silence_days)
    first, last = iso_day(min(plan.days) - plan.spacing_days + 1), iso_day(max(plan.days))
    return _unload(statement, tuple(table_columns(schema)), database, first, last, location)


def _unload(statement: str, columns: Sequence[str], database: str, first: str, last: str, location: str) -> str:
    """A statement in Athena's SQL. It reads the database's tables, and of the history the anchors from `first` to `last`."""
    from sqlglot import transpile  # takes a fifth of a second, which only a large history pays

    read = ", ".join(f'"{name}"' for name in columns)
    history = f"SELECT {read} FROM \"{database}\".\"history\" WHERE anchor BETWEEN '{first}' AND '{last}'"
    lives = f'SELECT {", ".join(LIFE)} FROM "{database}"."lives"'
    whole = f"WITH history AS ({history}), lives AS ({lives}) SELECT * FROM ({statement}) AS answer"
    (translated,) = transpile(whole, read="duckdb", write="athena")
    return f"UNLOAD ({translated}) TO '{location}' WITH (format = 'PARQUET')"


def read_counts(connection: "DuckDBPyConnection", answer: Files) -> dict[int, Counts]:
    """The customers of each anchor by label, see `training_rows.anchor_counts`. An empty answer has no files."""
    counts: dict[int, dict[int, int]] = {}
    if answer:
        source = f"read_parquet({files_list(answer)})"
        for day, label, customers in connection.execute(f"SELECT anchor_day, label, customers FROM {source}").fetchall():
            counts.setdefault(day, {})[label] = customers
    return dict(counts)


def labelled_in(connection: "DuckDBPyConnection", answer: Files) -> int:
    """The rows of an answer whose outcome is known."""
    if not answer:
        return 0
    labels = f"{Label.STAYED}, {Label.LEFT}"
    ((rows,),) = connection.execute(f"SELECT COUNT(*) FROM read_parquet({files_list(answer)}) WHERE label IN ({labels})").fetchall()
    return int(rows)


def read_rows(
    connection: "DuckDBPyConnection", answer: Files, schema: FeatureSchema, plan: Plan, part: int = 0, parts: int = 1
) -> TrainingTable:
    """The training rows of a plan, or those of one part of the customers."""
    names = ("customer_id", "anchor_day", "group", "price", *map(feature_column, schema.features), "label", "source", "assumed")
    read = ", ".join(f'"{name}" AS "{name}"' for name in names)  # Athena writes all names in lower case
    tables = []
    for day in plan.days if answer else ():
        columns = connection.execute(
            f"SELECT {read} FROM read_parquet({files_list(answer)}) WHERE day = {day} AND hash(customer_id) % {parts} = {part}"
        ).fetchnumpy()
        tables.append(table_of({name: np.ma.asarray(values) for name, values in columns.items()}, schema, day, plan))
    return joined(tables, schema, plan)
