"""What the texts in the column with the outcome mean, as a person says it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel

from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.columnar import TextColumn, TextTable
from retainstream.engine.tables.outcomes import Outcome
from retainstream.engine.tables.problems import TableProblem, UnreadableTable

MOST_WORDS = 30

type Meaning = Literal[Outcome.LEFT, Outcome.STAYED, Outcome.NOT_KNOWN]


class OutcomeWord(BaseModel):
    """A text in the column with the outcome, and the rows with it. An empty text is a blank cell."""

    value: str
    rows: int
    means: Outcome


def texts_of(table: TextTable, header: str, words: Mapping[str, Meaning]) -> list[OutcomeWord] | None:
    """The texts of a column, most frequent first, with what a person said of some of them; None of a column with too many texts."""
    column = table.columns.get(header)
    if column is None or len(column.values) > MOST_WORDS:
        return None
    return _ordered(column, words)


def words_of(table: TextTable, header: str, meanings: Mapping[str, Outcome]) -> list[OutcomeWord]:
    """The most frequent texts of a column, with what they mean."""
    return _ordered(table.columns[header], meanings)[:MOST_WORDS]


def as_outcomes(table: TextTable, header: str, words: Mapping[str, Meaning]) -> TextTable:
    """The table with "left", "stayed" or a blank in place of the texts of a column.

    Raises:
        UnreadableTable: there is no such column, or no row of customers who left or who stayed.
    """
    column = table.columns.get(header)
    if column is None:
        return table
    plain = [Outcome.LEFT.value, Outcome.STAYED.value, ""]
    places = [plain.index("" if (means := words.get(text)) in (None, Outcome.NOT_KNOWN) else str(means)) for text in column.values]
    codes = np.array(places, dtype=np.int32)[column.codes]
    for place, noun in ((0, "left"), (1, "stayed")):
        if not np.any(codes == place):
            raise UnreadableTable(table.source, [TableProblem(f"say which text means that the customer {noun}", column=header)])
    return replace(table, columns={**table.columns, header: TextColumn(header, codes, plain)})


def label_with(label: Label, words: Mapping[str, Meaning]) -> Label:
    """The label with the words, in the order in which they were said."""
    said = {meaning: [text for text, means in words.items() if means == meaning] for meaning in (Outcome.LEFT, Outcome.STAYED)}
    left = [text for text in said[Outcome.LEFT] if text]
    return Label(
        column=label.column,
        source=label.source,
        positive=left[0],
        left=tuple(left[1:]),
        stayed=tuple(said[Outcome.STAYED]),
        not_known=tuple(text for text, means in words.items() if means == Outcome.NOT_KNOWN and text),
        meaning=label.meaning,
    )


def _ordered(column: TextColumn, meanings: Mapping[str, Outcome]) -> list[OutcomeWord]:
    counts = column.counts()
    texts = sorted(((text, int(counts[code])) for code, text in enumerate(column.values) if counts[code]), key=lambda item: -item[1])
    return [
        OutcomeWord(value=text[:200], rows=rows, means=meanings.get(text, Outcome.UNREADABLE if text else Outcome.NOT_KNOWN))
        for text, rows in texts
    ]
