"""A complete file, column by column. A column is its distinct texts and an index into them, so each text is parsed once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.records import Value
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.binding import Binding, bind, some_of
from retainstream.engine.tables.delimited import DelimitedTable
from retainstream.engine.tables.no_customers import no_customer
from retainstream.engine.tables.numbers import Decimal, Marks, Writing, votes
from retainstream.engine.tables.outcomes import ReadOutcomes, lack_in_words, outcome_reader
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.reading import NEW, day_reader, is_no_day, no_cell_read, not_a_day, tolerant_reader, unread_day
from retainstream.engine.tables.spelling import cleaned
from retainstream.engine.tables.unread import Unread
from retainstream.engine.tables.writings import fitting_writings, remarks_on

type Codes = NDArray[np.int32]

_BLOCK = 4096
_SHOWN = 8

REPEATED = "is the id of an earlier row"
OF_THE_SAME_DAY = " of the same day"


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

    def rows(self, kept: NDArray[np.bool_]) -> "TextColumn":
        """The column with these rows alone, by a mask (n,)."""
        used, codes = np.unique(self.codes[kept], return_inverse=True)
        return TextColumn(self.name, codes.astype(np.int32), [self.values[code] for code in used.tolist()])


@dataclass
class TextTable:
    """A file as text, column by column; `lines` holds the first line of each row, `hint` why names of the header may look wrong.
    `has_kinds`: the file stores numbers as numbers, without a decimal mark."""

    source: str
    columns: dict[str, TextColumn]
    lines: NDArray[np.int64]
    decimal: Decimal
    header_line: int = 1
    notes: list[str] = field(default_factory=list)
    named_mark: Decimal | None = None
    commas_separate: bool = True
    hint: str = ""
    has_kinds: bool = False
    _marks: dict[int, Marks] = field(default_factory=dict)

    def marks_of(self, place: int) -> Marks:
        """What the cells of a column say about its numbers, by its place in the header."""
        if place not in self._marks:
            column = list(self.columns.values())[place]
            self._marks[place] = votes(column.values, column.counts().tolist())
        return self._marks[place]

    def rows(self, kept: NDArray[np.bool_]) -> "TextTable":
        """The table with these rows alone, by a mask (n,)."""
        columns = {name: column.rows(kept) for name, column in self.columns.items()}
        return replace(self, columns=columns, lines=self.lines[kept], _marks={})

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class CustomerTable:
    """A file's customers by a schema, encoded for the model.

    rows: float32 (n, features) in schema order: a category is the index of its level, a boolean 0 or 1, missing NaN, and a date the days
    from it to the day of the row, or to the newest date of the file's features where rows have no day.
    churned: float64 (n,): 1 left, 0 stayed, NaN not known.
    groups: int16 (n,), places in schema.groups, -1 where missing.
    repeated_ids: the number of rows with the id (and the day) of an earlier row, which are left out.
    prices: float64 (n,), NaN where missing; None when the schema has no money.
    anchors: int32 (n,), days since 1970-01-01 that the features describe; None without such a column.
    outcome_days: int32 (n,), days on which the outcomes were known; None without such a column.
    unread: the cells of these rows that count as missing since they could not be read.
    rejects: why rows were left out. read: the number of rows in the file.
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
    unread: Unread = field(default_factory=Unread)
    rejects: list[TableProblem] = field(default_factory=list)
    read: int = 0
    outcomes: ReadOutcomes = field(default_factory=ReadOutcomes)

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
    return TextTable(
        table.source,
        columns,
        np.array(lines),
        table.decimal,
        table.header_line,
        list(table.notes),
        table.named_mark,
        table.commas_separate,
        table.hint,
        table.has_kinds,
    )


