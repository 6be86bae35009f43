"""What a schema that is drafted from dated sources says, and whether it computes features from the same files."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from cli.reading import read_text_table
from retainstream.engine.drafting.from_sources import SourcesDraft, draft_from_sources
from retainstream.engine.drafting.from_sources_yaml import yaml_of_sources
from retainstream.engine.drafting.recognition import recognise
from retainstream.engine.drafting.rhythm import Rhythm
from retainstream.engine.model.reasons import circumstance
from retainstream.engine.schema import FeatureSchema, NoEvent, SubscriptionEnded, schema_from_text
from retainstream.engine.sources.anchors import anchor_days
from retainstream.engine.sources.build import Built, build
from retainstream.engine.sources.delivered import files_in, read_sources
from retainstream.engine.tables import UnreadableTable, open_table
from retainstream.engine.tables.columnar import customers_in, read_text
from tests.dialects_of_sources import AMERICAN, ENGLISH, FRENCH, GERMAN, SPANISH, UNTIL, Dialect, changed, write_sources, write_table

ALL_FILES = ("events", "subscriptions", "profile")
_SAMPLE = 5_000
TODAY = (UNTIL + timedelta(days=30) - date(1970, 1, 1)).days


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_sources(tmp_path_factory.mktemp("english"))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def drafted(files: Mapping[str, Path], connection: duckdb.DuckDBPyConnection, roles: Mapping[str, str] | None = None) -> SourcesDraft:
    tables = {name: read_text_table(path, None, most_rows=_SAMPLE if name == "events" else None) for name, path in files.items()}
    recognised = recognise(tables, {name: path.name for name, path in files.items()}, roles or {})
    return draft_from_sources(connection, files, recognised, today=TODAY)


def refusal(files: Mapping[str, Path], connection: duckdb.DuckDBPyConnection, roles: Mapping[str, str] | None = None) -> str:
    with pytest.raises(UnreadableTable) as refused:
        drafted(files, connection, roles)
    return str(refused.value)


def built(schema: FeatureSchema, folder: Path, connection: duckdb.DuckDBPyConnection) -> Built:
    assert schema.sources is not None
    delivered = read_sources(connection, schema, files_in(schema.sources, folder), today=TODAY)
    return build(connection, schema, delivered, anchor_days(schema.anchors or "monthly", delivered))


def texts(draft: SourcesDraft) -> str:
    return "\n".join(finding.text for finding in draft.findings)


@pytest.mark.parametrize(
    ("dialect", "chosen"),
    [
        pytest.param(ENGLISH, ALL_FILES, id="English"),
        pytest.param(AMERICAN, ALL_FILES, id="American"),
        pytest.param(GERMAN, ALL_FILES, id="German"),
        pytest.param(SPANISH, ALL_FILES, id="Spanish"),
        pytest.param(FRENCH, ALL_FILES, id="French"),
        pytest.param(ENGLISH, ("events",), id="English events"),
        pytest.param(GERMAN, ("events", "profile"), id="German events"),
        pytest.param(AMERICAN, ("subscriptions",), id="American subscriptions"),
    ],
)
def test_a_draft_computes_a_table_that_fits_it_from_the_same_files(
    dialect: Dialect, chosen: tuple[str, ...], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    files = {name: path for name, path in write_sources(tmp_path, dialect).items() if name in chosen}
    draft = drafted(files, connection)
    schema = schema_from_text(yaml_of_sources(draft))
    assert schema == draft.schema
    table = built(schema, tmp_path, connection)
    assert table.columns == []
    assert sum(anchor["left"] for anchor in table.anchors) > 20
    connection.execute(f"COPY {table.table} TO '{tmp_path}/built.csv' (HEADER)")
    with open_table(tmp_path / "built.csv") as opened:
        customers = customers_in(read_text(opened), schema)
    assert len(customers) == table.rows > 1_000
    assert not np.isnan(customers.rows).all(axis=0).any()


def test_a_parquet_file_is_drafted_like_the_same_rows_as_text(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    packed = {}
    for name, path in english.items():
        packed[name] = tmp_path / f"{name}.parquet"
        connection.execute(f"COPY (SELECT * FROM read_csv('{path}')) TO '{packed[name]}'")
    kinds = dict(connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{packed['events']}')").fetchall())
    assert kinds["occurred_at"].startswith("TIMESTAMP")
    draft, as_text = drafted(packed, connection), drafted(english, connection)
    assert draft.schema.columns == as_text.schema.columns
    assert draft.schema.churn == as_text.schema.churn
    assert built(draft.schema, tmp_path, connection).rows == built(as_text.schema, english["events"].parent, connection).rows


def test_a_damaged_parquet_file_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 and nothing more")
    assert "events.parquet: cannot be read as Parquet" in refusal({"events": tmp_path / "events.parquet"}, connection)


def test_dialects_of_the_same_business_have_the_same_features(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    values = []
    for name, dialect in (("en", ENGLISH), ("de", GERMAN)):
        (tmp_path / name).mkdir()
        files = write_sources(tmp_path / name, dialect)
        table = built(drafted(files, connection).schema, tmp_path / name, connection)
        rows = connection.execute(f"SELECT * FROM {table.table}").fetchall()
        values.append([[cell for cell in row if not isinstance(cell, str)] for row in rows])
    assert values[0] == values[1]


def test_roles_are_recognised_by_names_values_and_agreement_between_files(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sources = drafted(write_sources(tmp_path, GERMAN), connection).schema.sources
    assert sources is not None
    assert sources.model_dump(exclude_none=True, exclude_defaults=True) == {
        "profile": {"file": "profile.csv", "id": "Kunden-Nr."},
        "subscriptions": {
            "file": "subscriptions.csv",
            "id": "Kundennummer",
            "start": "Vertragsbeginn",
            "end": "Kündigungsdatum",
            "price": "Monatspreis",
            "plan": "Tarif",
            "format": "%d.%m.%Y",
        },
        "events": {
            "file": "events.csv",
            "id": "Kunde",
            "at": "Zeitpunkt",
            "kind": "Ereignis",
            "amount": "Betrag",
            "format": "%d.%m.%Y %H:%M",
        },
    }


def test_customers_without_a_telling_header_are_found_by_their_values(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    renamed = {}
    for name, path in english.items():
        header, rest = path.read_text().split("\n", 1)
        renamed[name] = tmp_path / path.name
        renamed[name].write_text(header.replace("customer_id", "x1") + "\n" + rest)
    sources = drafted(renamed, connection).schema.sources
    assert sources is not None
    assert sources.events is not None
    assert sources.subscriptions is not None
    assert sources.events.id == sources.subscriptions.id == "x1"


def test_subscriptions_with_ends_say_when_a_customer_left(english: dict[str, Path], connection: duckdb.DuckDBPyConnection) -> None:
    draft = drafted(english, connection)
    assert draft.schema.churn == SubscriptionEnded(when="subscription-ended")
    assert draft.schema.horizon_days == 30
    assert draft.schema.group == "plan"
    assert draft.price == "price"
    assert "money: {price: price" in yaml_of_sources(draft)
    assert draft.silence is None


def test_renewals_after_a_pause_give_days_of_grace(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = []
    for customer in range(300):
        start = date(2025, 1, 1) + timedelta(days=int(rng.integers(0, 200)))
        end = start + timedelta(days=int(rng.integers(60, 200)))
        rows.append([f"c{customer}", start.isoformat(), end.isoformat()])
        if customer % 3:
            rows.append([f"c{customer}", (end + timedelta(days=int(rng.integers(2, 7)))).isoformat(), ""])
    draft = drafted({"subscriptions": write_table(tmp_path / "s.csv", ["customer_id", "start", "end"], rows)}, connection)
    assert draft.schema.churn == SubscriptionEnded(when="subscription-ended", grace_days=7)
    assert (
        "200 of 300 ended subscriptions are followed by another of the same customer within 60 days, 100% of these within 7 days"
        in texts(draft)
    )


def test_no_anchor_is_before_the_first_end_if_earlier_ends_are_missing(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection
) -> None:
    files = {"subscriptions": english["subscriptions"]}
    draft = drafted(files, connection)
    ends = sorted(end for line in english["subscriptions"].read_text().splitlines()[1:] if (end := line.split(",")[2]))
    starts = sorted(line.split(",")[1] for line in english["subscriptions"].read_text().splitlines()[1:])
    assert starts[0] < "2024" < "2025" < ends[0], "the generated subscriptions are those of recent customers"
    assert "the first end in the files, which lack customers who left earlier" in texts(draft)
    anchors = built(draft.schema, english["subscriptions"].parent, connection).anchors
    assert anchors[0]["anchor"] > ends[0]
    assert all(anchor["left"] for anchor in anchors if anchor["labelled"])


def test_first_ends_of_a_young_business_are_no_gap(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for customer in range(300):
        start = date(2025, 1, 1) + timedelta(days=int(rng.integers(0, 500)))
        end = start + timedelta(days=int(rng.exponential(300)) + 1)
        rows.append([f"c{customer}", start.isoformat(), end.isoformat() if end < date(2026, 10, 1) else ""])
    draft = drafted({"subscriptions": write_table(tmp_path / "s.csv", ["customer_id", "start", "end"], rows)}, connection)
    assert draft.first_day == min(row[1] for row in rows)


def test_without_subscriptions_a_silence_says_when_a_customer_left(english: dict[str, Path], connection: duckdb.DuckDBPyConnection) -> None:
    draft = drafted({"events": english["events"]}, connection)
    assert draft.silence is not None
    proposed = draft.silence.definition.proposed_days
    assert draft.schema.churn == NoEvent(when="no-event", days=proposed or 0)
    assert draft.schema.horizon_days >= (proposed or 0)
    assert "which events show that a person is still a customer?" in texts(draft)


def test_the_only_kind_with_amounts_shows_a_customer(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(english["events"].read_text())
    changed(path, lambda _, row: [*row[:3], row[3] if row[2] == "payment" else "", row[4]])
    churn = drafted({"events": path}, connection).schema.churn
    assert isinstance(churn, NoEvent)
    assert churn.kind == "payment"


def test_windows_follow_the_rhythm_of_each_kind(english: dict[str, Path], connection: duckdb.DuckDBPyConnection) -> None:
    draft = drafted(english, connection)
    counts = [column.origin for column in draft.schema.columns if column.origin and column.origin.count and column.origin.days]
    windows = {str(origin.events): origin.days or 0 for origin in counts}
    assert windows["login"] == 30
    assert windows["payment_failed"] >= 90
    columns = {column.name: column for column in draft.schema.columns}
    assert columns["login_7d"].phrase == "{value} login{s} in 7 days"
    change = columns["login_change_30d"]
    assert circumstance(draft.schema, change, -0.6) == "60% fewer logins in 30 days than in the 30 before"
    assert circumstance(draft.schema, columns["days_since_login"], 1) == "1 day since the last login"
    assert "payment_change_90d" in columns
    assert not [name for name in columns if name.startswith("payment_failed_change")], "most customers have no failed payment"


@pytest.mark.parametrize(
    ("gap", "days", "windows"),
    [
        (1, 800, (7, 30)),
        (2, 800, (7, 30)),
        (10, 800, (30, 90)),
        (30, 800, (90, 365)),
        (100, 800, (365,)),
        (None, 800, (90, 365)),
        (1, 20, (7,)),
    ],
)
def test_a_window_holds_two_gaps_and_half_of_the_data_at_most(gap: float | None, days: int, windows: tuple[int, ...]) -> None:
    assert Rhythm("*", 100, 10, gap, 0, days).windows == windows


def test_events_without_kinds_are_called_after_their_file(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [line.split(",") for line in english["events"].read_text().splitlines()[1:]]
    path = write_table(tmp_path / "purchases.csv", ["user", "date", "total"], [[row[0], row[1][:10], row[3] or "1"] for row in rows])
    names = {column.name for column in drafted({"events": path}, connection).schema.columns}
    assert {"purchase_7d", "days_since_purchase", "purchase_amount_30d", "days_since_first_purchase"} <= names


def test_events_that_speak_of_leaving_give_no_columns(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(english["events"].read_text())
    changed(path, lambda number, row: [*row[:2], "cancelled" if number % 50 == 0 else row[2], *row[3:]])
    draft = drafted({**english, "events": path}, connection)
    assert not [column for column in draft.schema.columns if column.origin and column.origin.events == "cancelled"]
    assert "no columns are drafted from the" in texts(draft)
    assert "cancelled" in draft.left_out


def test_a_column_of_the_profile_that_knows_the_outcome_is_left_out(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [line.split(",") for line in english["subscriptions"].read_text().splitlines()[1:]]
    here = {row[0] for row in rows if not row[2]}
    profile = write_table(
        tmp_path / "profile.csv",
        ["customer_id", "state", "logins_total", "email"],
        [
            [customer, "open" if customer in here else "closed", str(number), f"{customer}@example.com"]
            for number, customer in enumerate(sorted({row[0] for row in rows}))
        ],
    )
    draft = drafted({**english, "profile": profile}, connection)
    assert [finding.columns for finding in draft.warnings if finding.sort == "leak"] == [("state",)]
    assert not draft.schema.column("state").feature
    assert draft.left_out["email"].startswith("identifies rows")


def test_numbers_of_today_are_no_features_of_past_days(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    customers = sorted({line.split(",")[0] for line in english["profile"].read_text().splitlines()[1:]})
    profile = write_table(
        tmp_path / "p.csv",
        ["customer_id", "balance", "birth_year", "city"],
        [[c, f"{n % 37}.5", f"{1950 + n % 50}", "ABC"[n % 3]] for n, c in enumerate(customers)],
    )
    draft = drafted({**english, "profile": profile}, connection)
    assert not draft.schema.column("balance").feature
    assert draft.schema.column("city").feature
    assert [finding.sort for finding in draft.warnings] == ["undated"]
    assert "balance is left out of the model" in draft.warnings[0].text
    assert draft.schema.column("birth_year").feature
    assert [question.columns for question in draft.questions] == [("city",)]
    assert "p.csv: does it ever change?" in draft.questions[0].text


def test_a_profile_with_several_rows_of_a_customer_has_the_day_of_a_change(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    customers = sorted({line.split(",")[0] for line in english["profile"].read_text().splitlines()[1:]})
    rows = [[customer, day, str(number % 23)] for number, customer in enumerate(customers) for day in ("2025-06-01", "2026-05-01")]
    profile = write_table(tmp_path / "p.csv", ["customer_id", "valid_from", "score"], rows)
    draft = drafted({**english, "profile": profile}, connection)
    assert draft.schema.sources is not None
    assert draft.schema.sources.profile is not None
    assert draft.schema.sources.profile.at == "valid_from"
    assert draft.schema.column("score").feature
    assert not draft.warnings


def moved(english: dict[str, Path], folder: Path, change: object, most: int | None = None) -> dict[str, Path]:
    path = folder / "events.csv"
    path.write_text(english["events"].read_text())
    return {"events": changed(path, change, most=most)}  # type: ignore[arg-type]


def iso(row: list[str]) -> date:
    return date.fromisoformat(row[1][:10])


def test_days_that_can_be_read_both_ways_are_asked_about(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    files = moved(english, tmp_path, lambda _, row: [row[0], f"{iso(row).month:02d}/{iso(row).day % 12 + 1:02d}/{iso(row).year}", *row[2:]])
    questions = [finding.text for finding in drafted(files, connection).questions]
    assert any('if that is wrong, write format: "%m/%d/%Y"' in question for question in questions)


def test_times_without_a_zone_are_asked_about(english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    local = moved(english, tmp_path, lambda _, row: [row[0], row[1][:-1], *row[2:]])
    assert "which time zone are the times of day in?" in texts(drafted(local, connection))
    assert "which time zone" not in texts(drafted(english, connection))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n, row: ["" if n % 20 == 0 else row[0], *row[1:]], "events without a customer's id, not used"),
        (lambda n, row: [row[0], "2031-01-01T00:00:00Z" if n % 20 == 0 else row[1], *row[2:]], "events later than 2026-11-30"),
        (lambda n, row: [row[0], row[1][:-1] if n % 20 == 0 else row[1], *row[2:]], "with a time but no time zone, while others have one"),
    ],
    ids=["no customer", "future", "zones"],
)
def test_rows_that_cannot_be_used_are_counted(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path, change: object, said: str
) -> None:
    draft = drafted(moved(english, tmp_path, change), connection)
    assert said in texts(draft)
    assert draft.last_day == UNTIL.isoformat()


def test_one_customer_and_few_days_are_too_little(english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    draft = drafted(moved(english, tmp_path, lambda _, row: ["c1", *row[1:]], most=500), connection)
    assert "only 0 of 1 customers have left by this rule" in texts(draft)
    assert "no anchor has a label: the files cover" in texts(draft)
    assert "without support in the data" in texts(draft)
    assert schema_from_text(yaml_of_sources(draft)) == draft.schema


def test_a_single_event_is_drafted(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    draft = drafted({"events": write_table(tmp_path / "e.csv", ["user_id", "day"], [["a", "2026-01-02"]])}, connection)
    assert draft.rows == {"events": 1}


def test_an_end_that_means_no_end_counts_as_not_ended(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "subscriptions.csv"
    path.write_text(english["subscriptions"].read_text())
    changed(path, lambda _, row: [*row[:2], row[2] or "9999-12-31", *row[3:]])
    leavers = [drafted({"subscriptions": each}, connection).leavers for each in (english["subscriptions"], path)]
    assert leavers[0] == leavers[1] > 0


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        (["customer", "what"], lambda n, d: [f"c{n % 40}", "ab"[n % 2]], "no column holds days; name it with --role events.at=COLUMN"),
        (
            ["customer", "when"],
            lambda n, d: [f"c{n % 40}", d.isoformat() if n % 3 else d.strftime("%d.%m.%Y")],
            "column when: mixes date formats: 66.5% are like 2025-01-02, 33.5% are like 01.01.2025; write all dates in one format",
        ),
        (
            ["customer", "when"],
            lambda n, d: [f"c{n % 40}", d.isoformat() if n % 5 else "yesterday"],
            'column when: 80.0% are like 2025-01-02, and others are no days, like "yesterday"; correct or empty these (40 rows)',
        ),
        (
            ["customer", "ts"],
            lambda n, d: [f"c{n % 40}", str(1_750_000_000 + 90_000 * n)],
            "column ts: counts seconds since 1970; write 1750000000 like 2025-06-15T15:06:40Z",
        ),
        (
            ["customer", "ts"],
            lambda n, d: [f"c{n % 40}", str(1000 * (1_750_000_000 + 90_000 * n))],
            "counts milliseconds since 1970; write 1750000000000 like 2025-06-15T15:06:40Z",
        ),
        (["when", "what"], lambda n, d: [d.isoformat(), "ab"[n % 2]], "no column names the customer; name it with --role events.id=COLUMN"),
    ],
    ids=["no days", "mixed", "odd", "seconds", "milliseconds", "no customer"],
)
def test_events_that_cannot_be_drafted_are_refused_with_the_reason(
    header: list[str], row: object, said: str, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [row(number, date(2025, 1, 1) + timedelta(days=number)) for number in range(200)]  # type: ignore[operator]
    assert said in refusal({"events": write_table(tmp_path / "e.csv", header, rows)}, connection)


def test_sources_in_which_nobody_can_be_seen_to_leave_are_refused(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert "a profile has no days on which something happened" in refusal({"profile": english["profile"]}, connection)
    rows = [line.split(",")[:2] for line in english["subscriptions"].read_text().splitlines()[1:]]
    path = write_table(tmp_path / "s.csv", ["customer_id", "started_on"], rows)
    assert "no column says when a subscription ended, and there are no events" in refusal({"subscriptions": path}, connection)


def test_a_start_and_an_end_in_two_formats_are_refused(
    english: dict[str, Path], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "s.csv"
    path.write_text(english["subscriptions"].read_text())
    changed(path, lambda _, row: [row[0], row[1], ".".join(reversed(row[2].split("-"))), *row[3:]])
    assert "writes its days in two formats: started_on like" in refusal({"subscriptions": path}, connection)


def test_a_role_that_a_person_names_is_taken(english: dict[str, Path], connection: duckdb.DuckDBPyConnection) -> None:
    draft = drafted({"events": english["events"]}, connection, {"events.kind": "device", "events.amount": "amount"})
    assert draft.schema.sources is not None
    assert draft.schema.sources.events is not None
    assert draft.schema.sources.events.kind == "device"
    assert "there is no column occured_at; did you mean occurred_at?" in refusal(
        {"events": english["events"]}, connection, {"events.at": "occured_at"}
    )
    assert "column holds days" in refusal({"events": english["events"]}, connection, {"events.at": "device"})
