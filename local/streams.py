"""Calls of the functions that read DynamoDB streams, in order and shortly after each write."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from moto.dynamodb.models import dynamodb_backends

from local.atomic_tables import LOCK
from local.isolation import ACCOUNT, REGION
from local.resources import StreamMapping
from local.runtime import FunctionError, Runtime
from local.stream_shard import Record, StreamShard

_GATHER_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 5.0

type Report = Callable[[str], None]


class _Turn:
    """A lock that its owner gets soon, however busy the workers are: they queue behind an entrance at which the owner waits first."""

    def __init__(self) -> None:
        self._entrance = threading.RLock()
        self._inside = threading.RLock()

    def __enter__(self) -> None:
        with self._entrance:
            self._inside.acquire()

    def __exit__(self, *_: object) -> None:
        self._inside.release()

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The lock for workers, who give way to a waiting owner."""
        with self._entrance:
            pass
        with self._inside:
            yield


class StreamFeeder:
    """One thread per event source mapping: it reads a batch, calls the function, and only then continues.

    A batch that fails is tried again with growing pauses, in halves where the mapping says so, until the mapping's retries are used up;
    then `report` receives it and, if the mapping names a queue, its position is sent there, as in AWS.
    `between_batches` is locked while a function processes a batch, so its owner sees tables and positions that agree.
    """

    def __init__(self, mappings: Sequence[StreamMapping], runtime: Runtime, report: Report) -> None:
        self.between_batches = _Turn()
        self._mappings = mappings
        self._runtime = runtime
        self._report = report
        self._stopping = threading.Event()
        self._failing: set[str] = set()
        self._threads = [
            threading.Thread(target=self._feed, args=(mapping,), name=f"stream-{mapping.name}", daemon=True) for mapping in mappings
        ]
        with LOCK:
            for mapping in mappings:
                shard = self._shard(mapping)
                shard.readers.setdefault(mapping.name, shard.starting_sequence_number)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the batches in progress."""
        self._stopping.set()
        for mapping in self._mappings:
            self._shard(mapping).written.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def drained(self) -> bool:
        """Whether every record written so far has been processed."""
        with self.between_batches, LOCK:
            return not any(self._shard(mapping).read(mapping.name, 1) for mapping in self._mappings)

    def wait_until_drained(self, timeout: float) -> bool:
        """Wait for `drained`, at most `timeout` seconds. Returns whether it became true."""
        waited = 0.0
        while not self.drained():
            if waited >= timeout:
                return False
            self._stopping.wait(_GATHER_SECONDS)
            waited += _GATHER_SECONDS
        return True

    @property
    def failing(self) -> frozenset[str]:
        """Names of the mappings whose present batch has failed at least once."""
        return frozenset(self._failing)

    def _shard(self, mapping: StreamMapping) -> StreamShard:
        shard: Any = dynamodb_backends[ACCOUNT][REGION].tables[mapping.table].stream_shard
        return shard  # type: ignore[no-any-return]

    def _feed(self, mapping: StreamMapping) -> None:
        while not self._stopping.is_set():
            with LOCK:
                shard = self._shard(mapping)
                waiting = len(shard.read(mapping.name, mapping.batch_size))
                if not waiting:
                    shard.written.clear()
            if not waiting:
                shard.written.wait()
                continue
            if waiting < mapping.batch_size:
                self._stopping.wait(_GATHER_SECONDS)
            with LOCK:
                batch = self._shard(mapping).read(mapping.name, mapping.batch_size)
            self._work_off(mapping, batch)

    def _work_off(self, mapping: StreamMapping, batch: list[Record]) -> None:
        pause = 0.1
        attempts = 0
        while not self._stopping.is_set():
            error = self._invoke(mapping, batch)
            if error is None:
                self._failing.discard(mapping.name)
                return
            attempts += 1
            self._failing.add(mapping.name)
            if mapping.bisect and len(batch) > 1:
                half = len(batch) // 2
                self._report(f"{mapping.function} failed on {len(batch)} records of {mapping.table}, trying halves: {error}")
                self._work_off(mapping, batch[:half])
                self._work_off(mapping, batch[half:])
                return
            if 0 <= mapping.retries < attempts:
                self._give_up(mapping, batch, error, attempts)
                return
            self._report(f"{mapping.function} failed on {len(batch)} records of {mapping.table}, attempt {attempts}: {error}")
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_WAIT_SECONDS)

    def _invoke(self, mapping: StreamMapping, batch: list[Record]) -> FunctionError | None:
        event = {"Records": [{**record.event, "eventSourceARN": mapping.stream_arn} for record in batch]}
        with self.between_batches.worker():
            try:
                self._runtime.invoke(mapping.function, event)
            except FunctionError as error:
                return error
            with LOCK:
                self._shard(mapping).commit(mapping.name, batch[-1].sequence)
        return None

    def _give_up(self, mapping: StreamMapping, batch: list[Record], error: FunctionError, attempts: int) -> None:
        first, last = batch[0].sequence, batch[-1].sequence
        self._report(
            f"POISON BATCH: {mapping.function} failed {attempts} times on records {first} to {last} of {mapping.table}; "
            f"they are skipped and what it keeps is wrong until it is counted again: {error}"
        )
        if mapping.on_failure and ":sqs:" in mapping.on_failure:
            letter = {
                "requestContext": {
                    "functionArn": mapping.function,
                    "condition": "RetryAttemptsExhausted",
                    "approximateInvokeCount": attempts,
                },
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "DDBStreamBatchInfo": {
                    "shardId": StreamShard.id,
                    "startSequenceNumber": str(first),
                    "endSequenceNumber": str(last),
                    "batchSize": len(batch),
                    "streamArn": mapping.stream_arn,
                },
            }
            sqs = boto3.client("sqs")
            url = sqs.get_queue_url(QueueName=mapping.on_failure.rsplit(":", 1)[1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))
        with self.between_batches.worker(), LOCK:
            self._shard(mapping).commit(mapping.name, last)
