"""A complete file, column by column. A column is its distinct texts and an index into them, so each text is parsed once."""

from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, FeatureSchema, value_problem
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.binding import bind, some_of
from retainstream.engine.tables.cells import Decimal, date_in, outcome_reader, value_in
from retainstream.engine.tables.delimited import DelimitedTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable

type Codes = NDArray[np.int32]

_BLOCK = 4096
_PROBLEMS_PER_COLUMN = 3


@dataclass
class TextColumn:
    """A column as text: row i holds `values[codes[i]]`. Values are distinct and stripped, in order of appearance."""

    name: str
    codes: Codes
    values: list[str]

    def texts(self) -> list[str]:
        """The text of every row."""
        return [self.values[code] for code in self.codes.tolist()]

    def counts(self) -> NDArray[np.intp]:
        """The number of rows with each value."""
        return np.bincount(self.codes, minlength=len(self.values))


@dataclass
class TextTable:
    """A file as text, column by column; `lines` holds the first line of each row."""

    source: str
    columns: dict[str, TextColumn]
    lines: NDArray[np.int64]
    decimal: Decimal
    header_line: int = 1
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class CustomerTable:
    """A file's customers by a schema, encoded for the model.

    rows: float32 (n, features) in schema order: a category is the index of its level, a boolean 0 or 1, missing NaN.
    churned: float64 (n,): 1 left, 0 stayed, NaN not known.
    groups: int16 (n,), places in schema.groups, -1 where missing.
    repeated_ids: the number of ids on more than one row.
    prices: float64 (n,), NaN where missing; None when the schema has no money.
    anchors: int32 (n,), days since 1970-01-01 that the features describe; None without such a column.
    outcome_days: int32 (n,), days on which the outcomes were known; None without such a column.
    """

    schema: FeatureSchema
    ids: list[str]
    rows: NDArray[np.float32]
    churned: NDArray[np.float64]
    groups: NDArray[np.int16]
    prices: NDArray[np.float64] | None
    lines: NDArray[np.int64]
    repeated_ids: int
    notes: list[str]
    anchors: NDArray[np.int32] | None = None
    outcome_days: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.lines)


def read_text(table: DelimitedTable, most_rows: int | None = None) -> TextTable:
    """The file as text: all of it, or the first rows.

    Raises:
        UnreadableTable: a record cannot be read, or there are no records.
    """
    indexes: list[dict[str, int]] = [{} for _ in table.header]
    blocks: list[list[Codes]] = [[] for _ in table.header]
    lines: list[int] = []
    records = islice(table.records(), most_rows)
    while block := list(islice(records, _BLOCK)):
        lines += [line for line, _ in block]
        for index, codes, texts in zip(indexes, blocks, zip(*(record for _, record in block), strict=True), strict=True):
            codes.append(np.fromiter((index.setdefault(text, len(index)) for text in texts), np.int32, len(texts)))
    if not lines:
        raise UnreadableTable(table.source, [TableProblem("has a header and no rows")])
    columns = {
        name: _stripped(name, np.concatenate(codes), list(index)) for name, codes, index in zip(table.header, blocks, indexes, strict=True)
    }
    return TextTable(table.source, columns, np.array(lines), table.decimal, table.header_line, list(table.notes))


def customers_in(table: TextTable, schema: FeatureSchema, *, labels_needed: bool = True) -> CustomerTable:
    """The table's customers by the schema.

    Raises:
        UnreadableTable: the table contradicts the schema; the message names every such column, with the first lines.
    """
    header = list(table.columns)
    binding = bind(schema, header, source=table.source, line=table.header_line, label_needed=labels_needed)
    faults: list[TableProblem] = []
    encoded: dict[str, NDArray[np.float64]] = {}
    for column in schema.columns:
        place = binding.columns.get(column.name)
        if place is None:
            encoded[column.name] = np.full(len(table), np.nan)
        else:
            text = table.columns[header[place]]
            values, problems = _read_values(column, text, table)
            faults += problems
            encoded[column.name] = _encoded(column, values)[text.codes]
    churned = np.full(len(table), np.nan)
    if binding.label is not None:
        churned, problems = _outcomes(schema.label, table.columns[header[binding.label]], table, needed=labels_needed)
        faults += problems
    notes = [*table.notes]
    ids, repeated = [str(number) for number in range(1, len(table) + 1)], 0
    if binding.id is not None:
        text = table.columns[header[binding.id]]
        ids, repeated = text.texts(), int(np.count_nonzero(text.counts() > 1))
        faults += _missing_ids(text, table)
    form = schema.moments.format if schema.moments else ""
    anchors, problems = _days(binding.anchor, form, table)
    outcome_days, more = _days(binding.moments.get("outcomes_as_of"), form, table)
    faults += problems + more
    if faults:
        raise UnreadableTable(table.source, faults)
    if anchors is not None and binding.id is not None:
        codes = table.columns[header[binding.id]].codes
        repeated = len(codes) - len(np.unique(codes.astype(np.int64) << 32 | anchors.astype(np.uint32)))
        if repeated:
            notes.append(f"{repeated:,} rows have the id and the day of another row")
    elif repeated:
        notes.append(f"{repeated:,} ids are on more than one row")
    if binding.ignored:
        notes.append(f"columns outside the schema are not read: {some_of(binding.ignored)}")
    rows = np.empty((len(table), len(schema.features)), dtype=np.float32)
    for position, column in enumerate(schema.features):
        rows[:, position] = encoded[column.name]
    prices = encoded[schema.money.price] if schema.money else None
    groups = _groups(schema, encoded, len(table))
    return CustomerTable(schema, ids, rows, churned, groups, prices, table.lines, repeated, notes, anchors, outcome_days)


