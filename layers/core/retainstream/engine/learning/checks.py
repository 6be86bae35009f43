"""Whether a data set is enough to train on, and what is suspicious in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet, in_order
from retainstream.engine.learning.split import split_of
from retainstream.engine.schema import Column
from retainstream.engine.tables.outcomes import high_churn
from retainstream.engine.traps.copies import copies, row_hashes, surplus
from retainstream.engine.traps.evidence import CodedColumn, Outcome
from retainstream.engine.traps.expected_twins import Codes
from retainstream.engine.traps.explained_gaps import explanation_of
from retainstream.engine.traps.gaps import Gap, gap_in_words
from retainstream.engine.traps.leaks import Suspicion, suspicion_of
from retainstream.engine.traps.linear_leaks import linear_leak
from retainstream.engine.traps.places import is_coordinate, names_a_postal_code
from retainstream.engine.traps.same_columns import same_columns

type Level = Literal["alarm", "warning"]
type Code = Literal["leak", "leak_by_missing", "duplicates", "out_of_range", "constant", "imbalance", "place"]

OUT_OF_RANGE_SHARE = 0.01
FEWEST_OF_A_CLASS = 20


class UnfitData(ValueError):
    """No model can be trained on this data; the message says why in a sentence."""


class TooFewRows(UnfitData):
    """Not enough customers with a known outcome."""


class OneClass(UnfitData):
    """Not enough customers of one of the two outcomes."""


class FindingDocument(TypedDict):
    """A finding as JSON; `column` is empty where the finding concerns whole rows."""

    level: Level
    code: Code
    column: str
    detail: str


@dataclass(frozen=True)
class Finding:
    """Something suspicious. An alarm keeps the model out of service; a warning does not."""

    level: Level
    code: Code
    detail: str
    column: str = ""

    def document(self) -> FindingDocument:
        return {"level": self.level, "code": self.code, "column": self.column, "detail": self.detail}


def check(data: DataSet, *, fewest_rows: int) -> list[Finding]:
    """The findings in data that is enough to train on.

    Raises:
        TooFewRows: there are fewer customers than `fewest_rows`.
        OneClass: too few rows left, or too few stayed; or the test rows all have the same outcome.
    """
    require_enough(data, fewest_rows)
    findings = [*_balance(data), *_duplicates(data)]
    outcome = Outcome.of(data.churned.astype(np.float64))
    coded = [_coded(column, values) for column, values in zip(data.schema.features, data.rows.T, strict=True)]
    suspicions = [suspicion_of(column, outcome, data.schema.label.header) for column in coded]
    honest = [column for column, suspicion in zip(coded, suspicions, strict=True) if not suspicion]
    missing = [np.isnan(values) for values in data.rows.T]
    gaps = [Gap.of(absent, outcome) for absent in missing]
    with_gaps = sum(gap is not None for gap in gaps)
    for place, column in enumerate(data.schema.features):
        findings += [*_range(column, data.rows[:, place]), *_place(column, data.rows[:, place])]
        gap = gaps[place]
        if gap and gap.tells(with_gaps) and explanation_of(missing[place], honest, outcome, with_gaps):
            gap = None
        findings += _leaks(column, suspicions[place], gap, with_gaps, outcome)
    return [*findings, *_together(data, suspicions, outcome), *_same(data.schema.features, coded)]


def require_enough(data: DataSet, fewest_rows: int) -> None:
    """Whether the customers are enough to train on.

    Raises:
        TooFewRows, OneClass: see `check`.
    """
    rows, left = len(data), int(data.churned.sum())
    customers = len(np.unique(data.keys))
    if customers < fewest_rows:
        raise TooFewRows(f"Only {customers} customers with a known outcome: at least {fewest_rows} are needed.")
    for count, what in ((left, "left"), (rows - left, "stayed")):
        if count == 0:
            raise OneClass(
                f"None of the {customers} customers with a known outcome {what}: a model needs customers who left and who stayed. "
                f"If {data.schema.label.header} has another word for it, write it into the schema as label.{what}."
            )
        if count < FEWEST_OF_A_CLASS:
            raise OneClass(
                f"Only {count} of the {customers} customers with a known outcome {what}: at least {FEWEST_OF_A_CLASS} are needed."
            )
    test = data.churned[split_of(data).test(data)]
    if not (test.any() and not test.all()):
        raise OneClass("All held-out customers have the same outcome: more customers with a known outcome are needed.")


def _balance(data: DataSet) -> list[Finding]:
    if warning := high_churn(int(data.churned.sum()), len(data)):
        return [Finding("warning", "imbalance", f"{warning}.")]
    share = float(data.churned.mean())
    return [] if share >= 0.01 else [Finding("warning", "imbalance", f"{share:.1%} of the customers with a known outcome left.")]


def _duplicates(data: DataSet) -> list[Finding]:
    """Rows that repeat another customer's; a customer whose values stay the same is compared at the newest anchor alone."""
    if len(np.unique(data.keys)) < len(data):
        ordered = in_order(data)
        data = ordered.where(np.append(ordered.keys[1:] != ordered.keys[:-1], True))
    columns: list[Codes] = [*(_bits(values) for values in data.rows.T), data.churned.view(np.uint8)]
    copied = copies(columns)
    if not copied.any():
        return []
    count = surplus(row_hashes(columns), copied)
    return [Finding("warning", "duplicates", f"{count:,} of {len(data):,} rows repeat another row in every column.")]


