"""A column's profile by the kind that a person chose for it."""

from dataclasses import replace
from typing import Literal

import numpy as np

from retainstream.engine.drafting.dated import dates_of
from retainstream.engine.drafting.numeric import numbers_in
from retainstream.engine.drafting.profiles import Profile, as_category, fresh, most_frequent
from retainstream.engine.tables.boolean_words import FALSE, TRUE
from retainstream.engine.tables.cells import NO_NUMBER
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.spelling import folded

type ChosenKind = Literal["number", "integer", "boolean", "category", "date", "leave out"]

LEFT_OUT = "left out by choice"


def profile_as(profile: Profile, kind: ChosenKind, source: str) -> Profile:
    """The profile of the same column read as `kind`. Cells that are of another kind count as missing.

    Raises:
        UnreadableTable: hardly any cell is of that kind.
    """
    if kind == "leave out" or kind == profile.holds:
        return profile
    chosen = fresh(profile)
    texts = chosen.text.values
    if kind == "category":
        chosen = as_category(chosen)
    elif kind == "date" and profile.moments and profile.moments.is_read:
        chosen = replace(profile, holds="date")
    else:
        blank = chosen.absent | np.array([folded(text) in NO_NUMBER for text in texts])
        match kind:
            case "date":
                chosen.dates = dates_of(texts, chosen.counts, chosen.absent, least=0.0)
                chosen.numbers = chosen.dates.days if chosen.dates else chosen.numbers
                is_read = ~np.isnan(chosen.numbers)
            case "boolean":
                is_read = np.array([folded(text) in TRUE | FALSE for text in texts])
            case _:
                numbers = numbers_in(texts, blank, chosen.writing)
                is_read = ~np.isnan(numbers) & ((numbers % 1 == 0) | (kind == "number"))
                chosen.numbers = np.where(is_read, numbers, np.nan)
        chosen.holds, chosen.absent = kind, ~is_read
        chosen.odd = most_frequent(chosen, np.flatnonzero(~is_read & ~blank).tolist())
    if not chosen.counts[~chosen.absent].sum():
        raise UnreadableTable(source, [TableProblem(f"hardly any cell is a {kind}", column=profile.name)])
    return chosen
