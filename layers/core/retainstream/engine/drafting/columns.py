"""The schema's column of a profile, with what a person must know of how it was read."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.drafting.levels import LONGEST_LEVEL, MOST_LEVELS
from retainstream.engine.drafting.names import label_for, names_the_day_of_a_row, unit_in
from retainstream.engine.drafting.numeric import MOSTLY, is_outside, is_unstorable
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.schema import Column
from retainstream.engine.tables.binding import some_of
from retainstream.engine.tables.dates import date_in
from retainstream.engine.tables.numbers import two_readings, unit_of
from retainstream.engine.tables.spelling import folded
from retainstream.engine.traps.leaks import share

OTHER = "other"
DAYS_OF_A_DATE = "The model takes the days from this date to the day that a row describes."
LONGEST_HEADER = 200
_MOST_MISSING_VALUES = 50
_SHOWN_TEXTS = 5
_SHOWN_CHARACTERS = 40
_DAY_OF_A_SPREADSHEET = re.compile(
    r"\d{1,2}[-.](?:Jan|Feb|M[aä]r|Apr|Ma[iy]|Ju[nl]|Aug|Sep|O[ck]t|Nov|De[cz])|(?:Jan|Feb|Mar|Apr|Jun|Jul)-\d\d"
)


def reason_to_leave_out(profile: Profile) -> str:
    """Why a column cannot be in a schema; "" if it can."""
    if len(profile.name) > LONGEST_HEADER:
        return f"its header has more than {LONGEST_HEADER} characters"
    match profile.holds:
        case "empty":
            return "empty on every row"
        case "constant":
            missing = f" where it is not missing ({profile.missing_count:,} rows)" if profile.missing_count else ""
            return f'always "{_short(profile.levels[0][0])}"{missing}'
        case "identifier":
            return f"identifies rows: {profile.distinct:,} values on {int(profile.counts.sum()):,} rows"
        case "text":
            return f"free text: {profile.distinct:,} values on {int(profile.counts.sum()):,} rows"
        case "other":
            return f"{profile.why}, such as {_quoted([text for text, _ in profile.levels], 2)}"
    return ""


def identifies_rows(profile: Profile, rows: int) -> Finding:
    """A finding for a column that identifies rows, or holds free text."""
    known = rows - profile.missing_count
    like = "looks like free text" if profile.holds == "text" else "identifies rows"
    text = (
        f"{profile.name} {like}: {profile.distinct:,} different values on {known:,} rows ({share(profile.distinct, known)}). "
        "A model would memorise rows by it, so it is left out"
    )
    return Finding("identifier", text, (profile.name,), {"distinct": profile.distinct, "rows": known})


def column_of(profile: Profile, name: str, suspicion: Finding | None) -> tuple[Column, list[str]]:
    """The column of a profile, with notes for a person. A suspected leak is no feature."""
    notes = []
    if suspicion:
        notes.append(f"Left out of the model as a suspected leak: {suspicion.text}.")
        notes.append(
            "If its value is known before the outcome, at the time of every prediction, include it: delete the line feature: false."
        )
    notes += [f"{text[0].upper()}{text[1:]}." for _, text in readings(profile)]
    levels, other = _levels(profile) if profile.holds == "category" else ([], "")
    low, high = limits_of(profile) if profile.is_numeric else (None, None)
    of_row = profile.holds == "date" and names_the_day_of_a_row(profile.name)
    if of_row:
        notes.append("Left out of the model: it may be the day of each row. If so, name it in moments, as anchor or features_as_of.")
    if len(levels) == 1:
        notes.append(f'Always "{levels[0]}" or missing ({profile.missing_count:,} rows); the information is whether it is missing.')
    unit = unit_in(profile.name) if profile.is_numeric else ""
    column = Column(
        name=name,
        source=source_of(profile.name, name),
        kind="category" if levels else profile.holds,
        label=label_for(profile.name, unit),
        unit=unit or (unit_of(profile.writing.form) if profile.is_numeric else ""),
        min=low,
        max=high,
        levels=tuple(sorted(levels) if not other else levels),
        other=other,
        format=profile.form,
        decimal=profile.decimal,
        missing=profile.missing_count > 0,
        missing_values=missing_values(profile),
        feature=suspicion is None and not of_row and not profile.is_place,
    )
    return column, notes


def missing_values(profile: Profile) -> tuple[str, ...]:
    """The texts that a schema lists as missing: those that mean it, and the most frequent ones that are not of the column's kind."""
    odd = [text for text in profile.odd if len(text) <= LONGEST_LEVEL and not _spells_a_number(text)]
    return tuple(dict.fromkeys([*profile.sentinels, *odd[:_MOST_MISSING_VALUES]]))


def readings(profile: Profile) -> Iterator[tuple[Literal["note", "question"], str]]:
    """What a person must know of how a column was read, or is asked, as parts of a sentence."""
    if profile.sentinels and profile.holds == "date":
        yield "note", f"{_quoted(profile.sentinels)} is no day and counts as missing ({_rows(profile, profile.sentinels)})"
    elif profile.sentinels:
        rows = _rows(profile, profile.sentinels)
        yield "note", f"{', '.join(profile.sentinels)} is far from all other values and counts as missing ({rows})"
    if profile.odd:
        yield "note" if profile.share >= MOSTLY else "question", _odd(profile)
    if profile.is_numeric and (ambiguous := two_readings(profile.marks, profile.writing)):
        other = "," if profile.writing.decimal == "." else "."
        yield "question", f'{ambiguous}; if it does, write decimal: "{other}"'
    if profile.variants:
        yield "note", _variants(profile)
    if profile.alike and profile.holds == "category":
        yield "note", f"written in several ways that look the same, and read as one level: {_quoted(profile.alike)}"
    if profile.dates:
        yield from _about_dates(profile)
    if profile.moments:
        yield "question", _moments(profile)
    if profile.is_place:
        yield "note", "a place and not a quantity, so the model does not use it; a region, as a category, may help"
    if profile.holds == "category":
        yield from _about_levels(profile)