def customers_in(table: TextTable, schema: FeatureSchema, *, labels_needed: bool = True) -> CustomerTable:
    """The table's customers by the schema, read as `customer_rows.read_customers` reads them.

    A cell that cannot be read is missing. A row that cannot be attributed, or that repeats an earlier id (of the same day), is left out.

    Raises:
        UnreadableTable: the header lacks a column, the cells of a column contradict the schema, no row is a customer, or the outcomes
            are not enough for a model.
    """
    header = list(table.columns)
    binding = bind(schema, header, source=table.source, line=table.header_line, label_needed=labels_needed, hint=table.hint)
    placed = binding.placed(schema)
    writings = fitting_writings(table, table.source, header, placed)
    form = schema.moments.format if schema.moments else ""
    rejects = _Rejects(table)
    for row, fault in no_customers_in(table, None if binding.id is None else header[binding.id]).items():
        rejects.add(np.arange(len(table)) == row, fault)
    ids = [str(number) for number in range(1, len(table) + 1)]
    if binding.id is not None:
        ids = _read_ids(table.columns[header[binding.id]], rejects)
    anchors = _read_days(binding.anchor, form, table, rejects, needed=True)
    outcome_days = _read_days(binding.moments.get("outcomes_as_of"), form, table, rejects, needed=False)
    repeated = 0
    if binding.id is not None:
        repeated = rejects.repeated(ids, anchors, header[binding.id])
    kept = rejects.kept()
    if not kept.any():
        raise UnreadableTable(table.source, rejects.problems)
    unread = Unread()
    encoded: dict[str, NDArray[np.float64]] = {}
    present: dict[str, int] = {}
    for column in schema.columns:
        place = binding.columns.get(column.name)
        if place is None:
            encoded[column.name] = np.full(int(kept.sum()), np.nan)
        else:
            text, writing = table.columns[header[place]], writings.get(place, Writing())
            encoded[column.name], present[column.name] = _read_values(column, text, writing, kept, unread)
    if wrong := no_cell_read(schema, unread, present):
        raise UnreadableTable(table.source, wrong)
    for part in ("began_on", "left_on"):
        if (place := binding.moments.get(part)) not in binding.columns.values():
            _count_days_of_life(place, form, table, kept, unread)
    churned, outcomes = np.full(len(table), np.nan), ReadOutcomes()
    if binding.label is not None:
        churned, outcomes = _outcomes(schema.label, table.columns[header[binding.label]], kept)
    elif "left_on" in binding.moments:
        churned = _leavings(table.columns[header[binding.moments["left_on"]]], form)
    if labels_needed and binding.label is not None and (lack := lack_in_words(schema.label, outcomes.counts, outcomes.seen)):
        detail = f"{lack}. A model needs customers who left and customers who stayed"
        raise UnreadableTable(table.source, [TableProblem(detail, column=header[binding.label])])
    notes = [*table.notes, *remarks_on(table, header, placed, writings), *_notes_of(schema, binding, rejects, unread)]
    notes += outcomes.notes(schema.label)
    rows = np.empty((int(kept.sum()), len(schema.features)), dtype=np.float32)
    days = _newest_date(schema, encoded) if anchors is None else anchors[kept]
    for position, column in enumerate(schema.features):
        values = encoded[column.name]
        rows[:, position] = days - values if column.kind == "date" else values
    prices = encoded[schema.money.price] if schema.money else None
    return CustomerTable(
        schema,
        [name for name, stays in zip(ids, kept.tolist(), strict=True) if stays],
        rows,
        churned[kept],
        _groups(schema, encoded, len(rows)),
        prices,
        table.lines[kept],
        repeated,
        notes,
        None if anchors is None else anchors[kept],
        None if outcome_days is None else outcome_days[kept],
        unread,
        rejects.problems,
        len(table),
        outcomes,
    )


def _stripped(name: str, codes: Codes, values: list[str]) -> TextColumn:
    stripped: dict[str, int] = {}
    places = np.array([stripped.setdefault(value.strip(), len(stripped)) for value in values], dtype=np.int32)
    return TextColumn(name, codes if len(stripped) == len(values) else places[codes], list(stripped))


