"""Many lives as arrays, and the labels of their rows."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.lives.life import Label, day_number
from retainstream.engine.records import Life

type Days = NDArray[np.int32]
"""Days since 1970-01-01; ABSENT where a day is not known."""

ABSENT = np.int32(np.iinfo(np.int32).min)


@dataclass(frozen=True)
class LifeArrays:
    """The days of n lives, in arrays of int32 (n,); see `engine.records.Life`."""

    began_on: Days
    first_seen_on: Days
    left_on: Days
    left_after: Days
    observed_until: Days

    @classmethod
    def of(cls, lives: Iterable[Life]) -> Self:
        known = list(lives)

        def days(name: str) -> Days:
            texts = [life.get(name) for life in known]
            return np.array([day_number(text) if isinstance(text, str) else ABSENT for text in texts], dtype=np.int32)

        return cls(*(days(field.name) for field in fields(cls)))

    def __len__(self) -> int:
        return len(self.left_on)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The lives at these places."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def starts(self) -> Days:
        """As `start_of`."""
        return np.where(self.began_on != ABSENT, self.began_on, self.first_seen_on)


def labels(lives: LifeArrays, anchors: Days, horizon_days: int) -> NDArray[np.int8]:
    """The `Label` of each life at each anchor, int8 (n,), by the same rule as `label_of`. `anchors` is int32 (n,) or one day."""
    end = anchors + np.int32(horizon_days)
    ended = lives.left_on != ABSENT
    after = np.maximum(np.where(lives.left_after != ABSENT, lives.left_after, lives.left_on - 1), anchors)
    outcome = np.select(
        [
            (lives.starts > anchors) | (ended & (lives.left_on <= anchors)),
            ended & (_middle(after, lives.left_on) <= end),
            ended | (lives.observed_until >= end),
        ],
        [Label.NO_ROW, Label.LEFT, Label.STAYED],
        Label.UNKNOWN,
    )
    return outcome.astype(np.int8)


def _middle(after: Days, left_on: Days) -> Days:
    return ((after.astype(np.int64) + left_on + 1) // 2).astype(np.int32)
