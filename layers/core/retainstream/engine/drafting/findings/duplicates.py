"""Rows and columns that are in the table twice."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.binding import some_of
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.traps.copies import Hashes, copies, has_twin, row_hashes, surplus
from retainstream.engine.traps.leaks import share
from retainstream.engine.traps.same_columns import same_columns

_NEARLY_UNIQUE = 0.9


def duplicates(table: TextTable, id_header: str | None, others: Iterable[Profile], label_header: str) -> list[Finding]:
    """Rows that equal another row, with the id and apart from it.

    `others` are the columns apart from the id and the label. Those that identify rows, too, such as a row number, are not compared.
    """
    compared = [profile for profile in others if not (profile.holds == "identifier" and profile.distinct >= _NEARLY_UNIQUE * len(table))]
    headers = [*(profile.name for profile in compared), label_header]
    columns = [table.columns[header].codes for header in headers]
    findings = []
    exact = None
    if id_header is not None:
        hashes = row_hashes([column.codes for column in table.columns.values()])
        exact = has_twin(hashes)
        if exact.any():
            findings.append(_finding(table, hashes, exact, "exact copies of another row, id included", "with_id"))
    copied = copies(columns, apart_from=exact)
    if copied.any():
        keys = [header for header in table.columns if header not in headers]
        text = f"equal to another row apart from {some_of(keys)}" if keys else "exact copies of another row"
        findings.append(_finding(table, row_hashes(columns), copied, text, "without_id"))
    return findings


def repeated_columns(profiles: Iterable[Profile]) -> list[Finding]:
    """Columns that are in the table twice (a warning that names the copy first), or a second time in other words (a note)."""
    usable = [profile for profile in profiles if profile.holds not in ("empty", "constant")]
    findings = []
    for pair in same_columns([profile.coded for profile in usable]):
        first, second = usable[pair.first].name, usable[pair.second].name
        if pair.equal:
            text = f"{second} is a copy of {first}: both have the same value on every row. {second} is left out of the model"
            findings.append(Finding("duplicates", text, (second, first), {"compared": "columns"}))
        else:
            text = (
                f"{second} and {first} say the same in other words: each value of one stands for one value of the other, so reasons are "
                "divided between them"
            )
            findings.append(Finding("note", text, (second, first), {"compared": "columns"}))
    return findings


def _finding(table: TextTable, hashes: Hashes, copied: NDArray[np.bool_], text: str, compared: str) -> Finding:
    count = surplus(hashes, copied)
    first, second = np.flatnonzero(hashes == hashes[np.flatnonzero(copied)[0]])[:2]
    sentence = (
        f"{count:,} rows ({share(count, len(table))}) are {text}, such as lines {table.lines[first]} and {table.lines[second]}: "
        "a copy in training and in test makes the figures too good; keep one of each"
    )
    return Finding("duplicates", sentence, (), {"rows": count, "share": round(count / len(table), 6), "compared": compared})
