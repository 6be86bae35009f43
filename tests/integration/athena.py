"""Athena for tests: its statements are translated back and run by DuckDB, on the files of the tables that moto's Glue describes."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import duckdb
import pytest
import sqlglot
from samtranslator.yaml_helper import yaml_parse
from sqlglot import exp

from local.intrinsics import Resolver
from retainstream.engine.lives import Label
from retainstream.settings import settings
from tests import as_function
from tests.stored import stored_keys

_UNLOAD = re.compile(r"UNLOAD \((?P<query>.*)\) TO 's3://(?P<bucket>[^/]+)/(?P<prefix>[^']+/)' WITH \(format = 'PARQUET'\)", re.DOTALL)
_KINDS = {"string": "VARCHAR", "float": "REAL", "double": "DOUBLE", "int": "INTEGER", "bigint": "BIGINT", "boolean": "BOOLEAN"}
PARAMETERS = (("HistoryEngineRowThreshold", "1"),)
DATABASE = "test"


class NotEmpty(Exception):
    """UNLOAD writes only to a place where nothing lies."""


@dataclass
class Athena:
    """The requests, in their order."""

    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def athena(monkeypatch: pytest.MonkeyPatch, threshold: int) -> Iterator[Athena]:
    """A stack whose history is read by Athena above `threshold` rows: its tables, and answers as soon as a statement is asked."""
    monkeypatch.setenv("HISTORY_ENGINE_ROW_THRESHOLD", str(threshold))
    monkeypatch.setenv("HISTORY_DATABASE", DATABASE)
    monkeypatch.setattr(as_function, "parameters", PARAMETERS)
    settings.cache_clear()
    make_tables()
    emulated = Athena()

    def asked(params: dict[str, Any], **_: Any) -> None:
        emulated.requests.append(params)
        if match := _UNLOAD.fullmatch(params["QueryString"]):
            unload(match["query"], match["bucket"], match["prefix"])

    boto3.setup_default_session()
    events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register_first("before-parameter-build.athena.StartQueryExecution", asked)
    try:
        yield emulated
    finally:
        boto3.DEFAULT_SESSION = None
        settings.cache_clear()


def make_tables() -> None:
    """The database, its tables and the workgroup, as the template describes them."""
    described = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text())["Resources"]
    resolver = Resolver({"Resources": {}}, {}, {"StackName": "test"})
    resolver.attributes["Bucket"] = {"Ref": settings().bucket}
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for name in ("HistoryTable", "LivesTable"):
        glue.create_table(DatabaseName=DATABASE, TableInput=resolver.resolve(described[name]["Properties"]["TableInput"]))
    boto3.client("athena").create_work_group(Name="test-history")


def leave_counts(run_id: str) -> None:
    """Athena's first answer for a run: an anchor after which some customers left."""
    with TemporaryDirectory() as name:
        path = Path(name) / "counts"
        rows = f"(20000, {int(Label.STAYED)}, 100), (20000, {int(Label.LEFT)}, 20)"
        duckdb.execute(f"COPY (SELECT * FROM (VALUES {rows}) AS answer (anchor_day, label, customers)) TO '{path}' (FORMAT parquet)")
        key = f"training/{run_id}/athena/counts/answer"
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=key, Body=path.read_bytes())


def unload(query: str, bucket: str, prefix: str) -> None:
    """Leaves the answer of a query in two files, with all names in lower case."""
    if stored_keys(bucket, prefix):
        raise NotEmpty(prefix)
    parsed = sqlglot.parse_one(query, read="athena")
    with TemporaryDirectory() as name, duckdb.connect() as connection:
        folder = Path(name)
        for table in [table for table in parsed.find_all(exp.Table) if table.db]:
            assert table.db == DATABASE
            connection.execute(f"CREATE OR REPLACE VIEW stored_{table.name} AS {_table(table.name, folder)}")
            table.replace(exp.to_table(f"stored_{table.name}"))
        connection.execute(f"CREATE TABLE answer AS {parsed.sql('duckdb')}")
        columns = [column for column, *_ in connection.execute("DESCRIBE answer").fetchall()]
        (rows,) = connection.execute("SELECT COUNT(*) FROM answer").fetchall()[0]
        read = ", ".join(f'"{column}" AS "{column.lower()}"' for column in columns)
        for number in range(2 if rows else 0):
            path = folder / f"answer-{number}"
            connection.execute(
                f"COPY (SELECT {read} FROM answer WHERE rowid % 2 = {number}) TO '{path}' (FORMAT parquet, COMPRESSION gzip)"
            )
            boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}answer-{number}", Body=path.read_bytes())


def _table(name: str, folder: Path) -> str:
    """A table as Athena reads it: the columns that Glue knows, by name and without case; what a file lacks is empty."""
    described = boto3.client("glue").get_table(DatabaseName=DATABASE, Name=name)["Table"]
    bucket, _, prefix = described["StorageDescriptor"]["Location"].removeprefix("s3://").partition("/")
    partitions = [key["Name"] for key in described.get("PartitionKeys", [])]
    selects = []
    for number, key in enumerate(stored_keys(bucket, prefix)):
        values = dict(part.split("=") for part in key.removeprefix(prefix).split("/")[:-1] if "=" in part)
        if list(values) != partitions:
            continue  # no folder of a partition
        path = folder / f"{name}-{number}"
        path.write_bytes(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        selects.append(_file(path, described["StorageDescriptor"]["Columns"], values))
    return " UNION ALL ".join(selects)


def _file(path: Path, columns: Sequence[dict[str, str]], values: dict[str, str]) -> str:
    kinds = {column.lower(): kind for column, kind, *_ in duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()}
    for column in columns:
        name, wanted = column["Name"], _KINDS[column["Type"]]
        stored = kinds.get(name.lower(), wanted).replace("FLOAT", "REAL")
        assert stored == wanted, f"Athena refuses {name}: {stored} in the file, {wanted} in the table"
    read = [
        f'"{column["Name"]}"' if column["Name"].lower() in kinds else f'CAST(NULL AS {_KINDS[column["Type"]]}) AS "{column["Name"]}"'
        for column in columns
    ]
    read += [f"'{value}' AS {name}" for name, value in values.items()]
    return f"SELECT {', '.join(read)} FROM read_parquet('{path}')"
