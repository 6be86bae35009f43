"""The local stack as one object: everything of the template that runs on this machine, started and stopped together."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from botocore.credentials import Credentials
from moto import mock_aws
from moto.core.config import DefaultConfig
from moto.dynamodb.models import dynamodb_backends

from local.arrivals import Arrivals
from local.atomic_tables import atomic_tables
from local.fast_tables import fast_tables, keep_sorted
from local.fast_writes import fast_writes
from local.gateway import Gateway
from local.interrupted import fail_interrupted_runs, forget_expired
from local.isolation import ACCOUNT, REGION, environment, isolate_from_aws
from local.keys import kept_keys
from local.object_requests import ObjectRequests, upload_rules
from local.objects import atomic_objects
from local.pages import BUILT, Pages
from local.resources import Deployment, deploy
from local.routes import cors_of, routes_of
from local.runtime import FunctionError, Runtime, lambda_service
from local.saving import Saving
from local.schedule import Scheduler
from local.signed_links import SignedLinks
from local.state import State
from local.streams import StreamFeeder
from local.wire import quick_items
from tools.expand import TEMPLATE, expand

_DEV_SERVER = {"AllowedOrigins": "http://localhost:5173,http://127.0.0.1:5173"}  # `npm run dev` in web/
# The session of boto3 is a new one, so that links are signed by the secret key of this stack and no other.
_MOTO: DefaultConfig = {
    "stepfunctions": {"execute_state_machine": True},
    "core": {"mock_credentials": False, "reset_boto3_session": True},
}


class LocalStack:
    """The template on moto in this process, with its HTTP API on `port` of 127.0.0.1 (0 takes a free one).

    `data` is the folder of the stored state; without it nothing is stored. `parameters` override the template's; the
    project's own template also allows the origins of `npm run dev`. `pages` is the
    folder of the dashboard's files. `report` receives faults, `progress` the present step. A process can run only one stack at a time.

    Raises (by `start`):
        StateError: the data folder cannot be used.
        TemplateError, UnresolvedError, UnsupportedError, LoadError, TimeExpressionError: the template or a function cannot be run.
        OSError: the port is taken.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        data: Path | None = None,
        reset: bool = False,
        template: Path = TEMPLATE,
        parameters: Mapping[str, str] | None = None,
        pages: Path = BUILT,
        report: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._port = port
        self._data = data
        self._reset = reset
        self._template = template
        self._parameters = {**(_DEV_SERVER if template == TEMPLATE else {}), **(parameters or {})}
        self._built = pages
        self._report = report
        self._progress = progress
        self._running = ExitStack()
        self.state: State | None = None
        self._saving: Saving | None = None
        self.loaded = 0
        self.deployment: Deployment
        self.runtime: Runtime
        self.feeder: StreamFeeder
        self.scheduler: Scheduler
        self.url = ""

    def start(self) -> "LocalStack":
        """Start everything. After an error nothing is left running."""
        try:
            self._start(self._running)
        except BaseException:
            self._running.close()
            raise
        return self

    def stop(self) -> None:
        """Flush and stop everything."""
        self._running.close()

    def flush(self) -> None:
        """Write the state now."""
        if self.state is not None:
            self.state.flush(self.feeder.between_batches)

    @property
    def problem(self) -> str | None:
        """Why the last save failed; None after a complete one. After `stop` it says that changes were lost."""
        return self._saving.problem() if self._saving is not None else None

    def __enter__(self) -> "LocalStack":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, running: ExitStack) -> None:
        listening = running.enter_context(_listening(self._port))
        running.enter_context(environment({}))
        isolate_from_aws()
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        if self._data is not None:
            self.state = State(self._data, reset=self._reset)
            running.callback(self.state.close)
        self._progress("Expanding the template")
        expanded = expand(self._template, self._parameters)

        watchers = [keep_sorted] if self.state is None else [keep_sorted, self.state.watch]
        running.enter_context(atomic_tables(*watchers))
        running.enter_context(fast_tables())
        running.enter_context(quick_items())
        running.enter_context(fast_writes())
        running.enter_context(atomic_objects())
        running.enter_context(mock_aws(config=_MOTO))
        port = listening.getsockname()[1]
        running.enter_context(_s3_endpoint(port))

        self._progress("Creating tables, bucket, key and state machines")
        kept = (kept_keys(self.state), self.state.note) if self.state is not None else ()
        self.deployment = deploy(expanded, self._parameters, *kept)
        running.enter_context(environment(self.deployment.environment))
        running.callback(_forget_caches)
        _forget_caches()
        if self.state is not None:
            self.loaded = self.state.load(lambda items: self._progress(f"Loading the stored state: {items:,} items"), self._report)
            self._forget_other_readers()
            fail_interrupted_runs()
            forget_expired()

        self._progress("Loading the functions")
        routes = routes_of(self.deployment.api)
        self.runtime = Runtime(self.deployment.functions, routes.functions)
        for name in self.deployment.functions:
            self.runtime.load(name)
        running.enter_context(lambda_service(self.runtime, self._report_failure))
        self.feeder = StreamFeeder(self.deployment.mappings, self.runtime, self._report)
        if self.state is not None:
            self._saving = Saving(self.state, self.feeder.between_batches, self._report)
            running.enter_context(self._saving.running(self.deployment.buckets))
            running.enter_context(_part_of_health(self._saving.problem))
        self.feeder.start()
        running.callback(self.feeder.stop)
        running.enter_context(Arrivals(self.deployment.arrival_rules, self.runtime, self._report).watched())
        anchor = self.state.moment if self.state is not None else lambda _: datetime.now(UTC)
        self.scheduler = Scheduler(self.deployment.schedules, anchor, self._report)
        self.scheduler.start()
        running.callback(self.scheduler.stop)
        links = SignedLinks(Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]))
        objects = ObjectRequests(links, upload_rules(self.deployment.buckets, port))
        gateway = Gateway(routes, cors_of(self.deployment.api), self.runtime, self._report_failure, self._pages(), objects)
        running.callback(gateway.close)
        self.url = running.enter_context(_served(gateway, listening))

    def _pages(self) -> Pages | None:
        """The dashboard, which may also connect to the bucket of this machine."""
        if not (self._built / "index.html").is_file() or not self.deployment.page_headers:
            return None
        headers = dict(self.deployment.page_headers)
        own = "connect-src 'self'"
        policy = headers["Content-Security-Policy"].replace(own, f"{own} {os.environ['AWS_ENDPOINT_URL_S3']}")
        return Pages(self._built, {**headers, "Content-Security-Policy": policy})

    def _forget_other_readers(self) -> None:
        """Remove the positions of mappings that the template no longer has: they would keep every record for ever."""
        for name in self.deployment.tables:
            shard: Any = dynamodb_backends[ACCOUNT][REGION].tables[name].stream_shard
            if shard is not None:
                mappings = {mapping.name for mapping in self.deployment.mappings if mapping.table == name}
                shard.readers = {reader: place for reader, place in shard.readers.items() if reader in mappings}
                shard.trim()

    def _report_failure(self, error: FunctionError) -> None:
        self._report(f"{error}\n{''.join(error.document['stackTrace'])}".rstrip())


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        yield listening


