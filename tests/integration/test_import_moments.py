"""What an import makes of the days of a file: lives, snapshots for the history, and counts that say so."""

import gzip
import json
from itertools import permutations
from typing import Any

import pytest

from retainstream.engine.history.training_rows import TrainingTable, training_rows
from retainstream.engine.lives import churned_of
from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.registry.active_schema import set_active_schema
from retainstream.runs.history.desk import desk
from retainstream.runs.history.keep import keep_arrivals
from retainstream.runs.imports import load, survey
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.stores import Stores
from tests.importing import COLUMNS, as_file, imported, line, rejects

pytestmark = pytest.mark.usefixtures("aws")


def stored() -> dict[str, Any]:
    return {item["customer_id"]: item for page in Customers().segment_pages() for item in page}


def snapshots(import_id: str) -> list[tuple[str, str, float]]:
    """Customer, day and watch time of the rows that an import left for the history."""
    stores, rows = Stores(), []
    for key in stores.uploads.keys(f"history/arriving/{import_id}/", 100, ""):
        rows += [json.loads(text) for text in gzip.decompress(Documents().get_bytes(key)).splitlines()]
    assert all(row["origin"] == "import" and row["price"] == row["features"]["monthly_price"] for row in rows)
    return sorted((row["customer_id"], row["anchor"], row["features"]["watch_time_hours"]) for row in rows)


def test_a_file_with_two_moments_brings_training_rows() -> None:
    content = as_file([line("a", churned="yes"), line("b", churned="no"), line("c", churned="")], outcomes=True)
    view = imported(content, features_as_of="2026-01-31", outcomes_as_of="2026-03-02")
    assert (view.features_as_of[:10], view.outcomes_as_of[:10], view.as_of[:10]) == ("2026-01-31", "2026-03-02", "2026-03-02")
    counts = view.counts
    assert (counts.left, counts.stayed, counts.not_known, counts.snapshots, counts.after_leaving) == (1, 1, 1, 3, 0)
    assert view.notes == []
    assert snapshots(view.import_id) == [(name, "2026-01-31", 5.5) for name in "abc"]
    lives = {name: item["life"] for name, item in stored().items()}
    assert lives["a"] == {
        "first_seen_on": "2026-01-31",
        "observed_until": "2026-01-31",
        "left_on": "2026-03-02",
        "left_after": "2026-01-31",
    }
    assert lives["b"]["observed_until"] == "2026-03-02"
    assert churned_of(lives["c"]) is None


def test_features_of_the_day_of_the_outcome_are_not_kept_for_leavers() -> None:
    content = as_file([line("a", churned="yes"), line("b", churned="no")], outcomes=True)
    view = imported(content, as_of="2026-03-02")
    assert (view.counts.left, view.counts.snapshots, view.counts.after_leaving) == (1, 1, 1)
    assert view.notes == ["1 customer had left before the day of their features; those features are not used for training"]
    assert snapshots(view.import_id) == [("b", "2026-03-02", 5.5)]


def test_outcomes_from_before_the_features_are_recorded_and_said() -> None:
    imported(as_file([line("a", watch=1), line("b", watch=1)]), as_of="2026-01-31")
    content = as_file([line("a", watch=9, churned="yes"), line("b", watch=9, churned="no")], outcomes=True)
    view = imported(content, features_as_of="2026-03-31", outcomes_as_of="2026-03-02")
    assert "the outcomes of 2026-03-02 are from before the features of 2026-03-31" in view.notes[0]
    assert (view.counts.left, view.counts.after_leaving) == (1, 1)
    assert snapshots(view.import_id) == [("b", "2026-03-31", 9)]
    assert (stored()["a"]["life"]["left_after"], stored()["a"]["life"]["left_on"]) == ("2026-01-31", "2026-03-02")


def test_older_features_go_to_the_history_alone() -> None:
    imported(as_file([line("a", watch=3)]), as_of="2026-03-31")
    view = imported(as_file([line("a", watch=1)]), as_of="2026-01-31")
    assert (view.counts.older, view.counts.older_features, view.counts.snapshots) == (1, 1, 1)
    customer = stored()["a"]
    assert customer["features"]["watch_time_hours"] == 3
    assert (customer["life"]["first_seen_on"], customer["life"]["observed_until"]) == ("2026-01-31", "2026-03-31")
    assert snapshots(view.import_id) == [("a", "2026-01-31", 1)]


def test_equal_features_of_a_later_day_are_as_new_as_that_day() -> None:
    imported(as_file([line("a", watch=3)]), as_of="2026-01-31")
    imported(as_file([line("a", watch=3)]), as_of="2026-03-31")
    assert stored()["a"]["features_at"].startswith("2026-03-31")
    view = imported(as_file([line("a", watch=1)]), as_of="2026-02-28")
    assert view.counts.older_features == 1
    assert stored()["a"]["features"]["watch_time_hours"] == 3


