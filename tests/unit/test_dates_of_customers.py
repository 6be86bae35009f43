"""Dates as the model reads them: the days before the day that a row describes, the same through every door."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.engine.history.prepared import write_prepared
from retainstream.engine.history.training_rows import training_rows
from retainstream.engine.learning.dataset import collect, key_of
from retainstream.engine.lives import day_number
from retainstream.engine.model.encoding import Rows, encode
from retainstream.engine.model.predictions import predictions, scores
from retainstream.engine.model.reasons import circumstance
from retainstream.engine.schema import FeatureSchema, schema_from_text
from retainstream.engine.tables import open_table, read_customers
from retainstream.engine.tables.columnar import CustomerTable, customers_in, read_text
from retainstream.predictions.what_if import what_if
from tests.contracts import SCHEMA, contracts_model, stored
from tests.history_rows import kept, row, small_database, with_lives

DAY = date(2026, 1, 31)
STAYED = day_number("2030-12-31")

dates = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat)
near = st.integers(-900, 900).map(lambda days: (DAY + timedelta(days=days)).isoformat())
customers = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {}, optional={"fee": st.sampled_from([9.5, 20.0]), "since": near | dates, "ends": near | dates, "called": near}
        ),
        st.integers(0, 600).map(lambda days: (DAY + timedelta(days=days)).isoformat()),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with small_database(tmp_path) as opened:
        yield opened


def file_of(rows: Sequence[tuple[dict[str, Any], str]], *, with_days: bool = True) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", *(["day"] if with_days else []), "fee", "since", "ends", "called", "left"])
    for number, (features, day) in enumerate(rows):
        since = features.get("since")
        spelled = date.fromisoformat(since).strftime("%d.%m.") + since[:4] if since else ""
        others = [features.get("fee", ""), spelled, features.get("ends", ""), features.get("called", "")]
        writer.writerow([f"c{number}", *([day] if with_days else []), *others, "no" if number else "yes"])
    return text.getvalue().encode()


def table_of(content: bytes, schema: FeatureSchema = SCHEMA) -> CustomerTable:
    with open_table(io.BytesIO(content), name="file") as table:
        return customers_in(read_text(table), schema, labels_needed=False)


def prepared_files(connection: DuckDBPyConnection, folder: Path, rows: Sequence[tuple[dict[str, Any], str]]) -> list[Path]:
    """Rows as they are computed from sources, as files of the history."""
    connection.execute("CREATE OR REPLACE TABLE computed (id VARCHAR, day VARCHAR, fee DOUBLE, since VARCHAR, ends VARCHAR)")
    for number, (features, day) in enumerate(rows):
        values = [features.get(name) for name in ("fee", "since", "ends")]
        connection.execute("INSERT INTO computed VALUES (?, ?, ?, ?, ?)", [f"c{number}", day, *values])
    files = []
    for day in {day for _, day in rows}:
        files.append(folder / f"computed-{day}.parquet")
        write_prepared(connection, "computed", SCHEMA, day, moment=f"{day}T00:00:00.000+00:00", run_id="p", path=files[-1])
    return files


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers)
def test_every_door_gives_the_same_number(connection: DuckDBPyConnection, tmp_path: Path, rows: list[tuple[dict[str, Any], str]]) -> None:
    expected = np.array(
        [
            [
                features.get("fee", np.nan),
                *(day_number(day) - day_number(features[name]) if name in features else np.nan for name in ("since", "ends")),
            ]
            for features, day in rows
        ],
        dtype=np.float32,
    )
    days = [day_number(day) for _, day in rows]
    features_of_rows = [features for features, _ in rows]
    base = [stored(number, features, day) for number, (features, day) in enumerate(rows)]

    with open_table(io.BytesIO(file_of(rows)), name="file") as table:
        read = [(found.features, day_number(found.days["anchor"])) for found in read_customers(table, SCHEMA)]
    collected, _ = collect(SCHEMA, [base])
    by_key = dict(zip(collected.keys.tolist(), collected.rows, strict=True))
    arriving = [row(f"c{number}", day, features=features, group="all") for number, (features, day) in enumerate(rows)]
    with_lives(
        connection,
        tmp_path,
        [{"customer_id": f"c{number}", "place": 0, "source": "api", "observed_until": STAYED} for number in range(len(rows))],
    )
    files = [file.path for file in kept(connection, tmp_path, arriving, schema=SCHEMA)]
    history = training_rows(connection, files, SCHEMA, 30, spacing_days=1, newest_months=60)
    of_history = dict(zip(history.customer_ids, history.rows, strict=True))

    prepared = training_rows(connection, prepared_files(connection, tmp_path, rows), SCHEMA, 30, spacing_days=1, newest_months=60)
    of_sources = dict(zip(prepared.customer_ids, prepared.rows, strict=True))

    doors: dict[str, Rows] = {
        "all rows at once": encode(SCHEMA, features_of_rows, days),
        "one row": np.concatenate([encode(SCHEMA, [features], [day]) for features, day in zip(features_of_rows, days, strict=True)]),
        "rows of a file": encode(SCHEMA, [features for features, _ in read], [day for _, day in read]),
        "columns of a file": table_of(file_of(rows)).rows,
        "stored customers": np.stack([by_key[key_of(customer["customer_id"])] for customer in base]),
        "history": np.stack([of_history[customer["customer_id"]] for customer in base]),
        "computed from sources": np.stack([of_sources[customer["customer_id"]] for customer in base]),
    }
    for door, values in doors.items():
        np.testing.assert_array_equal(values, expected, err_msg=door)

    model = contracts_model()
    probabilities = model.explain(expected).probability.round(6).tolist()
    scored_later = predictions(model, base, {}, run_id="r", scored_at="2031-01-01T00:00:00.000+00:00")
    asked = [what_if(model, features, {}, day, stored=True).before for features, day in zip(features_of_rows, days, strict=True)]
    assert [score["probability"] for score in scored_later] == probabilities
    assert [score["probability"] for score in scores(model, features_of_rows, days)] == probabilities
    assert [score["probability"] for score in asked] == probabilities


def test_without_a_day_of_rows_the_newest_date_of_the_features_stands_for_it() -> None:
    rows: list[tuple[dict[str, Any], str]] = [
        ({"since": "2023-05-01", "ends": "2026-06-30", "called": "2027-01-01"}, ""),
        ({"since": "2025-12-31"}, ""),
    ]
    schema = SCHEMA.model_copy(update={"moments": None})
    table = table_of(file_of(rows, with_days=False), schema)
    assert table.anchors is None
    newest = day_number("2026-06-30")
    np.testing.assert_array_equal(table.rows, encode(schema, [features for features, _ in rows], [newest, newest]))
    assert table.rows[0, 1:].tolist() == [1156, 0]


def test_dates_need_the_day_that_they_are_counted_from() -> None:
    with pytest.raises(ValueError, match="day"):
        encode(SCHEMA, [{"since": "2023-05-01"}])
    with pytest.raises(ValueError, match="isoformat"):
        encode(SCHEMA, [{"since": "yesterday"}], [0])
    with pytest.raises(TypeError):
        encode(SCHEMA, [{"since": 20230501}], [0])


def test_a_history_written_under_another_kind_has_no_dates(connection: DuckDBPyConnection, tmp_path: Path) -> None:
    document = SCHEMA.model_dump(by_alias=True, mode="json")
    document["columns"][1] = {"name": "since", "kind": "category", "label": "Since", "levels": ["old"], "missing": True}
    texts = FeatureSchema.model_validate(document)
    arriving = [
        row("a", "2026-01-31", features={"since": "old"}, group="all"),
        row("b", "2026-01-31", features={"since": "2026-01-30"}, group="all"),
    ]
    files = [file.path for file in kept(connection, tmp_path, arriving, schema=texts)]
    with_lives(connection, tmp_path, [{"customer_id": name, "place": 0, "source": "api", "observed_until": STAYED} for name in "ab"])
    np.testing.assert_array_equal(training_rows(connection, files, SCHEMA, 30).rows[:, 1], [np.nan, 1])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2023-05-01", "Contract since 2023-05-01, 1,006 days before"),
        ("2026-01-30", "Contract since 2026-01-30, 1 day before"),
        ("2026-01-31", "Contract since 2026-01-31, the same day"),
        ("2026-02-10", "Contract since 2026-02-10, 10 days after"),
        (None, "Contract since unknown"),
    ],
)
def test_a_date_is_spoken_with_its_days(value: str | None, text: str) -> None:
    column = SCHEMA.column("since")
    assert circumstance(SCHEMA, column, value, day_number(DAY.isoformat())) == text
    spoken = column.model_copy(update={"phrase": "customer for {days} day{s}, since {value}"})
    if value == "2026-01-30":
        assert circumstance(SCHEMA, spoken, value, day_number(DAY.isoformat())) == "customer for 1 day, since 2026-01-30"


def test_reasons_speak_of_the_day_that_the_features_describe() -> None:
    customer = stored(0, {"since": "2023-05-01"}, "2026-01-31")
    (prediction,) = predictions(contracts_model(), [customer], {}, run_id="r", scored_at="2031-01-01T00:00:00.000+00:00")
    texts = {reason["feature"]: reason["text"] for reason in prediction["reasons"]}
    assert texts["since"].startswith("Contract since 2023-05-01, 1,006 days before: ")


@pytest.mark.parametrize("part", ["left_on", "outcomes_as_of", "features_as_of", "anchor"])
def test_the_day_of_a_row_or_of_leaving_is_no_feature(part: str) -> None:
    text = SCHEMA.model_copy(update={"moments": None}).model_dump_json()
    document = text.replace('"moments":null', f'"moments":{{"{part}":"ends"}}')
    with pytest.raises(ValueError, match=f"{part} is read from ends, which the model must not use"):
        schema_from_text(document)
    assert schema_from_text(document.replace(f'"{part}":"ends"', '"began_on":"since"')).moments
    assert schema_from_text(document.replace(f'"{part}":"ends"', f'"{part}":"called"')).moments
