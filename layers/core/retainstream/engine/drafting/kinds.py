"""A column's profile by the kind that a person chose for it."""

from dataclasses import replace
from typing import Literal

import numpy as np

from retainstream.engine.drafting.dates import date_format
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.tables.cells import FALSE, MISSING, NO_NUMBER, TRUE, Decimal, number_in
from retainstream.engine.tables.problems import TableProblem, UnreadableTable

type ChosenKind = Literal["number", "integer", "boolean", "category", "date", "leave out"]

LEFT_OUT = "left out by choice"


def profile_as(profile: Profile, kind: ChosenKind, decimal: Decimal, source: str) -> Profile:
    """The profile of the same column read as `kind`. Cells that are of another kind count as missing.

    Raises:
        UnreadableTable: hardly any cell is of that kind.
    """
    if kind == "leave out" or kind == profile.holds:
        return profile
    values = profile.text.values
    spelled = [value.strip().lower() for value in values]
    blank = np.array([text in MISSING or (kind != "category" and text in NO_NUMBER) for text in spelled])
    numbers = np.full(len(values), np.nan)
    form = ""
    match kind:
        case "number" | "integer":
            read = [None if gone else number_in(value, decimal) for value, gone in zip(values, blank.tolist(), strict=True)]
            numbers = np.array([np.nan if number is None or (kind == "integer" and number % 1) else number for number in read])
            absent = np.isnan(numbers)
        case "boolean":
            absent = np.array([text not in TRUE | FALSE for text in spelled])
        case "date":
            dates = date_format([value for value, gone in zip(values, blank.tolist(), strict=True) if not gone])
            absent = np.ones(len(values), dtype=bool)
            if dates is not None:
                form = dates.form
                numbers[~blank] = dates.days
                absent = np.isnan(numbers)
        case "category":
            absent = blank
    if not profile.counts[~absent].sum():
        raise UnreadableTable(source, [TableProblem(f"hardly any cell is a {kind}", column=profile.name)])
    odd = [values[code] for code in np.flatnonzero(absent & ~blank).tolist()]
    return replace(profile, holds=kind, numbers=numbers, absent=absent, sentinels=[], odd=odd, form=form)
