"""Calls of the functions that EventBridge notifies of new objects in a bucket, shortly after each arrival."""

import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeKey, S3Backend, s3_backends

from local.isolation import ACCOUNT, REGION
from local.objects import LOCK
from local.resources import ArrivalRule
from local.runtime import FunctionError, Runtime

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.2

type Report = Callable[[str], None]


class Arrivals:
    """A thread that calls the rules' functions, one arrival after the other, and repeats a call that fails a few times.

    Objects that exist at the start are notified again: a stop may have come between their arrival and the call. EventBridge, too,
    notifies some twice.
    """

    def __init__(self, rules: Sequence[ArrivalRule], runtime: Runtime, report: Report) -> None:
        self._rules = rules
        self._runtime = runtime
        self._report = report
        self._stopping = threading.Event()
        self._waiting: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="arrivals", daemon=True)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notify of arrivals while the context lasts."""
        original = S3Backend.put_object

        def put_object(backend: S3Backend, bucket_name: str, key_name: str, *args: Any, **options: Any) -> FakeKey:
            key = original(backend, bucket_name, key_name, *args, **options)
            self._waiting.put((bucket_name, key_name))
            return key

        self._waiting_since_before()
        S3Backend.put_object = put_object  # type: ignore[method-assign, assignment]
        self._thread.start()
        try:
            yield
        finally:
            S3Backend.put_object = original  # type: ignore[method-assign]
            self._stopping.set()
            self._waiting.put(None)
            self._thread.join(timeout=2)

    def _waiting_since_before(self) -> None:
        with LOCK:
            for bucket, bucket_store in s3_backends[ACCOUNT]["aws"].buckets.items():
                for name in bucket_store.keys:
                    self._waiting.put((bucket, name))

    def _work(self) -> None:
        while (place := self._waiting.get()) is not None and not self._stopping.is_set():
            for rule in self._rules:
                if rule.bucket == place[0] and place[1].startswith(rule.prefixes):
                    self._tell(rule, *place)

    def _tell(self, rule: ArrivalRule, bucket: str, name: str) -> None:
        event = _event(bucket, name)
        for attempt in range(_ATTEMPTS):
            try:
                self._runtime.invoke(rule.function, event)
            except FunctionError as error:
                self._report(f"{rule.function} failed on the arrival of {bucket}/{name}, attempt {attempt + 1}: {error}")
                if self._stopping.wait(_FIRST_PAUSE_SECONDS * 2**attempt):
                    return
            else:
                return
        self._report(f"LOST ARRIVAL: {rule.function} failed {_ATTEMPTS} times on {bucket}/{name}; a restart repeats it")


def _event(bucket: str, name: str) -> dict[str, Any]:
    with LOCK:
        key: Any = s3_backends[ACCOUNT]["aws"].buckets[bucket].keys.get(name)
        size = key.size if key is not None else 0
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": name, "size": size}, "reason": "PutObject"},
    }
