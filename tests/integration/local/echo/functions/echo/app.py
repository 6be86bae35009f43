"""Answers with the event it was given, and what it knows of its invocation."""

import json
import os
from typing import Any

OWN = os.environ["OWN"]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "requestContext" not in event:
        return {"given": event, "by": context.function_name}
    known = {"own": OWN, "milliseconds": context.get_remaining_time_in_millis(), "request_id": context.aws_request_id}
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "X-Request-Id": context.aws_request_id},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": json.dumps({"event": event, "context": known}),
    }
