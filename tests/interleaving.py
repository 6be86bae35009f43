"""Requests that meet: several callers of DynamoDB, let through one call at a time in an order that a test decides."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import EndpointConnectionError

from retainstream.storage.clients import dynamodb

type Caller = Callable[[], object]
type Choose = Callable[[Sequence[int]], int]

_PATIENCE_SECONDS = 30


@dataclass
class _Turns:
    """Which callers wait before a call, which may go on, and which are done."""

    change: threading.Condition = field(default_factory=threading.Condition)
    waiting: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    allowed: int | None = None
    cut_off: set[int] = field(default_factory=set)

    def before_call(self, who: int) -> None:
        with self.change:
            self.waiting.add(who)
            self.change.notify_all()
            assert self.change.wait_for(lambda: self.allowed == who, _PATIENCE_SECONDS)
            self.allowed = None
            self.waiting.discard(who)
            if who in self.cut_off:
                raise EndpointConnectionError(endpoint_url="https://aws.example")

    def ended(self, who: int) -> None:
        with self.change:
            self.done.add(who)
            self.change.notify_all()

    def everybody_waits(self, callers: int) -> list[int]:
        with self.change:
            assert self.change.wait_for(lambda: self.allowed is None and len(self.waiting | self.done) == callers, _PATIENCE_SECONDS)
            return sorted(self.waiting)

    def let(self, who: int, *, cut_off: bool) -> None:
        with self.change:
            if cut_off:
                self.cut_off.add(who)
            self.allowed = who
            self.change.notify_all()


def interleave(callers: Sequence[Caller], choose: Choose, cut_off: Sequence[tuple[int, int]] = ()) -> list[int]:
    """Runs the callers side by side. Before every call to DynamoDB `choose` says which of those who wait goes on.

    `cut_off` are pairs (caller, number of calls) after which nothing of the caller gets through any more, as if its process had died.
    Returns the order in which the calls were made. An exception of a caller is raised, unless the caller was cut off.
    """
    turns, errors, order = _Turns(), dict[int, BaseException](), list[int]()
    numbers: dict[threading.Thread, int] = {}

    def run(who: int, caller: Caller) -> None:
        try:
            caller()
        except Exception as error:
            errors[who] = error
        finally:
            turns.ended(who)

    def hook(**_: Any) -> None:
        who = numbers.get(threading.current_thread())
        if who is not None:
            turns.before_call(who)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(callers)]
    numbers.update({thread: who for who, thread in enumerate(threads)})
    dynamodb().meta.events.register("before-call.dynamodb", hook)
    try:
        for thread in threads:
            thread.start()
        while waiting := turns.everybody_waits(len(callers)):
            who = choose(waiting)
            dead = any(who == victim and order.count(who) >= calls for victim, calls in cut_off)
            turns.let(who, cut_off=dead)
            order.append(who)
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
    finally:
        dynamodb().meta.events.unregister("before-call.dynamodb", hook)
    for who, error in errors.items():
        if who not in turns.cut_off:
            raise error
    return order
