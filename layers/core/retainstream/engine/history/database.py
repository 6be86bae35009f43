"""A database in memory that reads and writes files of one folder, and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from retainstream.engine.sql import literal

type Files = Sequence[Path]


@contextmanager
def database(folder: Path, *, memory_mb: int, threads: int) -> Iterator[DuckDBPyConnection]:
    """A database that uses at most `memory_mb` and puts what is larger into `folder`, the only place where it reads and writes files."""
    spilled = folder / "spilled"
    spilled.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"memory_limit": f"{memory_mb}MB", "threads": threads, "temp_directory": str(spilled)}) as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute(f"SET allowed_directories = [{literal(str(folder))}]")
        connection.execute("SET enable_external_access = false")
        yield connection


def files_list(files: Files) -> str:
    """Files as a list in a statement."""
    return "[" + ", ".join(literal(str(file)) for file in files) + "]"
