"""The label's value for customers who left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.records import Value
from retainstream.engine.schema.feature_schema import Label
from retainstream.engine.tables.cells import FALSE, TRUE, is_blank, outcome_reader
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.traps.leaks import share
from retainstream.engine.traps.words import words_of

_LEFT = ("churn", "cancel", "left", "exit", "attrit", "lost", "closed", "terminat", "leav", "gone", "lapsed", "unsubscrib")
_NOT = ("no", "not", "non", "never", "un")
_STAYED = frozenset({"active", "retained", "retention", "stay", "stayed", "renewed", "renew", "kept", "loyal", "existing"})
_MOST_VALUES = 10


@dataclass(frozen=True)
class LabelChoice:
    """The label's header, its positive value, and for each row 1 (left), 0 (stayed) or NaN (not known)."""

    header: str
    positive: Value
    churned: NDArray[np.float64]
    notes: tuple[str, ...]


def label_of(table: TextTable, header: str, positive: str | None) -> LabelChoice:
    """The label of a table. `positive` is the value for customers who left; detected when None.

    Raises:
        UnreadableTable: the column has fewer than two values, or the value for customers who left cannot be detected.
    """
    column = table.columns[header]
    counts = column.counts()
    values = {value: int(counts[code]) for code, value in enumerate(column.values) if not is_blank(value)}
    held = ", ".join(f'"{value}" ({times:,})' for value, times in sorted(values.items(), key=lambda item: -item[1])[:_MOST_VALUES])

    def refuse(detail: str) -> UnreadableTable:
        return UnreadableTable(table.source, [TableProblem(detail, column=header)])

    if len(values) < 2:
        raise refuse(
            f"the label has a single value, {held}; a model needs customers who left and customers who stayed"
            if values
            else "the label is empty"
        )
    if positive is not None and positive not in values:
        raise refuse(f'no row has "{positive}", the positive value; the label holds {held}')
    spelled = positive if positive is not None else _leaving_value(header, values)
    if spelled is None:
        if len(values) > _MOST_VALUES:
            raise refuse(
                f"the label has {len(values):,} different values ({held} …); a label has two, for customers who left and who stayed"
            )
        raise refuse(f"the label holds {held}; name the value for customers who left with --positive VALUE")
    lower = {value.lower() for value in values}
    plain = lower <= {"true", "false", "1", "0", "1.0", "0.0"}
    truth: Value = spelled.lower() in TRUE if plain else spelled
    outcome = outcome_reader(Label(column="label", positive=truth))
    churned = np.array([np.nan if (left := outcome(value)) is None else float(left) for value in column.values])[column.codes]
    known = int(np.count_nonzero(~np.isnan(churned)))
    notes = [f'{header} = "{spelled}" means that the customer left ({share(float(np.nansum(churned)), known)} of {known:,} rows)']
    if len(values) > 2:
        notes.append(f"all other values of {header} count as stayed: {held}")
    if known < len(churned):
        notes.append(f"{len(churned) - known:,} rows have no {header}: their outcome is not known")
    return LabelChoice(header, truth, churned, tuple(notes))


def _leaving_value(header: str, values: dict[str, int]) -> str | None:
    by_lower = {value.lower(): value for value in values}
    if len(values) == 2 and set(by_lower) <= TRUE | FALSE:
        stays = bool(_STAYED & set(words_of(header)))
        side = [value for lower, value in by_lower.items() if lower in (FALSE if stays else TRUE)]
        return side[0] if len(side) == 1 else None
    leaving = [value for lower, value in by_lower.items() if any(word in lower for word in _LEFT) and not _denied(lower)]
    if len(leaving) == 1:
        return leaving[0]
    if len(values) == 2:
        staying = [value for lower, value in by_lower.items() if _STAYED & set(words_of(lower)) or _denied(lower)]
        if len(staying) == 1:
            return next(value for value in values if value != staying[0])
    return None


def _denied(lower: str) -> bool:
    return any(lower.startswith(word) for word in _NOT) and any(word in lower for word in _LEFT)
