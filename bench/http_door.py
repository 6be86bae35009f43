"""The handler behind plain HTTP: what API Gateway does for it, and nothing else. `python -m bench.http_door PORT MODEL_SHAPE`.

One process and one request at a time, as an instance in Lambda. Without the authorizer, whose answers API Gateway remembers.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from bench.made_models import SHAPES, made
from bench.one_instance import lambda_context, load, post, set_environment
from bench.stubbed_registry import in_service

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
PATH = "/api/predictions/generate"


def serve(port: int, shape: str) -> None:
    """Serves the predictions function with a model of that shape on 127.0.0.1 until it is ended."""
    set_environment()
    from retainstream.storage import clients

    in_service(made(SHAPES[shape])).attach(clients.dynamodb(), clients.s3())
    function, context = load("predictions"), lambda_context("predictions")
    template = json.loads(post(PATH, {}).event)

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        event = {**template, "rawPath": scope["path"], "headers": headers, "body": body.decode()}
        answer = function.handler(event, context)
        content = (answer.get("body") or "").encode()
        sent = [(name.lower().encode(), value.encode()) for name, value in answer["headers"].items()]
        start = {"type": "http.response.start", "status": answer["statusCode"]}
        await send({**start, "headers": [*sent, (b"content-length", str(len(content)).encode())]})
        await send({"type": "http.response.body", "body": content})

    uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off")


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
