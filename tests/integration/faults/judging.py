"""What may come of a request or a task while AWS has a fault: an honest refusal or success, and a state that is before or after."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from retainstream.settings import settings
from tests.aws_state import AwsState, State, difference, plain
from tests.examples import examples
from tests.faults import Call, Fault, FaultLayer, Kind, fault_layer, faults_of
from tests.integration.faults.world import miscounted, start_cold, take_in

type Do = Callable[[], Any]


@dataclass(frozen=True)
class Clean:
    """A run without fault: what it answered, the calls it made, and the states before and after it."""

    answer: Any
    calls: list[Call]
    before: State
    after: State


@dataclass
class Bench:
    """One thing that is done again and again from the same state, each time with another fault.

    `figures`: whether fractions are the same each time. `left`: what may be left over by a try that broke off, as the state begins to
    tell it: things under names of their own that nobody is told of, which the bucket's own rules take away.
    """

    state: AwsState
    do: Do
    figures: bool = True
    without: frozenset[str] = frozenset()
    counted: bool = True
    left: tuple[str, ...] = ()
    aside: Any = None
    clean: Clean = field(init=False)

    def __post_init__(self) -> None:
        self.aside = self.state.put_aside()
        before = self.seen()
        start_cold()
        with fault_layer() as layer:
            answer = self.do()
        self.clean = Clean(answer, sorted(layer.calls), before, self.seen())
        self.require_counted("without a fault")

    def seen(self) -> State:
        return self.state.seen(figures=self.figures, without=self.without)

    def with_fault(self, fault: Fault | None) -> tuple[Any, FaultLayer]:
        """Does it from the beginning, with a fault. Returns what it answered, or the exception that it raised."""
        self.state.put_back(self.aside)
        start_cold()
        with fault_layer(fault) as layer:
            try:
                return self.do(), layer
            except Exception as error:
                return error, layer

    def again(self) -> Any:
        """Does it once more, from where it is, without a fault."""
        start_cold()
        with fault_layer():
            return self.do()

    def require_counted(self, when: str) -> None:
        """The counters, once the streams are delivered, are a recount."""
        if self.counted and self.clean_writes():
            now = self.state.put_aside()
            take_in(self.state, self.aside)
            assert miscounted() == {}, when
            self.state.put_back(now)

    def clean_writes(self) -> bool:
        return not hasattr(self, "clean") or self.clean.before != self.clean.after

    def require_after(self, fault: Fault | str) -> None:
        """What there is, but for what may be `left` over, is what a clean run leaves."""
        found = self.seen()
        if self.left:
            surplus = found - self.clean.after
            found -= Counter({text: count for text, count in surplus.items() if text.startswith(self.left)})
        assert found == self.clean.after, f"{fault}: the final state is not that of a clean run\n{difference(found, self.clean.after)}"


def chosen(calls: Sequence[Call], *, sparsely: bool = False) -> list[Fault]:
    """Faults to try, by turns: for a call that writes one of every kind; one for a call that reads, that has two like it before, or
    (`sparsely`) any. Where the variable EXAMPLES is above 1000, all there are."""
    found: list[Fault] = []
    for place, call in enumerate(calls):
        every, first = faults_of(call), 7 * place + 3
        if examples(0) > 1000:
            found += every
        elif sparsely or not call.writes or call.number > 1 or call.about == settings().rate_limits_table:
            found.append(every[first % len(every)])
        else:
            by_kind: dict[Kind, list[Fault]] = {}
            for fault in every:
                by_kind.setdefault(fault.kind, []).append(fault)
            found += [faults[(place + turn) % len(faults)] for turn, faults in enumerate(by_kind.values())]
    return found


def comparable(body: Any, *, figures: bool = True) -> str:
    """An answer but for what is another each time."""
    return plain(json.dumps(body, sort_keys=True, default=str), figures=figures)
