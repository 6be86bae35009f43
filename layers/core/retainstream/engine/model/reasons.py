"""Reasons for a score: the columns that moved it most, in the words of the schema."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.lives import day_number
from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.inputs import Inputs, paired
from retainstream.engine.model.levels import REASONS
from retainstream.engine.model.model import Explained
from retainstream.engine.records import Features, Reason, Value
from retainstream.engine.schema import Column, FeatureSchema

_BLOCK = 200
_FEW_COLUMNS = 12
_ROWS_AT_ONCE = 8192
_CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}


@dataclass(frozen=True)
class Strongest:
    """The columns with the largest contributions in size, largest first, and their contributions; arrays (n, at most count).

    `columns` are places among the columns that the model explains (`Inputs.explained`). `points` are percentage points of probability; over
    all columns of a row they add up to 100 × (probability − base probability).
    """

    columns: NDArray[np.intp]
    contributions: Floats
    points: Floats


def strongest(explained: Explained, count: int = REASONS) -> Strongest:
    """The strongest columns of each of n rows; equal contributions in schema order, pairs last."""
    rows, features = explained.contributions.shape
    columns = np.empty((rows, min(count, features)), np.intp)
    for start in range(0, rows, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        columns[part] = _largest_first(np.abs(explained.contributions[part]), count)
    contributions = np.take_along_axis(explained.contributions, columns, axis=1)
    return Strongest(columns, contributions, 100 * contributions * explained.slope[:, None])


def _largest_first(sizes: Floats, count: int) -> NDArray[np.intp]:
    """The places of the largest sizes in each row.

    In large blocks with many columns this takes one maximum after another, which costs less than sorting. There the last bits of a size
    hold its place, larger for earlier columns, so that sizes equal to fourteen digits are in schema order.
    """
    rows, columns = sizes.shape
    if rows < _BLOCK or columns <= _FEW_COLUMNS:
        order: NDArray[np.intp] = np.argsort(-sizes, axis=1, kind="stable")
        return order[:, :count]
    keys = np.ascontiguousarray(sizes.T)
    bits = keys.view(np.int64)
    last = (1 << (columns - 1).bit_length()) - 1
    bits &= ~last
    bits |= last - np.arange(columns)[:, None]
    largest = np.empty((rows, count), np.intp)
    for rank in range(count):
        largest[:, rank] = last - (keys.max(axis=0).view(np.int64) & last)
        keys[largest[:, rank], np.arange(rows)] = -1.0
    return largest


def reasons_of(
    inputs: Inputs,
    features: Features,
    columns: Iterable[int],
    contributions: Iterable[float],
    points: Iterable[float],
    day: int | None = None,
) -> list[Reason]:
    """The reasons for one customer's score, from a row of `Strongest`. Columns without a contribution are left out.

    `day` is the day that the features describe, in days since 1970-01-01.
    """
    reasons: list[Reason] = []
    for position, contribution, moved in zip(columns, contributions, points, strict=True):
        if contribution == 0:
            continue
        column, parts = inputs.explained[position], inputs.parts[position]
        value, words = _spoken_together(inputs.schema, parts, features) if len(parts) > 1 else _spoken(inputs.schema, column, features, day)
        reasons.append(
            {
                "feature": column.name,
                "label": column.label,
                "value": value,
                "text": f"{words}: {spoken_points(moved)}",
                "contribution": round(contribution, 6),
                "points": round(moved, 4),
            }
        )
    return reasons


def _spoken(schema: FeatureSchema, column: Column, features: Features, day: int | None) -> tuple[Value | None, str]:
    """A column's value, and the value in words."""
    value = features.get(column.name)
    return value, circumstance(schema, column, value, day)


