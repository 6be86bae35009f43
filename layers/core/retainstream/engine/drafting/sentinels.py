"""Numbers such as -999 and 9999 that stand for a missing value."""

import numpy as np
from numpy.typing import NDArray

_NINES = np.array([99, 999, 9999, 99999, 999999, 9999999, 99999999, 999999999], dtype=float)
_OTHERS = np.array([-1e6, -32768, -2147483648, 1e9, 2147483647, -88, -888, -8888])
_TIMES_BELOW = 2
_TIMES_FAR = 5
_GAP = 0.5
_GAP_OF_TWO_DIGITS = 1.0


def sentinel_numbers(numbers: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """The distinct numbers of a column, of `numbers` and how often each occurs, that stand for missing.

    Such a number is spelled with nines (or is another that programs use), occurs several times, and stands alone: a negative one where
    nothing else is below zero, or one further from the rest than half of the rest's range (its whole range, for 99).
    """
    candidates = np.concatenate([_NINES, -_NINES, _OTHERS])
    found: list[float] = []
    for candidate in sorted(set(numbers.tolist()) & set(candidates.tolist()), key=abs, reverse=True):
        rest = numbers[(numbers != candidate) & ~np.isin(numbers, found)]
        times = int(counts[numbers == candidate].sum())
        if len(rest) < 2:
            continue
        low, high = float(rest.min()), float(rest.max())
        gap = (_GAP if abs(candidate) > 99 else _GAP_OF_TWO_DIGITS) * (high - low)
        far = candidate < low - gap or candidate > high + gap
        if (candidate < 0 <= low and times >= _TIMES_BELOW) or (far and times >= _TIMES_FAR):
            found.append(candidate)
    return np.array(found)
