"""The cost of a read by the size of the base: storage requests and read units of all reading routes, over HTTP on the local stack.

The storage clients' events show requests and answers. Read units are computed from the answers by DynamoDB's rules: item sizes rounded
up to 4 kB, half for a read that is not strongly consistent. The counting of requests (one write each) is the same for all
routes and left out. Times include moto's and say nothing about AWS.
"""

import logging
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from rich.console import Console

from bench.result import Result, Target
from bench.running import alone
from local.seed import ADMINISTRATOR, PASSWORD, seed
from local.stack import LocalStack
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, s3
from retainstream.storage.customers import Customers

SIZES = (1_000, 10_000, 100_000)
FEW, FLAT = Target("value", at_most=2), Target("ratio", at_most=1.1)
COUNTERS = Target("value", at_most=4)
"""Read units of routes that read counters: a counter gains a digit when the base grows tenfold, so its item may pass the next 4 kB."""
UNIT_BYTES = 4096
TIMES = 5

type Route = tuple[str, str, Any]
ROUTES: Sequence[Route] = (
    ("GET", "/api/dashboard/metrics", None),
    ("GET", "/api/dashboard/distribution", None),
    ("GET", "/api/dashboard/features", None),
    ("GET", "/api/customers/high-risk?limit=10", None),
    ("GET", "/api/customers/high-risk?limit=10&sort=value", None),
    ("GET", "/api/customers/{customer}", None),
    ("GET", "/api/customers?limit=20", None),
    ("POST", "/api/customers/segment", {}),
    ("GET", "/api/predictions/results?limit=20", None),
    ("GET", "/api/predictions/results?limit=20&level=high", None),
    ("GET", "/api/predictions/performance", None),
    ("POST", "/api/predictions/what-if", {"customer_id": "{customer}", "changes": {"payment_failures": 0}}),
    ("GET", "/api/model/status", None),
    ("GET", "/api/model/features", None),
    ("GET", "/api/model/versions", None),
    ("GET", "/api/model/drift", None),
)


@dataclass
class Reading:
    """One request to a route: storage requests, read units, and seconds until the answer."""

    requests: int = 0
    units: float = 0.0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def run(quick: bool) -> list[Result]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    sizes = (300, 600) if quick else SIZES
    found = [_at_size(size, 2 if quick else TIMES) for size in sizes]
    return [result for method, path, _ in ROUTES for result in _results(f"{method} {path}", sizes, [one[method, path] for one in found])]


def _results(route: str, sizes: Sequence[int], taken: Sequence[Reading]) -> list[Result]:
    least, most = taken[0], taken[-1]
    against = f"{sizes[0]:,} customers"
    times = ", ".join(f"{1000 * one.seconds:.0f}" for one in taken)
    requests = Result(
        f"{route}: requests at {sizes[-1]:,} customers",
        most.requests,
        "requests",
        ratio=most.requests / max(1, least.requests),
        against=against,
        target=FEW if "/dashboard/" in route else FLAT,
        note=f"{times} ms at {', '.join(f'{size:,}' for size in sizes)}",
    )
    units = f"{route}: read at {sizes[-1]:,} customers"
    target = COUNTERS if "/dashboard/" in route or "/performance" in route else FLAT
    return [requests, Result(units, most.units, "read units", ratio=most.units / max(0.5, least.units), against=against, target=target)]


def _at_size(customers: int, times: int) -> dict[tuple[str, str], Reading]:
    parameters = {"RateLimitUser": "1000000", "RateLimitAnonymous": "1000000"}
    with LocalStack(parameters=parameters, report=lambda _: None) as stack:
        seed(stack, customers, Console(quiet=True))
        signed_in = httpx.post(f"{stack.url}/api/auth/login", json={"email": ADMINISTRATOR, "password": PASSWORD}).json()
        client = httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {signed_in['data']['token']}"}, timeout=60)
        customer = Customers().page(1, None).items[0]["customer_id"]
        return {(route[0], route[1]): _reading(client, route, customer, times) for route in ROUTES}


def _reading(client: httpx.Client, route: Route, customer: str, times: int) -> Reading:
    """A request to a warm function: what it keeps for a while, as the model and the schema, has been read before."""
    method, path, body = route
    path = path.replace("{customer}", customer)
    content = {name: value.replace("{customer}", customer) if isinstance(value, str) else value for name, value in (body or {}).items()}

    def ask() -> float:
        started = perf_counter()
        answer = client.request(method, path, json=content if body is not None else None)
        answer.raise_for_status()
        return perf_counter() - started

    ask()
    with _watched() as reading:
        ask()
    reading.seconds = median(ask() for _ in range(times))
    return reading


@contextmanager
def _watched() -> Iterator[Reading]:
    """Counts storage requests inside the context."""
    reading = Reading()
    current = threading.local()

    def note(params: Mapping[str, Any], **_: object) -> None:
        current.params = params

    def count(parsed: Mapping[str, Any], **_: object) -> None:
        params = current.params
        if params.get("TableName") != settings().rate_limits_table:
            with reading.lock:
                reading.requests += 1
                reading.units += read_units(params, parsed)

    clients: list[Any] = [dynamodb(), s3()]
    for client in clients:
        client.meta.events.register("provide-client-params", note)
        client.meta.events.register("after-call", count)
    try:
        yield reading
    finally:
        for client in clients:
            client.meta.events.unregister("provide-client-params", note)
            client.meta.events.unregister("after-call", count)


def read_units(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Read units of one answer of DynamoDB; 0 for S3. The measured routes use no filter and no
    projection, which would leave data out of the answer."""
    if "TableName" not in request and "RequestItems" not in request:
        return 0.0
    if "RequestItems" in request:
        each = [
            (bool(request["RequestItems"][table].get("ConsistentRead")), [item])
            for table, items in answer["Responses"].items()
            for item in items
        ]
    else:
        each = [(bool(request.get("ConsistentRead")), answer.get("Items", [answer["Item"]] if "Item" in answer else []))]
    return sum((1.0 if consistent else 0.5) * max(1, math.ceil(sum(map(item_bytes, items)) / UNIT_BYTES)) for consistent, items in each)


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size that DynamoDB charges for: names and values in UTF-8, numbers by their digits, 3 bytes more for a list or map."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.strip("-").replace(".", "")) / 2) + 1
        case "B":
            return len(content)
        case "L":
            return 3 + sum(1 + _value_bytes(element) for element in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case "SS" | "BS":
            return sum(len(element) for element in content)
        case _:
            return 1


if __name__ == "__main__":
    raise SystemExit(alone("reads", run))
