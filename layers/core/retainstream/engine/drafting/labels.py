"""The words of a label for customers who left, who stayed, and whose outcome is not known."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.records import Value
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.boolean_words import truth_of
from retainstream.engine.tables.cells import is_blank
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.tables.outcome_words import UNKNOWN, Sense, decides, sense_of
from retainstream.engine.tables.outcomes import high_churn, outcome_reader, plain_number
from retainstream.engine.tables.problems import TableProblem, UndecidedTable, UnreadableTable
from retainstream.engine.tables.spelling import cleaned, folded
from retainstream.engine.traps.leaks import share

_MOST_VALUES = 10
_MOST_WORDS = 100
"""The most words of each list of a label in a schema."""
_FEW_UNREAD = 0.1
"""The share of rows with words that nobody knows up to which a column with many values can be a label."""
_OPEN = frozenset({"open", "offen", "avoin"})
_PLAIN = frozenset({"true", "false", "1", "0", "1.0", "0.0"})
_LETTERS = tuple(
    {yes: True, no: False} for yes, no in ("sn", "on", "dn", "an", "in", "eh", "ke", "vf", "wf", "pf", "ox", "o×", "дн", "тн", "νο")
)
"""Letters of a language that stand for yes and no, or true and false, where a column has no other values: S and N, V and F, E and H."""


@dataclass
class Words:
    """The values of a label, as they are spelled, with their rows, by what they mean."""

    left: dict[str, int] = field(default_factory=dict)
    stayed: dict[str, int] = field(default_factory=dict)
    not_known: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)

    def rate(self) -> str:
        """The share of customers who left among those with a known outcome: "29.8% of 600 left"."""
        left, stayed = sum(self.left.values()), sum(self.stayed.values())
        return f"{share(left, left + stayed)} of {left + stayed:,} left"


@dataclass(frozen=True)
class LabelChoice:
    """The label's header, its words, and for each row 1 (left), 0 (stayed) or NaN (not known)."""

    header: str
    words: Words
    positive: Value
    churned: NDArray[np.float64]
    findings: tuple[Finding, ...]

    def label(self, column: str, source: str) -> Label:
        """The label of the schema."""
        return _label(column, source, self.positive, self.words)


class UndecidedLabel(UndecidedTable):
    """The label does not say which value means that the customer left. `readings` are the possible ones; empty if there are more than two
    values."""

    def __init__(self, source: str, problem: TableProblem, readings: Sequence[Words] = ()) -> None:
        super().__init__(source, [problem])
        self.readings = tuple(readings)


def label_of(
    table: TextTable,
    header: str,
    positive: str | Sequence[str] | None = None,
    stayed: Sequence[str] = (),
    not_known: Sequence[str] = (),
) -> LabelChoice:
    """The label of a table.

    Args:
        positive: the values for customers who left; detected when absent.
        stayed: values for customers who stayed; "" is a blank cell. Detected when absent, like those of `not_known`.

    Raises:
        UndecidedLabel: a person has to say what the values mean.
        UnreadableTable: the column has fewer than two values, or many that nobody knows, or no row has a value that the caller names.
    """
    column = table.columns[header]
    counts = column.counts()
    values: dict[str, int] = {}
    spellings: dict[str, str] = {}
    blank = 0
    for code in sorted(range(len(column.values)), key=lambda code: -int(counts[code])):
        text = column.values[code]
        if is_blank(text):
            blank += int(counts[code])
            continue
        spelled = spellings.setdefault(folded(text), cleaned(text))
        values[spelled] = values.get(spelled, 0) + int(counts[code])
    named = ((positive,) if isinstance(positive, str) else tuple(positive or ())), tuple(stayed), tuple(not_known)
    values = dict(sorted(values.items(), key=lambda item: -item[1]))
    words = _Reading(table.source, header, values, blank).words(*named)
    truth = _positive(words)
    outcome = outcome_reader(_label("label", "", truth, words))
    churned = np.array([np.nan if (left := outcome(value).churned) is None else float(left) for value in column.values])[column.codes]
    return LabelChoice(header, words, truth, churned, tuple(_findings(header, words, len(table))))


def _label(column: str, source: str, positive: Value, words: Words) -> Label:
    said = folded(str(positive))
    left = tuple(word for word in words.left if folded(word) != said)
    return Label(column=column, source=source, positive=positive, left=left, stayed=tuple(words.stayed), not_known=tuple(words.not_known))


def _positive(words: Words) -> Value:
    """The most frequent value for customers who left; true or false where a column spells them plainly."""
    spelled = next(iter(words.left))
    plain = {folded(word) for word in (*words.left, *words.stayed)} <= _PLAIN
    return bool(truth_of(spelled)) if plain else spelled


