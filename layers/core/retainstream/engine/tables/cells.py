"""The value of a cell's text."""

from collections.abc import Callable
from datetime import UTC, datetime

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, stands_for_missing
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.numbers import Decimal as Decimal
from retainstream.engine.tables.numbers import number_in as number_in

TRUE = frozenset({"true", "yes", "y", "t", "1", "1.0", "on", "ja", "oui", "si", "sí", "sim"})
FALSE = frozenset({"false", "no", "n", "f", "0", "0.0", "off", "nein", "nee", "non", "não"})
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


def is_blank(text: str) -> bool:
    """Whether a cell says "missing" in any column."""
    return text.strip().lower() in MISSING


def date_in(text: str, form: str = "") -> str | None:
    """The date that a text spells, as 2026-01-31, or None. `form` is a strptime format; "" means ISO dates with or without a time."""
    try:
        moment = datetime.strptime(text.strip(), form) if form else datetime.fromisoformat(text.strip())  # noqa: DTZ007 — only the day counts
    except ValueError:
        return None
    return moment.date().isoformat()


def day_in(text: str, form: str = "") -> str | None:
    """The day (2026-01-31) that a date or a moment spells, or None. A moment with an offset belongs to its day in UTC, one without to the
    day that it names. `form` is a strptime format; "" means ISO 8601."""
    try:
        moment = datetime.strptime(text.strip(), form) if form else datetime.fromisoformat(text.strip())  # noqa: DTZ007 — UTC where no offset
    except ValueError:
        return None
    try:
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()
    except OverflowError:
        return None


def value_in(column: Column, text: str, decimal: Decimal = ".") -> Value | None:
    """The value of a column that a text spells; None if it means missing.

    A text that does not spell such a value is returned unchanged; the column's validation refuses it.
    """
    text = text.strip()
    if column.kind == "category":
        return _level_in(column, text)
    spelled = text.lower()
    if spelled in MISSING or spelled in NO_NUMBER or (column.missing_values and text in column.missing_values):
        return None
    value: Value | None = None
    match column.kind:
        case "boolean":
            value = True if spelled in TRUE else False if spelled in FALSE else None
        case "date":
            value = date_in(text, column.format)
        case _:
            value = number_in(text, decimal)
    if value is None:
        return text
    return None if column.missing_values and stands_for_missing(column, value) else value


def _level_in(column: Column, text: str) -> str | None:
    if text in column.levels:
        return text
    return None if text.lower() in MISSING or text in column.missing_values else text


def outcome_reader(label: Label) -> Callable[[str], bool | None]:
    """A function for the label's cells: True if the customer left, False if not, None if the cell is blank.

    The function raises:
        ValueError: the label is true or false by the schema, and the text is neither.
    """
    positive = label.positive
    if isinstance(positive, bool) or str(positive).lower() in ("true", "false"):
        wanted = positive if isinstance(positive, bool) else str(positive).lower() == "true"
        return lambda text: _truth_of(text, wanted)
    spelled = str(positive).strip().lower()
    number = number_in(str(positive)) if isinstance(positive, int | float) else None

    def outcome(text: str) -> bool | None:
        if is_blank(text):
            return None
        return text.strip().lower() == spelled or (number is not None and number_in(text) == number)

    return outcome


def _truth_of(text: str, wanted: bool) -> bool | None:
    spelled = text.strip().lower()
    if spelled in MISSING:
        return None
    if spelled not in TRUE | FALSE:
        raise ValueError("must be true or false")
    return (spelled in TRUE) == wanted
