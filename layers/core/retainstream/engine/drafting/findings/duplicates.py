"""Rows that are there twice."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding, share
from retainstream.engine.tables.columnar import TextColumn, TextTable

type Hashes = NDArray[np.uint64]

_FEWEST = 3
_SHARE = 0.001
_MOST_LEFT_OUT = 200


def duplicates(table: TextTable, id_header: str | None, label_header: str) -> list[Finding]:
    """Rows equal to another one, id included or apart from it.

    Customers with few and coarse columns coincide by themselves. Then many more rows differ from another in exactly one column; copies
    bring no such neighbours. So rows equal apart from the id are reported only when those without a neighbour are more than half as
    many as the rows with one.
    """
    columns = [column for column in table.columns.values() if column.name != id_header]
    hashes = [_hashes(column, place) for place, column in enumerate(columns)]
    total = np.sum(hashes, axis=0, dtype=np.uint64) if hashes else np.zeros(len(table), np.uint64)
    found = []
    twins = _has_twin(total)
    if id_header is not None:
        identity = table.columns[id_header]
        full = _has_twin(total + _hashes(identity, len(columns)))
        if full.any():
            found.append(
                _finding(table, total + _hashes(identity, len(columns)), full, "exact copies of another row, id included", "with_id")
            )
        twins &= ~full
    if np.count_nonzero(twins) < max(2 * _FEWEST, _SHARE * len(table)):
        return found
    near = np.zeros(len(table), dtype=bool)
    by_distinct = sorted(range(len(columns)), key=lambda place: -len(columns[place].values))
    for place in by_distinct[:_MOST_LEFT_OUT]:
        if columns[place].name != label_header:
            near |= _has_neighbour(total - hashes[place], total)
    if 2 * np.count_nonzero(twins & ~near) > np.count_nonzero(near):
        said = "equal to another row apart from the id" if id_header is not None else "exact copies of another row"
        found.append(_finding(table, total, twins, said, "without_id"))
    return found


def _finding(table: TextTable, hashes: Hashes, twins: NDArray[np.bool_], said: str, which: str) -> Finding:
    rows = np.flatnonzero(twins)
    extra = len(rows) - len(np.unique(hashes[rows]))
    pair = np.flatnonzero(hashes == hashes[rows[0]])[:2]
    text = (
        f"{extra:,} rows ({share(extra, len(table))}) are {said}, such as lines {table.lines[pair[0]]} and {table.lines[pair[1]]}: "
        "a copy in training and in test makes the figures too good; keep one of each"
    )
    return Finding("duplicates", text, (), {"rows": extra, "share": round(extra / len(table), 6), "compared": which})


def _hashes(column: TextColumn, place: int) -> Hashes:
    """A random 64-bit number for each row's value; the sum over columns tells rows apart."""
    rng = np.random.default_rng([7, place])
    numbers: Hashes = rng.integers(0, 2**64, size=len(column.values), dtype=np.uint64)
    return numbers[column.codes]


def _has_twin(hashes: Hashes) -> NDArray[np.bool_]:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    same = ordered[1:] == ordered[:-1]
    twin = np.zeros(len(hashes), dtype=bool)
    twin[order[1:]] = same
    twin[order[:-1]] |= same
    return twin


def _has_neighbour(partial: Hashes, total: Hashes) -> NDArray[np.bool_]:
    """Whether a row equals another by `partial`, and not by `total`."""
    order = np.argsort(partial, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], partial[order][1:] != partial[order][:-1]]))
    ordered = total[order]
    mixed = np.minimum.reduceat(ordered, starts) != np.maximum.reduceat(ordered, starts)
    neighbour = np.empty(len(total), dtype=bool)
    neighbour[order] = np.repeat(mixed, np.diff(starts, append=len(total)))
    return neighbour