def findings_of(profile: Profile) -> list[Finding]:
    """The same as findings of the draft."""
    return [Finding(sort, f"{profile.name}: {text}", (profile.name,)) for sort, text in readings(profile)]


def limits_of(profile: Profile) -> tuple[float | None, float | None]:
    """Generous limits: zero is the lower limit of columns without negative values; the upper limit leaves room to grow."""
    low, high = profile.range
    return (0.0 if low >= 0 else -_roomy(-low)), (_roomy(high) if high > 0 else 0.0)


def source_of(header: str, name: str) -> str:
    """The source of a column: its header, where that is not the name."""
    return header if header != name else ""


def _odd(profile: Profile) -> str:
    noun = "dates" if profile.holds == "date" else "numbers"
    known = int(profile.counts[~profile.absent].sum())
    fitting = share(known, known + profile.rows_of(profile.odd))
    counted = [
        f"{_short(text)} ({profile.rows_of([text]):,}{', cannot be stored' if is_unstorable(text, profile.writing) else ''})"
        for text in profile.odd[:_SHOWN_TEXTS]
    ]
    more = len(profile.odd) - _SHOWN_TEXTS
    rest = f" and {more:,} more" if more > 0 else ""
    read = f"{noun} in {profile.form or 'ISO 8601'}" if profile.dates and len(profile.dates.ways) > 1 else noun
    asked = "" if profile.share >= MOSTLY else "; if it should be a category, write kind: category with its levels"
    return f"{fitting} {read}; not {noun if read == noun else 'read so'}, and so missing: {', '.join(counted)}{rest}{asked}"


def _variants(profile: Profile) -> str:
    shown = [f"{level} (also {', '.join(others)})" for level, others in list(profile.variants.items())[:_SHOWN_TEXTS]]
    more = len(profile.variants) - _SHOWN_TEXTS
    return f"spellings that differ in upper and lower case are one level: {', '.join(shown)}{f' and {more:,} more' if more > 0 else ''}"


def _about_dates(profile: Profile) -> Iterator[tuple[Literal["note", "question"], str]]:
    dates = profile.dates
    if dates is None:
        return
    if dates.exchanged:
        example = next(way.example for way in dates.ways if way.form == dates.form)
        day = date_in(example, dates.form)
        yield (
            "question",
            f"no day is above 12, so day and month cannot be told apart; read as {dates.form} ({example} is {day}); if the "
            f"month and the day are the other way round, write format: {dates.exchanged}",
        )
    if len(dates.ways) > 1:
        ways = ", ".join(f"{way.form or 'ISO 8601'} ({way.rows:,} rows, as in {way.example})" for way in dates.ways)
        if all(way.form in ("", dates.form) for way in dates.ways):
            yield "note", f"dates are written in 2 ways, and both are read: {ways}"
        else:
            said = f"those in {dates.form} and in ISO 8601 are read; write all of them in one way"
            yield "question", f"dates are written in {len(dates.ways)} ways: {ways}; {said}"


def _moments(profile: Profile) -> str:
    moments = profile.moments
    if moments is None:
        return ""
    low, high = profile.range
    are = f"numbers from {low:.0f} to {high:.0f} may be {moments.in_words} ({moments.first} to {moments.last})"
    if profile.holds == "date":
        return f"{are}, and are read so; if they are plain numbers, write kind: integer without a format"
    if not moments.is_read:
        return f"{are}, which are not read; write seconds, or dates"
    return f"{are}; if so, write kind: date, format: {moments.form}"


def _about_levels(profile: Profile) -> Iterator[tuple[Literal["note", "question"], str]]:
    if len(profile.levels) > MOST_LEVELS:
        kept = profile.listed
        rows, known = profile.rows_of(kept), int(profile.counts[~profile.absent].sum())
        of_all = f"the {len(kept):,} most frequent of {len(profile.levels):,} values ({share(rows, known)} of the rows) are levels"
        listed = f"all {len(kept):,} values are levels" if len(kept) == len(profile.levels) else of_all
        yield "note", f"{listed}; all others count as {OTHER}"
    elif any(len(text) > LONGEST_LEVEL for text, _ in profile.levels):
        yield "note", f"values of more than {LONGEST_LEVEL} characters count as {OTHER}"
    if turned := [level for level, _ in profile.levels if _DAY_OF_A_SPREADSHEET.fullmatch(level)]:
        yield "question", f"{_quoted(turned)} may be ranges such as 5-10 that a spreadsheet took for days; correct them in the file if so"


def _levels(profile: Profile) -> tuple[list[str], str]:
    """The levels of a category, and the level that stands for all others ("" where there are no others)."""
    kept = profile.listed
    if len(kept) == len(profile.levels) <= MOST_LEVELS:
        return kept, ""
    other = next((level for level, _ in profile.levels if folded(level) == OTHER), OTHER)
    return [*dict.fromkeys([*kept, other])], other


def _spells_a_number(text: str) -> bool:
    """Whether a text, as one of missing_values, would stand for a number that the column may have."""
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isfinite(number) and not is_outside(number)


def _rows(profile: Profile, texts: list[str]) -> str:
    rows = profile.rows_of(texts)
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _quoted(texts: Sequence[str], most: int = _SHOWN_TEXTS) -> str:
    return some_of([f'"{_short(text)}"' for text in texts], most)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _roomy(number: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(2 * number))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= 2 * number * (1 - 1e-9)))
