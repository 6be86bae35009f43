"""A profile of each column of a table: kind, missing values, levels and range."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.dates import date_format
from retainstream.engine.drafting.names import names_a_key, names_a_period
from retainstream.engine.drafting.sentinels import sentinel_numbers
from retainstream.engine.tables.cells import FALSE, MISSING, NO_NUMBER, TRUE, Decimal, number_in
from retainstream.engine.tables.columnar import TextColumn, TextTable
from retainstream.engine.traps.evidence import CodedColumn

type Holds = Literal["number", "integer", "boolean", "category", "date", "identifier", "text", "constant", "empty"]

MOST_LEVELS = 60
KEPT_LEVELS = 40
_NUMERIC_SHARE = 0.98
_NEARLY_UNIQUE = 0.9
_FEW_ROWS_PER_LEVEL = 20
_TEXT_LENGTH = 60
_RARE = 0.005


@dataclass
class Profile:
    """The profile of a column.

    numbers: per distinct text, NaN where the text is not a number or is missing. absent: per distinct text, whether it means missing.
    sentinels: texts such as -999 that mean missing. odd: texts that do not fit the kind, and count as missing.
    form: the strptime format of dates.
    """

    text: TextColumn
    holds: Holds
    numbers: NDArray[np.float64]
    absent: NDArray[np.bool_]
    counts: NDArray[np.intp]
    sentinels: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    form: str = ""

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Whether each row (n,) has no value."""
        return self.absent[self.text.codes]

    @property
    def missing_count(self) -> int:
        return int(self.counts[self.absent].sum())

    @property
    def distinct(self) -> int:
        """The number of distinct values, without missing."""
        return int(np.count_nonzero(~self.absent))

    @property
    def levels(self) -> list[tuple[str, int]]:
        """The values with their counts, most frequent first, without missing."""
        order = sorted(np.flatnonzero(~self.absent).tolist(), key=lambda code: (-self.counts[code], self.text.values[code]))
        return [(self.text.values[code], int(self.counts[code])) for code in order]

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest number."""
        known = self.numbers[~np.isnan(self.numbers)]
        return float(known.min()), float(known.max())

    @property
    def coded(self) -> CodedColumn:
        """The column for the detectors of traps."""
        has_levels = self.holds not in ("identifier", "text")
        return CodedColumn(self.name, self.text.codes, self.numbers, self.absent, self.counts, self.text.values.__getitem__, has_levels)

    @property
    def is_numeric(self) -> bool:
        return self.holds in ("number", "integer")

    def values(self) -> NDArray[np.float64]:
        """The number of each row (n,), NaN where it has none."""
        return self.numbers[self.text.codes]


def profiles_of(table: TextTable) -> Iterator[Profile]:
    """The profiles of all columns, in the table's order."""
    for column in table.columns.values():
        yield profile_of(column, table.decimal)


def profile_of(column: TextColumn, decimal: Decimal = ".") -> Profile:
    """The profile of a column."""
    spelled = [value.lower() for value in column.values]
    absent = np.array([text in MISSING for text in spelled])
    counts = column.counts()
    unread = np.full(len(spelled), np.nan)
    profile = Profile(column, "empty", unread, absent, counts)
    if profile.distinct == 0:
        return profile
    if profile.distinct == 1:
        profile.holds = "category" if _is_a_mark(profile) else "constant"
        return profile
    known = {text for text, gone in zip(spelled, absent.tolist(), strict=True) if not gone}
    if known <= TRUE | FALSE and known & TRUE and known & FALSE:
        profile.holds = "boolean"
        return profile
    if _as_numbers(profile, spelled, decimal) or _as_dates(profile, spelled):
        return profile
    profile.holds = _holds_texts(profile)
    return profile


def _is_a_mark(profile: Profile) -> bool:
    """Whether a column with a single value is informative by where it is missing, such as an x in a list."""
    rarer = min(profile.missing_count, len(profile.text.codes) - profile.missing_count)
    return rarer >= max(10, _RARE * len(profile.text.codes))


