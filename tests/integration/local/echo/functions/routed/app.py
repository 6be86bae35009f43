"""A Powertools resolver that looks at the current event twice, with a pause between."""

import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

app = APIGatewayHttpResolver()


@app.get("/routed/<name>")
def who(name: str) -> dict[str, Any]:
    first = app.current_event.raw_event["requestContext"]["authorizer"]["lambda"]["userId"]
    time.sleep(0.001)
    again = app.current_event.raw_event["requestContext"]["authorizer"]["lambda"]["userId"]
    return {"name": name, "first": first, "again": again}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
