"""How many other rows a row is expected to equal, if only chance makes rows equal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

type Codes = NDArray[np.signedinteger] | NDArray[np.unsignedinteger]
type _Places = NDArray[np.intp]
type _Chances = NDArray[np.float64]

_MOST_COLUMNS = 40
_SAMPLE = 4000
_LEAST_GAIN = 0.005
_SEED = 20_260_101


def expected_twins(columns: Sequence[Codes], group_of: NDArray[np.intp]) -> _Chances:
    """The expected number of other rows that equal each row (n,): (n − 1) × the chance of the row.

    The chance is that of a tree of the columns (Chow and Liu, 1968), in which a column may have a second parent: the number of purchases
    and the price determine the total. Chances are estimated from the rows that differ from the row, so that a value that is there once,
    and its copy, is not expected. Of more than 40 columns those with the most information count.

    Args:
        columns: a code for each row (n,), per column.
        group_of: a number for each row (n,), the same for equal rows.
    """
    rows, copies = len(group_of), _copies(group_of)
    coded = [np.unique(column, return_inverse=True)[1] for column in columns]
    informative = sorted((column for column in coded if column.max(initial=0)), key=lambda column: -_information(column))[:_MOST_COLUMNS]
    if not informative:
        return np.full(rows, float(rows - 1))
    sample = np.random.default_rng(_SEED).permutation(rows)[:_SAMPLE]
    tree = _tree([np.unique(column[sample], return_inverse=True)[1] for column in informative], _copies(group_of[sample]))
    logs = np.zeros(rows)
    for place, parents in tree:
        chance = _chance(informative[place], copies)
        for count in range(1, len(parents) + 1):
            chance = _given(informative[place], [informative[parent] for parent in parents[:count]], chance, copies)
        logs += np.log(chance)
    expected: _Chances = (rows - 1) * np.exp(logs)
    return expected


def _copies(group_of: NDArray[np.intp]) -> _Places:
    """How often each row is there, itself included."""
    copies: _Places = np.bincount(group_of)[group_of]
    return copies


def _tree(columns: Sequence[_Places], copies: _Places) -> list[tuple[int, tuple[int, ...]]]:
    """The columns in an order in which parents come first, with up to two parents each."""
    alone = [_chance(column, copies) for column in columns]
    gains = np.full((len(columns), len(columns)), -np.inf)
    for place, column in enumerate(columns):
        for parent, other in enumerate(columns):
            if parent != place:
                gains[place, parent] = np.log(_given(column, [other], alone[place], copies) / alone[place]).mean()
    ordered: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    left = set(range(1, len(columns)))
    while left:
        placed = [place for place, _ in ordered]
        place = max(sorted(left), key=lambda candidate: gains[candidate, placed].max())
        left.remove(place)
        first = placed[int(np.argmax(gains[place, placed]))]
        if gains[place, first] <= 0:
            ordered.append((place, ()))
            continue
        chance = _given(columns[place], [columns[first]], alone[place], copies)
        second = {
            parent: np.log(_given(columns[place], [columns[first], columns[parent]], chance, copies) / chance).mean()
            for parent in placed
            if parent != first
        }
        best = max(second, key=lambda parent: float(second[parent]), default=first)
        ordered.append((place, (first, best) if second.get(best, 0.0) > _LEAST_GAIN else (first,)))
    return ordered


def _information(column: _Places) -> float:
    """The entropy of the column's values."""
    shares = np.bincount(column) / len(column)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _chance(column: _Places, copies: _Places) -> _Chances:
    """The chance of each row's value, among other rows; half a row is added for each value, and for one that is not there yet."""
    values = int(column.max()) + 1
    chance: _Chances = (_others(column, copies) + 0.5) / (len(column) - copies + 0.5 * (values + 1))
    return chance


def _given(column: _Places, parents: Sequence[_Places], before: _Chances, copies: _Places) -> _Chances:
    """The chance of each row's value among other rows with the same values of the parents; one row of the chance `before` is added."""
    together = parents[0]
    for parent in parents[1:]:
        together = _pairs(together, parent)
    both = _others(_pairs(together, column), copies)
    chance: _Chances = (both + before) / (_others(together, copies) + 1.0)
    return chance


def _pairs(first: _Places, second: _Places) -> _Places:
    pairs: _Places = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1]
    return pairs


def _others(column: _Places, copies: _Places) -> NDArray[np.intp]:
    """How many rows with the same value there are that do not equal the row."""
    others: NDArray[np.intp] = np.bincount(column)[column] - copies
    return others
