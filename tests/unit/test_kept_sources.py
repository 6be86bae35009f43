"""Kept sources: each row once, whatever the deliveries are, and in whatever order they are added."""

import gzip
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.sources import Events, Profile, Subscriptions
from retainstream.engine.sources.kept import (
    KeptColumns,
    Merged,
    Stamp,
    as_delivered,
    kept_columns,
    merge,
    read_file,
    without_removed,
)
from retainstream.engine.tables import UnreadableTable
from tests.examples import examples
from tests.made_sources import SOURCES_SCHEMA

EVENTS = Events(file="events.csv", id="customer_id", at="occurred_at", kind="event", amount="amount")
SUBSCRIPTIONS = Subscriptions(file="s.csv", id="customer_id", start="started_on", end="ended_on", price="price", plan="plan")
HEADER = "customer_id,occurred_at,event,amount"


class Shelf:
    """The kept parts of a source in a folder, as the bucket keeps them."""

    def __init__(self, source: Events | Subscriptions | Profile, schema: FeatureSchema = SOURCES_SCHEMA) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.columns: KeptColumns = kept_columns(schema, source)
        self.parts: dict[str, Path] = {}
        self.notes: list[str] = []
        self.removed: Mapping[str, str] = {}
        self._files = 0

    def add(self, content: str | bytes, as_of: str = "2026-01-01", delivery: str = "") -> list[Merged]:
        """Adds a file."""
        self._files += 1
        path = self.folder / f"file{self._files}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with duckdb.connect() as connection:
            arrived = self._new()
            stamp = Stamp(f"{as_of}T00:00:00.000000+00:00", delivery or f"d{self._files}")
            self.last = read_file(connection, path, "events.csv", self.columns, stamp, lambda ids: self.among(ids), arrived)
            self.notes = self.last.notes
            return [self._merge(connection, name, part) for name, part in self.last.parts.items()]

    def among(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one: self.removed[one] for one in ids if one in self.removed}

    def _merge(self, connection: Any, name: str, part: Path) -> Merged:
        result = self._new() / f"{name}.parquet"
        merged = merge(connection, self.columns, self.parts.get(name), part, result)
        self.parts[name] = result
        return merged

    def _new(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of all parts, in order."""
        names = ", ".join(f'"{name}"' for name in columns or (*self.columns.key, *self.columns.values))
        found: list[tuple[Any, ...]] = []
        for path in self.parts.values():
            found += duckdb.execute(f"SELECT {names} FROM read_parquet('{path}')").fetchall()
        return sorted(found, key=repr)

    def stamped(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each part, in their order in the file, with all columns."""
        return {name: duckdb.execute(f"FROM read_parquet('{path}')").fetchall() for name, path in sorted(self.parts.items())}


def counted(merges: Sequence[Merged]) -> tuple[int, ...]:
    return tuple(sum(getattr(merged, name) for merged in merges) for name in ("added", "changed", "repeated", "older"))


def as_csv(rows: Sequence[Sequence[str]], header: str = HEADER) -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def test_events_are_kept_once_by_month() -> None:
    shelf = Shelf(EVENTS)
    january = as_csv(
        [("a", "2026-01-31T23:59:00Z", "buy", "5"), ("a", "2026-01-31T23:59:00Z", "buy", "5"), ("b", "2026-02-01", "login", "")]
    )
    assert counted(shelf.add(january)) == (2, 0, 1, 0)
    assert sorted(shelf.parts) == ["2026-01", "2026-02"]
    assert counted(shelf.add(january)) == (0, 0, 3, 0)
    more = as_csv([("b", "2026-02-01", "login", ""), ("b", "2026-02-02", "login", "")])
    [merged] = shelf.add(more)
    assert (merged.added, merged.repeated, merged.rows, merged.first, merged.last) == (1, 1, 2, "2026-02-01", "2026-02-02")
    assert shelf.rows() == [
        ("a", "2026-01-31T23:59:00Z", "buy", "5"),
        ("b", "2026-02-01", "login", None),
        ("b", "2026-02-02", "login", None),
    ]


def test_a_later_delivery_adds_the_end_of_a_subscription_and_an_earlier_one_does_not_take_it_away() -> None:
    header = "customer_id,started_on,ended_on,price,plan"
    shelf = Shelf(SUBSCRIPTIONS)
    shelf.add(as_csv([("a", "2026-01-01", "", "9.99", "basic"), ("b", "2026-01-05", "", "9.99", "basic")], header), "2026-01-31")
    ended = as_csv([("a", "2026-01-01", "2026-02-20", "9.99", "basic")], header)
    assert counted(shelf.add(ended, "2026-02-28")) == (0, 1, 0, 0)
    assert counted(shelf.add(as_csv([("a", "2026-01-01", "", "9.99", "basic")], header), "2026-01-31")) == (0, 0, 0, 1)
    assert shelf.rows("id", "end") == [("a", "2026-02-20"), ("b", None)]


def test_two_plans_of_a_delivery_are_two_subscriptions_and_another_plan_in_a_later_one_replaces_them() -> None:
    header = "customer_id,started_on,ended_on,price,plan"
    shelf = Shelf(SUBSCRIPTIONS)
    both = as_csv([("a", "2026-01-01", "", "9.99", "basic"), ("a", "2026-01-01", "", "4.99", "sports")], header)
    assert counted(shelf.add(both, "2026-01-31")) == (2, 0, 0, 0)
    assert shelf.rows("plan", "price") == [("basic", "9.99"), ("sports", "4.99")]
    other = as_csv([("a", "2026-01-01", "", "19.99", "premium"), ("a", "2026-02-01", "", "4.99", "sports")], header)
    assert counted(shelf.add(other, "2026-02-28")) == (1, 1, 0, 0)
    assert counted(shelf.add(both, "2026-01-31")) == (0, 0, 0, 2)
    assert shelf.rows("start", "plan") == [("2026-01-01", "premium"), ("2026-02-01", "sports")]


def test_the_newest_row_of_a_profile_is_kept() -> None:
    profile = Profile(file="profile.csv", id="customer_id")
    schema = SOURCES_SCHEMA.model_copy(
        update={"sources": SOURCES_SCHEMA.sources and SOURCES_SCHEMA.sources.model_copy(update={"profile": profile})}
    )
    shelf = Shelf(profile, schema)
    assert shelf.columns.headers["column country"] == "country"
    shelf.add("customer_id,country,email\na,NO,x@y\nb,SE,\n", "2026-01-31")
    assert shelf.notes == ["columns that the schema does not read were not kept: email"]
    assert counted(shelf.add("email,customer_id,country\n,a,DK\n", "2026-02-28")) == (0, 1, 0, 0)
    assert shelf.rows("id", "column country") == [("a", "DK"), ("b", "SE")]


def test_a_file_that_lacks_a_column_is_refused_with_the_columns_that_it_has() -> None:
    shelf = Shelf(EVENTS)
    shelf.add(as_csv([("a", "2026-01-01", "buy", "5")]))
    before = shelf.stamped()
    fault = (
        "events.csv: column occurred_at: the file does not have this column, which the sources name as at; it has customer_id, happened_at"
    )
    with pytest.raises(UnreadableTable, match=fault):
        shelf.add("customer_id,happened_at,event,amount\na,2026-02-01,buy,5\n")
    assert shelf.stamped() == before


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (gzip.compress(b"customer_id,occurred_at,event,amount\na,2026-01-01,buy,5\n"), [("a", "2026-01-01", "buy", "5")]),
        ("amount;event;occurred_at;customer_id\n5,5;buy;2026-01-01;a\n".encode("utf-16"), [("a", "2026-01-01", "buy", "5,5")]),
        ("customer_id,occurred_at,event,amount\né,2026-01-01,buy,5\n".encode("latin-1"), [("é", "2026-01-01", "buy", "5")]),
        (b'customer_id,occurred_at,event,amount\n"a\nb",2026-01-01,"b""u,y",\n\n,,,\n', [("a\nb", "2026-01-01", 'b"u,y', None)]),
        (b"customer_id,occurred_at,event,amount\n,yesterday,buy,5\n", [(None, "yesterday", "buy", "5")]),
        (b"customer_id,occurred_at,event,amount\na,1767225600,buy,5\n", [("a", "1767225600", "buy", "5")]),
        (b"customer_id,occurred_at,event,amount\n\x80,2026-01-01,\xc3\xa9,5\n", [("\u20ac", "2026-01-01", "\u00e9", "5")]),
    ],
    ids=["gzip", "utf-16", "latin-1", "quotes", "unreadable", "epoch", "one line in Windows-1252"],
)
def test_values_are_kept_as_they_are_written(content: bytes, rows: list[tuple[Any, ...]]) -> None:
    shelf = Shelf(EVENTS)
    shelf.add(content)
    assert shelf.rows() == rows


