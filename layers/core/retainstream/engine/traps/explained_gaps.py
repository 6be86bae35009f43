"""Gaps that another column explains: customers without internet have nothing to fill in about it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.traps.evidence import Cell, CodedColumn, Outcome
from retainstream.engine.traps.gaps import Gap

_FEWEST_ROWS = 5
_MOST_VALUES = 10
_MOSTLY = 0.5
_COVERED = 0.9
_NEARLY_ALL_LEFT = 0.97


@dataclass(frozen=True)
class Explanation:
    """The values of another column at which a value is missing. gaps: how many of the `rows` customers without a value have them."""

    header: str
    values: tuple[str, ...]
    gaps: int
    rows: int

    def sentence(self) -> str:
        """The explanation, as in: where internet is "No" (1,526 of 1,526 gaps)."""
        named = [f'"{value}"' for value in self.values]
        values = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
        return f"where {self.header} is {values} ({self.gaps:,} of {self.rows:,} gaps)"


def explanation_of(missing: NDArray[np.bool_], columns: Iterable[CodedColumn], outcome: Outcome, comparisons: int) -> Explanation | None:
    """The column of which single values explain a gap, if there is one.

    At most ten of its values, each mostly without the missing value, hold nine tenths of the gaps; and neither among their customers nor
    among the others does the gap tell anything more (see `Gap.tells`). A side of which nearly all left is a trap whatever explains it.
    Columns that know the outcome must not be among `columns`, since a gap that leaving makes is explained by them.

    Args:
        missing: whether each row with a known outcome (n,) lacks a value.
        comparisons: the number of gaps that are compared.
    """
    gaps = int(missing.sum())
    best: Explanation | None = None
    for column in columns:
        if not column.has_levels:
            continue
        codes = column.codes[outcome.known]
        rows = np.bincount(codes, minlength=len(column.counts))
        gone = np.bincount(codes, missing, len(column.counts))
        explains = ~column.absent & (rows >= _FEWEST_ROWS) & (gone >= _MOSTLY * rows)
        values, held = int(np.count_nonzero(explains)), int(gone[explains].sum())
        if not 0 < values <= _MOST_VALUES or held < _COVERED * gaps or (best and (held, -values) <= (best.gaps, -len(best.values))):
            continue
        inside = explains[codes]
        if not _all_is_said(missing, inside, outcome, comparisons):
            continue
        best = Explanation(column.header, tuple(column.text(code) for code in np.flatnonzero(explains).tolist()), held, gaps)
    return best


def _all_is_said(missing: NDArray[np.bool_], inside: NDArray[np.bool_], outcome: Outcome, comparisons: int) -> bool:
    """Whether the gap tells nothing more than the values do, and neither side of the values nearly always left."""
    for part in (inside, ~inside):
        churned = outcome.churned[part]
        if not len(churned) or Cell("", len(churned), int(churned.sum())).rate >= _NEARLY_ALL_LEFT:
            return False
        gap = Gap.of(missing[part], Outcome(part, churned))
        if gap and gap.tells(comparisons):
            return False
    return True
