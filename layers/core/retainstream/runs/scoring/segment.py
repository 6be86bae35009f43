"""Scoring one segment of the customers table, block by block."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NotRequired, TypedDict

import numpy as np

from retainstream.engine.history.rows import ArrivingRow
from retainstream.engine.lives import churned_of, day_number
from retainstream.engine.model.encoding import Rows, encode
from retainstream.engine.model.inputs import by_feature
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.past import described_day, features_day
from retainstream.engine.monitoring.documents import Reference
from retainstream.engine.monitoring.histograms import Ruler, tally
from retainstream.engine.monitoring.tally import Tally, total
from retainstream.engine.records import SYNTHETIC, Customer, Prediction
from retainstream.predictions.agreement import Known, settle_page
from retainstream.predictions.generate import now, score_and_store
from retainstream.runs.scoring.partials import Counted, Partials
from retainstream.runs.turns import SecondsLeft, Turn
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.history import ArrivingPart
from retainstream.storage.pace import Pace
from retainstream.storage.stores import Stores
from retainstream.storage.table import Key

BLOCK = 4_000
"""Customers scored as one array: enough to share the costs of a block, and at most some 100 MB of a function's memory."""
RESERVE_SECONDS = 60.0
"""A turn ends when less than this is left of its invocation."""
_PACED_BLOCK_SECONDS = 10.0
"""Where writes are paced, a block is no larger than the writes of this time."""


class SegmentFailed(Exception):
    """A segment could not be scored; the message says which one and why."""


class Segment(TypedDict):
    """A segment of the customers table, and how far it is scored.

    `start` is the key after which the next turn begins. `sweeping` means that all its customers are scored, and `start` is in the
    predictions table.
    """

    segment: int
    segments: int
    start: Key | None
    turns: int
    sweeping: NotRequired[bool]
    done: NotRequired[bool]


def writes_of_one(segments: int, writes_per_second: float, side_by_side: int) -> float:
    """One worker's share of the writes per second of a run with so many segments. 0 is no limit."""
    return writes_per_second / min(segments, side_by_side)


def score_segment(
    stores: Stores,
    model: ScoringModel,
    reference: Reference | None,
    run_id: str,
    part: Segment,
    seconds_left: SecondsLeft,
    writes_per_second: float = 0.0,
) -> Segment:
    """Scores a segment from its `start`, and returns it with the new `start`, one more of `turns`, and whether it is `done`.

    When all its customers are scored, it sweeps its part of the predictions table for the repairs that other writers left undone. The
    counts go to the bucket; features are counted only where there is a `reference` with their bins. At most `writes_per_second`
    predictions are written; 0 is no limit.

    Raises:
        StorageUnavailable: storage did not answer; the segment may be tried again.
        SegmentFailed: anything else.
    """
    name = f"Segment {part['segment'] + 1} of {part['segments']}"
    try:
        worker = _Worker(stores, model, Ruler.of(reference["features"]) if reference else None, run_id, part, writes_per_second)
        for _ in Turn(seconds_left, RESERVE_SECONDS, worker.blocks()):
            pass
        stores.arrivals.put_packed(run_id, f"{part['segment']}-{part['turns']}", worker.arriving)
        Partials(stores.documents, run_id).put(part["segment"], part["turns"], Counted(worker.counts, worker.tally))
    except StorageUnavailable as error:
        raise StorageUnavailable(f"{name}: storage did not answer, even after several tries ({error}).") from error
    except Exception as error:
        raise SegmentFailed(f"{name} could not be scored ({type(error).__name__}).") from error
    return {**part, "start": worker.start, "turns": part["turns"] + 1, "sweeping": worker.sweeping, "done": worker.done}


