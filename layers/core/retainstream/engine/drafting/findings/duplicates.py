"""Rows that are in the table twice."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.traps.copies import Hashes, copies, has_twin, row_hashes, surplus
from retainstream.engine.traps.leaks import share


def duplicates(table: TextTable, id_header: str | None, label_header: str) -> list[Finding]:
    """Rows that equal another row, with the id and apart from it."""
    headers = [header for header in table.columns if header != id_header]
    columns = [table.columns[header].codes for header in headers]
    findings = []
    exact = None
    if id_header is not None:
        hashes = row_hashes([*columns, table.columns[id_header].codes])
        exact = has_twin(hashes)
        if exact.any():
            findings.append(_finding(table, hashes, exact, "exact copies of another row, id included", "with_id"))
    copied = copies(columns, headers.index(label_header), apart_from=exact)
    if copied.any():
        text = "equal to another row apart from the id" if id_header is not None else "exact copies of another row"
        findings.append(_finding(table, row_hashes(columns), copied, text, "without_id"))
    return findings


def _finding(table: TextTable, hashes: Hashes, copied: NDArray[np.bool_], text: str, compared: str) -> Finding:
    count = surplus(hashes, copied)
    first, second = np.flatnonzero(hashes == hashes[np.flatnonzero(copied)[0]])[:2]
    sentence = (
        f"{count:,} rows ({share(count, len(table))}) are {text}, such as lines {table.lines[first]} and {table.lines[second]}: "
        "a copy in training and in test makes the figures too good; keep one of each"
    )
    return Finding("duplicates", sentence, (), {"rows": count, "share": round(count / len(table), 6), "compared": compared})
