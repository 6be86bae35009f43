"""Many requests at the same moment, as Lambda serves them: by several instances of a function, each with one request at a time."""

import queue
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from retainstream.registry import loading
from tests.integration.conftest import lambda_context, load_function

INSTANCES = 16


class CacheOfThread(threading.local, loading.ChampionCache):
    """A loaded model for each thread: two runs at the same time are in two processes."""


def instances(name: str, number: int = INSTANCES) -> list[ModuleType]:
    """So many instances of a function that share nothing but the tables."""
    return [load_function.__wrapped__(name) for _ in range(number)]


def answer_of(instance: ModuleType, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """What one instance answers. Powertools keeps the current event where all resolvers of a process find it; here each has its own."""
    vars(instance.app)["current_event"] = instance.app._to_proxy_event(event)
    answered: dict[str, Any] = instance.handler(event, lambda_context(name))
    return answered


def at_once(name: str, events: Iterable[dict[str, Any]], *, number: int = INSTANCES) -> list[dict[str, Any]]:
    """The answers to events, in their order."""
    free: queue.SimpleQueue[ModuleType] = queue.SimpleQueue()
    for instance in instances(name, number):
        free.put(instance)

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        instance = free.get()
        try:
            return answer_of(instance, name, event)
        finally:
            free.put(instance)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(answer, events))
