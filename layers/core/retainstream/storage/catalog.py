"""The tables of Glue by which Athena reads the history, in stacks that have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retainstream.settings import settings
from retainstream.storage.clients import glue
from retainstream.storage.errors import storage_errors

_KEPT = ("Name", "PartitionKeys", "TableType", "Parameters")


@dataclass(frozen=True)
class Catalog:
    """The stack's database in Glue. The template makes the tables: their places, formats and partitions stay as they are there."""

    database: str = field(default_factory=lambda: settings().history_database)
    client: Any = field(default_factory=glue)

    def describe(self, table: str, columns: Mapping[str, str]) -> None:
        """Gives a table these columns, by Glue's types, in place of those that it has.

        Raises:
            NotStored: the stack has no such table.
            StorageUnavailable: Glue does not answer.
        """
        with storage_errors():
            stored = self.client.get_table(DatabaseName=self.database, Name=table)["Table"]
            described = [{"Name": name, "Type": kind} for name, kind in columns.items()]
            if stored["StorageDescriptor"]["Columns"] == described:
                return
            changed = {name: stored[name] for name in _KEPT if name in stored}
            changed["StorageDescriptor"] = {**stored["StorageDescriptor"], "Columns": described}
            self.client.update_table(DatabaseName=self.database, TableInput=changed, SkipArchive=True)
