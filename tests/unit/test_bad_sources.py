"""Bad rows and files of raw sources: each is counted and has a sentence; nothing is lost and nothing invented."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retainstream.engine.schema import FeatureSchema, schema_from_text
from retainstream.engine.sources.anchors import anchor_days
from retainstream.engine.sources.build import Built, build
from retainstream.engine.sources.delivered import Delivered, UnusableSources, day_number, files_in, iso_day, read_sources
from retainstream.engine.sources.lives import lives
from retainstream.engine.tables import UnreadableTable

TODAY = date(2026, 6, 30)
SCHEMA = """
name: club
title: A club
id: {column: customer}
label: {column: left, positive: 1}
horizon_days: 30
sources:
  profile: {file: profile.csv, id: customer}
  subscriptions: {file: subscriptions*, id: customer, start: start, end: end, price: price, plan: plan}
  events: {file: events*, id: customer, at: at, kind: kind, amount: amount}
churn: {when: subscription-ended, grace_days: 7}
columns:
  - {name: born, kind: integer, min: 1900, label: Born, missing: true}
  - {name: plan, kind: category, levels: [basic, premium], label: Plan, missing: true, from: {subscriptions: plan}}
  - {name: price, kind: number, label: Price, missing: true, from: {subscriptions: price}}
  - {name: tenure, kind: integer, label: Tenure, from: {subscriptions: tenure}}
  - {name: events, kind: integer, label: Events, from: {events: "*", count: true}}
  - {name: logins, kind: integer, label: Logins, from: {events: login, count: true}}
  - {name: paid, kind: number, label: Paid, from: {events: "*", sum: amount}}
"""
PROFILE = "customer,born\na,1980\n"
SUBSCRIPTIONS = "customer,start,end,price,plan\na,2026-01-01,,10,basic\n"
EVENTS = "customer,at,kind,amount\na,2026-01-10,login,\n"

type Row = dict[str, object]


class Club:
    """A folder of sources, and what is made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("profile.csv", PROFILE)
        self.write("subscriptions.csv", SUBSCRIPTIONS)
        self.write("events.csv", EVENTS)
        self.schema: FeatureSchema = schema_from_text(SCHEMA)
        self.connection = duckdb.connect()

    def write(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def change(self, old: str, new: str) -> None:
        assert old in SCHEMA
        self.schema = schema_from_text(SCHEMA.replace(old, new))

    def read(self, as_of: str | None = None) -> Delivered:
        assert self.schema.sources
        files = files_in(self.schema.sources, self.folder)
        day = day_number(date.fromisoformat(as_of)) if as_of else None
        delivered = read_sources(self.connection, self.schema, files, today=day_number(TODAY), as_of=day)
        for source, rows in delivered.rows.items():
            set_aside = sum(finding.rows for finding in delivered.findings if finding.source == source and not finding.kept)
            assert rows == delivered.kept[source] + set_aside, source
        return delivered

    def build(self, *anchors: str, as_of: str | None = "2026-06-30") -> Built:
        delivered = self.read(as_of)
        return build(self.connection, self.schema, delivered, anchor_days(anchors, delivered))

    def rows(self, *anchors: str, as_of: str | None = "2026-06-30") -> list[Row]:
        table = self.connection.execute(f"FROM {self.build(*anchors, as_of=as_of).table}")
        names = [column[0] for column in table.description or ()]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]

    def lives(self, as_of: str | None = None) -> list[tuple[str | None, ...]]:
        table = lives(self.connection, self.schema, self.read(as_of))
        rows = self.connection.execute(f"FROM {table}").fetchall()
        return [(name, *(None if day is None else iso_day(day) for day in days)) for name, *days in rows]


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return Club(tmp_path)


def found(delivered: Delivered) -> dict[str, int]:
    return {finding.sort: finding.rows for finding in delivered.findings}


