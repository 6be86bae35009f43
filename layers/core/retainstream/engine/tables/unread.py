"""The cells of a file that could not be read, counted by column, text and reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from retainstream.engine.tables.problems import UnreadCell

RARER = "…"
"""The value of a count that stands for the rarer texts of a column together."""

_TEXTS_PER_COLUMN = 2_000
_SHOWN = 40


class UnreadCount(TypedDict):
    """A column's header in the file, a cell's text, why it could not be read, and the number of rows with it."""

    column: str
    value: str
    reason: str
    rows: int


class Unread:
    """Counts in bounded memory: of a column with too many different texts the rarer ones are counted together, as RARER."""

    def __init__(self, counts: Iterable[UnreadCount] = ()) -> None:
        self._columns: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self.merge(counts)

    def add(self, cell: UnreadCell, column: str = "", rows: int = 1) -> None:
        """Counts a cell. `column` is the column's header in the file, where that is not the name."""
        counts = self._columns[column or cell.column]
        counts[cell.text, cell.reason] += rows
        if len(counts) > _TEXTS_PER_COLUMN:
            self._columns[column or cell.column] = _fewer(counts)

    def merge(self, counts: Iterable[UnreadCount]) -> None:
        """Adds what was counted elsewhere, such as in another part of the file."""
        for count in counts:
            self.add(UnreadCell(count["column"], count["value"], count["reason"]), rows=count["rows"])

    def of_column(self, column: str) -> list[UnreadCount]:
        """The counts of one column, by its header, most frequent first."""
        texts = self._columns.get(column, Counter())
        counts = [UnreadCount(column=column, value=value, reason=reason, rows=rows) for (value, reason), rows in texts.items()]
        return sorted(counts, key=_order)

    @property
    def cells(self) -> int:
        """The number of cells that could not be read."""
        return sum(counts.total() for counts in self._columns.values())

    def listed(self, most: int | None = None) -> list[UnreadCount]:
        """The counts, most frequent first. All texts after the first `most` are counted together, as RARER."""
        counts = sorted(self._counts(), key=_order)
        if most is None or len(counts) <= most:
            return counts
        rarer = Unread({**count, "value": RARER} for count in counts[most:])
        return [*counts[:most], *sorted(rarer._counts(), key=_order)]

    def _counts(self) -> Iterator[UnreadCount]:
        for column, texts in self._columns.items():
            for (value, reason), rows in texts.items():
                yield {"column": column, "value": value, "reason": reason, "rows": rows}

    def sentences(self, most: int = 8) -> list[str]:
        """The counts in words, most frequent first: `67 × plan: "Gold Plus" is new`."""
        counts = self.listed()
        more = sum(count["rows"] for count in counts[most:])
        return [sentence_of(count) for count in counts[:most]] + ([f"and {more:,} more cells"] if more else [])


def sentence_of(count: UnreadCount) -> str:
    """A count in words: `67 × plan: "Gold Plus" is new`."""
    value = count["value"]
    if value == RARER:
        quoted = "rarer values, each of which "
    else:
        quoted = f'"{value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"}" ' if value else ""
    return f"{count['rows']:,} × {count['column']}: {quoted}{count['reason']}"


def _order(count: UnreadCount) -> tuple[bool, int, str, str]:
    return (count["value"] == RARER, -count["rows"], count["column"], count["value"])


def merged(counts: Iterable[Sequence[UnreadCount]], most: int | None = None) -> list[UnreadCount]:
    """The counts of several parts together, most frequent first."""
    unread = Unread()
    for part in counts:
        unread.merge(part)
    return unread.listed(most)


def _fewer(counts: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    kept = Counter(dict(counts.most_common(_TEXTS_PER_COLUMN // 2)))
    for (text, reason), rows in counts.items():
        if (text, reason) not in kept:
            kept[RARER, reason] += rows
    return kept
