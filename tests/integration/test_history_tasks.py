"""The tasks of the history: rows that runs left are kept, judged and forgotten."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from retainstream.engine.learning.dataset import DataSet, key_of
from retainstream.engine.learning.from_history import NothingLabelled
from retainstream.engine.lives import day_number
from retainstream.runs.history import desk as desks
from retainstream.runs.history import keep as keeping
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.history_rows import row
from tests.integration.conftest import Answer, lambda_context, load_function
from tests.small_models import put_in_service

FEATURES: Any = {
    "plan": "basic",
    "monthly_price": 9.5,
    "tenure_months": 7,
    "logins_30d": 4,
    "support_tickets_90d": 0,
    "failed_payments_90d": 0,
    "days_since_login": 7,
    "watch_hours_30d": 12.5,
}


def task(name: str, **given: Any) -> Any:
    event = json.loads(json.dumps({"task": name, "input": {}, **given}))
    return json.loads(json.dumps(load_function("history").handler(event, lambda_context("history"))))


def scored(customer_id: str, anchor: str, **given: Any) -> Any:
    return row(customer_id, anchor, features=FEATURES, contributions={}, **{"probability": 0.25, **given})


def arrive(run_id: str, parts: dict[str, list[Any]]) -> None:
    Runs().start(run_id, "scoring", "test")
    for part, rows in parts.items():
        Stores().arrivals.put(run_id, part, rows)


def keep(run_id: str, **given: Any) -> None:
    while not task("keep", run_id=run_id, **given)["done"]:
        pass


def objects(prefix: str = "history/") -> list[str]:
    return [stored.key for stored in Documents().objects(prefix)]


def customers_in(key: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "file.parquet"
    path.write_bytes(Documents().get_bytes(key))
    return [customer_id for (customer_id,) in duckdb.execute(f"SELECT customer_id FROM '{path}' ORDER BY 1").fetchall()]


@pytest.mark.usefixtures("aws")
def test_rows_of_a_run_become_a_file_for_each_anchor_and_are_removed(tmp_path: Path) -> None:
    arrive("run-1", {"0-0": [scored("a", "2026-01-31"), scored("b", "2026-02-28")], "1-0": [scored("c", "2026-01-31")]})
    arrive("run-10", {"0-0": [scored("d", "2026-01-31")]})
    keep("run-1")
    assert objects() == [
        "history/anchor=2026-01-31/run-1-0-0.parquet",
        "history/anchor=2026-02-28/run-1-0-0.parquet",
        "history/arriving/run-10/0-0.ndjson.gz",
    ]
    assert customers_in("history/anchor=2026-01-31/run-1-0-0.parquet", tmp_path) == ["a", "c"]
    assert task("keep", run_id="run-1") == {"done": True}
    run = Runs().get("run-1")
    assert run
    assert [(step["name"], step["status"]) for step in run["steps"]] == [("keep", "SUCCEEDED")]


@pytest.mark.usefixtures("aws")
def test_a_repeated_turn_writes_the_same_files_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process dies after it wrote its files and before it removed what they were made of."""
    parts = {f"{number}-0": [scored(f"c{number}", "2026-01-31")] for number in range(4)}
    monkeypatch.setattr(keeping, "_PACKED_AT_ONCE", 600)
    arrive("run-1", parts)
    for part, rows in parts.items():
        keep("run-1")
        Stores().arrivals.put("run-1", part, rows)
    keep("run-1")
    files = objects()
    assert 1 < len(files) <= 4
    assert sorted({customer for file in files for customer in customers_in(file, tmp_path)}) == ["c0", "c1", "c2", "c3"]