@pytest.mark.parametrize(
    ("lines", "sort", "kept", "sentence"),
    [
        ("a,2026-01-10,login,\n", "duplicate", 1, "events equal to another in customer, time, kind and amount, which counts once: 1"),
        ("a,2026-01-10T00:00:00Z,login,\n", "duplicate", 1, "counts once: 1"),
        (",2026-01-11,login,\n", "no_customer", 1, "events without a customer's id, not used: 1"),
        (f"{'x' * 129},2026-01-11,login,\n", "bad_id", 1, "1 to 128 printable characters, not used: 1"),
        ("segment,2026-01-11,login,\n", "bad_id", 1, "1 to 128 printable characters, not used: 1"),
        ("a,,login,\n", "no_time", 1, "events without a day, not used: 1"),
        ("a,2026-02-30,login,\na,soon,login,\n", "bad_time", 1, "events whose day cannot be read, not used: 2"),
        ("a,2026-07-01,login,\n", "future", 1, "events later than 2026-06-30, not used: 1"),
        ("a,2026-01-11,pay,ten\n", "bad_amount", 2, "events with an amount that is no number, which counts as missing: 1"),
        ("a,2026-01-11,,1\n", "no_kind", 2, "events without a kind, which count only where every kind counts: 1"),
        ("a,2025-12-24,login,\n", "before_beginning", 2, "events earlier than the customer's first subscription, which features count"),
        (
            "b,2026-01-11,login,\n",
            "without_subscription",
            2,
            "events of customers without a subscription, from which no row is computed: 1",
        ),
    ],
)
def test_a_bad_event_is_counted_with_its_reason(club: Club, lines: str, sort: str, kept: int, sentence: str) -> None:
    club.write("events.csv", EVENTS + lines)
    delivered = club.read()
    (finding,) = delivered.findings
    assert (finding.sort, finding.rows) == (sort, lines.count("\n") if sort == "bad_time" else 1)
    assert sentence in finding.text
    assert delivered.kept["events"] == kept


@pytest.mark.parametrize(
    ("lines", "sort", "rows", "kept"),
    [
        ("b,2026-02-01,2026-01-01,10,basic\n", "ends_first", 1, 1),
        ("b,2026-02-01,2026-02-31,10,basic\n", "bad_end", 1, 1),
        ("b,2026-09-01,,10,basic\n", "future", 1, 1),
        ("b,2026-02-01,9999-12-31,10,basic\n", "future_end", 1, 2),
        ("b,2026-02-01,,ten,basic\n", "bad_price", 1, 2),
        ("a,2026-01-01,2026-03-01,10,basic\n", "repeated", 1, 1),
        ("a,2026-02-01,2026-03-01,5,premium\n", "overlap", 1, 2),
    ],
)
def test_a_bad_subscription_is_counted_with_its_reason(club: Club, lines: str, sort: str, rows: int, kept: int) -> None:
    club.write("subscriptions.csv", SUBSCRIPTIONS + lines)
    delivered = club.read()
    assert found(delivered) == {sort: rows}
    assert delivered.kept["subscriptions"] == kept


def test_days_of_subscriptions_that_overlap_count_once(club: Club) -> None:
    club.write("subscriptions.csv", SUBSCRIPTIONS + "a,2026-01-11,2026-01-21,5,premium\n")
    (row,) = club.rows("2026-02-01")
    assert (row["tenure"], row["plan"]) == (31, "basic")
    (row,) = club.rows("2026-01-15")
    assert (row["tenure"], row["plan"], row["price"]) == (14, "premium", 5.0)


def test_a_later_row_of_a_subscription_ends_it(club: Club) -> None:
    (club.folder / "subscriptions.csv").rename(club.folder / "subscriptions-1.csv")
    club.write("subscriptions-2.csv", "customer,start,end,price,plan\na,2026-01-01,2026-03-10,10,basic\n")
    (row,) = club.rows("2026-03-01")
    assert row["left"] == 1


def test_another_plan_in_a_later_file_replaces_the_one_before(club: Club) -> None:
    (club.folder / "subscriptions.csv").rename(club.folder / "subscriptions-1.csv")
    club.write("subscriptions-2.csv", "customer,start,end,price,plan\na,2026-01-01,2026-03-10,12,premium\na,2026-01-01,,3,sports\n")
    assert (club.read().kept["subscriptions"], found(club.read())["repeated"]) == (2, 1)
    (club.folder / "subscriptions-2.csv").write_text("customer,start,end,price,plan\na,2026-01-01,2026-03-10,12,premium\n")
    (row,) = club.rows("2026-03-01")
    assert (row["left"], row["plan"]) == (1, "premium")


def test_a_customer_who_comes_back_has_two_lives(club: Club) -> None:
    club.write("subscriptions.csv", "customer,start,end,price,plan\na,2026-01-01,2026-02-01,10,basic\na,2026-03-01,,12,premium\n")
    assert club.lives(as_of="2026-06-01") == [
        ("a", "2026-01-01", "2026-01-01", "2026-02-01", "2026-02-01"),
        ("a", "2026-03-01", "2026-03-01", None, "2026-06-01"),
    ]
    assert [(row["anchor"], row["left"]) for row in club.rows("2026-01-15", "2026-02-15", "2026-03-15", as_of="2026-06-01")] == [
        ("2026-01-15", 1),
        ("2026-03-15", 0),
    ]


