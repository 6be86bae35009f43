"""The places of a schema's columns in a file's header."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.tables.spelling import Spellings


@dataclass(frozen=True)
class Binding:
    """Places in the header: of the id (None: customers are numbered), of the label (None: absent), of each column that is present, and of
    each part of the schema's `moments` that is present. anchor: of the days that the features describe, None where absent.

    ignored: headers that the schema does not have. absent: names of the schema's columns that the header does not have.
    """

    id: int | None
    label: int | None
    columns: dict[str, int]
    moments: dict[str, int]
    ignored: tuple[str, ...]
    anchor: int | None = None
    absent: tuple[str, ...] = ()

    def placed(self, schema: FeatureSchema) -> dict[int, Column]:
        """The schema's columns by their places."""
        return {place: schema.column(name) for name, place in self.columns.items()}

    @property
    def day(self) -> int | None:
        """The place of the day that a row's features describe. A customer may have a row for each such day."""
        return self.moments.get("anchor", self.moments.get("features_as_of"))


def bind(
    schema: FeatureSchema,
    header: Sequence[str],
    *,
    source: str,
    line: int = 1,
    partial: bool = False,
    label_needed: bool = True,
    hint: str = "",
) -> Binding:
    """Finds the schema's columns. A header is the schema's source, or the name, in any spelling that looks the same (see `Spellings`).

    A column with `missing: true` may be absent from the file, and so may the columns of `moments`. Days of leaving stand for the label.

    Args:
        partial: the file may hold some facts of its customers alone: an id, and at least one column, outcome or day of the schema.
        hint: why the names of the header may look wrong.

    Raises:
        UnreadableTable: a column is not in the header; the message names the most similar header.
    """
    partial = partial and not schema.id.numbered
    places = {name: place for place, name in enumerate(header)}
    spelled_as = Spellings(header)
    wanted_as_they_are = {column.header for column in schema.columns} | {schema.id.header, schema.label.header}
    absent: dict[str, list[str]] = {}

    def place_of(role: str, spelled: str, name: str, *, needed: bool) -> int | None:
        place = place_in(spelled)
        place = place_in(name) if place is None else place
        if place is None and needed:
            absent.setdefault(role, []).append(spelled)
        return place

    def place_in(wanted: str) -> int | None:
        name = spelled_as.name_of(wanted)
        return None if name is None or (name != wanted and name in wanted_as_they_are) else places[name]

    found_at = {
        column.name: place_of("column", column.header, column.name, needed=not (column.missing or partial)) for column in schema.columns
    }
    identity = None if schema.id.numbered else place_of("id column", schema.id.header, schema.id.column, needed=True)
    days = schema.moments.headers if schema.moments else {}
    moments = {part: place for part, wanted in days.items() if (place := place_in(wanted)) is not None}
    label = place_of(
        "label column", schema.label.header, schema.label.column, needed=label_needed and not partial and "left_on" not in moments
    )
    if partial and identity is not None and label is None and not moments and not any(place is not None for place in found_at.values()):
        absent["column"] = [column.header for column in schema.columns]
    if absent:
        problems = [TableProblem(_lack(role, names, header), line=line) for role, names in absent.items()]
        raise UnreadableTable(source, [*problems, *([TableProblem(hint)] if hint else [])])
    columns = {name: place for name, place in found_at.items() if place is not None}
    used = {identity, label, *columns.values(), *moments.values()}
    anchor = moments.get("anchor", moments.get("features_as_of"))
    if anchor is None and place_in(schema.anchor_header) not in used:
        anchor = place_in(schema.anchor_header)
    ignored = tuple(name for place, name in enumerate(header) if place not in {*used, anchor})
    return Binding(identity, label, columns, moments, ignored, anchor, tuple(name for name, place in found_at.items() if place is None))


def absence_note(schema: FeatureSchema, binding: Binding) -> str:
    """The note on columns of the schema that a partial file lacks, with the headers that may be meant; empty where none is absent."""
    headers = [schema.column(name).header for name in binding.absent if not schema.column(name).missing]
    if not headers:
        return ""
    meant = [f"is {near} meant by {header}?" for header in headers if (near := nearest(header, binding.ignored))]
    return f"columns that the file does not have stay as they are: {some_of(headers)}" + (f"; {', '.join(meant[:3])}" if meant else "")


def nearest(name: str, header: Sequence[str]) -> str:
    """The most similar header, or an empty text."""
    by_lower = {other.lower(): other for other in header}
    return next((by_lower[other] for other in difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)), "")


def some_of(names: Sequence[str], most: int = 8) -> str:
    """Names in a sentence: "a, b, c and 5 more"."""
    more = len(names) - most
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more"


def _lack(role: str, names: list[str], header: Sequence[str]) -> str:
    if len(names) == 1 and (near := nearest(names[0], header)):
        return f"there is no {role} {names[0]}; did you mean {near}?"
    return f"there is no {role} {some_of(names)}; the header has {some_of(header)}"
