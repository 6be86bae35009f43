"""The differences between two feature schemas, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from retainstream.engine.schema.feature_schema import Column, FeatureSchema

_WORDS = ("label", "meaning", "phrase", "phrases", "unit")
_READING = ("source", "format", "decimal", "other", "missing_values")
_MOST_LEVELS = 8


@dataclass(frozen=True)
class Change:
    """The difference of one column, or of the schema as a whole, where `column` is empty. `details` has a phrase for each difference."""

    kind: Literal["added", "removed", "changed"]
    column: str
    label: str
    details: tuple[str, ...]


def changes(before: FeatureSchema, after: FeatureSchema) -> list[Change]:
    """The differences: of the schema as a whole, of the columns of `after` in their order, then the columns that `after` lacks."""
    listed: list[Change] = []
    if whole := tuple(_of_the_whole(before, after)):
        listed.append(Change("changed", "", "The schema as a whole", whole))
    for column in after.columns:
        if column.name not in before.names:
            listed.append(Change("added", column.name, column.label, (_described(column),)))
        elif details := tuple(_of_a_column(before.column(column.name), column)):
            listed.append(Change("changed", column.name, column.label, details))
    gone = (column for column in before.columns if column.name not in after.names)
    listed += [Change("removed", column.name, column.label, ("stored values stay, and nothing uses them",)) for column in gone]
    return listed


def other_inputs(trained_on: FeatureSchema, active: FeatureSchema) -> list[str]:
    """The names of the features that a model of the one schema and a model of the other do not share: they exist in one schema only, or
    have another kind or other levels."""
    inputs = [{column.name: (column.kind, column.levels) for column in schema.features} for schema in (trained_on, active)]
    return sorted(name for name in inputs[0].keys() | inputs[1].keys() if inputs[0].get(name) != inputs[1].get(name))


def only_more_levels(trained_on: FeatureSchema, active: FeatureSchema) -> bool:
    """Whether the features differ, and in nothing but levels that were added: a model of the one schema takes these as it takes any level
    that it does not know."""
    others = other_inputs(trained_on, active)
    shared = trained_on.names & active.names
    return bool(others) and all(name in shared and _has_more(trained_on.column(name), active.column(name)) for name in others)


def _has_more(before: Column, after: Column) -> bool:
    return before.feature and after.feature and before.kind == after.kind and set(before.levels) < set(after.levels)


def _of_the_whole(before: FeatureSchema, after: FeatureSchema) -> Iterator[str]:
    for field, noun in (("name", "name"), ("title", "title"), ("group", "group column")):
        if getattr(before, field) != getattr(after, field):
            yield f"{noun}: {getattr(after, field) or 'none'}, before {getattr(before, field) or 'none'}"
    if before.horizon_days != after.horizon_days:
        yield f"horizon: {after.horizon_days} days, before {before.horizon_days} days"
    for noun, was, now in (
        ("id column", before.id, after.id),
        ("outcome", before.label, after.label),
        ("money", before.money, after.money),
        ("days of the rows", before.moments, after.moments),
        ("sources", before.sources, after.sources),
        ("meaning of leaving", before.churn, after.churn),
        ("anchors", before.anchors, after.anchors),
    ):
        if was != now:
            yield f"{noun} changed"
    common = [column.name for column in after.columns if column.name in before.names]
    if common != [column.name for column in before.columns if column.name in after.names]:
        yield "order of the columns changed"


def _of_a_column(before: Column, after: Column) -> Iterator[str]:
    if before.kind != after.kind:
        yield f"kind: {after.kind}, before {before.kind}"
    if (before.min, before.max) != (after.min, after.max):
        yield f"allowed: {_range(after)}, before {_range(before)}"
    if new := [level for level in after.levels if level not in before.levels]:
        yield f"new levels: {listed(new)}"
    if gone := [level for level in before.levels if level not in after.levels]:
        yield f"levels removed: {listed(gone)}"
    if set(before.levels) == set(after.levels) and before.levels != after.levels:
        yield "order of the levels changed"
    if before.missing != after.missing:
        yield "may be missing" if after.missing else "required"
    if before.feature != after.feature:
        yield "used by the model" if after.feature else "not used by the model"
    if before.monotone != after.monotone:
        yield f"direction: {after.monotone or 'none'}, before {before.monotone or 'none'}"
    for fields, text in (
        (_READING, "reading of files changed"),
        (("origin",), "computation from the sources changed"),
        (_WORDS, "words changed"),
        (("action",), "action changed"),
    ):
        if any(getattr(before, field) != getattr(after, field) for field in fields):
            yield text


def _described(column: Column) -> str:
    allowed = (
        f" of {listed(column.levels)}"
        if column.levels
        else f", {_range(column)}"
        if column.min is not None or column.max is not None
        else ""
    )
    return (
        f"{column.kind}{allowed}, {'may be missing' if column.missing else 'required'}{'' if column.feature else ', not used by the model'}"
    )


def _range(column: Column) -> str:
    match column.min, column.max:
        case None, None:
            return "any value"
        case low, None:
            return f"{low:g} or more"
        case None, high:
            return f"{high:g} or less"
        case low, high:
            return f"{low:g} to {high:g}"


def listed(levels: tuple[str, ...] | list[str], most: int = _MOST_LEVELS) -> str:
    """Names in a row, as in "basic, premium and 3 more"."""
    shown = ", ".join(levels[:most])
    return shown if len(levels) <= most else f"{shown} and {len(levels) - most:,} more"