def test_a_new_subscription_within_the_grace_days_continues_the_life(club: Club) -> None:
    club.write("subscriptions.csv", "customer,start,end,price,plan\na,2026-01-01,2026-02-01,10,basic\na,2026-02-08,,12,premium\n")
    assert [life[3] for life in club.lives()] == [None]
    assert [(row["left"], row["plan"]) for row in club.rows("2026-01-15", "2026-02-04", "2026-02-09", as_of="2026-06-01")] == [
        (0, "basic"),
        (0, "premium"),
    ]


def test_who_has_just_left_may_come_back_until_the_grace_is_over(club: Club) -> None:
    club.write("subscriptions.csv", "customer,start,end,price,plan\na,2026-01-01,2026-05-28,10,basic\n")
    assert [life[3:] for life in club.lives(as_of="2026-06-03")] == [(None, "2026-05-28")]
    assert [life[3:] for life in club.lives(as_of="2026-06-04")] == [("2026-05-28", "2026-05-28")]


def test_a_silence_ends_a_life_and_an_event_begins_another(club: Club) -> None:
    club.change("{when: subscription-ended, grace_days: 7}", "{when: no-event, kind: login, days: 30}")
    days = ("2026-01-10", "2026-02-09", "2026-03-12", "2026-06-20")
    club.write("events.csv", "customer,at,kind,amount\nb,2026-01-01,pay,1\n" + "".join(f"a,{day},login,\n" for day in days))
    assert club.lives(as_of="2026-06-25") == [
        ("a", None, "2026-01-10", "2026-03-11", "2026-03-11"),
        ("a", "2026-03-12", "2026-03-12", "2026-04-11", "2026-04-11"),
        ("a", "2026-06-20", "2026-06-20", None, "2026-06-25"),
    ]
    labels = club.rows("2026-01-20", "2026-02-10", "2026-03-11", "2026-03-20", "2026-06-21", as_of="2026-06-25")
    assert [(row["anchor"], row["left"]) for row in labels] == [
        ("2026-01-20", 0),
        ("2026-02-10", 0),
        ("2026-03-20", 1),
        ("2026-06-21", None),
    ]


def test_a_moment_belongs_to_its_day_in_utc(club: Club) -> None:
    moments = ("2026-01-31T23:30:00-05:00", "2026-02-01T00:30:00+01:00", "2026-02-01T00:00:00", "2026-01-31 23:59")
    club.write("events.csv", EVENTS + "".join(f"a,{moment},login,\n" for moment in moments))
    delivered = club.read()
    assert [finding.text for finding in delivered.findings] == [
        "events with a time but no time zone, while others have one, read as UTC: 2"
    ]
    (row,) = club.rows("2026-02-01")
    assert row["logins"] == 3


def test_a_day_with_25_hours_in_a_time_zone(club: Club) -> None:
    club.change("kind: kind, amount", "zone: Europe/Berlin, kind: kind, amount")
    moments = ("2025-10-26 01:30", "2025-10-26 02:30", "2025-10-26 03:30", "2025-10-27 00:30", "2025-10-26T23:30:00Z", "20251026T0231")
    club.write("events.csv", "customer,at,kind,amount\n" + "".join(f"a,{moment},login,\n" for moment in moments))
    assert {sort: rows for sort, rows in found(club.read()).items() if sort != "before_beginning"} == {
        "repeated_hour": 2,
        "duplicate": 1,
        "without_zone": 5,
    }
    days = club.connection.execute("SELECT day, COUNT(*) FROM source_events GROUP BY day ORDER BY day").fetchall()
    assert [(iso_day(day), events) for day, events in days] == [("2025-10-25", 1), ("2025-10-26", 4)]


def test_no_such_time_zone(club: Club) -> None:
    club.change("kind: kind, amount", "zone: Europe/Berlim, kind: kind, amount")
    with pytest.raises(UnreadableTable, match="sources, events, zone: there is no time zone Europe/Berlim"):
        club.read()


def test_another_format_of_days(club: Club) -> None:
    club.change("kind: kind, amount", "format: '%d.%m.%Y %H:%M', kind: kind, amount")
    club.write("events.csv", "customer,at,kind,amount\na,05.01.2026 10:00,login,\na,5.1.2026 10:00,login,\na,2026-01-05,login,\n")
    assert found(club.read()) == {"bad_time": 1, "duplicate": 1}


def test_amounts_as_people_write_them(club: Club) -> None:
    club.write("events.csv", 'customer;at;kind;amount\na;2026-01-10;pay;"1.234,50 €"\na;2026-01-11;pay;-0,5\na;2026-01-12;pay;n/a\n')
    (row,) = club.rows("2026-02-01")
    assert row["paid"] == 1234.0
    assert not club.read().findings


