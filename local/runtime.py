"""The functions' handlers, called as Lambda calls them."""

import importlib.util
import json
import os
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from moto.awslambda.models import LambdaBackend

from local.isolation import ACCOUNT, REGION
from local.resources import Function

MAX_RESPONSE_BYTES = 6 * 1024 * 1024

# Powertools keeps the current event on a class attribute that all resolvers of a process share.
_ONE_RESOLVER_AT_A_TIME = threading.RLock()


class FunctionError(Exception):
    """A handler failed. `document` is what Lambda answers: errorType, errorMessage and stackTrace."""

    def __init__(self, function: str, error_type: str, message: str, trace: list[str]) -> None:
        super().__init__(f"{function}: {error_type}: {message}")
        self.document = {"errorType": error_type, "errorMessage": message, "stackTrace": trace}


class LoadError(Exception):
    """A function's code cannot be loaded."""


@dataclass(frozen=True)
class LambdaContext:
    """The context of an invocation."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    identity: Any = None
    client_context: Any = None

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the template's time-out of the function."""
        return max(0, round(1000 * (self.deadline - time.monotonic())))


class Runtime:
    """All functions of a deployment, each loaded at its first use or by `load`.

    Functions that hold a Powertools resolver, or are named in `routed`, run one at a time; the rest run side by side.
    """

    def __init__(self, functions: Mapping[str, Function], routed: Collection[str] = ()) -> None:
        self._functions = functions
        self._routed = routed
        self._loaded: dict[str, tuple[Callable[[Any, Any], Any], AbstractContextManager[Any]]] = {}
        self._loading = threading.RLock()

    def load(self, name: str) -> None:
        """Load the function of that name.

        Raises:
            LoadError: the function does not exist, its file is missing or its import fails.
        """
        with self._loading:
            if name not in self._loaded:
                module = self._import(name)
                handler = getattr(module, self._functions[name].handler, None)
                if handler is None:
                    raise LoadError(f"{self._functions[name].file} has no {self._functions[name].handler}")
                routed = name in self._routed or any(isinstance(value, BaseRouter) for value in vars(module).values())
                self._loaded[name] = (handler, _ONE_RESOLVER_AT_A_TIME if routed else nullcontext())

    def invoke(self, name: str, event: Any, request_id: str | None = None) -> Any:
        """Call a handler with a copy of `event`; returns its answer as JSON would carry it.

        Raises:
            FunctionError: the handler raised, or its answer is not JSON or longer than Lambda allows.
        """
        try:
            self.load(name)
        except LoadError as error:
            raise FunctionError(name, "Runtime.ImportModuleError", str(error), []) from error
        handler, turn = self._loaded[name]
        function = self._functions[name]
        payload = json.dumps(event)
        with turn:
            context = LambdaContext(name, function.memory, request_id or str(uuid.uuid4()), time.monotonic() + function.timeout)
            try:
                answer = handler(json.loads(payload), context)
            except Exception as error:
                raise FunctionError(name, type(error).__name__, str(error), traceback.format_exception(error)) from error
        try:
            text = json.dumps(answer)
        except (TypeError, ValueError) as error:
            raise FunctionError(name, "Runtime.MarshalError", f"Unable to marshal response: {error}", []) from error
        if len(text.encode()) > MAX_RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            raise FunctionError(name, "Function.ResponseSizeTooLarge", message, [])
        return json.loads(text)

    def _import(self, name: str) -> ModuleType:
        function = self._functions.get(name)
        if function is None:
            raise LoadError(f"the template has no function {name}")
        module_name = f"local_function_{name.replace('-', '_')}_{id(self):x}"
        specification = importlib.util.spec_from_file_location(module_name, function.file)
        if specification is None or specification.loader is None or not function.file.is_file():
            raise LoadError(f"{function.file} does not exist")
        module = importlib.util.module_from_spec(specification)
        sys.modules[module_name] = module
        try:
            with _variables(function.environment):
                specification.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise LoadError(f"{function.file} cannot be imported: {type(error).__name__}: {error}") from error
        return module


@contextmanager
def lambda_service(runtime: Runtime, report: Callable[[FunctionError], None]) -> Iterator[None]:
    """moto's Lambda `Invoke` answered by `runtime` while the context lasts; `report` receives failures as well."""
    original = LambdaBackend.invoke

    def invoke(_self: LambdaBackend, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any) -> bytes:
        del qualifier
        name = function_name.split(":")[6] if function_name.startswith("arn:") else function_name.split(":")[0]
        event = json.loads(body or "{}")
        if headers.get("x-amz-invocation-type") == "Event":
            threading.Thread(target=_answer, args=(runtime, name, event, report), daemon=True).start()
            return b""
        failed, payload = _answer(runtime, name, event, report)
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["Content-Length"] = str(len(payload))
        return payload

    LambdaBackend.invoke = invoke  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        LambdaBackend.invoke = original  # type: ignore[method-assign]


def _answer(runtime: Runtime, name: str, event: Any, report: Callable[[FunctionError], None]) -> tuple[bool, bytes]:
    try:
        return False, json.dumps(runtime.invoke(name, event)).encode()
    except FunctionError as error:
        report(error)
        return True, json.dumps(error.document).encode()


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