@dataclass
class _Reading:
    """A column as its values, most frequent first, with their rows; and its blank rows."""

    source: str
    header: str
    values: dict[str, int]
    blank: int

    def words(self, left: Sequence[str], stayed: Sequence[str], not_known: Sequence[str]) -> Words:
        if not self.values:
            raise self._refused("the label is empty")
        words = Words()
        rest = dict(self.values)
        for named, noun, chosen in (
            (left, "the positive value", words.left),
            (stayed, "a value for customers who stayed", words.stayed),
            (not_known, "a value of outcomes that are not known", words.not_known),
        ):
            for word in named:
                if not word and chosen is words.stayed:
                    chosen[""] = self.blank
                    continue
                matches = list(_matches(word, rest)) or (list(_by_truth(word, rest)) if chosen is not words.not_known else [])
                if not matches and not any(True for _ in _by_truth(word, chosen)) and folded(word) not in map(folded, chosen):
                    raise self._refused(f'no row has "{word}", {noun}; the label holds {self._held}')
                chosen |= {value: rest.pop(value) for value in matches}
        _sort_out(self.header, words, rest)
        words.unreadable = rest
        self._require_both(words, named=bool(left or stayed))
        return words

    def _require_both(self, words: Words, *, named: bool) -> None:
        unread = words.unreadable
        if len(self.values) == 1 and "" not in words.stayed:
            self._refuse_single()
        many = len(self.values) > _MOST_VALUES and sum(unread.values()) > _FEW_UNREAD * sum(self.values.values())
        if many or max(len(words.left), len(words.stayed), len(words.not_known)) > _MOST_WORDS:
            raise self._refused(
                f"the label has {len(self.values):,} different values ({self._held} …); "
                "a label has two, for customers who left and who stayed"
            )
        codes = sum(rows for value, rows in unread.items() if plain_number(value) is not None)
        if words.left and words.stayed and (named or codes <= _FEW_UNREAD * sum(self.values.values())):
            return
        if words.left and words.stayed:
            detail = f"the label holds {self._held}, more numbers than two; name the values for customers who left with --positive VALUE"
            raise UndecidedLabel(
                self.source, TableProblem(f"{detail} and those for customers who stayed with --stayed VALUE", column=self.header)
            )
        if not words.left and not words.stayed and (sides := list(_sides(unread))):
            raise self._undecided(sides)
        lacking = [
            f"the value{'s' if len(unread) > 2 else ''} for customers who {side} with {option} VALUE"
            for side, option, chosen in (("left", "--positive", words.left), ("stayed", "--stayed", words.stayed))
            if not chosen
        ]
        others = ", and those of unknown outcomes with --not-known VALUE" if len(unread) > 2 else ""
        raise UndecidedLabel(
            self.source, TableProblem(f"the label holds {self._held}; name {' and '.join(lacking)}{others}", column=self.header)
        )

    def _refuse_single(self) -> None:
        only = next(iter(self.values))
        if self.blank:
            detail = (
                f"the label holds {self._held} and {self.blank:,} blanks; if a blank means that the customer stayed, add "
                f'--positive {_argument(only)} --stayed ""'
            )
            raise UndecidedLabel(self.source, TableProblem(detail, column=self.header))
        raise self._refused(f"the label has a single value, {self._held}; a model needs customers who left and customers who stayed")

    def _undecided(self, sides: list[tuple[dict[str, int], dict[str, int]]]) -> UndecidedLabel:
        readings = [Words(left, stayed) for left, stayed in sides]
        ways = "; ".join(f"--positive {_argument(next(iter(words.left)))} means that {words.rate()}" for words in readings)
        detail = (
            f"the label holds {self._held}, and neither the header nor a value says which of them left; name the value for customers who "
            f"left with --positive VALUE: {ways}"
        )
        return UndecidedLabel(self.source, TableProblem(detail, column=self.header), readings)

    def _refused(self, detail: str) -> UnreadableTable:
        return UnreadableTable(self.source, [TableProblem(detail, column=self.header)])

    @property
    def _held(self) -> str:
        return ", ".join(f'"{value}" ({rows:,})' for value, rows in list(self.values.items())[:_MOST_VALUES])


