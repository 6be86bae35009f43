"""The levels of a category: spellings of one level together, the common ones apart from the rest."""

from collections import Counter
from typing import Literal

import numpy as np

from retainstream.engine.drafting.names import names_a_key
from retainstream.engine.tables.columnar import TextColumn
from retainstream.engine.tables.spelling import cleaned, folded

MOST_LEVELS = 60
KEPT_LEVELS = 40
LONGEST_LEVEL = 200
_NEARLY_UNIQUE = 0.9
_FEW_ROWS_PER_LEVEL = 20
_FEW_LEVELS = 20
_COMMON = 0.05
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
    if distinct > MOST_LEVELS and sum(count for _, count in levels[:KEPT_LEVELS]) < _COMMON * rows:
        return "text" if median > _TEXT_LENGTH else "identifier"
    return "category"