EVENT_FILES: dict[str, Callable[[], bytes]] = {
    "line ends of Windows": lambda: b"customer,at,kind,amount\r\na,2026-01-10,login,2.5\r\nb,2026-01-10,M\xc3\xbcller,\r\n",
    "mixed line ends": lambda: b"customer,at,kind,amount\r\na,2026-01-10,login,2.5\nb,2026-01-10,M\xc3\xbcller,\r\n",
    "Windows-1252": lambda: b"customer,at,kind,amount\na,2026-01-10,login,2.5\nb,2026-01-10,M\xfcller,\n",
    "UTF-16": lambda: "customer,at,kind,amount\na,2026-01-10,login,2.5\nb,2026-01-10,Müller,\n".encode("utf-16"),
    "a byte order mark": lambda: "\ufeffcustomer,at,kind,amount\na,2026-01-10,login,2.5\nb,2026-01-10,Müller,\n".encode(),
    "gzip": lambda: gzip.compress("customer,at,kind,amount\na,2026-01-10,login,2.5\nb,2026-01-10,Müller,\n".encode()),
    "a separator line of Excel": lambda: "sep=;\ncustomer;at;kind;amount\na;2026-01-10;login;2,5\nb;2026-01-10;Müller;\n".encode(),
    "tabs and blanks": lambda: (
        "\ncustomer\tat\tkind\tamount\n a\t2026-01-10 \t login\t 2.5\n\n\t\t\t\nb\t2026-01-10\tMüller\u00a0\t\n".encode()
    ),
    "quotes, and a line end in a header": lambda: (
        '"customer","at","kind","am\nount",amount\n"a","2026-01-10","login",x,"2.5"\nb,2026-01-10, "Müller",x,\n'.encode()
    ),
    "a column more at the end of a line": lambda: "customer,at,kind,amount\na,2026-01-10,login,2.5,\nb,2026-01-10,Müller,\n".encode(),
}


@pytest.mark.parametrize("content", EVENT_FILES.values(), ids=EVENT_FILES.keys())
def test_files_are_read_by_the_rules_of_the_house(club: Club, content: Callable[[], bytes]) -> None:
    club.write("events.csv", content())
    club.read()
    rows = club.connection.execute(
        "SELECT id, name, amount FROM source_events JOIN source_kinds USING (kind) JOIN source_customers USING (customer) ORDER BY id"
    ).fetchall()
    assert rows == [("a", "login", 2.5), ("b", "Müller", None)]


