"""The judgement of a route, shared by the files that the routes are divided into."""

import json
from typing import Any

from retainstream.registry.active_schema import set_active_schema
from retainstream.storage.documents import Documents
from tests.faults import Fault, Kind
from tests.integration.faults.judging import Bench, chosen, comparable
from tests.integration.faults.routes import ROUTES, Route
from tests.made_sources import streaming_with_sources


def routes_of(*modules: str) -> list[Route]:
    return [route for route in ROUTES if route.module in modules]


def judge_route(state: Any, route: Route) -> int:
    """Holds a route to its promises under every chosen fault. Returns how many there were."""
    aside = state.put_aside()
    try:
        if route.sources:
            set_active_schema(Documents(), streaming_with_sources())
        bench = Bench(state, route.send, without=frozenset({f"test-{route.anew}"}), left=(route.left,) if route.left else ())
        assert bench.clean.answer["statusCode"] < 300, bench.clean.answer
        faults = chosen(bench.clean.calls)
        for fault in faults:
            _judge(bench, route, fault)
    finally:
        state.put_back(aside)
    return len(faults)


def _judge(bench: Bench, route: Route, fault: Fault) -> None:
    answer, layer = bench.with_fault(fault)
    assert not isinstance(answer, Exception), (fault, answer)
    assert layer.hits, f"{fault} did not happen"
    status, clean = answer["statusCode"], bench.clean.answer["statusCode"]
    between = bench.seen()
    if fault.kind is Kind.REFUSED and route.race:
        assert status in (clean, 404, 503), fault
        return
    if status == clean:
        if route.answers:
            assert comparable(_body(answer)) == comparable(_body(bench.clean.answer)), fault
        if not route.operation.startswith("GET /api/health"):
            bench.require_after(fault)
        bench.require_counted(str(fault))
        return
    if fault.kind is Kind.REFUSED and status < 500:
        assert between == bench.clean.before or route.steps, fault
    else:
        assert status == 503, f"{fault}: {status} {answer.get('body')}"
        assert _body(answer)["type"] == "urn:retainstream:problem:unavailable", fault
        assert answer["headers"]["Content-Type"] == "application/problem+json", fault
        assert int(answer["headers"]["Retry-After"]) > 0, fault
    assert between in (bench.clean.before, bench.clean.after) or route.steps or route.left, f"{fault}: neither before nor after"
    retried = bench.again()
    assert retried["statusCode"] == clean or ((between == bench.clean.after or route.steps) and retried["statusCode"] in route.retried), (
        f"{fault}: the same request again was answered with {retried['statusCode']} {retried.get('body')}"
    )
    bench.require_after(fault)
    bench.require_counted(str(fault))


def _body(answer: dict[str, Any]) -> Any:
    text = answer.get("body") or ""
    return json.loads(text) if "json" in str(answer.get("headers", {}).get("Content-Type", "")) and text else text
