"""Run by a test that kills it: starts the echo stack and writes without end. Each line of its output is a time and a number of rows."""

import os
import sys
import time
from itertools import count
from pathlib import Path

import boto3

from local.parent import end_with
from local.stack import LocalStack

FOLDER, FROM = Path(sys.argv[1]), int(sys.argv[2])

end_with(os.getppid())
with LocalStack(template=Path(__file__).parent / "echo" / "template.yaml", data=FOLDER):
    dynamodb = boto3.client("dynamodb")
    s3 = boto3.client("s3")
    for block in count(FROM, 40):
        for number in range(block, block + 40):
            dynamodb.put_item(TableName="retainstream-Things", Item={"id": {"S": f"{number:06d}"}, "v": {"N": "0"}})
        dynamodb.put_item(TableName="retainstream-Things", Item={"id": {"S": f"{number:06d}"}, "v": {"N": "1"}})
        dynamodb.delete_item(TableName="retainstream-Things", Key={"id": {"S": f"{number:06d}"}})
        s3.put_object(Bucket="retainstream-bucket", Key=f"written/{number:06d}", Body=str(number).encode())
        sys.stdout.write(f"{time.time()} {number + 1}\n")
        sys.stdout.flush()
