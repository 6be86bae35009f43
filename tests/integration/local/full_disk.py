"""Run by a test on a disk of 8 MB: fills it, writes, makes room, and starts again with a copy of the state at that moment."""

import shutil
import sys
import time
from pathlib import Path

import boto3

from local.stack import LocalStack

DISK = Path(sys.argv[1])
TEMPLATE = Path(__file__).parent / "echo" / "template.yaml"
FILLING = DISK / "filling"


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    reports.append(text)


def wait_for(count: int) -> None:
    for _ in range(600):
        if len(reports) == count:
            return
        time.sleep(0.1)
    raise AssertionError(reports)


reports: list[str] = []
with LocalStack(template=TEMPLATE, data=DISK, report=show) as stack:
    stack.flush()
    with FILLING.open("wb", buffering=0) as file:
        while file.write(b"x" * min(4096, shutil.disk_usage(DISK).free)):
            pass
    for number in range(400):
        boto3.client("dynamodb").put_item(TableName="retainstream-Things", Item={"id": {"S": str(number)}, "text": {"S": "x" * 1000}})
    boto3.client("s3").put_object(Bucket="retainstream-bucket", Key="object", Body=b"x" * 100_000)
    wait_for(1)
    FILLING.unlink()
    wait_for(2)
    stack.flush()  # the reported save may have begun before the last write
    shutil.copytree(DISK, DISK / "killed")
with LocalStack(template=TEMPLATE, data=DISK / "killed", report=show):
    count = boto3.client("dynamodb").scan(TableName="retainstream-Things", Select="COUNT")["Count"]
    body = boto3.client("s3").get_object(Bucket="retainstream-bucket", Key="object")["Body"].read()
    show(f"{count == 400} {body == b'x' * 100_000}")
