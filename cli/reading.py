"""Reads the files of the command line."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from retainstream.engine.schema import FeatureSchema
    from retainstream.engine.tables.columnar import CustomerTable, TextTable
    from retainstream.engine.tables.numbers import Decimal

DecimalMark = Annotated[str | None, typer.Option("--decimal", help="The decimal mark, . or , if it is detected wrongly.", metavar="MARK")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="The encoding of the file, as in cp1250, if it is detected wrongly.", metavar="NAME")
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="The sheet of an Excel file. Default: the first one.", metavar="NAME")]


def today() -> int:
    """The UTC day, in days since 1970-01-01."""
    return (datetime.now(UTC).date() - date(1970, 1, 1)).days


def read_text_table(
    path: Path, decimal: str | None, *, encoding: str | None = None, sheet: str | None = None, most_rows: int | None = None
) -> "TextTable":
    """A CSV, Excel or Parquet file as text, column by column.

    Args:
        decimal: the decimal mark; detected if None.
        encoding: the name of the encoding of a CSV file; detected if None.
        sheet: the sheet of an Excel file; the first one if None.
        most_rows: only the first rows.

    Raises:
        UnreadableTable: the file is not a table.
    """
    from retainstream.engine.tables.columnar import read_text
    from retainstream.engine.tables.opening import open_table
    from retainstream.engine.tables.parquet import is_parquet, read_parquet

    if is_parquet(path):
        return read_parquet(path, most_rows)
    with open_table(path, decimal=_decimal(decimal), encoding=encoding, sheet=sheet) as table:
        return read_text(table, most_rows)


def read_customers(
    path: Path, schema: "FeatureSchema", decimal: str | None, *, encoding: str | None = None, sheet: str | None = None
) -> "CustomerTable":
    """The customers of a CSV, Excel or Parquet file by a schema; see `read_text_table`.

    Raises:
        UnreadableTable: the file is not a table, or contradicts the schema.
    """
    from retainstream.engine.tables.columnar import customers_in

    return customers_in(read_text_table(path, decimal, encoding=encoding, sheet=sheet), schema)


def _decimal(mark: str | None) -> "Decimal | None":
    match mark:
        case None:
            return None
        case "." | ",":
            return mark
    raise typer.BadParameter("must be . or ,", param_hint="--decimal")