def test_parquet_holds_typed_values(club: Club) -> None:
    (club.folder / "events.csv").unlink()
    club.connection.execute(f"""
        COPY (SELECT 'a' AS customer, TIMESTAMPTZ '2026-02-01 00:30:00+01' AS at, 'pay' AS kind, 1.25::DECIMAL(8, 2) AS amount)
        TO '{club.folder / "events-1.parquet"}'
    """)
    club.connection.execute(f"""
        COPY (SELECT 'a' AS customer, DATE '2026-01-03' AS at, 'pay' AS kind, 2::TINYINT AS amount) TO '{club.folder / "events-2.parquet"}'
    """)
    (row,) = club.rows("2026-02-01")
    assert (row["events"], row["paid"]) == (2, 3.25)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("events.csv", "customer,at,kind,amount\na,2026-01-10,login\n", "events.csv: line 2: has 3 fields where the header has 4"),
        ("events.csv", 'customer,at,kind,amount\na,"2026-01-10,login,\n', "line 2: a quote is opened and never closed"),
        (
            "events.csv",
            "customer,when,kind,amount\na,2026-01-10,login,\n",
            "column at: the file does not have this column, which the sources name as at",
        ),
        ("events.csv", "", "events.csv: is empty"),
        ("events.csv", b"PAR1 and no more", "the Parquet file is damaged, or ends too early"),
        ("events.csv", b"\x1f\x8b no gzip", "the compressed file is damaged"),
        ("subscriptions.csv", "customer,start\na,2026-01-01\n", "column end: the file does not have this column"),
        ("profile.csv", "customer,born\n\n", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(club: Club, name: str, content: str | bytes, sentence: str) -> None:
    club.write(name, content)
    if not sentence:
        assert club.read().rows["profile"] == 0
        return
    with pytest.raises(UnreadableTable) as refused:
        club.read()
    assert sentence in str(refused.value)


def test_a_file_that_changes_its_columns_lacks_values_from_then_on(club: Club) -> None:
    club.write("events-2.csv", "moved,at,customer,kind\nx,2026-01-20,a,login\n")
    club.write("events.csv", "customer,at,kind,amount,colour\na,2026-01-10,login,4,red\n")
    delivered = club.read()
    assert delivered.notes == ["events-2.csv: the file does not have amount; the values of its 1 rows are missing"]
    (row,) = club.rows("2026-02-01")
    assert (row["logins"], row["paid"]) == (2, 4.0)


def test_a_file_that_does_not_exist(club: Club) -> None:
    (club.folder / "profile.csv").unlink()
    with pytest.raises(UnreadableTable, match=r"there is no such file, which sources\.profile names"):
        club.read()


def test_values_of_the_profile_that_do_not_fit_are_missing(club: Club) -> None:
    club.write("profile.csv", "customer,born\na,1812\na,1980\nb,long ago\n,1990\n")
    delivered = club.read()
    assert found(delivered) == {"bad_value": 1, "no_customer": 1, "repeated": 1}
    (row,) = club.rows("2026-02-01")
    assert row["born"] == 1980


def test_a_horizon_longer_than_the_history_has_no_label(club: Club) -> None:
    club.change("horizon_days: 30", "horizon_days: 700")
    built = club.build("2026-02-01", as_of="2026-06-01")
    assert [(report["labelled"], report["rows"], report["left"]) for report in built.anchors] == [(False, 1, 0)]
    (row,) = club.rows("2026-02-01", as_of="2026-06-01")
    assert row["left"] is None


def test_anchors_without_data_before_them_are_refused(club: Club) -> None:
    delivered = club.read(as_of="2026-06-01")
    for day in ("2026-01-10", "2026-06-03"):
        with pytest.raises(
            UnusableSources, match=f"the anchor {day} has no complete data before it; anchors are possible from 2026-01-11 to 2026-06-02"
        ):
            anchor_days((day,), delivered)
    assert [iso_day(day) for day in anchor_days("monthly", delivered)] == [
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
        "2026-05-01",
        "2026-06-01",
    ]
    assert [iso_day(day) for day in anchor_days("weekly", delivered)][:2] == ["2026-01-12", "2026-01-19"]
    with pytest.raises(UnusableSources, match="the history is too short"):
        anchor_days("monthly", club.read(as_of="2026-01-12"))


def test_days_that_are_not_complete_give_no_anchor(club: Club) -> None:
    club.write("events.csv", EVENTS + "a,2026-06-30T08:00:00Z,login,\n")
    assert iso_day(club.read().through) == "2026-06-29"
    with pytest.raises(UnusableSources, match="2026-07-01 is later than today"):
        club.read(as_of="2026-07-01")


def test_windows_that_begin_before_the_files_are_named(club: Club) -> None:
    club.change("{events: login, count: true}", "{events: login, count: true, days: 30}")
    built = club.build("2026-02-01", "2026-03-01", as_of="2026-06-01")
    assert (built.longest_window, built.shortened) == (30, ["2026-02-01"])


def test_values_that_the_schema_does_not_allow_are_counted(club: Club) -> None:
    club.change("{name: price, kind: number, label: Price, missing: true,", "{name: price, kind: number, max: 9, label: Price,")
    club.write("subscriptions.csv", SUBSCRIPTIONS + "b,2026-01-05,,,gold\n")
    built = club.build("2026-02-01", as_of="2026-06-01")
    assert built.columns == [{"column": "plan", "lacking": 0, "outside": 1}, {"column": "price", "lacking": 1, "outside": 1}]


def test_one_customer_and_no_events(club: Club) -> None:
    club.write("events.csv", "customer,at,kind,amount\n")
    (row,) = club.rows("2026-02-01")
    assert (row["customer"], row["events"], row["paid"]) == ("a", 0, 0.0)


def test_no_customer_at_all(club: Club) -> None:
    club.write("events.csv", "customer,at,kind,amount\n")
    club.write("subscriptions.csv", "customer,start,end,price,plan\n")
    with pytest.raises(UnusableSources, match="the history is too short"):
        anchor_days("monthly", club.read())


def test_many_events_of_one_customer(club: Club) -> None:
    events = 1_000_000
    club.connection.execute(f"""
        COPY (
            SELECT 'a' AS customer, TIMESTAMP '2026-01-02' + to_milliseconds(i) AS at, 'login' AS kind, 0.5 AS amount
            FROM range({events}) AS r(i)
        ) TO '{club.folder / "events.csv"}' (FORMAT parquet)
    """)
    (row,) = club.rows("2026-02-01")
    assert (row["events"], row["paid"]) == (events, events / 2)
