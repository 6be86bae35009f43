"""The outcome in a cell of the label's column."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nlargest
from typing import Self
from unicodedata import normalize

from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.boolean_words import truth_of
from retainstream.engine.tables.cells import is_blank
from retainstream.engine.tables.outcome_words import UNKNOWN, Sense, sense_of
from retainstream.engine.tables.spelling import folded

_NUMBER = re.compile(r"[-+]?\d{1,15}(?:[.,]\d{1,15})?", re.ASCII)
_MOST_SHOWN = 5
HIGH_CHURN = 0.6
"""The share of customers who left above which the outcome may be the wrong way round."""


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


@dataclass(frozen=True)
class ReadOutcomes:
    """The outcomes of some rows: rows by `Outcome`, rows by text of those that are unreadable, and the most frequent texts of all."""

    counts: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    seen: Sequence[tuple[str, int]] = ()

    @classmethod
    def of(cls, cells: Iterable[tuple[str, Outcome, int]]) -> Self:
        """The outcomes of cells: text, outcome and number of rows, each text once."""
        listed = list(cells)
        counts = Counter[str]()
        for _, outcome, rows in listed:
            counts[outcome] += rows
        unreadable = {text: rows for text, outcome, rows in listed if outcome is Outcome.UNREADABLE}
        return cls(counts, unreadable, nlargest(_MOST_SHOWN + 1, ((text, rows) for text, _, rows in listed), key=lambda item: item[1]))

    @property
    def sentence(self) -> str:
        """As in "0 left, 60 stayed, 3 not known, 2 unreadable ('Ja (30.11.)')"."""
        return outcomes_sentence(self.counts, self.unreadable.items())

    @property
    def known(self) -> int:
        """The rows whose outcome is known."""
        return self.counts.get(Outcome.LEFT, 0) + self.counts.get(Outcome.STAYED, 0)

    def notes(self, label: Label) -> list[str]:
        """A note for a person on outcomes that could not be read."""
        if not (unread := self.counts.get(Outcome.UNREADABLE, 0)):
            return []
        return [
            f"{unread:,} rows have an unreadable {label.header}, so their outcome is not known ({self.sentence}); write the meaning of "
            "the words into the schema: label.left, label.stayed or label.not_known"
        ]

    def document(self) -> dict[str, int]:
        """Rows by `Outcome`, as JSON."""
        return {outcome.value: self.counts.get(outcome, 0) for outcome in Outcome}


def outcome_reader(label: Label) -> Callable[[str], Outcome]:
    """A function for the cells of the label's column.

    The words of the schema come first. Numbers are compared by value (1, 1.0), texts as people see them. Where the positive value is a word
    for true or false, the words for true and false of all languages count. Words such as "unknown" and "-" say that nothing is known. A
    schema without words for customers who stayed takes those that speak of staying: "Active", "not churned".
    """
    positive = _text(label.positive)
    words: dict[str, Outcome] = {}
    for outcome, spelled in (
        (Outcome.LEFT, (positive, *label.left)),
        (Outcome.STAYED, label.stayed),
        (Outcome.NOT_KNOWN, label.not_known),
    ):
        words |= {folded(word): outcome for word in spelled}
    numbers = {number: outcome for word, outcome in words.items() if (number := plain_number(word)) is not None}
    truth = truth_of(positive)
    if truth is not None:
        numbers = {1.0: _left_if(truth), 0.0: _left_if(not truth)} | numbers

    def read(text: str) -> Outcome:
        spelled = folded(text)
        if (outcome := words.get(spelled)) is not None:
            return outcome
        if is_blank(spelled):
            return Outcome.NOT_KNOWN
        if (number := plain_number(spelled)) is not None:
            return numbers.get(number, Outcome.UNREADABLE)
        says = truth_of(spelled)
        if truth is not None and says is not None:
            return _left_if(says == truth)
        if spelled in UNKNOWN:
            return Outcome.NOT_KNOWN
        if not label.stayed and sense_of(text) is Sense.STAYING:
            return Outcome.STAYED
        return Outcome.UNREADABLE

    return read


def plain_number(text: str) -> float | None:
    """The number that a text is, without any unit or group; None if it is none."""
    spelled = normalize("NFKC", text).replace("\u2212", "-")
    return float(spelled.replace(",", ".")) if _NUMBER.fullmatch(spelled) else None


def outcomes_sentence(counts: Mapping[str, int], unreadable: Iterable[tuple[str, int]] = ()) -> str:
    """The outcomes of some rows, as in "0 left, 60 stayed, 3 not known, 2 unreadable ('Ja (30.11.)')".

    counts: rows by `Outcome`. unreadable: the texts that could not be read, each with its number of rows, in any order.
    """
    parts = [f"{counts.get(outcome, 0):,} {outcome.replace('_', ' ')}" for outcome in Outcome]
    return ", ".join(parts if counts.get(Outcome.UNREADABLE) else parts[:-1]) + (f" ({shown})" if (shown := _shown(unreadable)) else "")


def high_churn(left: int, known: int) -> str:
    """The warning on a churn rate that is rarely right; empty if it is usual."""
    if not known or left <= HIGH_CHURN * known:
        return ""
    return (
        f"{left / known:.1%} of the customers with a known outcome left ({left:,} of {known:,}), which is more than businesses lose: "
        "the outcome may be the wrong way round (label.positive must be the value for customers who left)"
    )


def lack_in_words(label: Label, counts: Mapping[str, int], seen: Iterable[tuple[str, int]]) -> str:
    """The sentence on rows of which none left, or none stayed: what the column holds, and where the schema says what that means. Empty if
    there are both.

    counts: rows by `Outcome`. seen: texts of the column, each with its number of rows, in any order.
    """
    lacks, fields = [], []
    if not counts.get(Outcome.LEFT):
        others = f" nor {_quoted(label.left)}" if label.left else ""
        lacks.append(f"no row has the positive value {_quoted([_text(label.positive)])}{others}")
        fields.append("label.left (customers who left)")
    if not counts.get(Outcome.STAYED):
        lacks.append("no row has a word for customers who stayed" + (f" ({_quoted(label.stayed)})" if label.stayed else ""))
        fields.append("label.stayed (customers who stayed)")
    if not lacks:
        return ""
    texts = sorted(seen, key=lambda item: (-item[1], item[0]))
    held = ", ".join(f'"{text}" ({rows:,})' for text, rows in texts[:_MOST_SHOWN]) + (" …" if len(texts) > _MOST_SHOWN else "")
    holds = f"; the column holds {held}" if held else ""
    return f"{' and '.join(lacks)}{holds}. Write the words that mean it into the schema, as {' and '.join(fields)}"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in list(words)[:_MOST_SHOWN])


def _shown(unreadable: Iterable[tuple[str, int]]) -> str:
    texts = sorted(unreadable, key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"'{text}'" + (f" {rows:,}" if len(texts) > 1 else "") for text, rows in texts[:_MOST_SHOWN])
    return shown + (f" and {len(texts) - _MOST_SHOWN:,} more values" if len(texts) > _MOST_SHOWN else "")


def _text(positive: object) -> str:
    return str(positive).lower() if isinstance(positive, bool) else str(positive)


def _left_if(left: bool) -> Outcome:
    return Outcome.LEFT if left else Outcome.STAYED
