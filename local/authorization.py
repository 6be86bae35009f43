"""The Lambda authorizer in front of routes, with API Gateway's cache of its answers."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from local.http_event import Request, authorizer_event
from local.routes import Authorizer, Route
from local.runtime import Runtime

_MOST_CACHED = 10_000


class MissingIdentityError(Exception):
    """The request lacks a header the authorizer needs."""


class DeniedError(Exception):
    """The authorizer denied the request."""


class Authorization:
    """Calls authorizers and caches their answers by identity, for their time to live. `clock` returns seconds."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._cache: OrderedDict[tuple[str, ...], tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def context(self, request: Request, route: Route, parameters: Mapping[str, str]) -> Mapping[str, Any] | None:
        """The route's authorizer's context for the caller; None for a route without authorizer.

        Raises:
            MissingIdentityError: a header of the identity source is absent or empty.
            DeniedError: the authorizer refused.
            FunctionError: the authorizer failed.
        """
        authorizer = route.authorizer
        if authorizer is None:
            return None
        identity = [request.header(name) or "" for name in authorizer.headers]
        if not all(identity):
            raise MissingIdentityError
        answer = self._remembered(authorizer, identity)
        if answer is None:
            answer = self._runtime.invoke(authorizer.function, authorizer_event(request, route, parameters, identity), request.request_id)
            if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
                raise DeniedError(f"{authorizer.function} gave no simple response")
            self._remember(authorizer, identity, answer)
        if not answer["isAuthorized"]:
            raise DeniedError
        context: Mapping[str, Any] = answer.get("context") or {}
        return context

    def _remembered(self, authorizer: Authorizer, identity: list[str]) -> Mapping[str, Any] | None:
        with self._lock:
            until, answer = self._cache.get((authorizer.name, *identity), (0.0, None))
            return answer if self._clock() < until else None

    def _remember(self, authorizer: Authorizer, identity: list[str], answer: Mapping[str, Any]) -> None:
        if authorizer.ttl == 0 or not identity:
            return
        with self._lock:
            key = (authorizer.name, *identity)
            self._cache[key] = (self._clock() + authorizer.ttl, answer)
            self._cache.move_to_end(key)
            while len(self._cache) > _MOST_CACHED:
                self._cache.popitem(last=False)