def test_a_parquet_file_is_read_like_text(tmp_path: Path) -> None:
    duckdb.sql(
        "COPY (SELECT 'a' AS customer_id, TIMESTAMP '2026-01-01 10:00:00' AS occurred_at, 'buy' AS event, 5.5 AS amount) "
        f"TO '{tmp_path / 'f.parquet'}'"
    )
    shelf = Shelf(EVENTS)
    shelf.add((tmp_path / "f.parquet").read_bytes())
    assert shelf.rows() == [("a", "2026-01-01 10:00:00", "buy", "5.5")]


@pytest.mark.parametrize("content", [b"", b"PAR1 no", b"\x1f\x8b broken", b"PK\x03\x04", b"a,a\n1,2\n"])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableTable):
        Shelf(EVENTS).add(content)


@pytest.mark.parametrize(("row", "fields"), [(("a", "2026-01-01", "buy", "5", "6"), 5), (("a", "2026-01-01", "buy"), 3)])
def test_a_file_with_more_or_fewer_fields_than_the_header_is_refused_as_features_build_refuses_it(
    row: tuple[str, ...], fields: int
) -> None:
    shelf = Shelf(EVENTS)
    shelf.add(as_csv([("b", "2026-01-02", "buy", "5")]))
    before = shelf.stamped()
    with pytest.raises(UnreadableTable, match=f"events.csv: line 3: has {fields} fields where the header has 4"):
        shelf.add(as_csv([("b", "2026-01-02", "buy", "5"), row]))
    assert shelf.stamped() == before


