"""The value of a cell's text."""

import re
from collections.abc import Callable
from functools import lru_cache

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, stands_for_missing
from retainstream.engine.tables.boolean_words import truth_of
from retainstream.engine.tables.dates import date_in
from retainstream.engine.tables.numbers import Decimal, Writing, number_reader
from retainstream.engine.tables.spelling import Spellings, cleaned, folded

_ERRORS = {
    f"#{word}"
    for mark, words in {
        "": "n/a na n/d nv",
        "!": "value div/0 ref num null spill calc wert bezug zahl valeur réf nombre nul valore rif nullo valor núm nulo waarde verw getal",
        "?": "name nom nome nombre naam",
    }.items()
    for word in (f"{stem}{mark}" for stem in words.split())
} | {"#¡valor!", "#¡ref!", "#¡num!", "#¿nombre?", "#¡nulo!", "#¡div/0!"}
MISSING = frozenset({"", "na", "n/a", "<na>", "null", "nan", "?", "-nan", *_ERRORS})
"""Spellings of a missing value in any column, in lower case, with the errors of spreadsheets in several languages. A category's level of
that name takes precedence."""
_UNKNOWN = {"none", "-", "--", ".", "nil", "missing", "unknown", "(null)", "\\n", "nat"}
_INFINITE = {f"{sign}{word}" for sign in ("", "+", "-") for word in ("inf", "infinity", "∞")}
_NO_DAYS = {"0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "00/00/0000", "1900-01-00"}
NO_NUMBER = frozenset(_UNKNOWN | _INFINITE | _NO_DAYS)
"""Further spellings in columns of numbers, dates and booleans."""


_WHOLE_WITH_FRACTION = re.compile(r"(\d+)[.,]0+")


def is_blank(text: str) -> bool:
    """Whether a cell says "missing" in any column."""
    return text.strip().lower() in MISSING or (not text.isascii() and folded(text) in MISSING)


def value_in(column: Column, text: str, decimal: Decimal = ".") -> Value | None:
    """The value of a column that a text spells, as `cell_reader` reads it, where numbers are written with this decimal mark."""
    return cell_reader(column, Writing(decimal, column.format))(text)


def cell_reader(column: Column, writing: Writing = Writing()) -> Callable[[str], Value | None]:  # noqa: B008 — a tuple
    """A function for the cells of a column: the value that a text spells; None if it means missing.

    A text that does not spell such a value is returned unchanged; the column's validation refuses it. `writing` says how the file writes
    the numbers of the column (see `writings.writings_of`).
    """
    if column.kind == "category":
        return _level_reader(column)
    missing_values = frozenset(column.missing_values)

    def read(text: str) -> Value | None:
        if text in missing_values:
            return None
        value = parsed(text)
        if value is None:
            spelled = folded(text)
            return None if spelled in MISSING or spelled in NO_NUMBER or cleaned(text) in missing_values else text
        return None if missing_values and stands_for_missing(column, value) else value

    parsed: Callable[[str], Value | None]
    match column.kind:
        case "boolean":
            parsed = truth_of
        case "date":
            form = column.format

            def parsed(text: str) -> Value | None:
                return None if text in _NO_DAYS else date_in(text, form)
        case _:
            parsed = number_reader(writing)
    return read


def _level_reader(column: Column) -> Callable[[str], str | None]:
    levels, missing_values = _spellings(column.levels), frozenset(map(cleaned, column.missing_values))

    def read(text: str) -> str | None:
        if level := levels.name_of(text):
            return level
        spelled = cleaned(text)
        if spelled.lower() in MISSING or spelled in missing_values:
            return None
        whole = _WHOLE_WITH_FRACTION.fullmatch(spelled)
        return (levels.name_of(whole[1]) if whole else None) or spelled

    return read


@lru_cache(512)
def _spellings(levels: tuple[str, ...]) -> Spellings:
    return Spellings(levels)