@contextmanager
def _served(gateway: Gateway, listening: socket.socket) -> Iterator[str]:
    configuration = uvicorn.Config(
        gateway, log_config=None, access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(configuration)
    started = threading.Event()
    startup = server.startup

    async def tell_when_started(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = tell_when_started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="gateway", daemon=True)
    thread.start()
    if not started.wait(timeout=30):
        raise TimeoutError("the gateway did not start")
    try:
        yield f"http://localhost:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=3)


@contextmanager
def _s3_endpoint(port: int) -> Iterator[None]:
    """Signed links lead to the gateway. moto answers this process before a request leaves it."""
    endpoint = f"http://127.0.0.1:{port}"
    with environment({"AWS_ENDPOINT_URL_S3": endpoint, "MOTO_S3_CUSTOM_ENDPOINTS": endpoint}):
        yield


@contextmanager
def _part_of_health(check: Callable[[], str | None]) -> Iterator[None]:
    """GET /api/health makes this check too while the context lasts."""
    from retainstream.registry.health import checks

    checks.append(check)
    try:
        yield
    finally:
        checks.remove(check)


def _forget_caches() -> None:
    """Clear cached settings, clients and stores of the package and of functions loaded earlier: this stack has its own."""
    from retainstream.storage.stores import Stores

    functions = TEMPLATE.parent / "functions"
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "retainstream" or functions in Path(getattr(module, "__file__", None) or "").parents:
            for value in vars(module).values():
                clear: Any = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()
                if isinstance(value, Stores):
                    value.reopen()
