"""Many requests at the same moment, as Lambda serves them: by several instances of a function, each with one request at a time."""

import queue
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from tests.integration.conftest import lambda_context, load_function

INSTANCES = 16


def instances(name: str, number: int = INSTANCES) -> list[ModuleType]:
    """So many instances of a function that share nothing but the tables."""
    return [load_function.__wrapped__(name) for _ in range(number)]


def at_once(name: str, events: Iterable[dict[str, Any]], *, number: int = INSTANCES) -> list[dict[str, Any]]:
    """The answers to events, in their order."""
    free: queue.SimpleQueue[ModuleType] = queue.SimpleQueue()
    for instance in instances(name, number):
        free.put(instance)

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        instance = free.get()
        try:
            answered: dict[str, Any] = instance.handler(event, lambda_context(name))
        finally:
            free.put(instance)
        return answered

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(answer, events))
