"""Copies of rows: rows that equal another row beyond coincidence."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.traps.expected_twins import Codes, expected_twins

type Hashes = NDArray[np.uint64]

_FEWEST_COPIES = 3
_FEWEST_COLUMNS = 5
_LEAST_SHARE = 0.001
_MOST_ROWS = 100_000
_HALF = 5
_LEAST_OF_EQUAL = 0.1
_OUT_OF_QUESTION = 0.01
_UNCERTAIN = 3.0
_UNLIKELY = 0.1
_OFTEN, _SLACK, _RARE = 5, 10.0, 1e-6

MOST_COINCIDENCES = 0.001
"""Expected coincidences of a row (see `coincidences`) up to which equal rows are copies."""


def copies(columns: Sequence[Codes], apart_from: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Which rows (n,) are copies of another row, by codes per column (n,), the outcome's among them.

    Customers coincide without being copies: where columns are few and coarse, or where some customers have little to tell, such as those
    with a single purchase, whose last day is the first and whose total is the price. Such coincidences are rows that many other customers
    might have (see `expected_twins`), while copies are made of any row. So among the half of the different rows that are the least
    expected, there are as many copies as among the other half. Copies are named where these make up most of the equal rows, or are as
    frequent among the least expected tenth; where hardly any coincidence is expected at all; and only where they are a thousandth of the
    rows or more. A row that is there five times or more is a copy where so many coincidences are out of the question.

    Rows in `apart_from` (n,) do not count. With fewer than five columns coincidences cannot be judged, and no row is a copy.
    """
    hashes = row_hashes(columns)
    nothing = np.zeros(len(hashes), dtype=bool)
    twins = has_twin(hashes)
    if apart_from is not None:
        twins &= ~apart_from
    fewest = max(2 * _FEWEST_COPIES, _LEAST_SHARE * len(hashes))
    if len(columns) < _FEWEST_COLUMNS or np.count_nonzero(twins) < fewest:
        return nothing
    judged = hashes % np.uint64(max(1, len(hashes) // _MOST_ROWS)) == 0  # all copies of a row are among them, or none is
    _, first, group_of, sizes = np.unique(hashes[judged], return_index=True, return_inverse=True, return_counts=True)
    expected = expected_twins([column[judged] for column in columns], group_of)[first]
    equal = twins[judged][first]
    tenth = np.argsort(np.argsort(expected, kind="stable")) * 10 // len(expected)
    unexpected = tenth < _HALF
    frequent = equal & (sizes >= _OFTEN) & (_SLACK * expected < _RARE ** (1 / np.maximum(sizes - 1, 1)))
    fewest *= judged.mean()
    if expected.sum() <= _OUT_OF_QUESTION * np.count_nonzero(equal) or _are_made(equal, tenth, expected, fewest):
        copied = equal & (unexpected | (expected <= _UNLIKELY) | frequent)
    elif sizes[frequent].sum() >= fewest:
        copied = frequent
    else:
        return nothing
    return twins & np.isin(hashes, hashes[judged][first[copied]]) if judged.all() else twins


def _are_made(equal: NDArray[np.bool_], tenth: NDArray[np.intp], expected: NDArray[np.float64], fewest: float) -> bool:
    """Whether the different rows that are there several times (`equal`) are not all coincidences.

    tenth: of each different row by its expected twins, 0 the least expected. fewest: rows that count.
    """
    least = tenth < _HALF
    several = np.count_nonzero(equal)
    made = 2 * (np.count_nonzero(equal & least) - _UNCERTAIN * expected[least].sum())
    if made < max(2 * _FEWEST_COPIES, fewest / 2):
        return False
    unlikeliest = np.count_nonzero(equal & (tenth == 0))
    return bool(2 * made >= several or (made >= _LEAST_OF_EQUAL * several and 20 * unlikeliest >= made))


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