def _stripped(name: str, codes: Codes, values: list[str]) -> TextColumn:
    stripped: dict[str, int] = {}
    places = np.array([stripped.setdefault(value.strip(), len(stripped)) for value in values], dtype=np.int32)
    return TextColumn(name, codes if len(stripped) == len(values) else places[codes], list(stripped))


def _read_values(column: Column, text: TextColumn, table: TextTable) -> tuple[list[Value | None], list[TableProblem]]:
    values: list[Value | None] = []
    wrong: dict[str, list[int]] = {}
    for code, spelled in enumerate(text.values):
        value = value_in(column, spelled, table.decimal)
        if column.other and isinstance(value, str) and value not in column.levels:
            value = column.other
        problem = (None if column.missing else "is required, but missing") if value is None else value_problem(column, value)
        if problem:
            sentence = problem if value is None else f"{_quoted(spelled)} {problem}"
            wrong.setdefault(problem if column.kind != "category" or value is None else sentence, []).append(code)
            value = None
        values.append(value)
    problems = []
    for problem, codes in list(wrong.items())[:_PROBLEMS_PER_COLUMN]:
        rows = np.flatnonzero(np.isin(text.codes, codes))
        spelled = text.values[text.codes[rows[0]]]
        detail = problem if not spelled or spelled in problem or "missing" in problem else f"{_quoted(spelled)} {problem}"
        problems.append(TableProblem(detail, line=int(table.lines[rows[0]]), column=text.name, rows=len(rows)))
    if len(wrong) > _PROBLEMS_PER_COLUMN:
        problems.append(TableProblem(f"and {len(wrong) - _PROBLEMS_PER_COLUMN} more values that do not fit", column=text.name))
    return values, problems


def _encoded(column: Column, values: list[Value | None]) -> NDArray[np.float64]:
    if column.kind in ("category", "date"):
        levels = {level: float(code) for code, level in enumerate(column.levels)}
        return np.array([levels.get(str(value), np.nan) for value in values])
    return np.array([np.nan if value is None or isinstance(value, str) else float(value) for value in values])


def _outcomes(label: Label, text: TextColumn, table: TextTable, *, needed: bool) -> tuple[NDArray[np.float64], list[TableProblem]]:
    outcome = outcome_reader(label)
    counts = text.counts()
    seen = ", ".join(f"{_quoted(text.values[code])} ({counts[code]:,})" for code in np.argsort(-counts)[:5])
    try:
        outcomes = [outcome(value) for value in text.values]
    except ValueError:
        detail = f"the label is true or false by the schema, but the file has {seen}; write the value for customers who left as positive"
        return np.full(len(table), np.nan), [TableProblem(detail, line=int(table.lines[0]), column=text.name)]
    churned = np.array([np.nan if value is None else float(value) for value in outcomes])[text.codes]
    known = {value for value in outcomes if value is not None}
    if needed and len(known) < 2:
        missing = f"the positive value {_quoted(str(label.positive))}" if True not in known else "a value other than the positive one"
        detail = f"no row has {missing}; the column holds {seen}. A model needs customers who left and customers who stayed"
        return churned, [TableProblem(detail, column=text.name)]
    return churned, []


def _days(place: int | None, form: str, table: TextTable) -> tuple[NDArray[np.int32] | None, list[TableProblem]]:
    """The days of a column, and its faults; None without the column. A table with the column needs a day in every row."""
    if place is None:
        return None, []
    text = table.columns[list(table.columns)[place]]
    spelled = [date_in(value, form) or date_in(value) for value in text.values]
    wrong = [code for code, day in enumerate(spelled) if day is None]
    problems = []
    if wrong:
        rows = np.flatnonzero(np.isin(text.codes, wrong))
        value = text.values[text.codes[rows[0]]]
        detail = f"{_quoted(value)} is not a day" + (f" as in {form}" if form else " such as 2026-01-31") if value else "the day is missing"
        problems = [TableProblem(detail, line=int(table.lines[rows[0]]), column=text.name, rows=len(rows))]
    days = np.array([day or "1970-01-01" for day in spelled], dtype="datetime64[D]").astype(np.int32)
    return days[text.codes], problems


def _missing_ids(text: TextColumn, table: TextTable) -> list[TableProblem]:
    if "" not in text.values:
        return []
    rows = np.flatnonzero(text.codes == text.values.index(""))
    return [TableProblem("the id is missing", line=int(table.lines[rows[0]]), column=text.name, rows=len(rows))]


def _groups(schema: FeatureSchema, encoded: dict[str, NDArray[np.float64]], count: int) -> NDArray[np.int16]:
    if not schema.group:
        return np.zeros(count, dtype=np.int16)
    return np.nan_to_num(encoded[schema.group], nan=-1.0).astype(np.int16)


def _quoted(text: str, most: int = 40) -> str:
    return f'"{text if len(text) <= most else text[: most - 1] + "…"}"'
