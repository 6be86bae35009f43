"""Reads the files of the command line."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from retainstream.engine.schema import FeatureSchema
    from retainstream.engine.tables.cells import Decimal
    from retainstream.engine.tables.columnar import CustomerTable, TextTable


def today() -> int:
    """The UTC day, in days since 1970-01-01."""
    return (datetime.now(UTC).date() - date(1970, 1, 1)).days


def read_text_table(path: Path, decimal: str | None, *, most_rows: int | None = None) -> "TextTable":
    """A CSV or Parquet file as text, column by column. `decimal` is the decimal mark, detected if None. `most_rows`: only the first rows.

    Raises:
        UnreadableTable: the file is not a table.
    """
    from retainstream.engine.tables.columnar import read_text
    from retainstream.engine.tables.delimited import open_table
    from retainstream.engine.tables.parquet import is_parquet, read_parquet

    if is_parquet(path):
        return read_parquet(path, most_rows)
    with open_table(path, decimal=_decimal(decimal)) as table:
        return read_text(table, most_rows)


def read_customers(path: Path, schema: "FeatureSchema", decimal: str | None) -> "CustomerTable":
    """The customers of a CSV or Parquet file by a schema.

    Raises:
        UnreadableTable: the file is not a table, or contradicts the schema.
    """
    from retainstream.engine.tables.columnar import customers_in

    return customers_in(read_text_table(path, decimal), schema)


def _decimal(mark: str | None) -> "Decimal | None":
    match mark:
        case None:
            return None
        case "." | ",":
            return mark
    raise typer.BadParameter("must be . or ,", param_hint="--decimal")
