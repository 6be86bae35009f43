"""Copies of rows: rows that equal another row beyond coincidence."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

type Hashes = NDArray[np.uint64]
type Codes = NDArray[np.signedinteger] | NDArray[np.unsignedinteger]

_FEWEST_COPIES = 3
_LEAST_SHARE = 0.001
_MOST_COLUMNS_LEFT_OUT = 200

MOST_COINCIDENCES = 0.001
"""Expected coincidences of a row (see `coincidences`) up to which equal rows are copies."""


def copies(columns: Sequence[Codes], label: int, apart_from: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Which rows (n,) are copies of another row, by codes per column (n,), of which column `label` holds the outcome.

    Customers with few and coarse columns coincide without being copies. Then many more rows differ from another row in exactly one
    column; copies bring few such neighbours. So the copies are all False unless they are a thousandth of the rows or more, and those
    without neighbours are more than half as many as the rows with neighbours. Where coincidence is out of the question (see
    `coincidences`), fewer neighbours than half the copies count as none. Rows in `apart_from` (n,) do not count.
    """
    total = row_hashes(columns)
    twins = has_twin(total)
    if apart_from is not None:
        twins &= ~apart_from
    nothing = np.zeros(len(total), dtype=bool)
    if np.count_nonzero(twins) < max(2 * _FEWEST_COPIES, _LEAST_SHARE * len(total)):
        return nothing
    places = [place for place in range(len(columns)) if place != label]
    if len(places) > _MOST_COLUMNS_LEFT_OUT:
        places = sorted(places, key=lambda place: -len(np.unique(columns[place])))[:_MOST_COLUMNS_LEFT_OUT]
    equal = _group_sizes(total)
    neighbours = sum((_group_sizes(total - _hashes(columns[place], place)) - equal for place in places), np.zeros(len(total), np.intp))
    near = neighbours > 0
    if coincidences(columns) <= MOST_COINCIDENCES:
        near &= 2 * neighbours >= equal
    return twins if 2 * np.count_nonzero(twins & ~near) > np.count_nonzero(near) else nothing


def coincidences(columns: Iterable[NDArray[np.generic]]) -> float:
    """How many other rows a row would equal, on average, if its columns (n,) were independent."""
    counts = [np.unique(column, return_counts=True)[1] for column in columns]
    rows = int(counts[0].sum()) if counts else 0
    return float(rows / 2 * np.prod([((count / rows) ** 2).sum() for count in counts]))


def row_hashes(columns: Sequence[Codes]) -> Hashes:
    """A 64-bit number for each row (n,): equal rows have equal numbers, and other rows other numbers but for a chance of n² / 2⁶⁴."""
    total = np.zeros(len(columns[0]) if columns else 0, np.uint64)
    for place, codes in enumerate(columns):
        total += _hashes(codes, place)
    return total


def has_twin(hashes: Hashes) -> NDArray[np.bool_]:
    """Whether another row has the same number."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    same = ordered[1:] == ordered[:-1]
    twin = np.zeros(len(hashes), dtype=bool)
    twin[order[1:]] = same
    twin[order[:-1]] |= same
    return twin


def surplus(hashes: Hashes, rows: NDArray[np.bool_]) -> int:
    """How many of the rows are left when one of each kind is kept."""
    return int(np.count_nonzero(rows) - len(np.unique(hashes[rows])))


def _hashes(codes: Codes, place: int) -> Hashes:
    """A number for each row's code, for each place others: splitmix64 (Steele, Lea & Flood 2014)."""
    mixed = codes.astype(np.uint64) + np.uint64((place + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashes: Hashes = mixed ^ (mixed >> np.uint64(31))
    return hashes


def _group_sizes(hashes: Hashes) -> NDArray[np.intp]:
    """How many rows have each row's number."""
    _, group, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    of_rows: NDArray[np.intp] = sizes[group]
    return of_rows
