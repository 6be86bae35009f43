"""A profile of each column of a table: kind, missing values, levels and range."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.dated import Dates, Moments, dates_of, moments_in
from retainstream.engine.drafting.levels import (
    LONGEST_LEVEL,
    MANY_LEVELS,
    MOST_LEVELS,
    as_people_see_it,
    identifies_or_tells,
    listed,
    most_levels,
    without_case,
)
from retainstream.engine.drafting.numeric import MOSTLY, Numbers, numbers_of, outside
from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.cells import MISSING, NO_NUMBER
from retainstream.engine.tables.columnar import TextColumn, TextTable
from retainstream.engine.tables.numbers import Decimal, Marks, Writing, decided, mark_of_file
from retainstream.engine.traps.evidence import CodedColumn
from retainstream.engine.traps.places import are_coordinates, is_coordinate, names_a_postal_code

type Holds = Literal["number", "integer", "boolean", "category", "date", "identifier", "text", "constant", "empty", "other"]

_RARE = 0.005
_HALF = 0.5
_FEW_ODD = 20
_OFTEN = 0.05
_SHOWN_UNITS = 5


@dataclass
class Profile:
    """The profile of a column.

    text: the column, with spellings of one level together. numbers: per distinct text, NaN where it is not a number or is missing.
    absent: per distinct text, whether it means missing. sentinels: texts such as -999 that mean missing. odd: texts that do not fit the
    kind and count as missing, most frequent first. share: of the rows with a value, those that fit the kind. variants: level → its other
    spellings. alike: texts that are written in several ways that look the same. marks, writing: what the cells say about numbers, and how
    they write them. dates, moments: how dates are written, and which moments numbers may be. why: what a column is that holds "other".
    most_levels: the most levels that a schema lists of it.
    """

    text: TextColumn
    holds: Holds
    numbers: NDArray[np.float64]
    absent: NDArray[np.bool_]
    counts: NDArray[np.intp]
    sentinels: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    share: float = 1.0
    variants: dict[str, list[str]] = field(default_factory=dict)
    alike: list[str] = field(default_factory=list)
    marks: Marks = Marks()  # noqa: RUF009 — cannot be changed
    writing: Writing = Writing()  # noqa: RUF009 — a tuple
    dates: Dates | None = None
    moments: Moments | None = None
    why: str = ""
    most_levels: int = MANY_LEVELS

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def form(self) -> str:
        """The format of dates ("" is ISO 8601), or of numbers with a unit."""
        if self.is_numeric:
            return self.writing.form
        return self.dates.form if self.dates else self.moments.form if self.moments and self.holds == "date" else ""

    @property
    def decimal(self) -> Decimal | None:
        """The decimal mark of numbers; None where no cell has a mark."""
        return self.writing.decimal if self.is_numeric and self.marks.seen else None

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
    def listed(self) -> list[str]:
        """The levels that a schema lists, most frequent first."""
        return listed(self.levels, self.most_levels)

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

    @property
    def may_be_numbers(self) -> bool:
        """Whether enough cells hold a number, of whatever mark and unit, that reading them is worth while."""
        blank = self.absent | np.array([text.lower() in NO_NUMBER for text in self.text.values])
        return self.marks.numbers + self.marks.clocks >= _HALF * int(self.counts[~blank].sum())

    @property
    def is_place(self) -> bool:
        """Whether the numbers are latitudes or longitudes."""
        return self.is_numeric and is_coordinate(self.name, *self.range)

    def values(self) -> NDArray[np.float64]:
        """The number of each row (n,), NaN where it has none."""
        return self.numbers[self.text.codes]

    def rows_of(self, texts: list[str]) -> int:
        """The rows with one of these texts."""
        return int(self.counts[np.isin(self.text.values, texts)].sum())


def profiles_of(table: TextTable) -> list[Profile]:
    """The profiles of all columns, in the table's order."""
    profiles = list(_read_columns(table))
    room = most_levels(sum(profile.holds == "category" and profile.distinct > MOST_LEVELS for profile in profiles))
    for profile in profiles:
        profile.most_levels = room
    return profiles


def _read_columns(table: TextTable) -> Iterator[Profile]:
    marks = [table.marks_of(place) for place in range(len(table.columns))]
    default = mark_of_file(marks)
    for column, its in zip(table.columns.values(), marks, strict=True):
        joined, alike = as_people_see_it(column)
        writing = decided(its, default, commas_separate=table.commas_separate)
        if table.named_mark:
            writing = writing._replace(decimal=table.named_mark)
        said = (
            replace(its, comma=0, point=0, either=0) if table.has_kinds and table.named_mark else its
        )  # the next file may be text, with any mark
        yield _read(replace(_of(joined), alike=alike, marks=said, writing=writing))


def _read(profile: Profile) -> Profile:
    """The profile with the kind of the column, and all that comes with it."""
    column = profile.text
    if profile.distinct <= 1:
        return _of_one_value(profile)
    known = {text.lower() for text, gone in zip(column.values, profile.absent.tolist(), strict=True) if not gone}
    if known <= TRUE | FALSE and known & TRUE and known & FALSE:
        profile.holds = "boolean"
        return profile
    if names_a_postal_code(column.name):
        return _of_texts(profile)
    if profile.may_be_numbers and (numbers := numbers_of(column.name, column.values, profile.counts, profile.absent, profile.writing)):
        return _of_numbers(profile, numbers)
    if dates := dates_of(column.values, profile.counts, profile.absent):
        return _of_dates(profile, dates)
    return _of_mixture(profile) or _of_numbers_without_place(profile) or _of_many_writings(profile) or _of_texts(profile)