def test_rows_of_removed_customers_are_left_out_and_taken_out() -> None:
    shelf = Shelf(EVENTS)
    shelf.add(as_csv([("a", "2026-01-01", "buy", "5"), ("b", "2026-01-01", "buy", "5")]), "2026-01-31")
    shelf.removed = {"a": "2026-02-10T10:00:00.000000+00:00"}
    with duckdb.connect() as connection:
        rewritten = shelf.folder / "rewritten.parquet"
        merged = without_removed(connection, shelf.columns, shelf.parts["2026-01"], shelf.among, rewritten)
        assert merged
        assert merged.rows == 1
        assert without_removed(connection, shelf.columns, rewritten, shelf.among, shelf.folder / "again.parquet") is None
    shelf.parts["2026-01"] = rewritten
    assert counted(shelf.add(as_csv([("a", "2026-01-02", "buy", "5"), ("b", "2026-01-02", "buy", "5")]), "2026-01-31")) == (1, 0, 0, 0)
    assert shelf.last.removed == 1
    again = as_csv([("a", "2026-01-03", "buy", "5"), ("a", "2026-02-20", "buy", "5")])
    assert counted(shelf.add(again, "2026-02-28")) == (1, 0, 0, 0)
    assert [row[:2] for row in shelf.rows()] == [("a", "2026-02-20"), ("b", "2026-01-01"), ("b", "2026-01-02")]


