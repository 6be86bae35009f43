"""The scoring worker with AWS answered at the HTTP level: botocore signs, writes and parses as ever, and nothing leaves the process.

    python -m bench.stubbed_worker --customers 20000            rows a second and the share of each part
    python -m bench.stubbed_worker --customers 20000 --profile  the same run under cProfile

What is measured is `run.score_segment` as the function calls it: pages of customers are scanned, their earlier predictions read in
batches, everybody is scored with reasons, and the predictions are written in batches.
"""

import argparse
import cProfile
import json
import os
import pstats
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders

from retainstream.engine.lives import churned_of
from retainstream.engine.records import Customer

_TABLES = ("users", "customers", "predictions", "models", "runs", "rollups", "rate_limits", "revoked_tokens", "removed_customers")
_ENVIRONMENT = {
    **{f"{name.upper()}_TABLE": f"bench-{name}" for name in _TABLES},
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "BUCKET": "bench-bucket",
    "SIGNING_KEY_ID": "alias/bench",
    "SEALING_SECRET_ARN": "bench-sealing",
    "TOKEN_ISSUER": "bench",
    "RETRAINING_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:bench-retraining",
    "SCORING_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:bench-scoring",
}
_PAGE_BYTES = 1_000_000
"""DynamoDB ends a page of a scan at 1 MB."""


def set_environment() -> None:
    """The functions' environment, as far as it is not there; before anything of the package reads it."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


class _Body:
    """The raw HTTP answer that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


class StubbedAws:
    """Answers for one segment: all customers in pages, and each one's earlier prediction where `predictions` has one.

    Register it with `answering`. `requests` counts the requests by operation; `written` the items written.
    """

    def __init__(
        self, customers: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]] = (), *, latency_seconds: float = 0.0
    ) -> None:
        from retainstream.storage.attributes import to_attributes

        self._customers = [json.dumps(to_attributes(customer)) for customer in customers]
        self._places = {customer["customer_id"]: place for place, customer in enumerate(customers)}
        self._looks = [json.dumps(to_attributes({name: customer[name] for name in ("customer_id", "life")})) for customer in customers]
        self._predictions = {prediction["customer_id"]: to_attributes(prediction) for prediction in predictions}
        self._latency = latency_seconds
        self.requests: Counter[str] = Counter()
        self.written = 0

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """A `before-send` handler."""
        operation = _text(request.headers.get("X-Amz-Target", "S3")).rpartition(".")[2]
        self.requests[operation] += 1
        if self._latency:
            time.sleep(self._latency)
        content = {"Scan": self._scan, "BatchGetItem": self._batch_get, "BatchWriteItem": self._batch_write}.get(operation, lambda _: "")(
            request.body
        )
        raw: Any = _Body(content.encode())
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    def _scan(self, body: Any) -> str:
        request = json.loads(body)
        if request["TableName"] != os.environ["CUSTOMERS_TABLE"]:
            return '{"Items":[],"Count":0,"ScannedCount":0}'
        items = self._looks if "ProjectionExpression" in request else self._customers
        first = self._places[request["ExclusiveStartKey"]["customer_id"]["S"]] + 1 if "ExclusiveStartKey" in request else 0
        last, size = first, 0
        most = min(len(items), first + request.get("Limit", len(items)))
        while last < most and size < _PAGE_BYTES:
            size += len(self._customers[last])
            last += 1
        start = ""
        if last < len(items):
            start = f',"LastEvaluatedKey":{json.dumps({"customer_id": json.loads(self._looks[last - 1])["customer_id"]})}'
        return f'{{"Items":[{",".join(items[first:last])}],"Count":{last - first},"ScannedCount":{last - first}{start}}}'

    def _batch_get(self, body: Any) -> str:
        [(table, request)] = json.loads(body)["RequestItems"].items()
        ids = [key["customer_id"]["S"] for key in request["Keys"]]
        if table == os.environ["CUSTOMERS_TABLE"]:
            items_json = [self._looks[self._places[customer_id]] for customer_id in ids]
        else:
            wanted = list(request["ExpressionAttributeNames"].values()) if "ProjectionExpression" in request else None
            stored = [self._predictions[customer_id] for customer_id in ids if customer_id in self._predictions]
            items_json = [json.dumps({name: one[name] for name in wanted or one if name in one}) for one in stored]
        return f'{{"Responses":{{"{table}":[{",".join(items_json)}]}},"UnprocessedKeys":{{}}}}'

    def _batch_write(self, body: Any) -> str:
        self.written += body.count(b'"PutRequest"')
        return '{"UnprocessedItems":{}}'


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def answering(stub: StubbedAws) -> Iterator[StubbedAws]:
    """Every request of the package's DynamoDB and S3 clients is answered by `stub` while the context lasts."""
    from retainstream.storage.clients import dynamodb, s3

    clients: list[Any] = [dynamodb(), s3()]
    for client in clients:
        client.meta.events.register("before-send", stub, unique_id="bench-stub")
    try:
        yield stub
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", unique_id="bench-stub")


