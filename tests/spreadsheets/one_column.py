"""Files of customers around one column, as a spreadsheet exports them."""

import csv
import io
from collections.abc import Sequence
from random import Random

from retainstream.engine.drafting.drafting import Draft, draft
from retainstream.engine.tables import open_table
from retainstream.engine.tables.columnar import TextTable, read_text

ROWS = 600


def text_of(table: bytes) -> TextTable:
    with open_table(io.BytesIO(table)) as opened:
        return read_text(opened)


def file_with(values: Sequence[object], header: str = "x", *, delimiter: str = ",", rows: int = ROWS, footer: Sequence[str] = ()) -> bytes:
    """A file of customers with a tenure, a column with these values by turns, and an outcome."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    rng = Random(15)
    writer.writerow(["id", "tenure", header, "left"])
    for number in range(rows):
        left = "yes" if rng.random() < 0.3 else "no"
        writer.writerow([f"K-{number:05d}", number * 31 % 73, values[number % len(values)], left])
    if footer:
        writer.writerow(footer)
    return text.getvalue().encode()


def drafted(values: Sequence[object], header: str = "x", *, delimiter: str = ",", rows: int = ROWS) -> Draft:
    """The draft of such a file."""
    return draft(text_of(file_with(values, header, delimiter=delimiter, rows=rows)), "left", id_header="id", positive="yes")


def said_of(draft: Draft, header: str = "x") -> list[tuple[str, str]]:
    """The sort and the text of all findings about a column."""
    return [(finding.sort, finding.text) for finding in draft.findings if header in finding.columns]
