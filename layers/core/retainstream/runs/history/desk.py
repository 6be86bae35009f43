"""A place to work on files of the history: a folder on this machine, and a database on it."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from duckdb import DuckDBPyConnection

from retainstream.customers.lives import lives_of
from retainstream.engine.history.database import database
from retainstream.engine.history.lives import LifeRow, load_lives, rows_of, write_lives
from retainstream.engine.records import Customer
from retainstream.storage.customers import Customers
from retainstream.storage.history import History, HistoryFile

MEMORY_MB = 1_500
"""The database's share of the function's memory; the rest is for the rows that come out of it."""
MOST_ON_DISK = 5_000_000_000
"""Bytes of copied files: half of the function's disk. The other half is for what the database spills."""
_THREADS = 2
_SEGMENTS = 4
_COPIES_AT_ONCE = 8


@dataclass(frozen=True)
class Desk:
    """A folder with copies of files, and the database that reads them."""

    folder: Path
    connection: DuckDBPyConnection
    history: History

    def copies(self, files: Sequence[HistoryFile]) -> list[Path]:
        """Copies of these files. Where all would be too large together, copies of other files go first.

        Raises:
            NotStored: a file has been removed meanwhile.
        """
        copies = self.folder / "copies"
        copies.mkdir(exist_ok=True)
        paths = [copies / file.key.replace("/", "_") for file in files]
        missing = [(file, path) for file, path in zip(files, paths, strict=True) if not path.exists()]
        if sum(path.stat().st_size for path in copies.iterdir()) + sum(file.size for file, _ in missing) > MOST_ON_DISK:
            for path in set(copies.iterdir()) - set(paths):
                path.unlink()
        with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
            for _ in pool.map(lambda pair: self.history.fetch(*pair), missing):
                pass
        return paths

    def read_lives(self, customers: Customers, part: int = 0, parts: int = 1) -> int:
        """Reads the lives of all customers, or of one part of them, into the database. Returns the number of customers."""
        folder = self.folder / "lives"
        folder.mkdir()

        def segment(number: int) -> int:
            return _write_segment(customers, part * _SEGMENTS + number, parts * _SEGMENTS, folder / f"{number}.ndjson.gz")

        with ThreadPoolExecutor(_SEGMENTS) as pool:
            read = sum(pool.map(segment, range(_SEGMENTS)))
        load_lives(self.connection, sorted(folder.iterdir()))
        return read


@contextmanager
def desk(history: History) -> Iterator[Desk]:
    """A desk that is cleared afterwards."""
    with TemporaryDirectory(prefix="history-") as name:
        folder = Path(name)
        with database(folder, memory_mb=MEMORY_MB, threads=_THREADS) as connection:
            yield Desk(folder, connection, history)
        shutil.rmtree(folder, ignore_errors=True)


def _write_segment(customers: Customers, segment: int, segments: int, path: Path) -> int:
    """Writes the lives of one segment of the customers table to a file. Returns the number of customers."""
    read = 0

    def rows() -> Iterator[LifeRow]:
        nonlocal read
        for page in customers.segment_pages(segment, segments):
            read += len(page)
            for customer in page:
                yield from rows_of(customer["customer_id"], lives_of(customer), source_of(customer))

    write_lives(rows(), path)
    return read


def source_of(customer: Customer) -> str:
    """Where the customer's outcome comes from."""
    return str(customer.get("outcome_source", customer.get("source", "unknown")))
