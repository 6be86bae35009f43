"""Customer files made for tests, by any feature schema: random values of every kind, and outcomes that some of them drive."""

import csv
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from retainstream.engine.schema import Column, FeatureSchema

type Row = dict[str, str]


def made_rows(schema: FeatureSchema, count: int, *, drivers: Mapping[str, float], seed: int = 0, rate: float = 0.3) -> list[Row]:
    """Rows by header, label included. `drivers` say how strongly a column moves the odds: by its place between least and most."""
    random = Random(seed)
    rows = []
    for number in range(count):
        places = {column.name: random.random() for column in schema.columns}
        row = {column.header: _text(column, places[column.name]) for column in schema.columns}
        odds = sum(weight * (places[name] - 0.5) for name, weight in drivers.items())
        left = random.random() < min(0.97, max(0.03, rate + odds))
        if not schema.id.numbered:
            row[schema.id.header] = f"C-{number:05d}"
        rows.append({**row, schema.label.header: str(schema.label.positive) if left else "stayed"})
    return rows


def write_rows(path: Path, rows: list[Row], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """The rows as a delimited file."""
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _text(column: Column, place: float) -> str:
    if column.missing and place > 0.95:
        return column.missing_values[0] if column.missing_values else ""
    spelled: Any
    match column.kind:
        case "category":
            spelled = column.levels[int(place * len(column.levels))]
        case "boolean":
            spelled = "Yes" if place > 0.5 else "No"
        case "date":
            spelled = f"{1 + int(28 * place):02d}.01.2024" if column.format == "%d.%m.%Y" else f"2024-01-{1 + int(28 * place):02d}"
        case "integer":
            spelled = round((column.min or 0) + place * 60)
        case _:
            spelled = round((column.min or 0) + place * 120, 2)
    return str(spelled)
