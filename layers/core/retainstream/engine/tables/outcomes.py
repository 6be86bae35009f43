"""The outcome in a cell of the label's column."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.cells import is_blank, number_in
from retainstream.engine.tables.spelling import folded

_MOST_SHOWN = 5


class Outcome(StrEnum):
    """What a cell says about a customer. A cell whose words the schema does not have is unreadable, and the outcome stays unknown."""

    LEFT = "left"
    STAYED = "stayed"
    NOT_KNOWN = "not_known"
    UNREADABLE = "unreadable"

    @property
    def churned(self) -> bool | None:
        """True for a customer who left, False for one who stayed, None where the outcome is not known."""
        return {Outcome.LEFT: True, Outcome.STAYED: False}.get(self)


def outcome_reader(label: Label) -> Callable[[str], Outcome]:
    """A function for the cells of the label's column.

    The words of the schema come first. Numbers are compared by value (1, 1.0), texts as people see them. Where the positive value is a word
    for true or false, the words for true and false of all languages count.
    """
    words: dict[str, Outcome] = {}
    for outcome, spelled in (
        (Outcome.LEFT, (_text(label.positive), *label.left)),
        (Outcome.STAYED, label.stayed),
        (Outcome.NOT_KNOWN, label.not_known),
    ):
        words |= {folded(word): outcome for word in spelled}
    numbers = {number: outcome for word, outcome in words.items() if (number := _number(word)) is not None}
    truth = truth_of(_text(label.positive))
    if truth is not None:
        numbers = {1.0: _left_if(truth), 0.0: _left_if(not truth)} | numbers

    def read(text: str) -> Outcome:
        spelled = folded(text)
        if (outcome := words.get(spelled)) is not None:
            return outcome
        if is_blank(spelled):
            return Outcome.NOT_KNOWN
        if (number := _number(spelled)) is not None:
            return numbers.get(number, Outcome.UNREADABLE)
        if truth is not None and (says := truth_of(spelled)) is not None:
            return _left_if(says == truth)
        return Outcome.UNREADABLE

    return read


def truth_of(text: str) -> bool | None:
    """Whether a text means true or false, in any language; None if it is neither."""
    spelled = folded(text).removesuffix(".")
    return True if spelled in TRUE else False if spelled in FALSE else None


def outcomes_sentence(counts: Mapping[str, int], unreadable: Iterable[tuple[str, int]] = ()) -> str:
    """The outcomes of some rows, as in "0 left, 60 stayed, 3 not known, 2 unreadable ('Ja (30.11.)')".

    counts: rows by `Outcome`. unreadable: the texts that could not be read, each with its number of rows, in any order.
    """
    parts = [f"{counts.get(outcome, 0):,} {outcome.replace('_', ' ')}" for outcome in Outcome]
    texts = sorted(unreadable, key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"'{text}'" + (f" {rows:,}" if len(texts) > 1 else "") for text, rows in texts[:_MOST_SHOWN])
    more = f" and {len(texts) - _MOST_SHOWN:,} more values" if len(texts) > _MOST_SHOWN else ""
    return ", ".join(parts if counts.get(Outcome.UNREADABLE) else parts[:-1]) + (f" ({shown}{more})" if texts else "")


def _text(positive: object) -> str:
    return str(positive).lower() if isinstance(positive, bool) else str(positive)


def _number(spelled: str) -> float | None:
    number = number_in(spelled)
    return number_in(spelled, ",") if number is None else number


def _left_if(left: bool) -> Outcome:
    return Outcome.LEFT if left else Outcome.STAYED
