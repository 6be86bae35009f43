"""A folder and a database for one task, which are gone when it ends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retainstream.engine.history.database import database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 2_000
"""Memory of a database; what is larger goes to the folder. The rest of the function's memory is for Python and for files that are sent."""
THREADS = 2


@contextmanager
def workspace() -> Iterator[tuple[Path, "DuckDBPyConnection"]]:
    """An empty folder, and a database in memory."""
    with tempfile.TemporaryDirectory(prefix="sources-") as name, database(Path(name), memory_mb=MEMORY_MB, threads=THREADS) as connection:
        yield Path(name), connection
