"""What a forked process does in `mortal_tasks`: one task of one function, with AWS over HTTP. Importing this makes the fork cheap."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import xgboost as xgboost

from retainstream.storage.clients import dynamodb, s3
from tests.integration.conftest import lambda_context, load_function
from tests.permissions import roles

roles()  # the template expanded once, and not in every process
for _function in ("imports", "scoring", "rollups", "history"):
    load_function(_function)
dynamodb(), s3()  # botocore keeps what it has read of their descriptions


def work(
    function: str, event: str, endpoint: str, patches: Mapping[str, Any], killed_at: int | None, moment: str, told: Connection
) -> None:
    """Does the task and tells {answer} or {error}, unless it dies before: at its call of AWS numbered `killed_at`, when that is about to
    leave ("before-send") or has been answered ("after-call")."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    for place, value in patches.items():
        module, name = place.split(":")
        setattr(sys.modules[module], name, value)
    dynamodb.cache_clear()
    s3.cache_clear()
    counting, calls = threading.Lock(), 0

    def count(**_: Any) -> None:
        nonlocal calls
        with counting:
            calls += 1
            if calls == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

    for client in (dynamodb(), s3()):
        client.meta.events.register(moment, count)
    told.send_bytes(b"begun")
    answer: dict[str, Any]
    try:
        answer = {"answer": load_function(function).handler(json.loads(event), lambda_context(function))}
    except Exception as error:
        answer = {"error": [type(error).__name__, str(error)]}
    told.send_bytes(json.dumps(answer).encode())
    told.close()
    os._exit(0)
