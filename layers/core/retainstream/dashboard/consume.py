"""Counting changes, each exactly once.

A stream delivers a change at least once: after a crash again, in other batches, and not always in order. So the counters are written in one
transaction with marks of the changes in them, and a change that is already marked is skipped. A mark is stored under the second of its
change, which the change holds whatever batch delivers it. Marks are kept longer than the stream keeps changes.

Two invocations with the same change may run at the same time. Both write the counters on the condition of their version, so the second
write fails, and its invocation reads again and sees the marks of the first: the version is read before the marks.

Counters that a recount repaired hold every change up to a stored second, marked or not; such changes are skipped too.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from itertools import batched

from retainstream.dashboard.fold import Counters, CountRow, counts_of_customer, counts_of_prediction, fold, total
from retainstream.storage.changes import Change
from retainstream.storage.errors import Conflict
from retainstream.storage.retry import attempts
from retainstream.storage.rollups import Rollups, Source, mark_of

COUNT: dict[Source, CountRow] = {"customers": counts_of_customer, "predictions": counts_of_prediction}

_SECONDS_PER_WRITE = 50
_ATTEMPTS = 12

type _Effect = tuple[bytes, int, Counters]


def take_in(source: Source, changes: Iterable[Change], rollups: Rollups) -> int:
    """Counts changes of one table. Returns the number of new changes that changed a counter.

    It may be repeated after any error, with these changes or others: counted changes are skipped.

    Raises:
        Conflict: other writers were first every time.
        StorageUnavailable: DynamoDB did not answer.
    """
    by_second: defaultdict[int, dict[bytes, _Effect]] = defaultdict(dict)
    for change in changes:
        delta = fold(COUNT[source], change)
        if delta:
            mark = mark_of(change.event_id)
            by_second[change.second][mark] = (mark, change.second, delta)
    taken = 0
    for seconds in batched(sorted(by_second), _SECONDS_PER_WRITE):
        taken += _write(source, [effect for second in seconds for effect in by_second[second].values()], rollups)
    return taken


def _write(source: Source, effects: list[_Effect], rollups: Rollups) -> int:
    for _ in attempts(_ATTEMPTS, first=0.01, longest=1.0):
        stored = rollups.counters(source)
        later = [effect for effect in effects if stored.repair is None or effect[1] > stored.repair.until]
        known = {second: rollups.applied(source, second) for second in sorted({second for _, second, _ in later})}
        new = [effect for effect in later if effect[0] not in known[effect[1]]]
        if not new:
            return 0
        counters = total([stored.counters, *(delta for _, _, delta in new)])
        marks: defaultdict[int, list[bytes]] = defaultdict(list)
        for mark, second, _ in new:
            marks[second].append(mark)
        with suppress(Conflict):
            rollups.advance(source, stored, counters, marks)
            return len(new)
    raise Conflict("counters")
