"""Taking changes into the counters, each exactly once.

A stream delivers a change at least once: again after a crash, in other batches than before, and then not always in order. So the counters
are written in one transaction with marks of the changes they took in, and a change whose mark is there is left out. The marks lie under
the second in which the change was made, which the change itself tells whatever batch brings it. They are kept for longer than the stream
keeps a change.

Two invocations with the same change may run at once. Both write the counters on the condition of their version, so the second one to write
fails, reads again, and finds the marks of the first: the version is read before the marks.

Counters that were put right by a recount hold every change up to a second that they tell, marked or not: such a change is left out too.
"""

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import batched

from retainstream.dashboard.fold import Counters, CountRow, counts_of_customer, counts_of_prediction, fold, total
from retainstream.storage.changes import Change
from retainstream.storage.errors import Conflict
from retainstream.storage.rollups import Rollups, Source, mark_of

COUNT: dict[Source, CountRow] = {"customers": counts_of_customer, "predictions": counts_of_prediction}

_SECONDS_PER_WRITE = 50
_ATTEMPTS = 12

type _Effect = tuple[bytes, int, Counters]


def take_in(source: Source, changes: Iterable[Change], rollups: Rollups) -> int:
    """Takes changes of one table into its counters. Returns how many were new and changed a number.

    Safe to repeat after any error, with these changes or any others: what was taken in stays, what was not is taken in then.

    Raises:
        Conflict: other writers were quicker every time.
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
    for attempt in range(_ATTEMPTS):
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
        try:
            rollups.advance(source, stored, counters, marks)
        except Conflict:
            time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311
            continue
        return len(new)
    raise Conflict("counters")
