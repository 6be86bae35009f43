"""Numbers such as -999 and 9999, and days such as 0000-00-00, that mean a missing value."""

import re

import numpy as np
from numpy.typing import NDArray

_NINES = np.array([99, 999, 9999, 99999, 999999, 9999999, 99999999, 999999999], dtype=float)
_OTHERS = np.array([-1e6, -32768, -2147483648, 1e9, 2147483647, -88, -888, -8888])
_TIMES_BELOW = 2
_TIMES_FAR = 5
_GAP = 0.5
_GAP_OF_TWO_DIGITS = 1.0
_DAY = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ].*)?", re.ASCII)
_NO_DAYS = frozenset({(0, 0, 0), (1, 1, 1), (9999, 12, 31), (1900, 1, 0), (1900, 0, 0), (1899, 12, 30), (1899, 12, 31)})


def sentinel_numbers(numbers: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """The numbers of a column that mean missing, from its distinct `numbers` and their `counts`.

    Such a number consists of nines (or is another usual marker), occurs several times and is isolated: it is the only negative number, or
    its distance to the other numbers is more than half their range (their full range for 99).
    """
    candidates = np.concatenate([_NINES, -_NINES, _OTHERS])
    sentinels: list[float] = []
    for candidate in sorted(set(numbers.tolist()) & set(candidates.tolist()), key=abs, reverse=True):
        rest = numbers[(numbers != candidate) & ~np.isin(numbers, sentinels)]
        times = int(counts[numbers == candidate].sum())
        if len(rest) < 2:
            continue
        low, high = float(rest.min()), float(rest.max())
        gap = (_GAP if abs(candidate) > 99 else _GAP_OF_TWO_DIGITS) * (high - low)
        far = candidate < low - gap or candidate > high + gap
        if (candidate < 0 <= low and times >= _TIMES_BELOW) or (far and times >= _TIMES_FAR):
            sentinels.append(candidate)
    return np.array(sentinels)


def stands_for_no_day(text: str) -> bool:
    """Whether a text is a day that databases and spreadsheets write where there is no day: 0000-00-00, 9999-12-31, 1900-01-00."""
    parts = _DAY.fullmatch(text)
    if parts is None:
        return text == "00000000"
    first, second, third = (int(part) for part in parts.groups())
    return bool({(first, second, third), (third, second, first), (third, first, second)} & _NO_DAYS)