def test_kept_rows_are_written_under_the_headers_of_the_schema(tmp_path: Path) -> None:
    shelf = Shelf(EVENTS)
    shelf.add(as_csv([("b", "2026-01-02", "buy", "5")]), "2026-02-28")
    shelf.add(as_csv([("a", "2026-01-01", "login", "")]), "2026-01-31")
    renamed = kept_columns(SOURCES_SCHEMA, EVENTS.model_copy(update={"at": "time", "amount": None}))
    with duckdb.connect() as connection:
        as_delivered(connection, renamed, shelf.parts["2026-01"], tmp_path / "f.parquet")
        read = connection.sql(f"FROM read_parquet('{tmp_path / 'f.parquet'}')")
        assert read.columns == ["customer_id", "time", "event"]
        assert read.fetchall() == [("a", "2026-01-01", "login"), ("b", "2026-01-02", "buy")]


CELL = st.sampled_from(["", "a", "b", "c"])
EVENT = st.tuples(
    CELL,
    st.sampled_from(["2026-01-01", "2026-01-01T00:00:00Z", "2026-02-03", "1 March 2026", "", "soon"]),
    CELL,
    st.sampled_from(["", "1", "2"]),
)
SUBSCRIPTION = st.tuples(CELL, st.sampled_from(["2026-01-01", "2026-02-03"]), st.sampled_from(["", "2026-03-01", "2026-04-01"]), CELL, CELL)


@st.composite
def deliveries(draw: st.DrawFn, row: st.SearchStrategy[tuple[str, ...]]) -> tuple[list[tuple[str, list[tuple[str, ...]]]], list[int]]:
    """Files with their days, some of the same day, and an order in which they are added, some of them twice."""
    files = draw(st.lists(st.tuples(st.sampled_from(["2026-01-31", "2026-02-28"]), st.lists(row, max_size=6)), min_size=1, max_size=4))
    order = draw(st.permutations([*range(len(files)), *draw(st.lists(st.integers(0, len(files) - 1), max_size=2))]))
    return files, list(order)


def _added(source: Events | Subscriptions, header: str, files: list[tuple[str, list[tuple[str, ...]]]], order: Iterator[int]) -> Shelf:
    shelf = Shelf(source)
    for place in order:
        as_of, rows = files[place]
        merges = shelf.add(as_csv(rows, header), as_of, f"d{place}")
        assert sum(counted(merges)) == shelf.last.rows == sum(any(row) for row in rows)
    return shelf


@settings(max_examples=examples(10))
@given(deliveries(EVENT))
def test_events_in_any_split_and_any_order_give_the_same_source(drawn: tuple[list[tuple[str, list[tuple[str, ...]]]], list[int]]) -> None:
    files, order = drawn
    shelf = _added(EVENTS, HEADER, files, iter(order))
    assert shelf.stamped() == _added(EVENTS, HEADER, files, iter(range(len(files)))).stamped()
    whole = Shelf(EVENTS)
    whole.add(as_csv([row for _, rows in files for row in rows]))
    assert shelf.rows() == whole.rows()


@settings(max_examples=examples(10))
@given(deliveries(SUBSCRIPTION))
def test_subscriptions_in_any_order_give_the_newest_row_of_each(drawn: tuple[list[tuple[str, list[tuple[str, ...]]]], list[int]]) -> None:
    files, order = drawn
    header = "customer_id,started_on,ended_on,price,plan"
    shelf = _added(SUBSCRIPTIONS, header, files, iter(order))
    assert shelf.stamped() == _added(SUBSCRIPTIONS, header, files, iter(range(len(files)))).stamped()
    newest: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
    for place in sorted(range(len(files)), key=lambda place: (files[place][0], f"d{place}")):
        newest |= {row[:2]: {other[4]: other for other in files[place][1] if other[:2] == row[:2]} for row in files[place][1]}
    stated = [tuple(cell or None for cell in row) for rows in newest.values() for row in rows.values()]
    assert shelf.rows("id", "start", "end", "price", "plan") == sorted(stated, key=repr)
