"""Model versions, and the pointer to the one in service."""

from collections.abc import Mapping
from typing import Any

from retainstream.settings import settings
from retainstream.storage.table import Item, Page, Table

_VERSION = "version"
_CHAMPION = {"pk": "champion", "sk": "current"}


class Models:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().models_table, ("pk", "sk"))

    @property
    def name(self) -> str:
        return self._table.name

    def version(self, version: str) -> Item | None:
        return self._table.get({"pk": _VERSION, "sk": version})

    def versions(self, *, limit: int | None = None, after: str | None = None) -> Page:
        """Versions, newest first; `after` is the last version of the page before. A page is empty only where there are no more."""
        start: Item | None = {"pk": _VERSION, "sk": after} if after else None
        while True:
            page = self._table.query("pk = :version", {":version": _VERSION}, limit=limit, ascending=False, start=start)
            start = page.next_key
            if page.items or start is None:
                return page

    def add_version(self, version: str, record: Mapping[str, Any]) -> None:
        """Writes a version that is not there yet.

        Raises:
            Conflict: there is a version of that name.
        """
        self._table.put({**record, "pk": _VERSION, "sk": version}, "attribute_not_exists(pk)")

    def champion(self) -> Item | None:
        """The pointer to the version in service, as the last write left it."""
        return self._table.get(_CHAMPION, consistent=True)

    def set_champion(self, pointer: Mapping[str, Any], *, expected_revision: int) -> None:
        """Moves the pointer from the revision it is expected at (0: no pointer yet).

        Raises:
            Conflict: the pointer is at another revision.
        """
        if expected_revision == 0:
            self._table.put({**pointer, **_CHAMPION}, "attribute_not_exists(pk)")
        else:
            self._table.put({**pointer, **_CHAMPION}, "#revision = :expected", {":expected": expected_revision}, {"#revision": "revision"})