def _as_numbers(profile: Profile, spelled: list[str], decimal: Decimal) -> bool:
    values = profile.text.values
    numbers = np.array(
        [
            np.nan if gone or (number := number_in(value, decimal)) is None else number
            for value, gone in zip(values, profile.absent, strict=True)
        ]
    )
    blank = profile.absent | np.array([text in NO_NUMBER for text in spelled])
    is_number = ~np.isnan(numbers)
    there = int(profile.counts[~blank].sum())
    if there == 0 or profile.counts[is_number].sum() < _NUMERIC_SHARE * there or np.count_nonzero(is_number) < 2:
        return False
    if _keeps_leading_zeros(values, is_number):
        return False
    if _whole_months_or_days(profile.name, numbers[is_number]):
        return False
    profile.odd = [values[code] for code in np.flatnonzero(~is_number & ~blank).tolist()]
    whole_spelling = all("." not in values[code] or numbers[code] % 1 == 0 for code in np.flatnonzero(is_number).tolist())
    sentinels = sentinel_numbers(numbers[is_number], profile.counts[is_number])
    is_sentinel = is_number & np.isin(numbers, sentinels)
    profile.sentinels = [values[code] for code in np.flatnonzero(is_sentinel).tolist()]
    profile.numbers = np.where(is_sentinel, np.nan, numbers)
    profile.absent = ~is_number | is_sentinel
    rest = profile.numbers[~profile.absent]
    if len(rest) == 1:
        profile.holds = "constant"
    elif whole_spelling and np.all(rest % 1 == 0):
        profile.holds = "identifier" if _is_key(profile, rest) else "boolean" if set(rest.tolist()) == {0.0, 1.0} else "integer"
    else:
        profile.holds = "number"
    return True


def _keeps_leading_zeros(values: list[str], is_number: NDArray[np.bool_]) -> bool:
    """Whether the numbers are codes such as 00501."""
    coded = [
        values[code]
        for code in np.flatnonzero(is_number).tolist()
        if len(values[code]) > 1 and values[code][0] == "0" and values[code].isdigit()
    ]
    return len(coded) > 1


def _whole_months_or_days(header: str, numbers: NDArray[np.float64]) -> bool:
    """Whether all numbers are months such as 202401, or days such as 20240131."""
    year, month, day = numbers // 10000, numbers // 100 % 100, numbers % 100
    days = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = (numbers // 100 >= 1900) & (numbers // 100 <= 2100) & (day >= 1) & (day <= 12)
    whole = bool(np.all(numbers % 1 == 0))
    return whole and bool(np.all(days) or (np.all(months) and (names_a_period(header) or len(numbers) >= 6)))


def _is_key(profile: Profile, numbers: NDArray[np.float64]) -> bool:
    """Whether integers are a key: a counter, long numbers of equal length, or nearly unique numbers under a key's name."""
    there = int(profile.counts[~profile.absent].sum())
    if there < 20:
        return False
    share = len(numbers) / there
    if names_a_key(profile.name):
        return share >= _NEARLY_UNIQUE or there / len(numbers) < _FEW_ROWS_PER_LEVEL
    if share < 0.99:
        return False
    low, high = float(numbers.min()), float(numbers.max())
    counts_rows = len(numbers) == there and high - low < 1.02 * there
    one_length = low >= 1e6 and len(str(int(low))) == len(str(int(high)))
    return counts_rows or one_length


def _as_dates(profile: Profile, spelled: list[str]) -> bool:
    blank = profile.absent | np.array([text in NO_NUMBER for text in spelled])
    texts = [profile.text.values[code] for code in np.flatnonzero(~blank).tolist()]
    dates = date_format(texts)
    if dates is None:
        return False
    profile.holds, profile.form, profile.absent = "date", dates.form, blank
    days = np.full(len(spelled), np.nan)
    days[~blank] = dates.days
    profile.numbers = days
    profile.absent = blank | np.isnan(days)
    return True


def _holds_texts(profile: Profile) -> Holds:
    there = int(profile.counts[~profile.absent].sum())
    levels = profile.distinct
    rows_per_level = there / levels
    if levels > 20 and levels >= _NEARLY_UNIQUE * there:
        lengths = [len(text) for text, _ in profile.levels[:1000]]
        return "text" if np.median(lengths) > _TEXT_LENGTH else "identifier"
    if levels > MOST_LEVELS and rows_per_level < _FEW_ROWS_PER_LEVEL:
        return "identifier"
    if levels > 20 and names_a_key(profile.name) and rows_per_level < _FEW_ROWS_PER_LEVEL:
        return "identifier"
    return "category"
