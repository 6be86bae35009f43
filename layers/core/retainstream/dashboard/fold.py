"""The counts of a row for the dashboard's counters, and the effect of a change on them.

Counters are whole numbers by name, without zeros, so they add up exactly in any order and grouping. A name is "<measure>/<which>/<group>",
and a group may contain a slash. All counters of a table are one stored item, which is large enough because the schema bounds the number of
groups. Amounts are fixed point: money in cents; probabilities, log-odds and shares in millionths.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from retainstream.engine.lives import churned_of
from retainstream.engine.lives.months import month_name, months_of
from retainstream.engine.model.levels import RISK_LEVELS
from retainstream.engine.schema.feature_schema import MAX_COLUMNS
from retainstream.storage.changes import Change

type Counters = dict[str, int]
type Row = Mapping[str, Any]
type CountRow = Callable[[Row], Counters]

BINS = 20
MILLION = 1_000_000
_CENTS = 100
_MOST_NAMES, _LONGEST_NAME, _MOST = 4 + 3 * MAX_COLUMNS, 400, 10**18
UNREADABLE = "unreadable/rows/"
"""Counts rows that were changed by hand and cannot be read. They count nowhere else."""


READ = frozenset(
    {
        *("group", "churned", "level", "probability", "base_probability", "margin", "base_margin", "value_at_risk", "contributions"),
        *("life", "earlier_lives"),
    }
)
"""The attributes of rows that counting reads."""


def counts_of_prediction(prediction: Row) -> Counters:
    """The counts of a prediction. That of a customer who has left counts nothing.

    - bin/<0…19>: 1 in the histogram of probability; a bin holds [i/20, (i+1)/20), the last one 1 as well
    - level, probability, value /<level>: 1, the probability, and the value at risk
    - strength, tilt, reach /<column>: |contribution|, contribution, and |contribution × slope|, which is a probability; all groups together
    """
    return _readable(_prediction, prediction)


def counts_of_customer(customer: Row) -> Counters:
    """The counts of a customer.

    - customers/<churned|stayed|unknown>: 1
    - life/first:<month>, seen:<month>, left:<month>, covered:<month>: 1 for each life, all groups together (see `engine.lives.months`)
    """
    return _readable(_customer, customer)


def fold(count: CountRow, change: Change) -> Counters:
    """The effect of a change on the counters: the counts of the new row minus those of the old."""
    was = {} if change.old is None else {name: -amount for name, amount in count(change.old).items()}
    return total([was, {} if change.new is None else count(change.new)])


def recount(count: CountRow, rows: Iterable[Row]) -> Counters:
    """The correct counters for these rows."""
    return total(count(row) for row in rows)


def total(counters: Iterable[Counters]) -> Counters:
    """Counters added up."""
    added: Counters = {}
    for counts in counters:
        for name, amount in counts.items():
            added[name] = added.get(name, 0) + amount
    return {name: amount for name, amount in added.items() if amount}


def bin_of(probability: float) -> int:
    """The bin of the histogram a probability belongs to."""
    return min(BINS - 1, fixed(probability) * BINS // MILLION)


def fixed(amount: float) -> int:
    """An amount in millionths."""
    return round(amount * MILLION)


def _prediction(row: Row) -> Counters:
    if row["churned"]:
        return {}
    group, level, probability = row["group"], _level(row["level"]), _probability(row["probability"])
    counts = {
        f"bin/{bin_of(probability)}/{group}": 1,
        f"level/{level}/{group}": 1,
        f"probability/{level}/{group}": fixed(probability),
        f"value/{level}/{group}": round(row["value_at_risk"] * _CENTS),
    }
    slope = _slope(row)
    for column, contribution in row["contributions"].items():
        counts[f"strength/{column}/"] = fixed(abs(contribution))
        counts[f"tilt/{column}/"] = fixed(contribution)
        counts[f"reach/{column}/"] = fixed(abs(contribution * slope))
    return counts


def _level(value: Any) -> str:
    if value not in RISK_LEVELS:
        raise ValueError("not a risk level")
    return str(value)


def _probability(value: Any) -> float:
    if isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError("not a probability")
    return float(value)


def _slope(row: Row) -> float:
    """Probability per unit of log-odds between the model's base and this customer; the logistic curve's own where they coincide."""
    run = row["margin"] - row["base_margin"]
    if abs(run) < 1e-5:  # margins are stored to a millionth
        return float(row["probability"] * (1 - row["probability"]))
    return float((row["probability"] - row["base_probability"]) / run)


def _customer(row: Row) -> Counters:
    group, churned = row["group"], churned_of(row["life"])
    lives = _lives(row)
    if churned is None:
        return {f"customers/unknown/{group}": 1, **lives}
    return {f"customers/{'churned' if churned else 'stayed'}/{group}": 1, **lives}


def _lives(row: Row) -> Counters:
    months = [months_of(life) for life in (row["life"], *row.get("earlier_lives", ()))]
    return total(
        {f"life/{measure}:{month_name(month)}/": 1}
        for entered in months
        if entered
        for measure, month in entered._asdict().items()
        if month is not None
    )


def _readable(count: CountRow, row: Row) -> Counters:
    try:
        counts = count(row)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return {UNREADABLE: 1}
    return counts if _fits(counts) else {UNREADABLE: 1}


def _fits(counts: Counters) -> bool:
    """Whether the product can have written the row: its counts must fit into one item with others, whatever was written by hand."""
    return len(counts) <= _MOST_NAMES and all(len(name) <= _LONGEST_NAME and abs(amount) <= _MOST for name, amount in counts.items())