class _Worker:
    """One turn of a segment: where it stands, and the counts of the turn."""

    def __init__(
        self, stores: Stores, model: ScoringModel, ruler: Ruler | None, run_id: str, part: Segment, writes_per_second: float
    ) -> None:
        self._stores, self._model, self._ruler, self._run_id = stores, model, ruler, run_id
        self._segment, self._segments = part["segment"], part["segments"]
        self._pace = Pace(writes_per_second)
        self._block = min(BLOCK, max(1, int(writes_per_second * _PACED_BLOCK_SECONDS))) if writes_per_second else BLOCK
        self.start, self.sweeping, self.done = part["start"], part.get("sweeping", False), False
        self.counts, self.tally = Counter[str](), Tally()
        self.arriving = ArrivingPart()

    def blocks(self) -> Iterator[None]:
        """Scores, and then sweeps, one block after the other."""
        while not self.done:
            if self.sweeping:
                self._sweep()
                self.done = self.start is None
            else:
                self._score()
                self.sweeping = self.start is None
            yield

    def _sweep(self) -> None:
        repaired, self.start = settle_page(
            self._run_id,
            self._stores.customers,
            self._stores.predictions,
            self.start,
            segment=self._segment,
            segments=self._segments,
        )
        self.counts["repaired"] += repaired

    def _score(self) -> None:
        customers, moment = self._stores.customers, now()
        page = customers.block(self._block, self.start, segment=self._segment, segments=self._segments)
        look_again = partial(customers.left_in_block, self._block, self.start, segment=self._segment, segments=self._segments)
        counted = self._scored(page.items, look_again, moment)
        self.counts += counted.counts
        self.tally = total([self.tally, counted.tally])
        self.start = page.next_key

    def _scored(self, customers: Sequence[Customer], look_again: Callable[[], Known], moment: str) -> Counted:
        present = [customer for customer in customers if churned_of(customer["life"]) is not True]
        readable, rows = _readable(self._model, present)
        predictions = score_and_store(
            self._model,
            readable,
            self._stores.customers,
            self._stores.predictions,
            run_id=self._run_id,
            look_again=look_again,
            pace=self._pace,
        )
        self.arriving.add(_arriving(customer, prediction, moment) for customer, prediction in zip(readable, predictions, strict=True))
        counts = Counter(
            read=len(customers), churned=len(customers) - len(present), refused=len(present) - len(readable), scored=len(predictions)
        )
        for prediction in predictions:
            level = prediction["level"]
            counts[f"level:{level}"] += 1
            counts[f"on:{features_day(prediction)}"] += 1
            counts[f"millionths:{level}"] += round(prediction["probability"] * 1_000_000)
            counts[f"cents:{level}"] += round(prediction["value_at_risk"] * 100)
        return Counted(
            counts,
            tally(
                self._ruler,
                rows,
                [prediction["probability"] for prediction in predictions],
                stayed=sum(churned_of(customer["life"]) is False for customer in readable),
                synthetic=sum(customer.get("source") == SYNTHETIC for customer in readable),
            ),
        )


def _arriving(customer: Customer, prediction: Prediction, moment: str) -> ArrivingRow:
    """A scored customer as a row of the history, under the day that the features describe."""
    return {
        "customer_id": customer["customer_id"],
        "anchor": features_day(prediction),
        "moment": moment,
        "origin": "scored",
        "group": prediction["group"],
        "price": prediction["price"],
        "features": prediction["features"],
        "probability": prediction["probability"],
        "margin": prediction["margin"],
        "base_margin": prediction["base_margin"],
        "base_probability": prediction["base_probability"],
        "model_version": prediction["model_version"],
        "contributions": by_feature(prediction["contributions"]),
    }


def _readable(model: ScoringModel, customers: Sequence[Customer]) -> tuple[list[Customer], Rows]:
    """The customers whose features are of the right kinds, and their rows. Other features can only have been written past the API."""
    try:
        days = [day_number(described_day(customer)) for customer in customers]
        return list(customers), encode(model.schema, [customer["features"] for customer in customers], days)
    except (AttributeError, KeyError, TypeError, ValueError):
        if len(customers) == 1:
            return [], encode(model.schema, [], [])
    alone = [_readable(model, [customer]) for customer in customers]
    return [customer for kept, _ in alone for customer in kept], np.concatenate([rows for _, rows in alone])
