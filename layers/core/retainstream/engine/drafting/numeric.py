"""Whether a column's texts are numbers, and which of them are not."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.names import names_a_key, names_a_period
from retainstream.engine.drafting.sentinels import sentinel_numbers
from retainstream.engine.schema import Column, value_problem
from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.cells import NO_NUMBER
from retainstream.engine.tables.numbers import Writing, number_reader

MOSTLY = 0.9
"""The share of the rows with a value that a kind needs. The other rows count as missing."""

_NEARLY_ALL = 0.98
_NEARLY_UNIQUE = 0.9
_FEW_ROWS_PER_LEVEL = 20
_LEVELS_OF_A_SCALE = 20
_FEWEST_OF_A_KEY = 20
_ANY_NUMBER = Column(name="any", kind="number", label="Any")


@dataclass
class Numbers:
    """Texts of which most are numbers.

    numbers: per distinct text, NaN where it is missing or not a number. sentinels, odd: places of texts such as -999 that mean missing, and
    of texts that are not numbers or cannot be stored. share: of the rows with a value, those with a number.
    """

    holds: Literal["number", "integer", "boolean", "identifier", "constant"]
    numbers: NDArray[np.float64]
    sentinels: list[int]
    odd: list[int]
    share: float


def numbers_of(
    header: str, texts: list[str], counts: NDArray[np.intp], absent: NDArray[np.bool_], writing: Writing, least: float = MOSTLY
) -> Numbers | None:
    """The numbers of a column's distinct texts, written as `writing` says; None where fewer than the share `least` of the rows with a
    value have one, or they are codes."""
    blank = absent | np.array([text.lower() in NO_NUMBER for text in texts])
    numbers = numbers_in(texts, blank, writing)
    is_number = ~np.isnan(numbers)
    odd = np.flatnonzero(~is_number & ~blank).tolist()
    if np.count_nonzero(is_number) < 2:
        return None
    share = float(counts[is_number].sum() / counts[~blank].sum())
    if share < least or _keeps_leading_zeros(texts, is_number) or _whole_months_or_days(header, numbers[is_number]):
        return None
    if share < _NEARLY_ALL and _is_scale(numbers[is_number], [texts[code] for code in odd]):
        return None
    sentinels = sentinel_numbers(numbers[is_number], counts[is_number])
    is_sentinel = is_number & np.isin(numbers, sentinels)
    numbers = np.where(is_sentinel, np.nan, numbers)
    return Numbers(_kind(header, texts, numbers, counts), numbers, np.flatnonzero(is_sentinel).tolist(), odd, share)


def is_outside(number: float) -> bool:
    """Whether a number cannot be stored."""
    return value_problem(_ANY_NUMBER, number) is not None


def is_unstorable(text: str, writing: Writing) -> bool:
    """Whether a text spells a number that cannot be stored."""
    number = number_reader(writing)(text)
    return number is not None and is_outside(number)


def outside(texts: list[str], counts: NDArray[np.intp], absent: NDArray[np.bool_], writing: Writing) -> NDArray[np.float64] | None:
    """The numbers of a column's distinct texts that cannot be stored, if they are most of its values; None otherwise."""
    there = np.flatnonzero(~absent).tolist()
    read = [(code, number) for code in there if (number := number_reader(writing)(texts[code])) is not None]
    unusable = [(code, number) for code, number in read if is_outside(number)]
    rows = int(counts[[code for code, _ in unusable]].sum())
    return np.array([number for _, number in unusable]) if unusable and rows >= MOSTLY * counts[there].sum() else None


def numbers_in(texts: list[str], blank: NDArray[np.bool_], writing: Writing) -> NDArray[np.float64]:
    """The number of each text, NaN where it is blank, spells no number, or one that cannot be stored."""
    read = number_reader(writing)
    numbers = [None if gone else read(text) for text, gone in zip(texts, blank.tolist(), strict=True)]
    return np.array([np.nan if number is None or is_outside(number) else number for number in numbers])


def _kind(
    header: str, texts: list[str], numbers: NDArray[np.float64], counts: NDArray[np.intp]
) -> Literal["number", "integer", "boolean", "identifier", "constant"]:
    known = np.flatnonzero(~np.isnan(numbers)).tolist()
    distinct = np.unique(numbers[known])
    if len(distinct) == 1:
        return "constant"
    if np.any(distinct % 1 != 0):
        return "number"
    if _is_key(header, distinct, int(counts[known].sum())):
        return "identifier"
    is_flag = distinct.tolist() == [0.0, 1.0] and {texts[code].lower() for code in known} <= TRUE | FALSE
    return "boolean" if is_flag else "integer"


def _is_scale(numbers: NDArray[np.float64], odd: list[str]) -> bool:
    """Whether few numbers and other texts with digits are the steps of a scale, such as 0 to 9 and "10+"."""
    steps = len(np.unique(numbers)) <= _LEVELS_OF_A_SCALE and len(odd) <= _LEVELS_OF_A_SCALE
    return steps and any(character.isdigit() for text in odd for character in text)


def _keeps_leading_zeros(texts: list[str], is_number: NDArray[np.bool_]) -> bool:
    """Whether the numbers are codes such as 00501."""
    coded = [
        code for code in np.flatnonzero(is_number).tolist() if len(texts[code]) > 1 and texts[code][0] == "0" and texts[code].isdigit()
    ]
    return len(coded) > 1


def _whole_months_or_days(header: str, numbers: NDArray[np.float64]) -> bool:
    """Whether all numbers are months such as 202401, or days such as 20240131."""
    year, month, day = numbers // 10000, numbers // 100 % 100, numbers % 100
    days = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = (numbers // 100 >= 1900) & (numbers // 100 <= 2100) & (day >= 1) & (day <= 12)
    whole = bool(np.all(numbers % 1 == 0))
    return whole and bool(np.all(days) or (np.all(months) and (names_a_period(header) or len(numbers) >= 6)))


def _is_key(header: str, numbers: NDArray[np.float64], rows: int) -> bool:
    """Whether integers are a key: a counter, long numbers of equal length, or nearly unique numbers under a key's name."""
    if rows < _FEWEST_OF_A_KEY:
        return False
    share = len(numbers) / rows
    if names_a_key(header):
        return share >= _NEARLY_UNIQUE or rows / len(numbers) < _FEW_ROWS_PER_LEVEL
    if share < 0.99:
        return False
    low, high = float(numbers.min()), float(numbers.max())
    counts_rows = len(numbers) == rows and high - low < 1.02 * rows
    one_length = low >= 1e6 and len(str(int(low))) == len(str(int(high)))
    return counts_rows or one_length
