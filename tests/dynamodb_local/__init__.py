"""The tests' tables in Amazon's own DynamoDB engine in place of moto's, where the variable DYNAMODB_LOCAL names the folder of the engine.

Each process of the tests has an engine of its own. Requests to DynamoDB then pass by everything that makes moto stricter: the engine judges
them itself. It orders maps and writes numbers as DynamoDB does.
"""

import atexit
import os
import subprocess
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FOLDER = os.environ.get("DYNAMODB_LOCAL", "")


@cache
def start() -> None:
    """Starts this process's engine, and sends every client of DynamoDB to it."""
    folder = Path(FOLDER)
    command = [str(folder / "bin/python"), str(Path(__file__).with_name("engine.py")), str(folder / "engine")]
    engine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert engine.stdout
    port = engine.stdout.readline().strip()
    if not port:
        raise RuntimeError(f"DynamoDB Local did not start: {' '.join(command)}")
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{port}"
    atexit.register(_end, engine)


def _end(engine: "subprocess.Popen[str]") -> None:
    assert engine.stdin
    engine.stdin.close()
    engine.wait()


def make_table(client: "DynamoDBClient", **options: Any) -> None:
    """Makes a table, empty, in the place of the one of an earlier test. The engine may keep a removed table's name for a moment."""
    for _ in range(100):
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=options["TableName"])
        with suppress(client.exceptions.ResourceInUseException):
            client.create_table(**options)
            return
        time.sleep(0.1)
    raise RuntimeError(f"DynamoDB Local does not let {options['TableName']} go")