class _Rejects:
    """Rows that cannot be attributed, and why. A row is counted by its first fault alone."""

    def __init__(self, table: TextTable) -> None:
        self._table = table
        self._left_out = np.zeros(len(table), dtype=bool)
        self.problems: list[TableProblem] = []

    def add(self, rows: NDArray[np.bool_], detail: str, column: str = "") -> None:
        """Leaves rows out, by a mask (n,)."""
        new = np.flatnonzero(rows & ~self._left_out)
        if len(new):
            self.problems.append(TableProblem(detail, line=int(self._table.lines[new[0]]), column=column, rows=len(new)))
            self._left_out[new] = True

    def repeated(self, ids: list[str], anchors: Codes | None, column: str) -> int:
        """Leaves out rows that repeat the id, and the day, of an earlier row. Returns their number."""
        seen: set[tuple[str, int]] = set()
        rows = np.zeros(len(ids), dtype=bool)
        days = [0] * len(ids) if anchors is None else anchors.tolist()
        for place, (key, left_out) in enumerate(zip(zip(ids, days, strict=True), self._left_out.tolist(), strict=True)):
            if not left_out:
                rows[place] = key in seen
                seen.add(key)
        self.add(rows, REPEATED + (OF_THE_SAME_DAY if anchors is not None else ""), column)
        return int(rows.sum())

    def kept(self) -> NDArray[np.bool_]:
        """The rows that are not left out, as a mask (n,)."""
        return ~self._left_out


def no_customers_in(table: TextTable, id_header: str | None = None) -> dict[int, str]:
    """The places of rows that are totals, units and remarks, with what each looks like."""
    header = list(table.columns)
    id_place = None if id_header is None else header.index(id_header)
    names = table.columns[header[id_place or 0]]
    doubtful = [code for code, name in enumerate(names.values) if not name.isascii() or not any(map(str.isdigit, name)) or " " in name]
    columns = list(table.columns.values())
    faults = {}
    for place in sorted({0, *np.flatnonzero(np.isin(names.codes, doubtful)).tolist()}):
        record = [column.values[column.codes[place]] for column in columns]
        if fault := no_customer(record, header, id_place=id_place, first=place == 0):
            faults[place] = fault
    return faults


def _read_ids(text: TextColumn, rejects: _Rejects) -> list[str]:
    spelled = [cleaned(value) for value in text.values]
    wrong: dict[str, list[int]] = {}
    for code, name in enumerate(spelled):
        if problem := id_problem(name):
            wrong.setdefault(problem, []).append(code)
    for problem, codes in wrong.items():
        rejects.add(np.isin(text.codes, codes), problem, text.name)
    return [spelled[code] for code in text.codes.tolist()]


def _read_values(
    column: Column, text: TextColumn, writing: Writing, kept: NDArray[np.bool_], unread: Unread
) -> tuple[NDArray[np.float64], int]:
    """The column's values in the rows that are kept, encoded for the model (m,), and the number of rows with a value."""
    read, codes = tolerant_reader(column, writing), text.codes[kept]
    cells, counts = [read(spelled) for spelled in text.values], np.bincount(codes, minlength=len(text.values))
    for cell, rows in zip(cells, counts.tolist(), strict=True):
        if cell.unread and rows:
            unread.add(cell.unread, text.name, rows)
    present = sum(rows for cell, rows in zip(cells, counts.tolist(), strict=True) if cell.value is not None)
    return _encoded(column, [cell.value for cell in cells])[codes], present


def _read_days(place: int | None, form: str, table: TextTable, rejects: _Rejects, *, needed: bool) -> NDArray[np.int32] | None:
    """The days of a column (n,), and 1970-01-01 where there is none; None without the column. A row whose day is no day is left out, and
    one without a day where it is `needed`."""
    if place is None:
        return None
    text, day_in = table.columns[list(table.columns)[place]], day_reader(form)
    days = [None if is_no_day(value) else day_in(value) for value in text.values]
    if needed:
        rejects.add(np.isin(text.codes, [code for code, value in enumerate(text.values) if is_no_day(value)]), "is missing", text.name)
    wrong = [code for code, day in enumerate(days) if day is None and not is_no_day(text.values[code])]
    rejects.add(np.isin(text.codes, wrong), not_a_day(form), text.name)
    return np.array([day or "1970-01-01" for day in days], dtype="datetime64[D]").astype(np.int32)[text.codes]


