"""Reads profiles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, FeatureSchema, value_problem
from retainstream.engine.schema.sources import Profile
from retainstream.engine.sources.reading import CUSTOMERS, PROFILE, Reading, day_of, fault_cases
from retainstream.engine.sources.spelled import moments
from retainstream.engine.sources.staging import STAGED
from retainstream.engine.sql import quoted
from retainstream.engine.tables.cells import value_in
from retainstream.engine.tables.numbers import Decimal

_READ = "read_profile"
_KINDS = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "category": "VARCHAR", "date": "VARCHAR"}


def profile_columns(schema: FeatureSchema) -> list[Column]:
    """The columns that are read from the profile, in the order of p0, p1, …"""
    return [column for column in schema.columns if column.origin is None or column.origin.profile is not None]


def sql_kind(column: Column) -> str:
    """The type of a column in DuckDB."""
    return _KINDS[column.kind]


def read_profile(reading: Reading, schema: FeatureSchema, source: Profile, files: Sequence[Path]) -> None:
    """Fills the table of profiles. Of rows with the same customer and day the last counts.

    Raises:
        UnreadableTable
    """
    connection = reading.connection
    columns = profile_columns(schema)
    described = "".join(f", p{place} {sql_kind(column)}" for place, column in enumerate(columns))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_READ} (customer INTEGER, file INTEGER, line BIGINT, since INTEGER, fault UTINYINT{described})"
    )
    wanted = {"id": source.id} | ({"at": source.at} if source.at else {})
    wanted |= {
        f"p{place}": column.origin.profile if column.origin and column.origin.profile else column.header
        for place, column in enumerate(columns)
    }
    optional = [f"p{place}" for place, column in enumerate(columns) if column.missing]
    for number, staged in enumerate(reading.staged("profile", files, wanted, optional, form=source.format, zone=source.zone)):
        at = moments(connection, STAGED, "at", source.format, source.zone) if source.at else ""
        timed = (f", {at} AS moment", ', "at"') if at else (", 0 AS moment", ", '' AS \"at\"")
        values = "".join(f", {_value(reading, f'p{place}', column, staged.decimal)}" for place, column in enumerate(columns))
        names = "".join(f", p{place}" for place in range(len(columns)))
        connection.execute(f"""
            INSERT INTO {_READ}
            SELECT c.customer, {number}, line, {day_of("moment") if at else "NULL"},
                CASE {fault_cases("s.id", "s.at", "moment", reading.limit)} ELSE 0 END{names}
            FROM (SELECT id, rowid AS line{"".join(timed)}{values} FROM {STAGED}) AS s LEFT JOIN {CUSTOMERS} AS c ON c.id = s.id
        """)
    reading.remark_faults("profile", _READ)
    sound = f"FROM {_READ} WHERE fault = 0"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {PROFILE} AS SELECT * EXCLUDE (fault, file, line)
        {sound} QUALIFY ROW_NUMBER() OVER (PARTITION BY customer, since ORDER BY file DESC, line DESC) = 1
    """)
    reading.kept["profile"] = reading.number_of(f"SELECT COUNT(*) FROM {PROFILE}")
    reading.remark("profile", "repeated", reading.number_of(f"SELECT COUNT(*) {sound}") - reading.kept["profile"])
    connection.execute(f"DROP TABLE {_READ}")


def _value(reading: Reading, name: str, column: Column, decimal: Decimal) -> str:
    """An expression for the values of a column. The distinct texts are read by the rules for a customer's columns."""
    connection = reading.connection
    counted = connection.execute(f"SELECT {quoted(name)}, COUNT(*) FROM {STAGED} GROUP BY ALL").fetchall()
    values: dict[str, Value] = {}
    unfit: dict[str, int] = {}
    for text, rows in counted:
        value = value_in(column, text, decimal)
        if column.other and isinstance(value, str) and value not in column.places:
            value = column.other
        problem = None if value is None else value_problem(column, value)
        if problem:
            unfit[problem] = unfit.get(problem, 0) + rows
        elif value is not None:
            values[text] = value
    for problem, rows in unfit.items():
        reading.remark("profile", "bad_value", rows, column=column.header, problem=problem)
    table = f"values_of_{name}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} (text VARCHAR, value {sql_kind(column)})")
    if values:
        connection.register("spelled_values", {"text": np.array(list(values), dtype=object), "value": _array(list(values.values()))})
        connection.execute(f"INSERT INTO {table} SELECT text, value FROM spelled_values")
        connection.unregister("spelled_values")
    return f"(SELECT ANY_VALUE(v.value) FROM {table} AS v WHERE v.text = {STAGED}.{quoted(name)}) AS {name}"


def _array(values: list[Value]) -> np.ndarray:
    return np.array(values, dtype=object) if isinstance(values[0], str) else np.array(values)
