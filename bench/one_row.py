"""One row with reasons: through the real handler against the bare call, and over HTTP against other servers with the same model.

The bare call is `booster.predict(matrix, pred_contribs=True)` on the same booster and row with the matrix ready-made; what somebody with a
row needs, making the matrix included, is beside it. Handler and bare call take turns, one call each, so that both find the processor's
caches as the other has left them. Consecutive calls of each, with warm caches, are reported too.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.made_models import DEEP, SHALLOW, TINY, Shape, made
from bench.one_instance import load, post, set_environment
from bench.peers import NoEnvironment
from bench.result import Result, Target
from bench.running import alone, in_a_process_of_its_own
from bench.servers import PEERS, Load, NoAnswer, Running, Server, median_of, ours, running
from bench.stubbed_registry import in_service
from bench.timing import Timings, interleaved

_PATH = "/api/predictions/generate"
_ROUNDS = 5
_WARM, _WARM_SECONDS = 200, 5.0


def run(quick: bool) -> list[Result]:
    shapes = [TINY] if quick else [SHALLOW, DEEP]
    results = [result for shape in shapes for result in in_a_process_of_its_own(through_the_handler, shape, 20 if quick else 1000)]
    if not quick:
        results += over_http(SHALLOW, list(PEERS))
    return results


def through_the_handler(shape: Shape, calls: int) -> list[Result]:
    """Event in → answer out, in this process, storage answered where the client would send."""
    set_environment()
    import xgboost

    from retainstream.engine.model.model import matrix
    from retainstream.storage import clients

    model = made(shape)
    in_service(model).attach(clients.dynamodb(), clients.s3())
    function = load("predictions")
    request = post(_PATH, {"rows": [model.customers(5)[3]]})
    bare, row = model.bare(), model.rows(5)[3:4]
    ready = matrix(model.schema.features, row, threads=1)
    kinds = bare.feature_types
    until = time.monotonic() + (0 if calls < _WARM else _WARM_SECONDS)
    while time.monotonic() < until:  # until the process has made its tables in the background
        request.of(function)
    answer = json.loads(request.of(function)["body"])["data"]["scores"][0]
    expected = bare.predict(ready, pred_contribs=True)[0]
    if max(abs(float(theirs) - mine) for theirs, mine in zip(expected, answer["contributions"].values(), strict=False)) > 1e-5:
        raise AssertionError("the handler's contributions are not those of the bare call")

    def row_in() -> object:
        matrix_of_row = xgboost.DMatrix(row, feature_types=kinds, enable_categorical=True, nthread=1)
        return bare.predict(matrix_of_row, pred_contribs=True, validate_features=False)

    handler, bare_call = (lambda: request.of(function)), (lambda: bare.predict(ready, pred_contribs=True))
    warm = min(calls, 200)
    turns = interleaved({"handler": handler, "bare": bare_call}, rounds=calls, calls=1, warm=warm, turning=False)
    whole = interleaved({"handler": handler, "row in": row_in}, rounds=calls, calls=1, warm=warm, turning=False)
    in_a_row = interleaved({"handler": handler, "bare": bare_call}, rounds=5, calls=calls // 5, warm=warm)
    return [
        _ours(f"handler, {shape}", turns, "bare", "the bare call", Target("ratio", at_most=3)),
        Result(f"handler, {shape}: p95", turns["handler"].p95 * 1e6, "µs", turns["handler"].p95 / turns["bare"].p95, "the bare call's p95"),
        Result(f"bare call, {shape}", turns["bare"].median * 1e6, "µs"),
        _ours(f"handler, {shape}, row in", whole, "row in", "the bare call including its matrix"),
        Result(f"bare call including its matrix, {shape}", whole["row in"].median * 1e6, "µs"),
        _ours(f"handler, {shape}, each in consecutive calls", in_a_row, "bare", "the bare call in consecutive calls, with warm caches"),
        Result(f"bare call in consecutive calls, {shape}", in_a_row["bare"].median * 1e6, "µs"),
    ]


def _ours(name: str, timed: Mapping[str, Timings], other: str, against: str, target: Target | None = None) -> Result:
    return Result(name, timed["handler"].median * 1e6, "µs", timed["handler"].ratio_to(timed[other]), against, target)


def over_http(shape: Shape, peers: Sequence[str], *, requests: int = 200) -> list[Result]:
    """Our handler behind a minimal HTTP server, and the peers: all run at once and are called in turn, by one client and by eight."""
    model = made(shape)
    row, encoded = model.customers(5)[3], [float(value) for value in model.rows(5)[3]]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        work = Path(folder)
        file = work / "model.ubj"
        file.write_bytes(model.booster)
        started, absent = [stack.enter_context(running(ours(shape.name, row), work / "ours.log"))], []
        for peer in peers:
            try:
                print(f"Starting {peer}", flush=True)
                started.append(stack.enter_context(running(PEERS[peer](file, encoded, work), work / f"{peer}.log")))
            except (NoEnvironment, NoAnswer) as error:
                absent.append(f"{peer}: {error}")
        for line in absent:
            print(f"Not measured: {line}", flush=True)
        return _compared(started, requests)


def _compared(servers: Sequence[Running], requests: int) -> list[Result]:
    alone_, eight = {each.server.name: list[Load]() for each in servers}, {each.server.name: list[Load]() for each in servers}
    for each in servers:
        each.ask(8, 2 * requests)
    for number in range(_ROUNDS):
        print(f"Round {number + 1} of {_ROUNDS}", flush=True)
        for each in servers if number % 2 == 0 else reversed(servers):
            alone_[each.server.name].append(each.ask(1, requests))
            eight[each.server.name].append(each.ask(8, requests // 4))
    memory = {each.server.name: each.memory() / 1e6 for each in servers}
    mine = servers[0].server
    results = []
    for measured in servers:
        server = measured.server
        results += _of(server, mine, median_of(alone_[server.name]), median_of(alone_[mine.name]), "one client")
        results += _of(server, mine, median_of(eight[server.name]), median_of(eight[mine.name]), "eight clients")
        is_mine = server is mine
        ratio = None if is_mine else memory[server.name] / memory[mine.name]
        results.append(Result(f"{server.name}: memory", memory[server.name], "MB", ratio, "" if is_mine else "ours"))
    return results


def _of(server: Server, mine: Server, load: Load, ours: Load, clients: str) -> list[Result]:
    note = "" if server.explains else "without reasons"
    if server is mine:
        return [
            Result(f"ours over HTTP, {clients}: median", load.median * 1e3, "ms"),
            Result(f"ours over HTTP, {clients}: p95", load.p95 * 1e3, "ms"),
            Result(f"ours over HTTP, {clients}: rate", load.rate, "requests/s"),
        ]
    slower = Target("ratio", at_least=1) if server.explains else None
    fewer = Target("ratio", at_most=1) if server.explains else None
    return [
        Result(f"{server.name}, {clients}: median", load.median * 1e3, "ms", load.median / ours.median, "ours", slower, note),
        Result(f"{server.name}, {clients}: p95", load.p95 * 1e3, "ms", load.p95 / ours.p95, "ours", note=note),
        Result(f"{server.name}, {clients}: rate", load.rate, "requests/s", load.rate / ours.rate, "ours", fewer, note),
    ]


if __name__ == "__main__":
    raise SystemExit(alone("one_row", run))
