"""The rows of a file as customers, and the faults of rejected rows."""

from collections.abc import Callable, Container, Iterator

from retainstream.customers.arrival import Arrival, Moments, moments_of
from retainstream.engine.records import CustomerSource
from retainstream.engine.schema import FeatureSchema, group_of
from retainstream.engine.tables import CustomerRow, Table, TableProblem, read_customers
from retainstream.engine.tables.binding import Binding, absence_note, bind, some_of
from retainstream.engine.tables.outcomes import Outcome, ReadOutcomes
from retainstream.engine.tables.problems import UnreadCell
from retainstream.engine.tables.unread import Unread

UNREAD_OUTCOME = "is no outcome that the schema knows"
"""Why an outcome stays unknown."""
UNKNOWN = "is not a known customer, and the file has no features"
"""Why a row of outcomes alone is rejected."""
REPEATED, OF_THE_SAME_DAY = "is the id of an earlier row", " of the same day"

type Refuse = Callable[[TableProblem], None]


class Intake:
    """One pass through the rows of an open table, or of a part of one.

    moments: those of rows that do not say their own. rows, refused: numbers of rows read and rejected. left, stayed, unreadable: numbers
    of known outcomes among accepted rows, and of outcomes that could not be read. unread: the cells of accepted rows that count as
    missing since they could not be read.
    """

    def __init__(
        self,
        table: Table,
        schema: FeatureSchema,
        moments: Moments,
        refuse: Refuse = lambda _: None,
        *,
        repeated: Container[int] | None = None,
        source: CustomerSource = "import",
        partial: bool = False,
    ) -> None:
        """`moments` are those of rows that do not say their own. `refuse` is called with every fault of every rejected row: its line, and
        the column's header in the file.

        `repeated` holds the lines of rows that repeat an earlier one, where they are known. Otherwise every id is remembered. A `partial`
        file may lack columns of the schema.

        Raises:
            UnreadableTable: the header lacks a column that is needed.
        """
        self._table = table
        self._schema = schema
        self.moments = moments
        self._refuse = refuse
        self._repeated = repeated
        self._source = source
        self._seen: set[tuple[str, str]] = set()
        self._headers = {column.name: column.header for column in schema.columns} | {"": ""}
        self._headers |= {schema.id.column: schema.id.header, schema.label.column: schema.label.header}
        self._headers |= schema.moments.headers if schema.moments else {}
        self._binding = bind(schema, table.header, source=table.source, line=table.header_line, partial=partial, label_needed=False)
        self._partial = partial
        self._lacks_required = any(not schema.column(name).missing for name in self._binding.absent)
        self._faults: dict[tuple[str, str], tuple[int, int]] = {}
        self.unread = Unread()
        self.rows = self.refused = self.left = self.stayed = self.unreadable = 0

    def customers(self) -> Iterator[Arrival]:
        """The accepted rows. Of rows with the same id, and of the same day where a column says it, the first is accepted.

        Raises:
            UnreadableTable: the header lacks a column the schema requires, or a record cannot be read.
        """
        return (item for item in self.judged() if item is not None)

    def judged(self) -> Iterator[Arrival | None]:
        """The same, with None for every rejected row."""
        for row in read_customers(self._table, self._schema, partial=self._partial):
            self.rows += 1
            moments, wrong_days = moments_of(row, self._schema, self.moments)
            faults = list(self._faults_of(row))
            if not row.errors:
                faults += [(self._headers[error.field], error.detail) for error in wrong_days]
            if faults:
                self.refused += 1
                for column, detail in dict.fromkeys(faults):  # two of the days may be the same column
                    self._note(row.line, column, detail)
                yield None
                continue
            arrival = self._arrival(row, moments)
            for cell in arrival.unread:
                self.unread.add(cell)
            self.left += arrival.churned is True
            self.stayed += arrival.churned is False
            self.unreadable += arrival.outcome_unread
            yield arrival

    @property
    def outcomes(self) -> ReadOutcomes:
        """The outcomes of the accepted rows so far."""
        known = self.left + self.stayed + self.unreadable
        counts: dict[str, int] = {Outcome.LEFT: self.left, Outcome.STAYED: self.stayed, Outcome.UNREADABLE: self.unreadable}
        counts[Outcome.NOT_KNOWN] = self.rows - self.refused - known
        texts = {count["value"]: count["rows"] for count in self.unread.listed() if count["reason"] == UNREAD_OUTCOME}
        return ReadOutcomes(counts, texts)

    def faults(self) -> list[TableProblem]:
        """The faults of the rows read so far, each once with its first line and its number of rows, most frequent first."""
        faults = [TableProblem(detail, line, column, rows) for (column, detail), (line, rows) in self._faults.items()]
        return sorted(faults, key=lambda fault: (-fault.rows, fault.line))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headers of the file that the schema does not have."""
        return self._binding.ignored

    @property
    def has_days(self) -> bool:
        """Whether a column of the file says the days of its rows."""
        columns = self._binding.moments
        return "anchor" in columns or {"features_as_of", "outcomes_as_of"} <= columns.keys()

    def notes(self) -> list[str]:
        """Notes for people on how the file was read; complete after the last row."""
        return [*self._table.notes, *notes_on(self._schema, self._binding)]

    def refuse_unknown(self, row: Arrival) -> None:
        """Rejects an accepted row whose customer is not stored, and of which the file has no features."""
        self.refused += 1
        self.left -= row.churned is True
        self.stayed -= row.churned is False
        self._note(row.line, self._headers[self._schema.id.column], UNKNOWN)

    def _faults_of(self, row: CustomerRow) -> Iterator[tuple[str, str]]:
        problem = ""
        for error in row.errors:
            if error.field != self._schema.id.column:
                yield self._headers[error.field], error.detail
            else:
                problem = error.detail
        if row.errors and not row.errors[0].field:
            return  # the record could not be read at all
        if self._is_repeated(row):
            problem = REPEATED + (OF_THE_SAME_DAY if _day_of(row) else "")
        if problem:
            yield self._headers[self._schema.id.column], problem

    def _is_repeated(self, row: CustomerRow) -> bool:
        if self._repeated is not None:
            return row.line in self._repeated
        key = (row.customer_id, _day_of(row))
        seen = key in self._seen
        self._seen.add(key)
        return seen

    def _note(self, line: int, column: str, detail: str) -> None:
        first, rows = self._faults.get((column, detail), (line, 0))
        self._faults[column, detail] = (first, rows + 1)
        self._refuse(TableProblem(detail, line, column))

    def _arrival(self, row: CustomerRow, moments: Moments) -> Arrival:
        left_on = row.days.get("left_on")
        has_features = bool(self._binding.columns)
        return Arrival(
            row.customer_id,
            group_of(self._schema, row.features),
            row.features,
            moments.features_as_of if has_features else moments.outcomes_as_of,
            moments.outcomes_as_of,
            True if left_on is not None else row.churned,
            left_on,
            row.days.get("began_on"),
            self._source,
            self._binding.absent,
            self._lacks_required,
            has_features,
            self._schema.group or "",
            row.line,
            tuple(self._unread_in(row)),
            bool(row.outcome_text) and left_on is None,
        )

    def _unread_in(self, row: CustomerRow) -> Iterator[UnreadCell]:
        """The cells of a row that could not be read, by the headers of the file."""
        for cell in row.unread:
            yield UnreadCell(self._headers[cell.column], cell.text, cell.reason)
        if row.outcome_text:
            yield UnreadCell(self._headers[self._schema.label.column], row.outcome_text, UNREAD_OUTCOME)


def notes_on(schema: FeatureSchema, binding: Binding) -> list[str]:
    """Notes for people on columns of a file that are not read, and on columns that it lacks."""
    ignored = [f"columns that the schema does not have were not read: {some_of(binding.ignored)}"] if binding.ignored else []
    absent = absence_note(schema, binding)
    return [*ignored, *([absent] if absent else [])]


def _day_of(row: CustomerRow) -> str:
    """The day of a row by its own columns; empty where no column says it."""
    return row.days.get("anchor", row.days.get("features_as_of", ""))
