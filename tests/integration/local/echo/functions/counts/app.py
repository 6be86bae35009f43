"""Counts things. It adds without looking whether it has seen a record, so anything delivered twice would show."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: Any) -> None:
    added = {"INSERT": 1, "MODIFY": 0, "REMOVE": -1}
    records = event["Records"]
    if any("poison" in record["dynamodb"].get("NewImage", {}) for record in records):
        raise ValueError("poison")
    boto3.client("dynamodb").update_item(
        TableName=os.environ["COUNTS_TABLE"],
        Key={"name": {"S": "things"}},
        UpdateExpression="ADD things :things, records :records",
        ExpressionAttributeValues={
            ":things": {"N": str(sum(added[record["eventName"]] for record in records))},
            ":records": {"N": str(len(records))},
        },
    )