def _bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """A code for each value (n,): its bits, the same for 0 and -0 and for every NaN."""
    return np.where(np.isnan(values), np.float32(np.nan), values + np.float32(0)).view(np.uint32)


def _range(column: Column, values: NDArray[np.float32]) -> list[Finding]:
    known = values[~np.isnan(values)]
    if not len(known) or (known == known[0]).all():
        what = "has no value in any row" if not len(known) else "has the same value in every row"
        return [Finding("warning", "constant", f"{column.label} {what}.", column.name)]
    outside = np.zeros(len(known), dtype=bool)
    if column.min is not None:
        outside |= known < np.float32(column.min)
    if column.max is not None:
        outside |= known > np.float32(column.max)
    count = int(outside.sum())
    if not count:
        return []
    level: Level = "alarm" if count > OUT_OF_RANGE_SHARE * len(values) else "warning"
    return [Finding(level, "out_of_range", f"{column.label} has {count:,} values that the schema does not allow.", column.name)]


def _place(column: Column, values: NDArray[np.float32]) -> list[Finding]:
    """Whether the numbers of a column say where a customer is."""
    known = values[~np.isnan(values)]
    if column.kind not in ("number", "integer") or not len(known):
        return []
    if names_a_postal_code(column.header):
        advice = "a postal code is a place and not a quantity. Describe it as a category, or use a region instead."
    elif is_coordinate(column.header, float(known.min()), float(known.max())):
        advice = "a coordinate is a place and not a quantity. Use a region or a distance instead."
    else:
        return []
    return [Finding("warning", "place", f"{column.label}: {advice}", column.name)]


def _leaks(column: Column, suspicion: Suspicion | None, gap: Gap | None, comparisons: int, outcome: Outcome) -> list[Finding]:
    """What a column says of the outcome. `gap` is None where another column explains it."""
    if suspicion and suspicion.is_certain:
        detail = f"{column.label} alone predicts who left with an AUC of {suspicion.auc.value:.3f}. Is it known before they leave?"
        return [Finding("alarm", "leak", detail, column.name)]
    if gap and gap.gives_away(comparisons):
        detail = f"Whether {column.label} is missing tells who left: {gap_in_words(gap)}. Is it filled in or removed when they leave?"
        return [Finding("alarm", "leak_by_missing", detail, column.name)]
    if suspicion:
        detail = f"{column.label} may know the outcome: {suspicion.sentence(outcome)}. Is it known before they leave?"
        return [Finding("warning", "leak", detail, column.name)]
    if gap and gap.tells(comparisons):
        detail = f"Whether {column.label} is missing predicts who left: {gap_in_words(gap)}. Is it known before they leave?"
        return [Finding("warning", "leak_by_missing", detail, column.name)]
    return []


def _together(data: DataSet, suspicions: list[Suspicion | None], outcome: Outcome) -> list[Finding]:
    """Columns that give the outcome together. Those that are suspected alone do not count."""
    places = [place for place, suspicion in enumerate(suspicions) if not suspicion and data.schema.features[place].kind != "category"]
    leak = linear_leak([data.rows[:, place].astype(np.float64) for place in places], outcome)
    if leak is None:
        return []
    columns = [data.schema.features[places[place]] for place in leak.places]
    formula = leak.formula([column.label for column in (data.schema.features[place] for place in places)])
    detail = f"{formula} is 1 for customers who left and 0 for those who stayed. Are all of these columns known before they leave?"
    return [Finding("alarm", "leak", detail, columns[0].name)]


def _same(columns: Sequence[Column], coded: list[CodedColumn]) -> list[Finding]:
    """Second copies of a column."""
    pairs = [(columns[pair.first], columns[pair.second]) for pair in same_columns(coded) if pair.equal]
    return [
        Finding("warning", "duplicates", f"{second.label} has the same value as {first.label} in every row: keep one of them.", second.name)
        for first, second in pairs
    ]


def _coded(column: Column, values: NDArray[np.float32]) -> CodedColumn:
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    missing = np.isnan(distinct)
    numbers = np.full(len(distinct), np.nan) if column.kind == "category" else distinct.astype(np.float64)

    def text(code: int) -> str:
        if column.kind == "category":
            return column.levels[int(distinct[code])]
        if column.kind == "boolean":
            return "yes" if distinct[code] else "no"
        return f"{distinct[code]:g}"

    return CodedColumn(column.header, codes.astype(np.int32), numbers, missing, counts, text)
