"""Columns that say the same: a second copy of a column, or the same values in other words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retainstream.engine.traps.evidence import CodedColumn

_FEWEST_REPEATS = 20


@dataclass(frozen=True)
class SameColumns:
    """The places of two columns. equal: whether they have the same values; otherwise each value of one stands for one of the other."""

    first: int
    second: int
    equal: bool


def same_columns(columns: Sequence[CodedColumn]) -> list[SameColumns]:
    """Each column that says what an earlier one says, with the first such one. Missing values must be on the same rows.

    Columns with a single value are left out, and so are other words for values that hardly repeat, which any two such columns seem to be.
    """
    alike: dict[bytes, list[int]] = {}
    for place, column in enumerate(columns):
        there = column.counts[~column.absent & (column.counts > 0)]
        if len(there) > 1:
            alike.setdefault(np.sort(there).tobytes(), []).append(place)
    pairs = []
    for places in alike.values():
        earliest: dict[bytes, int] = {}
        of_values: dict[tuple[bytes, tuple[str | float, ...]], int] = {}
        for place in places if len(places) > 1 else ():
            pattern = _pattern(columns[place])
            first = earliest.setdefault(pattern, place)
            equal = of_values.setdefault((pattern, _values(columns[place])), place)
            if equal != place or (first != place and _repeats(columns[place]) >= _FEWEST_REPEATS):
                pairs.append(SameColumns(equal if equal != place else first, place, equal != place))
    return sorted(pairs, key=lambda pair: pair.second)


def _repeats(column: CodedColumn) -> int:
    """The rows whose value an earlier row has."""
    return int((np.maximum(column.counts, 1) - 1)[~column.absent].sum())


def _pattern(column: CodedColumn) -> bytes:
    """The rows that share a value, in a form that does not depend on the values: each value is numbered by its first row."""
    codes = np.where(column.absent, -1, np.arange(len(column.absent)))[column.codes]
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.where(codes < 0, -1, np.argsort(np.argsort(first))[inverse]).astype(np.int32).tobytes()


def _values(column: CodedColumn) -> tuple[str | float, ...]:
    """The values, in the order of their first rows; numbers as numbers."""
    _, first = np.unique(column.codes, return_index=True)
    codes = [code for code in column.codes[np.sort(first)].tolist() if not column.absent[code]]
    return tuple(column.text(code).strip().lower() if np.isnan(column.numbers[code]) else float(column.numbers[code]) for code in codes)