def test_monthly_files_in_any_order_give_the_same_customers() -> None:
    files = [
        ("2026-01-31", [line("a", watch=1, churned="no"), line("b", watch=1, churned="no")]),
        ("2026-02-28", [line("a", watch=2, churned="no"), line("b", watch=2, churned="yes")]),
        ("2026-03-31", [line("a", watch=3, churned=""), line("b", watch=2, churned="yes"), line("c", watch=3, churned="no")]),
    ]
    outcomes = []
    for order in permutations(files):
        for day, lines in order:
            imported(as_file(lines, outcomes=True), as_of=day)
        outcomes.append({name: (item["features"], item["life"], item.get("earlier_lives")) for name, item in stored().items()})
        for name in "abc":
            Customers().delete(name)
    features, life, _ = outcomes[0]["b"]
    assert life == {
        "first_seen_on": "2026-01-31",
        "observed_until": "2026-01-31",
        "stayed_on": "2026-01-31",
        "left_on": "2026-02-28",
        "left_after": "2026-01-31",
        "gone_until": "2026-03-31",
    }
    assert features["watch_time_hours"] == 2
    assert all(outcome == outcomes[0] for outcome in outcomes)


def training_table() -> TrainingTable:
    """The training rows of everything that was imported."""
    stores = Stores()
    for part in Documents().objects("history/arriving/"):
        keep_arrivals(stores, {"run_id": part.key.split("/")[2]}, lambda: 600.0)
    with desk(stores.history) as place:
        place.read_lives(stores.customers)
        return training_rows(place.connection, place.copies(stores.history.files()), default_schema(), 30)


def labels(table: TrainingTable) -> dict[tuple[str, str], bool]:
    anchors = table.anchors.astype("datetime64[D]").astype(str).tolist()
    return dict(zip(zip(table.customer_ids, anchors, strict=True), table.churned.tolist(), strict=True))


def test_an_outcome_is_paired_with_features_from_before_it() -> None:
    lines = [line(f"c{number}", churned="yes" if number < 3 else "no") for number in range(8)]
    imported(as_file([*lines, line("c8", churned="")], outcomes=True), features_as_of="2026-01-31", outcomes_as_of="2026-03-02")
    assert labels(training_table()) == {(f"c{number}", "2026-01-31"): number < 3 for number in range(8)}


def test_features_from_after_the_outcome_are_never_paired() -> None:
    """Monthly files that bring features and outcomes of the same day, where a leaver's features show the leaving."""
    months = ("2026-01-31", "2026-03-02", "2026-04-01")
    for place, day in enumerate(months):
        gone = [number for number in range(10) if number < 2 * place]
        lines = [line(f"c{number}", watch=0 if number in gone else 9, churned="yes" if number in gone else "no") for number in range(10)]
        view = imported(as_file(lines, outcomes=True), as_of=day)
        assert view.counts.after_leaving == len(gone)
    table = training_table()
    assert {row[1] for row in labels(table)} == set(months[:2])
    assert sum(table.churned) == 4
    watched = table.rows[:, [column.name for column in default_schema().features].index("watch_time_hours")]
    assert set(watched.tolist()) == {9.0}


@pytest.fixture
def dated(aws: None) -> None:
    """The active schema reads the day of each row."""
    document = {**default_schema().model_dump(mode="json"), "moments": {"features_as_of": "day", "outcomes_as_of": "day"}}
    set_active_schema(Documents(), FeatureSchema.model_validate(document))


@pytest.mark.usefixtures("dated")
def test_a_table_may_have_a_row_of_a_customer_for_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "SMALLEST_PART", 300)
    monkeypatch.setattr(load, "SPAN_ROWS", 3)
    days = ("2026-01-31", "2026-02-28", "2026-03-31")
    lines = [f"{line(name, watch=place)},{day}" for place, day in enumerate(days) for name in ("a", "b", "c")]
    lines += [f"{line('a')},2026-02-28", f"{line('d')},", f"{line('e')},2026-02-30", f"{line('f')},2026-01-31T23:30:00-05:00"]
    content = "\n".join([f"{COLUMNS},day", *lines, ""]).encode()
    view = imported(content)
    assert rejects(view.import_id) == [
        f"{line('a')},2026-02-28,customer_id: is the id of an earlier row of the same day",
        f"{line('d')},,day: is missing",
        f"{line('e')},2026-02-30,day: is not a day like 2026-01-31",
    ]
    counts = view.counts
    assert counts.created + counts.changed + counts.unchanged + counts.older == counts.accepted == counts.snapshots == 10
    assert counts.created == 4
    expected = [(name, day, place) for name in ("a", "b", "c") for place, day in enumerate(days)]
    assert snapshots(view.import_id) == [*expected, ("f", "2026-02-01", 5.5)]
    customers = stored()
    assert {customers[name]["features"]["watch_time_hours"] for name in "abc"} == {2}
    assert customers["a"]["life"] == {"first_seen_on": "2026-01-31", "observed_until": "2026-03-31"}


def test_as_of_is_the_moment_of_both() -> None:
    from pydantic import ValidationError

    from retainstream.runs.imports.request import ImportRequest

    request = {"file_name": "customers.csv", "size": 10}
    with pytest.raises(ValidationError, match="as_of is the moment of both"):
        ImportRequest.model_validate({**request, "as_of": "2026-01-31", "features_as_of": "2026-01-31"})
    for field in ("features_as_of", "outcomes_as_of"):
        moments = ImportRequest.model_validate({**request, field: "2026-01-31"}).moments
        assert moments.features_as_of == moments.outcomes_as_of == "2026-01-31T00:00:00.000000+00:00"
        with pytest.raises(ValidationError, match="must not be in the future"):
            ImportRequest.model_validate({**request, field: "2126-01-31"})
