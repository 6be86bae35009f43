"""A draft as a YAML document that a person completes."""

import re
from collections.abc import Iterator, Mapping
from itertools import batched
from textwrap import wrap

from retainstream.engine.drafting.drafting import Draft
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.traps.leaks import share

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "nan", "inf", ".nan"})
_WIDTH = 118
_LEVELS_IN_A_LINE = 60


def yaml_of(draft: Draft) -> str:
    """The schema with comments: remarks, columns left out, and fields to fill in."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    schema = draft.schema
    yield from comment(
        f"Drafted from {draft.rows:,} rows, {draft.known:,} with a known outcome, {share(draft.churned, draft.known)} of them left."
    )
    yield from comment(
        "Read it through: people will see the labels and meanings. Worth adding to columns: phrase (a value in a sentence), unit, "
        "monotone (increasing or decreasing, if churn must rise or fall with the value) and action (what you can do about it)."
    )
    yield from heading(schema)
    yield f"horizon_days: {schema.horizon_days}  # days within which leaving counts as churn; adjust it to your label"
    yield from money_lines(draft.price)
    yield "columns:"
    for column in schema.columns:
        for remark in draft.remarks.get(column.name, []):
            yield from comment(remark, "  ")
        yield from column_lines(column, draft.seen.get(column.name))
    yield from left_out_lines(draft.left_out)


def heading(schema: FeatureSchema) -> Iterator[str]:
    """Name, title, id, label and group."""
    yield f"name: {_scalar(schema.name)}"
    yield f"title: {_scalar(schema.title)}"
    yield f"id: {flow(column=schema.id.column, source=schema.id.source, label=schema.id.label, numbered=schema.id.numbered)}"
    label = schema.label
    words = {name: words for name in ("left", "stayed", "not_known") if (words := getattr(label, name))}
    yield f"label: {flow(column=label.column, source=label.source, positive=label.positive, **words, meaning=label.meaning)}"
    if schema.group:
        yield f"group: {schema.group}  # results are shown by this category; any other will do"
    else:
        yield "# group: the name of a category below, such as the plan, to show results by it"


def money_lines(price: str | None) -> Iterator[str]:
    """The money of a schema, for a person to fill in."""
    yield "# Money, to rank customers by value and to choose actions; replace the figures with yours:"
    yield f"# money: {{price: {price or 'COLUMN'}, currency: USD, months: 12, offer_cost: 5.0, save_rate: 0.2}}"


def left_out_lines(left_out: Mapping[str, str]) -> Iterator[str]:
    """The columns, or kinds of events, that are left out, with the reasons."""
    if left_out:
        yield "# What is left out. To include it, describe it above like the others."
        for name, reason in left_out.items():
            yield from comment(f"{name}: {reason}", indent="", hanging="    ")


def column_lines(column: Column, seen: tuple[float, float] | None) -> Iterator[str]:
    """The entry of a column. `seen` is the range of its numbers in the file."""
    yield f"  - name: {_scalar(column.name)}"
    for name, value in (
        ("source", column.source),
        ("kind", column.kind),
        ("label", column.label),
        ("meaning", column.meaning),
        ("phrase", column.phrase),
        ("unit", column.unit),
        ("format", column.format),
        ("decimal", column.decimal),
    ):
        if value:
            yield f"    {name}: {_scalar(value)}"
    if column.min is not None:
        yield f"    min: {_number(column.min)}"
    if column.max is not None:
        yield f"    max: {_number(column.max)}" + (f"  # seen: {_number(seen[0])} to {_number(seen[1])}" if seen else "")
    if column.levels:
        in_lines = batched(map(_scalar, column.levels), _LEVELS_IN_A_LINE)
        yield f"    levels: [{',\n      '.join(', '.join(line) for line in in_lines)}]"
    if column.other:
        yield f"    other: {_scalar(column.other)}"
    if column.missing:
        yield "    missing: true"
    if column.missing_values:
        yield f"    missing_values: [{', '.join(_scalar(value) for value in column.missing_values)}]"
    if not column.feature:
        yield "    feature: false"
    if column.origin:
        yield f"    from: {flow(**column.origin.model_dump(exclude_none=True))}"


def flow(**fields: object) -> str:
    """Fields in braces, without empty ones."""
    return (
        "{"
        + ", ".join(f"{name}: {_scalar(value)}" for name, value in fields.items() if value not in ("", False) or name == "positive")
        + "}"
    )


def _scalar(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT else _quoted(text)


def _quoted(text: str) -> str:
    """A YAML text in double quotes, with escapes for characters that YAML does not allow."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(character if character.isprintable() else f"\\U{ord(character):08x}" for character in escaped) + '"'


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def comment(text: str, indent: str = "", hanging: str = "") -> Iterator[str]:
    """A text as lines of a comment."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    for line in wrap(printable, _WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False):
        yield f"{indent}# {line}"