def _sort_out(header: str, words: Words, rest: dict[str, int]) -> None:
    """Moves values whose meaning is certain from `rest` to the words."""

    def move(values: Iterable[str], to: dict[str, int]) -> None:
        to |= {value: rest.pop(value) for value in list(values)}

    if not (len(rest) == 2 and any(folded(value) in _OPEN for value in rest)):
        move((value for value in rest if folded(value) in UNKNOWN), words.not_known)
    sense = {value: sense_of(value) for value in rest}
    truth = _truths(rest)
    if words.left or words.stayed:
        says = _truth_of_leaving(words)
        if says is not None and {True, False} <= {*truth.values(), *map(truth_of, (*words.left, *words.stayed))}:
            move((value for value in list(rest) if truth[value] is says), words.left)
            move((value for value in list(rest) if truth[value] is (not says)), words.stayed)
        elif not words.left and len(rest) == 1:
            move(rest, words.left)
    elif any(of is Sense.LEAVING for of in sense.values()):
        move((value for value, of in sense.items() if of is Sense.LEAVING), words.left)
    elif decides(header) and {True, False} <= set(truth.values()):
        move((value for value, says in truth.items() if says is True), words.left)
        move((value for value, says in truth.items() if says is False), words.stayed)
    if not words.left:
        return
    move((value for value in list(rest) if sense[value] is Sense.STAYING), words.stayed)
    if not words.stayed and len(rest) > 1:
        move((value for value in list(rest) if truth.get(value) is False), words.stayed)
    if not words.stayed and len(rest) == 1 and (folded(only := next(iter(rest))) in _OPEN or sense[only] is not Sense.NEW):
        move(rest, words.stayed)
    if words.stayed:
        move((value for value in list(rest) if sense[value] is Sense.NEW or (plain_number(value) or 0) < 0), words.not_known)


def _truth_of_leaving(words: Words) -> bool | None:
    """Whether true or false means that the customer left, by the values that are sorted out; None if they do not say."""
    said = {truth_of(value) for value in words.left} | {not says for value in words.stayed if (says := truth_of(value)) is not None}
    return said.pop() if len(said) == 1 else None


def _truths(values: Iterable[str]) -> dict[str, bool | None]:
    """What each value says as a word for true or false. Letters that need their counterpart count where they have it."""
    listed = list(values)
    letters = {folded(value) for value in listed}
    pair: Mapping[str, bool] = next((pair for pair in _LETTERS if pair.keys() == letters), {})
    return {value: pair.get(folded(value), truth_of(value)) for value in listed}


def _sides(values: Mapping[str, int]) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """Both readings of a column with two sides: of words for true and false, or of two values. Few customers who left come first."""
    truth = _truths(values)
    first = {value: rows for value, rows in values.items() if truth[value] is True}
    second = {value: rows for value, rows in values.items() if truth[value] is False}
    if not (first and second):
        if len(values) != 2:
            return
        first, second = ({value: rows} for value, rows in values.items())
    yield from sorted(((first, second), (second, first)), key=lambda sides: sum(sides[0].values()))


def _matches(word: str, values: Iterable[str]) -> Iterator[str]:
    number = plain_number(word)
    for value in values:
        if folded(value) == folded(word) or (number is not None and plain_number(value) == number):
            yield value


def _by_truth(word: str, values: Iterable[str]) -> Iterator[str]:
    says = truth_of(word)
    return (value for value in values if says is not None and truth_of(value) is says)


def _argument(value: str) -> str:
    """A value as an argument of a command."""
    return value if re.fullmatch(r"[\w.+@/-]+", value) else shlex.quote(value)


def _findings(header: str, words: Words, rows: int) -> Iterator[Finding]:
    left, stayed = sum(words.left.values()), sum(words.stayed.values())

    def named(values: Mapping[str, int]) -> str:
        spelled = [f'"{value}"' if value else "a blank" for value in list(values)[:_MOST_VALUES]]
        return ", ".join(spelled) + (" …" if len(values) > _MOST_VALUES else "")

    def note(text: str) -> Finding:
        return Finding("note", text, (header,))

    yield note(f"{header} = {named(words.left)} means that the customer left ({share(left, left + stayed)} of {left + stayed:,} rows)")
    yield note(f"{header} = {named(words.stayed)} means that the customer stayed ({stayed:,} rows)")
    unknown = rows - left - stayed - sum(words.unreadable.values()) - sum(words.not_known.values())
    if words.not_known:
        yield note(f"{header} = {named(words.not_known)} means that the outcome is not known ({sum(words.not_known.values()):,} rows)")
    if unknown:
        yield note(f"{unknown:,} rows have no {header}: their outcome is not known")
    if unread := sum(words.unreadable.values()):
        yield Finding(
            "question",
            f"{header} = {named(words.unreadable)} is not understood ({unread:,} rows, {share(unread, rows)}), so their outcome stays "
            "unknown: name such values with --positive, --stayed or --not-known",
            (header,),
            {"rows": unread},
        )
    if warning := high_churn(left, left + stayed):
        yield Finding("churn_rate", f"{header}: {warning}", (header,), {"left": left, "known": left + stayed})
