"""Where a schema's columns are in a file's header."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from retainstream.schema import FeatureSchema
from retainstream.tables.problems import TableProblem, UnreadableTable


@dataclass(frozen=True)
class Binding:
    """Positions in the header: of the id (None: customers are numbered), of the label (None: absent), of each column found."""

    id: int | None
    label: int | None
    columns: dict[str, int]
    ignored: tuple[str, ...]


def bind(schema: FeatureSchema, header: Sequence[str], *, source: str, line: int = 1, label_needed: bool = True) -> Binding:
    """Find the schema's columns. A header may be spelled as the schema's source, or as the name.

    A column that customers may lack may be absent from the file.

    Raises:
        UnreadableTable: a column is not in the header; the message names the nearest header there is.
    """
    places = {name: place for place, name in enumerate(header)}
    problems = []

    def place_of(role: str, spelled: str, name: str, *, needed: bool) -> int | None:
        place = places.get(spelled, places.get(name))
        if place is None and needed:
            near = difflib.get_close_matches(spelled.lower(), [other.lower() for other in header], n=1, cutoff=0.6)
            hint = next((other for other in header if near and other.lower() == near[0]), "")
            advice = f"; did you mean {hint}?" if hint else f"; the header has {_some(header)}"
            problems.append(TableProblem(f"there is no {role} {spelled}{advice}", line=line))
        return place

    found = {column.name: place_of("column", column.header, column.name, needed=not column.missing) for column in schema.columns}
    identity = None if schema.id.numbered else place_of("id column", schema.id.header, schema.id.column, needed=True)
    label = place_of("label column", schema.label.header, schema.label.column, needed=label_needed)
    if problems:
        raise UnreadableTable(source, problems)
    columns = {name: place for name, place in found.items() if place is not None}
    used = {identity, label, *columns.values()}
    return Binding(identity, label, columns, tuple(name for place, name in enumerate(header) if place not in used))


def _some(header: Sequence[str], most: int = 8) -> str:
    more = len(header) - most
    return ", ".join(header) if more <= 0 else f"{', '.join(header[:most])} and {more} more"