def _spoken_together(schema: FeatureSchema, parts: Sequence[Column], features: Features) -> tuple[str, str]:
    """The values of columns that act together: alone ("7.98 with 7Day"), and with their labels ("Fee 7.98 with delivery 7Day").

    Phrases are whole sentences, which do not read well one after the other; so labels stand here in their place.
    """
    values = [features.get(part.name) for part in parts]
    alone = ["unknown" if value is None else spoken_value(schema, part, value) for part, value in zip(parts, values, strict=True)]
    words = [
        f"{part.label} unknown" if value is None else _labelled(schema, part, value) for part, value in zip(parts, values, strict=True)
    ]
    return " with ".join(alone), paired(words)


def circumstance(schema: FeatureSchema, column: Column, value: Value | None, day: int | None = None) -> str:
    """A column's value in words: "3 failed payments in 90 days", "Watch time unknown", "Contract since 2023-05-01, 942 days before".

    `day` is the day that the value describes, in days since 1970-01-01, from which the days to a date count.
    """
    if value is None:
        return f"{column.label} unknown"
    days = day - day_number(str(value)) if column.kind == "date" and day is not None else None
    phrase = column.phrase_for(value)
    if phrase:
        return _spoken_phrase(phrase, spoken_value(schema, column, value), value, days)
    if days is not None:
        return f"{column.label} {spoken_value(schema, column, value)}, {_spoken_days(days)}"
    return _labelled(schema, column, value)


def _labelled(schema: FeatureSchema, column: Column, value: Value) -> str:
    """A value after its column's label: "Fee $7.98", "Paperless billing: yes"."""
    spoken = spoken_value(schema, column, value)
    if column.kind == "boolean":
        return f"{column.label}: {spoken}"
    unit = "" if _is_money(schema, column) else column.unit
    return " ".join(part for part in (column.label, spoken, unit) if part)


def _spoken_days(days: int) -> str:
    """The days from a date to the day described: "942 days before", "the same day", "1 day after"."""
    return f"{abs(days):,d} day{'' if abs(days) == 1 else 's'} {'before' if days > 0 else 'after'}" if days else "the same day"


def _spoken_phrase(phrase: str, spoken: str, value: Value, days: int | None) -> str:
    """A phrase with its placeholders filled in: {value}, {s}, of shares and changes {percent}, {fewer}, {less}, and of a date {days}."""
    words = {"value": spoken, "s": "" if (value if days is None else days) == 1 else "s"}
    if days is not None:
        words["days"] = f"{days:,d}"
    if isinstance(value, int | float):
        words |= {"percent": f"{abs(value):,.0%}", "fewer": _change(value, "fewer"), "less": _change(value, "less")}
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), phrase)


def _change(value: float, down: str) -> str:
    """A relative change in words: "60% fewer", "20% more", "no more"."""
    percent = f"{abs(value):,.0%}"
    return "no more" if percent == "0%" else f"{percent} {'more' if value > 0 else down}"


def spoken_value(schema: FeatureSchema, column: Column, value: Value) -> str:
    """A value in a sentence; numbers have thousands separators and only significant digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if schema.money and _is_money(schema, column):
        return in_currency(value, schema.money.currency)
    if value == int(value):
        return f"{int(value):,d}"
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2
    return f"{value:,.{decimals}f}"


def in_currency(amount: float, currency: str) -> str:
    """An amount with two decimals: "$20.99", "12.50 CHF"."""
    sign = _CURRENCY_SIGNS.get(currency)
    size = f"{abs(amount):,.2f}"
    return f"{'-' if amount < 0 else ''}{f'{sign}{size}' if sign else f'{size} {currency}'}"


def _is_money(schema: FeatureSchema, column: Column) -> bool:
    """Whether the column is the price or another amount in the schema's currency."""
    return schema.money is not None and (column.name == schema.money.price or column.unit == schema.money.currency)


def spoken_points(points: float) -> str:
    """ "+18 points", "-0.4 points"."""
    figure = f"{points:+.0f}" if abs(points) >= 0.95 else f"{points:+.1f}"
    return f"{figure} point{'' if figure[1:] == '1' else 's'}"