@dataclass(frozen=True)
class Measured:
    """One run of the worker: customers, seconds, seconds of each part (disjoint), requests by operation, items written."""

    customers: int
    seconds: float
    parts: dict[str, float]
    requests: dict[str, int]
    written: int


class _Parts:
    """Seconds by part. Of what a part has done by threads, `aside` holds the processor time that is not its own."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._aside = 0.0
        self._lock = threading.Lock()

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            aside, began = self._aside, time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                self.seconds[name] += time.perf_counter() - began - (self._aside - aside)

        return timed

    def left_out(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def left_out(*args: Any, **options: Any) -> Any:
            began = time.thread_time()
            answer = call(*args, **options)
            with self._lock:
                self._aside += time.thread_time() - began
            return answer

        return left_out

    @property
    def aside(self) -> float:
        return self._aside


def measure(
    model: Any, customers: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]] = (), *, latency_seconds: float = 0.0
) -> Measured:
    """One segment with these customers scored by `model`; `predictions` are the earlier ones, as a second run finds them.

    With a latency the clock shows what a worker waits for; without, what it does.
    """
    from retainstream.engine.model import predictions as scored
    from retainstream.engine.model.model import ScoringModel
    from retainstream.runs.scoring import segment as run
    from retainstream.storage.customers import Customers
    from retainstream.storage.predictions import Predictions
    from retainstream.storage.stores import Stores

    parts, stub = _Parts(), StubbedAws(customers, predictions, latency_seconds=latency_seconds)
    watched: list[tuple[str, Any, str]] = [
        ("read customers", Customers, "block"),
        ("read earlier predictions", Predictions, "earlier"),
        ("write predictions", Predictions, "put_many"),
        ("second read", Customers, "left_in_block"),
        ("encode", run, "encode"),
        ("encode", scored, "encode"),
        ("explain", ScoringModel, "explain"),
    ]
    part: run.Segment = {"segment": 0, "segments": 1, "start": None, "turns": 0}
    stores = Stores()
    with ExitStack() as patched:
        for name, owner, attribute in watched:
            patched.enter_context(patch.object(owner, attribute, parts.timed(name, getattr(owner, attribute))))
        patched.enter_context(patch.object(StubbedAws, "__call__", parts.left_out(StubbedAws.__call__)))
        patched.enter_context(answering(stub))
        began = time.perf_counter()
        answer = run.score_segment(stores, model, None, "bench", part, lambda: 900.0)
        seconds = time.perf_counter() - began - parts.aside
    if not answer["done"]:
        raise RuntimeError("the segment was not done in one invocation")
    own = dict(parts.seconds)
    own["reasons, actions, items, counts"] = seconds - sum(own.values())
    return Measured(len(customers), seconds, own, dict(stub.requests), stub.written)


def synthetic_customers(count: int) -> list[Customer]:
    """Customers of the default schema as they are stored."""
    from retainstream.engine.learning.synthetic import as_customers, generate

    moment = "2026-01-01T00:00:00.000+00:00"
    return [{**customer, "updated_at": moment} for customer in as_customers(generate(count, 1)) if churned_of(customer["life"]) is not True]


def synthetic_model(*, trees: int = 200, depth: int = 4) -> Any:
    """A model of the default schema fitted to synthetic customers."""
    import numpy as np
    import xgboost

    from retainstream.engine.learning.synthetic import as_customers, generate
    from retainstream.engine.model.encoding import encode
    from retainstream.engine.model.model import ScoringModel, matrix
    from retainstream.engine.schema import default_schema

    schema = default_schema()
    known = list(as_customers(generate(20_000, 2)))
    label = np.array([churned_of(customer["life"]) is True for customer in known])
    rows = encode(schema, [customer["features"] for customer in known])
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 2}, matrix(schema.features, rows, label=label), trees
    )
    return ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, schema, threshold=0.4, version="bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--first", action="store_true", help="no customer has an earlier prediction")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="milliseconds until AWS answers each request")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    set_environment()
    from retainstream.engine.model.predictions import predictions

    model, customers = synthetic_model(trees=chosen.trees, depth=chosen.depth), synthetic_customers(chosen.customers)
    earlier = [] if chosen.first else predictions(model, customers, {}, run_id="earlier", scored_at="2026-01-01T00:00:00.000+00:00")
    profiler = cProfile.Profile()
    if chosen.profile:
        profiler.enable()
    measured = measure(model, customers, earlier, latency_seconds=chosen.latency_ms / 1000)
    profiler.disable()
    print(f"{measured.customers:,} customers in {measured.seconds:.2f} s: {measured.customers / measured.seconds:,.0f} rows/s")
    for name, seconds in sorted(measured.parts.items(), key=lambda part: -part[1]):
        print(f"{name:34}{seconds:8.2f} s {100 * seconds / measured.seconds:6.1f} %  {1e6 * seconds / measured.customers:8.1f} µs a row")
    print(measured.requests)
    if chosen.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