@pytest.mark.usefixtures("aws")
def test_rows_of_a_scoring_run_have_the_columns_of_its_model(tmp_path: Path) -> None:
    version = put_in_service()
    arrive("run-1", {"0-0": [scored("a", "2026-01-31")]})
    keep("run-1", model_version=version)
    path = tmp_path / "file.parquet"
    path.write_bytes(Documents().get_bytes("history/anchor=2026-01-31/run-1-0-0.parquet"))
    columns = {name for name, *_ in duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
    assert {"f_tenure_months", "c_tenure_months", "f_plan"} <= columns


@pytest.mark.usefixtures("aws")
def test_a_customer_who_was_removed_meanwhile_is_not_kept(tmp_path: Path) -> None:
    before = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    after = (datetime.now(UTC) + timedelta(seconds=5)).isoformat(timespec="milliseconds")
    Removals().begin("gone")
    Removals().begin("back")
    rows = [
        scored("gone", "2026-01-31", moment=before),
        scored("back", "2026-01-31", moment=after),
        scored("here", "2026-01-31", moment=before),
    ]
    arrive("run-1", {"0-0": rows})
    keep("run-1")
    assert customers_in("history/anchor=2026-01-31/run-1-0-0.parquet", tmp_path) == ["back", "here"]


@pytest.mark.usefixtures("aws")
def test_removed_customers_go_from_all_files_and_all_their_versions(tmp_path: Path) -> None:
    for month in ("01-31", "02-28"):
        arrive(f"run-{month}", {"0-0": [scored("gone", f"2026-{month}"), scored("here", f"2026-{month}")]})
        keep(f"run-{month}")
    arrive("run-here", {"0-0": [scored("here", "2026-03-31")]})
    keep("run-here")
    Removals().begin("gone")
    before = Documents().tags("history/anchor=")
    assert task("forget", progress=None)["done"]
    untouched = {key for key, tag in Documents().tags("history/anchor=").items() if tag == before[key]}
    assert untouched == {"history/anchor=2026-03-31/run-here-0-0.parquet"}
    versions = boto3.client("s3").list_object_versions(Bucket="test-bucket", Prefix="history/anchor=")["Versions"]
    assert len(versions) == 3
    assert all(version["IsLatest"] for version in versions)
    assert [customers_in(key, tmp_path) for key in objects("history/anchor=")] == [["here"]] * 3


@pytest.mark.usefixtures("aws")
def test_forgetting_goes_on_where_the_time_was_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    anchors = [f"2026-0{month}-15" for month in range(1, 4)]
    for anchor in anchors:
        arrive(f"run-{anchor}", {"0-0": [scored("gone", anchor), scored("here", anchor)]})
        keep(f"run-{anchor}")
    Removals().begin("gone")
    monkeypatch.setattr("retainstream.runs.history.forget.RESERVE_SECONDS", 1_000_000.0)
    turns, progress = 0, None
    while not (answer := task("forget", progress=progress))["done"]:
        turns, progress = turns + 1, answer["progress"]
        assert sum("gone" in customers_in(key, tmp_path) for key in objects("history/anchor=")) == len(anchors) - turns
    assert turns == 3
    assert [customers_in(key, tmp_path) for key in objects("history/anchor=")] == [["here"]] * 3


@pytest.mark.usefixtures("aws")
def test_old_anchors_expire_counted_from_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    for anchor in ("2024-01-30", "2024-01-31", "2024-02-01", "2026-01-31"):
        arrive(f"run-{anchor}", {"0-0": [scored("a", anchor)]})
        keep(f"run-{anchor}")
    assert task("forget")["done"]
    assert [re.findall(r"\d{4}-\d\d-\d\d", key)[0] for key in objects("history/anchor=")] == ["2024-02-01", "2026-01-31"]


@pytest.mark.usefixtures("aws")
def test_what_a_failed_run_left_goes_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    arrive("failed", {"0-0": [scored("a", "2026-01-31")]})
    task("forget")
    assert objects("history/arriving/") == ["history/arriving/failed/0-0.ndjson.gz"]
    monkeypatch.setattr("retainstream.runs.history.forget.ABANDONED", timedelta(0))
    task("forget")
    assert objects("history/arriving/") == []


def test_earlier_predictions_are_judged_by_what_is_known_now(call: Callable[..., Answer]) -> None:
    version = put_in_service()
    left_on = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()
    anchor = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    today = datetime.now(UTC).date().isoformat()
    for number in range(40):
        customer: Any = {"customer_id": f"c{number}", "group": "basic", "features": FEATURES, "source": "api"}
        customer |= {"life": {"left_on": left_on} if number < 12 else {"observed_until": today}}
        Customers().put(customer)
    rows = [scored(f"c{number}", anchor, probability=0.9 - number / 50, model_version=version) for number in range(40)]
    arrive("run-1", {"0-0": rows})
    keep("run-1")
    assert task("judge", run_id="run-1") == {"periods": 1, "realised_auc": 1, "outside_promise": None}  # its card has no interval
    document = json.loads(Documents().get_bytes("history/performance.json"))
    month, total = document["by_period"]
    assert (document["run_id"], document["horizon_days"]) == ("run-1", 30)
    assert [(each["period"], each["model_version"], each["run_id"]) for each in (month, total)] == [
        (anchor[:7], version, "run-1"),
        ("", version, ""),
    ]
    assert (month["left"], month["stayed"], month["unknown"]) == (12, 28, 0)
    assert month["realised"]["roc_auc"] == 1
    assert month["promised"]["roc_auc"] == total["promised"]["roc_auc"] is not None
    shown = call("predictions", "GET", "/api/predictions/performance").body["data"]
    [period] = shown["by_period"]
    assert {name: period[name] for name in month} == month
    assert (shown["next_judged_on"], shown["first_judged_on"]) == (None, None)
    record = Models().version(version)
    assert record
    threshold = record["threshold"]
    called = sum(row["probability"] >= threshold for row in rows)
    assert period["realised"]["at_threshold"] == {
        "threshold": threshold,
        "called": called,
        "left": min(12, called),
        "precision": pytest.approx(min(12, called) / called, abs=1e-6),
        "recall": pytest.approx(min(12, called) / 12, abs=1e-6),
    }
    realised = shown["realised"]
    assert (realised["customers"], realised["churners"], realised["churn_rate"]) == (40, 12, 0.3)
    assert realised["confusion"]["true_positives"] == min(12, called)


@pytest.mark.usefixtures("aws")
def test_an_empty_history_has_no_figures() -> None:
    assert task("judge", run_id="run-1") == {"periods": 0, "realised_auc": None, "outside_promise": None}
    assert json.loads(Documents().get_bytes("history/performance.json"))["by_period"] == []


@pytest.mark.usefixtures("aws")
def test_copies_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for month in range(1, 5):
        arrive(f"run-{month}", {"0-0": [scored("a", f"2026-0{month}-15")]})
        keep(f"run-{month}")
    stores = Stores()
    files = stores.history.files()
    monkeypatch.setattr(desks, "MOST_ON_DISK", 2 * files[0].size + 100)
    with desks.desk(stores.history) as place:
        first = place.copies(files[:2])
        assert all(path.exists() for path in first)
        later = place.copies(files[2:])
        assert [path.exists() for path in [*first, *later]] == [False, False, True, True]


def stored(customer_id: str, **life: str) -> None:
    customer: Any = {"customer_id": customer_id, "group": "basic", "features": FEATURES, "source": "api", "life": life}
    Customers().put(customer)


def extract() -> Any:
    run, _ = Runs().start("training-1", "training", "ann")
    return task("extract", run_id="training-1", started_at=run["started_at"], started_by="ann")


@pytest.mark.usefixtures("aws")
def test_training_rows_pair_features_with_what_came_after_them() -> None:
    arrive("run-1", {"0-0": [scored(customer, "2026-01-31") for customer in ("left", "stays", "gone", "nobody")]})
    keep("run-1")
    stored("left", left_on="2026-02-20", observed_until="2026-02-01")
    stored("stays", observed_until="2026-03-31")
    stored("gone", left_on="2026-01-15")
    assert extract() == {"on_athena": False, "in_parts": False, "data": "datasets/training-1/data.npz"}
    data = DataSet.from_bytes(Documents().get_bytes("datasets/training-1/data.npz"))
    rows = dict(zip(data.keys.tolist(), data.churned.tolist(), strict=True))
    assert rows == {key_of("left"): True, key_of("stays"): False}
    assert set(data.anchors.tolist()) == {day_number("2026-01-31")}
    provenance = json.loads(Documents().get_bytes("datasets/training-1/provenance.json"))
    assert (provenance["customers"], provenance["labelled"], provenance["churned"]) == (3, 2, 1)
    assert provenance["anchors"] == [{"anchor": "2026-01-31", "left": 1, "stayed": 1, "unknown": 0, "absent": 1, "used": True}]


@pytest.mark.usefixtures("aws")
def test_a_history_without_outcomes_says_what_brings_them() -> None:
    with pytest.raises(NothingLabelled, match=r"The history has no features of customers yet\. Import a table"):
        extract()
    arrive("run-1", {"0-0": [scored("stays", "2026-01-31"), scored("stays", "2026-02-28")]})
    keep("run-1")
    stored("stays", observed_until="2026-02-15")
    with pytest.raises(NothingLabelled, match=r"the oldest are of 2026-01-31, and a horizon of 30 days ends on 2026-03-02\. Import who"):
        extract()