def _of(column: TextColumn) -> Profile:
    absent = np.array([text.lower() in MISSING for text in column.values])
    return Profile(column, "empty", np.full(len(column.values), np.nan), absent, column.counts())


def _of_one_value(profile: Profile) -> Profile:
    if profile.distinct:
        rarer = min(profile.missing_count, len(profile.text.codes) - profile.missing_count)
        is_a_mark = rarer >= max(10, _RARE * len(profile.text.codes)) and len(profile.levels[0][0]) <= LONGEST_LEVEL
        profile.holds = "category" if is_a_mark else "constant"
    return profile


def _of_numbers(profile: Profile, numbers: Numbers) -> Profile:
    profile.holds, profile.numbers, profile.share = numbers.holds, numbers.numbers, numbers.share
    profile.absent = np.isnan(numbers.numbers)
    profile.sentinels, profile.odd = most_frequent(profile, numbers.sentinels), most_frequent(profile, numbers.odd)
    if profile.holds != "constant":
        read = [text for text, gone in zip(profile.text.values, profile.absent.tolist(), strict=True) if not gone]
        profile.moments = moments_in(profile.name, read, profile.numbers[~profile.absent])
        if profile.moments and profile.moments.named and profile.moments.is_read:
            profile.holds = "date"
    return profile


def _of_dates(profile: Profile, dates: Dates) -> Profile:
    profile.dates, profile.numbers, profile.share = dates, dates.days, dates.share
    profile.absent = np.isnan(dates.days)
    profile.sentinels, profile.odd = most_frequent(profile, dates.unset), most_frequent(profile, dates.odd)
    profile.holds = "date" if profile.distinct > 1 else "constant" if profile.distinct else "empty"
    return profile


def _of_mixture(profile: Profile) -> Profile | None:
    """The profile of a column of which half is a number or a date, and the rest few other texts; None for other columns."""
    holds = identifies_or_tells(profile.name, profile.levels)
    if holds == "category" and profile.distinct <= _FEW_ODD:
        return None
    numbers = None
    if profile.may_be_numbers:
        numbers = numbers_of(profile.name, profile.text.values, profile.counts, profile.absent, profile.writing, _HALF)
    if numbers and len(numbers.odd) <= _FEW_ODD:
        return _of_numbers(profile, numbers)
    dates = dates_of(profile.text.values, profile.counts, profile.absent, _HALF)
    if dates and len(dates.odd) <= _FEW_ODD:
        return _of_dates(profile, dates)
    return None


def _of_numbers_without_place(profile: Profile) -> Profile | None:
    """The profile of a column of numbers that cannot be stored; None for other columns."""
    if not profile.may_be_numbers:
        return None
    numbers = outside(profile.text.values, profile.counts, profile.absent, profile.writing)
    if numbers is None:
        return None
    moments = moments_in(profile.name, profile.text.values, numbers)
    if moments is None and all(text.isdigit() for text, _ in profile.levels):
        return None
    large = bool(np.abs(numbers).max() > 1)
    profile.why = f"numbers that are too {'large' if large else 'close to zero'} to be stored"
    if moments:
        profile.why = f"{moments.in_words} ({moments.first} to {moments.last}), presumably, which are not read"
    profile.holds = "other"
    return profile


def _of_many_writings(profile: Profile) -> Profile | None:
    """The profile of a column of numbers in several units, or with both decimal marks; None for other columns."""
    marks, there = profile.marks, int(profile.counts[~profile.absent].sum())
    if profile.distinct <= _FEW_ODD or marks.numbers < MOSTLY * there:
        return None
    units = sorted(marks.units.items(), key=lambda counted: -counted[1])
    if min(marks.comma, marks.point) >= _OFTEN * there:
        profile.why = f"numbers with a decimal comma ({marks.comma:,} rows) and with a decimal point ({marks.point:,} rows)"
    elif len(units) > 1 and units[1][1] >= _OFTEN * there:
        profile.why = f"numbers in several units ({', '.join(f'{unit}: {rows:,} rows' for unit, rows in units[:_SHOWN_UNITS])})"
    else:
        return None
    profile.holds = "other"
    return profile


def fresh(profile: Profile) -> Profile:
    """The profile of the same column before its kind is known."""
    return replace(_of(profile.text), alike=profile.alike, marks=profile.marks, writing=profile.writing)


def as_category(profile: Profile) -> Profile:
    """The profile of a column of texts as a category, with spellings of one level together."""
    column, variants = without_case(profile.text)
    if variants:
        profile = replace(_of(column), alike=profile.alike, marks=profile.marks, writing=profile.writing)
        profile.variants = {level: others for level, others in variants.items() if level.lower() not in MISSING}
    profile.holds = "category"
    return profile


def _of_texts(profile: Profile) -> Profile:
    if are_coordinates([text for text, _ in profile.levels[:1000]]):
        profile.holds, profile.why = "other", "places, as latitude and longitude"
        return profile
    profile = as_category(profile)
    if profile.distinct == 1:
        return _of_one_value(profile)
    profile.holds = identifies_or_tells(profile.name, profile.levels)
    return profile


def most_frequent(profile: Profile, codes: list[int]) -> list[str]:
    """The texts of these codes, most frequent first."""
    return [profile.text.values[code] for code in sorted(codes, key=lambda code: -int(profile.counts[code]))]
