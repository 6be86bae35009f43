"""The levels of a category: spellings of one level together, the common ones apart from the rest."""

from collections import Counter
from typing import Literal

import numpy as np

from retainstream.engine.drafting.names import names_a_key
from retainstream.engine.tables.columnar import TextColumn
from retainstream.engine.tables.spelling import cleaned, folded

MOST_LEVELS = 60
"""Levels up to which all of them are listed."""
MANY_LEVELS = 1_000
"""The most levels of a column with more; they share `LEVELS_OF_ALL` with the other such columns."""
LEVELS_OF_ALL = 10_000
FEWEST_LEVELS = 40
FEWEST_ROWS = 2
"""Rows of a level that is listed in a column with more than MOST_LEVELS: a level of a single row says nothing of the next one."""
LONGEST_LEVEL = 200
_CHARACTERS_A_LEVEL = 20
_NEARLY_UNIQUE = 0.9
_FEW_ROWS_PER_LEVEL = 20
_FEW_LEVELS = 20
_COMMON = 0.05
_REPEATED_ROWS, _MOSTLY_REPEATED = 5, 0.5
_TEXT_LENGTH = 60


def as_people_see_it(column: TextColumn) -> tuple[TextColumn, list[str]]:
    """The column with texts that look the same as one text, and the texts that were written in several ways."""
    names = [cleaned(text) for text in column.values]
    joined = _joined(column, names)
    if len(joined.values) == len(names):
        return joined, []
    return joined, [text for text, ways in Counter(names).items() if ways > 1 and text]


def without_case(column: TextColumn) -> tuple[TextColumn, dict[str, list[str]]]:
    """The column with texts that differ in upper and lower case as one, in the most frequent spelling; and the others of each."""
    counts = column.counts()
    spellings: dict[str, list[int]] = {}
    for code, text in enumerate(column.values):
        spellings.setdefault(folded(text), []).append(code)
    if len(spellings) == len(column.values):
        return column, {}
    names, others = list(column.values), dict[str, list[str]]()
    for codes in spellings.values():
        if len(codes) > 1:
            first, *rest = sorted(codes, key=lambda code: (-counts[code], code))
            others[column.values[first]] = [column.values[code] for code in rest]
            for code in rest:
                names[code] = column.values[first]
    return _joined(column, names), others


def _joined(column: TextColumn, names: list[str]) -> TextColumn:
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int32)
    return column if list(places) == column.values else TextColumn(column.name, codes[column.codes], list(places))


def most_levels(columns: int) -> int:
    """The most levels of each of so many columns that have more than MOST_LEVELS."""
    return max(FEWEST_LEVELS, min(MANY_LEVELS, LEVELS_OF_ALL // max(1, columns)))


def listed(levels: list[tuple[str, int]], most: int = MANY_LEVELS) -> list[str]:
    """The levels that a schema lists, most frequent first; others stand for the rest. levels: text and rows, most first.

    Of more than MOST_LEVELS these are at most `most`, with FEWEST_ROWS each; long texts leave room for fewer.
    """
    short = [(text, rows) for text, rows in levels if len(text) <= LONGEST_LEVEL]
    if len(levels) <= MOST_LEVELS:
        return [text for text, _ in short]
    frequent = [text for place, (text, rows) in enumerate(short[:most]) if rows >= FEWEST_ROWS or place < FEWEST_LEVELS]
    ends = np.cumsum([len(text) for text in frequent])
    return frequent[: int(np.searchsorted(ends, most * _CHARACTERS_A_LEVEL, side="right"))]


def identifies_or_tells(header: str, levels: list[tuple[str, int]]) -> Literal["identifier", "text", "category"]:
    """Whether texts identify rows ("identifier"), are free text ("text"), or are levels ("category"). levels: text and rows, most first."""
    rows, distinct = sum(count for _, count in levels), len(levels)
    if sum(count for text, count in levels if len(text) > LONGEST_LEVEL) > rows / 2:
        return "text"
    if distinct <= _FEW_LEVELS:
        return "category"
    median = float(np.median([len(text) for text, _ in levels[:1000]]))
    if distinct >= _NEARLY_UNIQUE * rows:
        return "text" if median > _TEXT_LENGTH else "identifier"
    if names_a_key(header) and rows / distinct < _FEW_ROWS_PER_LEVEL:
        return "identifier"
    common = sum(count for _, count in levels[:FEWEST_LEVELS]) >= _COMMON * rows
    repeated = sum(count for _, count in levels if count >= _REPEATED_ROWS) >= _MOSTLY_REPEATED * rows
    if distinct <= MOST_LEVELS or common or repeated:
        return "category"
    return "text" if median > _TEXT_LENGTH else "identifier"