def _count_days_of_life(place: int | None, form: str, table: TextTable, kept: NDArray[np.bool_], unread: Unread) -> None:
    """Counts the days of a life that are no days. The model does not read them."""
    if place is None:
        return
    text, day_in = table.columns[list(table.columns)[place]], day_reader(form)
    for value, rows in zip(text.values, np.bincount(text.codes[kept], minlength=len(text.values)).tolist(), strict=True):
        if rows and not is_no_day(value) and day_in(value) is None:
            unread.add(unread_day(text.name, value, form), rows=rows)


def _notes_of(schema: FeatureSchema, binding: Binding, rejects: _Rejects, unread: Unread) -> Iterator[str]:
    left_out = sum(problem.rows for problem in rejects.problems)
    if left_out:
        listed = "; ".join(map(str, sorted(rejects.problems, key=lambda problem: -problem.rows)[:_SHOWN]))
        yield f"{left_out:,} row{'s are' if left_out > 1 else ' is'} left out: {listed}"
    kinds, with_other = unread.listed(), {column.header for column in schema.columns if column.other}
    as_other = Unread(kind for kind in kinds if kind["column"] in with_other and kind["reason"] == NEW)
    not_read = Unread(kind for kind in kinds if kind["column"] not in with_other or kind["reason"] != NEW)
    for kept, fate in ((not_read, "could not be read"), (as_other, "count as other" if as_other.cells > 1 else "counts as other")):
        if cells := kept.cells:
            yield f"{cells:,} cell{'s' if cells > 1 else ''} {fate}: {'; '.join(kept.sentences(_SHOWN))}"
    if binding.ignored:
        yield f"columns outside the schema are not read: {some_of(binding.ignored)}"


def _newest_date(schema: FeatureSchema, encoded: dict[str, NDArray[np.float64]]) -> int:
    """The newest date among the features, which stands for the day of rows that have none. Without dates it is 1970-01-01."""
    known = [dates[~np.isnan(dates)] for column in schema.features if column.kind == "date" for dates in [encoded[column.name]]]
    return int(max((dates.max() for dates in known if len(dates)), default=0))


def _encoded(column: Column, values: list[Value | None]) -> NDArray[np.float64]:
    """Values as the model reads them, except that dates are days since 1970-01-01."""
    if column.kind == "date":
        dates = np.array([value or "NaT" for value in values], dtype="datetime64[D]")
        return np.where(np.isnat(dates), np.nan, dates.astype(np.float64))
    if column.kind == "category":
        return np.array([np.nan if value is None else column.places.get(str(value), np.nan) for value in values])
    return np.array([np.nan if value is None or isinstance(value, str) else float(value) for value in values])


def _outcomes(label: Label, text: TextColumn, kept: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ReadOutcomes]:
    read = outcome_reader(label)
    outcomes = [read(value) for value in text.values]
    churned = np.array([np.nan if (left := outcome.churned) is None else float(left) for outcome in outcomes])[text.codes]
    times = np.bincount(text.codes[kept], minlength=len(text.values)).tolist()
    return churned, ReadOutcomes.of(
        (value, outcome, rows) for value, outcome, rows in zip(text.values, outcomes, times, strict=True) if rows
    )


def _leavings(text: TextColumn, form: str) -> NDArray[np.float64]:
    """The outcomes (n,) by days of leaving: 1 with a day, 0 where it is blank, NaN where it is no day."""
    day_in = day_reader(form)
    return np.array([0.0 if is_no_day(value) else 1.0 if day_in(value) else np.nan for value in text.values])[text.codes]


def _groups(schema: FeatureSchema, encoded: dict[str, NDArray[np.float64]], count: int) -> NDArray[np.int16]:
    if not schema.group:
        return np.zeros(count, dtype=np.int16)
    return np.nan_to_num(encoded[schema.group], nan=-1.0).astype(np.int16)


def _quoted(text: str, most: int = 40) -> str:
    return f'"{text if len(text) <= most else text[: most - 1] + "…"}"'
