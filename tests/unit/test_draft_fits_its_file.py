"""The schema that is drafted from a file accepts this file, as an import reads it."""

import io

from hypothesis import event, given, settings

from retainstream.engine.drafting.drafting import draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import schema_from_text
from retainstream.engine.tables import UnreadableTable, open_table
from retainstream.engine.tables.columnar import customers_in, read_text
from retainstream.engine.tables.customer_rows import read_customers
from retainstream.engine.tables.problems import MOST_OF_A_CELL
from retainstream.engine.tables.reading import NEW
from retainstream.engine.tables.spelling import cleaned
from tests.examples import examples
from tests.spreadsheets.dirt import ID, LABEL, DirtyFile, dirty_files


@settings(max_examples=examples(150))
@given(dirty_files())
def test_a_draft_accepts_its_file_and_reads_each_cell_that_it_called_readable(dirty: DirtyFile) -> None:
    try:
        with open_table(io.BytesIO(dirty.content)) as opened:
            table = read_text(opened)
        drafted = draft(table, LABEL, id_header=ID if dirty.named_id else None, positive="yes")
    except UnreadableTable:
        event("refused")
        return
    event("drafted")
    schema = schema_from_text(yaml_of(drafted))
    assert schema == drafted.schema
    with open_table(io.BytesIO(dirty.content)) as opened:
        rows = list(read_customers(opened, schema))
    rejected = [row for row in rows if row.errors]
    assert all("not a customer" in error.detail for row in rejected for error in row.errors)
    counted_as_other = {column.name for column in schema.columns if column.other}
    unread = {
        (cell.column, cleaned(cell.text))
        for row in rows
        for cell in row.unread
        if not (cell.reason == NEW and cell.column in counted_as_other)
    }
    assert unread <= {(column, cleaned(text[:MOST_OF_A_CELL])) for column, texts in drafted.odd.items() for text in texts}
    assert len(customers_in(table, schema)) == len(rows) - len(rejected) == drafted.rows
