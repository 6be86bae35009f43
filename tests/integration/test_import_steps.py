"""What an import does to the customers, step by step: every row accounted for, newer knowledge kept, nothing done twice."""

import gzip
import io
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainstream.customers import records
from retainstream.customers.arrival import Moments
from retainstream.customers.intake import Intake
from retainstream.engine.lives import churned_of, outcome_day
from retainstream.engine.schema import default_schema
from retainstream.engine.tables import open_table
from retainstream.runs.imports import load, survey
from retainstream.runs.imports.request import import_run
from retainstream.runs.imports.work import ImportFailed, upload_key
from retainstream.settings import settings as stack
from retainstream.storage.clients import dynamodb
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.runs import Runs
from retainstream.storage.stores import Stores
from tests.importing import COLUMNS, Steps, as_file, asked_for, imported, line, rejects, unread_rows
from tests.stored import stored_items

FEATURES = {
    "plan": "basic",
    "watch_time_hours": 5.5,
    "subscription_age_months": 3,
    "device_count": 2,
    "last_login_days": 1,
    "payment_failures": 0,
    "tenure_months": 4,
    "monthly_price": 9.99,
}
pytestmark = pytest.mark.usefixtures("aws")


@contextmanager
def hooked(event: str, hook: Any) -> Iterator[None]:
    """Every call of DynamoDB passes by `hook` before it is sent."""
    events = dynamodb().meta.events
    events.register(event, hook)
    try:
        yield
    finally:
        events.unregister(event, hook)


def stored() -> dict[str, Any]:
    return {item["customer_id"]: item for page in Customers().segment_pages() for item in page}


def what_matters(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("updated_at", "imported", "features_at")}


def record(customer_id: str, day: str | None = None) -> None:
    """Records that a customer left on this day, or is known today to have left."""
    outcome = records.Outcome(churned=True, day=day)
    records.record_outcome(customer_id, outcome, customers=Customers(), predictions=Predictions())


def prediction(customer_id: str, *, churned: bool = False) -> Any:
    return {
        "customer_id": customer_id,
        "group": "basic",
        "probability": 0.8,
        "level": "high",
        "churned": churned,
        "value_at_risk": 50.0,
        "model_version": "v1",
        "run_id": "r1",
        "scored_at": "2026-11-01T00:00:00.000+00:00",
        "risk_shard": "basic#1",
        "probability_rank": f"0800000#{customer_id}",
        "value_rank": f"000000005000#{customer_id}",
        "history": [{"scored_at": "2026-10-01T00:00:00.000+00:00", "probability": 0.5, "model_version": "v0"}],
    }


def counts(view: Any) -> tuple[int, ...]:
    told = view.counts
    return told.read, told.accepted, told.rejected, told.created, told.changed, told.unchanged, told.older


def test_rows_become_customers_and_the_others_are_kept_as_they_came_with_the_reason() -> None:
    view = imported(as_file([line("c1"), line("c2", plan="gold"), line("c1"), "c3,basic", line("", watch="x"), line("c4")]))
    assert view.status == "SUCCEEDED"
    assert counts(view) == (6, 3, 3, 3, 0, 0, 0)
    assert stored().keys() == {"c1", "c2", "c4"}
    assert "plan" not in stored()["c2"]["features"]
    life = {"first_seen_on": view.features_as_of[:10], "observed_until": view.features_as_of[:10]}
    expected = {"customer_id": "c1", "group": "basic", "features": FEATURES, "source": "import", "life": life}
    assert what_matters(stored()["c1"]) == expected
    assert rejects(view.import_id) == [
        f"{line('c1')},customer_id: is the id of an earlier row",
        "c3,basic,,,,,,,,has 2 fields where the header has 9",
        f"{line('', watch='x')},customer_id: is missing",
    ]
    assert [(kind.rows, kind.line, kind.column, kind.reason) for kind in view.rejects] == [
        (1, 4, "customer_id", "is the id of an earlier row"),
        (1, 5, "", "has 2 fields where the header has 9"),
        (1, 6, "customer_id", "is missing"),
    ]
    assert [kind.model_dump() for kind in view.unread] == [{"column": "plan", "value": "gold", "reason": "is new", "rows": 1}]
    assert unread_rows(view.import_id) == [f'{line("c2", plan="gold")},"plan: ""gold"" is new"']
    assert view.rejects_url
    assert view.unread_url
    assert view.rows == 6


def test_the_same_file_again_writes_nothing() -> None:
    content = as_file([line(f"c{number}", churned="yes" if number % 3 else "") for number in range(50)], outcomes=True)
    imported(content)
    before, calls = stored(), list[str]()

    def look(params: Any, **_: Any) -> None:
        if stack().customers_table in str(params["body"]):
            calls.append(str(params["body"]))

    with hooked("before-call.dynamodb.PutItem", look), hooked("before-call.dynamodb.UpdateItem", look):
        view = imported(content)
    assert not calls
    assert counts(view) == (50, 50, 0, 0, 0, 50, 0)
    assert stored() == before


def test_an_older_import_never_overwrites_a_newer_row() -> None:
    imported(as_file([line("c1", watch=1), line("c2", watch=1)]), as_of="2026-03-01")
    imported(as_file([line("c1", watch=2)]), as_of="2026-05-01")
    view = imported(as_file([line("c1", watch=3), line("c2", watch=3), line("c3", watch=3)]), as_of="2026-04-01")
    assert counts(view) == (3, 3, 0, 1, 1, 0, 1)
    assert {name: item["features"]["watch_time_hours"] for name, item in stored().items()} == {"c1": 2, "c2": 3, "c3": 3}


def test_a_change_by_the_interface_is_newer_than_a_file_of_last_week() -> None:
    records.put("c1", FEATURES, default_schema(), Customers(), Predictions())
    assert imported(as_file([line("c1", watch=3)]), as_of="2026-04-01").counts.older == 1
    assert imported(as_file([line("c1", watch=3)])).counts.changed == 1


def test_an_import_without_outcomes_keeps_outcome_evidence_and_history() -> None:
    records.put("c1", FEATURES, default_schema(), Customers(), Predictions())
    Predictions().put_many([prediction("c1")])
    record("c1", "2026-10-05")
    before = stored()["c1"]
    imported(as_file([line("c1", watch=9)]))
    after = stored()["c1"]
    assert after["features"]["watch_time_hours"] == 9
    for kept in ("life", "outcome_source"):
        assert after[kept] == before[kept]
    assert Predictions().get_many(["c1"])["c1"]["history"] == prediction("c1")["history"]


def test_a_file_of_outcomes_alone_keeps_the_features_and_makes_no_customer() -> None:
    imported(as_file([line("c1"), line("c2"), line("c3")]), as_of="2026-03-01")
    before = stored()
    view = imported(b"customer_id,churned\nc1,yes\nc2,no\nc3,\nc9,maybe\n", as_of="2026-05-01")
    assert counts(view) == (4, 3, 1, 0, 2, 1, 0)
    assert (view.counts.left, view.counts.stayed, view.counts.not_known, view.counts.snapshots) == (1, 1, 1, 0)
    assert (view.outcomes, view.unread) == ("1 left, 1 stayed, 1 not known", [])
    after = stored()
    assert after.keys() == before.keys()
    assert [churned_of(after[name]["life"]) for name in ("c1", "c2", "c3")] == [True, False, None]
    assert [(item["features"], item["features_at"]) for item in after.values()] == [
        (item["features"], item["features_at"]) for item in before.values()
    ]
    assert rejects(view.import_id) == ['c9,maybe,"customer_id: is not a known customer, and the file has no features"']


def test_columns_that_a_file_lacks_stay_as_they_are() -> None:
    imported(as_file([line("c1", plan="premium"), line("c2")]), as_of="2026-03-01")
    view = imported(b"customer_id,watch_time_hours\nc1,9\nc2,\nc3,7\n", as_of="2026-05-01")
    assert counts(view) == (3, 3, 0, 1, 2, 0, 0)
    assert view.counts.snapshots == 3
    after = stored()
    assert (after["c1"]["features"], after["c1"]["group"]) == ({**FEATURES, "plan": "premium", "watch_time_hours": 9}, "premium")
    assert after["c2"]["features"] == {name: value for name, value in FEATURES.items() if name != "watch_time_hours"}
    assert (after["c3"]["features"], after["c3"]["group"]) == ({"watch_time_hours": 7}, "all")
    assert {item["features_at"][:10] for item in after.values()} == {"2026-05-01"}
    assert view.notes == [
        "columns that the file does not have stay as they are: plan, subscription_age_months, last_login_days, payment_failures, "
        "tenure_months, monthly_price"
    ]


def test_a_partial_file_of_an_earlier_day_changes_nothing_and_describes_no_day() -> None:
    imported(as_file([line("c1")]), as_of="2026-05-01")
    before = stored()
    view = imported(b"customer_id,watch_time_hours\nc1,9\n", as_of="2026-03-01")
    assert (counts(view), view.counts.snapshots) == ((1, 1, 0, 0, 0, 0, 1), 0)
    assert what_matters(stored()["c1"])["features"] == before["c1"]["features"]


def test_a_cell_that_cannot_be_read_replaces_the_stored_value_by_a_missing_one() -> None:
    imported(as_file([line("c1", plan="premium", watch=1)]), as_of="2026-03-01")
    view = imported(as_file([line("c1", plan="gold", watch=2, churned="yes")], outcomes=True), as_of="2026-05-01")
    assert counts(view) == (1, 1, 0, 0, 1, 0, 0)
    after = stored()["c1"]
    assert after["features"] == {name: value for name, value in FEATURES.items() if name != "plan"} | {"watch_time_hours": 2}
    assert (after["group"], churned_of(after["life"])) == ("all", True)


def test_an_outcome_in_the_file_is_recorded_as_by_the_interface_and_settles_the_prediction() -> None:
    for customer_id in ("c1", "c2"):
        records.put(customer_id, FEATURES, default_schema(), Customers(), Predictions())
        Predictions().put_many([prediction(customer_id)])
    record("c1")
    by_hand = stored()["c1"]
    view = imported(as_file([line("c1", churned="true"), line("c2", churned="true")], outcomes=True))
    assert counts(view) == (2, 2, 0, 0, 1, 1, 0)
    by_file = stored()["c2"]
    assert (by_file["life"]["left_on"], by_file["outcome_source"]) == (view.outcomes_as_of[:10], "import")
    assert stored()["c1"] == by_hand
    settled = Predictions().get_many(["c1", "c2"])
    assert all(found["churned"] and "risk_shard" not in found for found in settled.values())
    imported(as_file([line("c2", churned="false")], outcomes=True))
    assert Predictions().get("c2")["churned"] is False  # type: ignore[index]


def test_files_of_outcomes_say_how_long_each_customer_stayed() -> None:
    first = [line(f"c{number}", churned="no") for number in range(20)]
    imported(as_file(first, outcomes=True), as_of="2026-01-01")
    month = as_file([line(f"c{number}", churned="yes" if number < 5 else "no") for number in range(20)], outcomes=True)
    assert counts(imported(month, as_of="2026-01-31")) == (20, 20, 0, 0, 5, 15, 0)
    assert counts(imported(month, as_of="2026-02-01")) == (20, 20, 0, 0, 0, 20, 0)
    outcomes = {(outcome_day(item["life"]), item["outcome_source"]) for item in stored().values() if churned_of(item["life"]) is False}
    assert outcomes == {("2026-02-01", "import")}
    before = stored()
    assert counts(imported(month, as_of="2026-02-01")) == (20, 20, 0, 0, 0, 20, 0)
    assert stored() == before
    assert counts(imported(month, as_of="2026-02-08")) == (20, 20, 0, 0, 0, 20, 0)
    assert {item["life"]["observed_until"] for item in stored().values() if churned_of(item["life"]) is False} == {"2026-02-08"}
    assert {item["life"]["left_on"] for item in stored().values() if churned_of(item["life"])} == {"2026-01-31"}


def test_a_leaving_is_taken_back_by_a_stay_of_its_day_and_followed_by_a_new_life_on_a_later_one() -> None:
    def told(churned: str, as_of: str) -> tuple[bool | None, list[str]]:
        imported(as_file([line("c1", churned=churned)], outcomes=True), as_of=as_of)
        customer = stored()["c1"]
        return churned_of(customer["life"]), [life["left_on"] for life in customer.get("earlier_lives", ())]

    assert told("no", "2026-01-01") == (False, [])
    assert told("yes", "2026-02-25") == (True, [])
    assert told("no", "2026-02-25") == (False, [])
    assert told("yes", "2026-02-26") == (True, [])
    assert told("no", "2026-02-28") == (False, ["2026-02-26"])


def test_a_row_drops_the_prediction_that_an_earlier_release_kept_beside_the_outcome() -> None:
    imported(as_file([line("c1", churned="no")], outcomes=True), as_of="2026-01-01")
    old: Any = {**stored()["c1"], "outcome_prediction": {"scored_at": "2026-01-02T00:00:00+00:00", "probability": 0.5}}
    Customers().put_many([old])
    assert "outcome_prediction" not in stored()["c1"]
    assert counts(imported(as_file([line("c1", churned="yes")], outcomes=True), as_of="2026-02-01")) == (1, 1, 0, 0, 1, 0, 0)
    [item] = stored_items(stack().customers_table)
    assert "outcome_prediction" not in item


def test_a_prediction_that_a_removal_left_agrees_with_the_customer_who_is_made_anew() -> None:
    Predictions().put_many([prediction("c1", churned=True)])
    imported(as_file([line("c1")]))
    assert Predictions().get("c1")["churned"] is False  # type: ignore[index]


@pytest.mark.parametrize("what", ["put", "outcome", "delete", "import"])
def test_what_others_write_between_read_and_write_is_not_lost(what: str) -> None:
    imported(as_file([line("c1"), line("c2")]), as_of="2026-03-01")
    done: list[bool] = []

    def meanwhile(params: Any, **_: Any) -> None:
        if done or stack().customers_table not in str(params["body"]) or ":stored" not in str(params["body"]):
            return
        done.append(True)
        match what:
            case "put":
                records.put("c1", {**FEATURES, "device_count": 7}, default_schema(), Customers(), Predictions())
            case "outcome":
                record("c1")
            case "delete":
                records.delete("c1", Customers(), Predictions())
            case "import":
                imported(as_file([line("c1", watch=8)]))

    with hooked("before-call.dynamodb.UpdateItem", meanwhile):
        view = imported(as_file([line("c1", watch=7), line("c2", watch=7)]))
    found = stored()
    assert done
    assert found["c2"]["features"]["watch_time_hours"] == 7
    match what:
        case "put":
            assert found["c1"]["features"]["device_count"] == 7
            assert counts(view) == (2, 2, 0, 0, 1, 0, 1)
        case "outcome":
            assert churned_of(found["c1"]["life"]) is True
            assert found["c1"]["features"]["watch_time_hours"] == 7
        case "delete":
            assert "c1" not in found
            assert counts(view) == (2, 2, 0, 0, 1, 0, 1)
        case "import":
            assert found["c1"]["features"]["watch_time_hours"] == 8


MIXED = as_file(
    [
        line(f"c{number % 17}", plan="gold" if number % 5 == 0 else "basic", churned="yes" if number % 4 == 0 else "")
        for number in range(24)
    ],
    outcomes=True,
)


@pytest.mark.parametrize("seed", range(12))
def test_an_import_that_dies_at_any_call_ends_the_same_when_it_is_run_again(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "SMALLEST_PART", 300)
    monkeypatch.setattr(load, "SPAN_ROWS", 4)
    monkeypatch.setattr("retainstream.storage.arriving_customers._ATTEMPTS", 1)
    chance = random.Random(seed)
    whole = imported(MIXED)
    expected = stored()
    for customer_id in expected:
        Customers().delete(customer_id)
    view = asked_for(MIXED)
    deaths = 0

    class Died(Exception):
        pass

    def die(**_: Any) -> None:
        nonlocal deaths
        if deaths < 25 and chance.random() < 0.06:
            deaths += 1
            raise Died

    def ended() -> bool:
        nonlocal deaths
        deaths, before = 25, deaths
        status = Runs().existing(view.import_id)["status"]
        deaths = before
        return bool(status == "SUCCEEDED")

    steps = Steps(view.import_id)
    hooks = [dynamodb().meta.events, Documents().client.meta.events]
    for events in hooks:
        events.register("before-call", die)
        events.register("after-call", die)
    try:
        while True:
            try:
                steps.run()
                break
            except (Died, ImportFailed):
                if ended():
                    break  # it died after its last write
    finally:
        for events in hooks:
            events.unregister("before-call", die)
            events.unregister("after-call", die)
    assert {name: what_matters(item) for name, item in stored().items()} == {name: what_matters(item) for name, item in expected.items()}
    seen = import_run(Stores(), view.import_id)
    assert deaths
    assert counts(seen) == counts(whole)
    assert rejects(view.import_id) == rejects(whole.import_id)
    assert seen.rejects == whole.rejects


def test_an_import_whose_invocations_are_always_out_of_time_does_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = imported(MIXED)
    monkeypatch.setattr(survey, "SMALLEST_PART", 100)
    monkeypatch.setattr(load, "SPAN_ROWS", 2)
    view = imported(MIXED, seconds=lambda: 0.0)
    assert counts(view)[:3] == counts(whole)[:3]
    assert rejects(view.import_id) == rejects(whole.import_id)


@pytest.mark.parametrize("packed", ["gzip", "gzip in two members", "utf-16", "utf-16 in gzip"])
def test_packed_files_are_read_as_plain_ones(packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = imported(MIXED)
    monkeypatch.setattr(survey, "PART", 5 << 20)
    middle = len(MIXED) // 2
    content = {
        "gzip": gzip.compress(MIXED),
        "gzip in two members": gzip.compress(MIXED[:middle]) + gzip.compress(MIXED[middle:]),
        "utf-16": MIXED.decode().encode("utf-16"),
        "utf-16 in gzip": gzip.compress(MIXED.decode().encode("utf-16")),
    }[packed]
    view = imported(content)
    assert counts(view) == (24, whole.counts.accepted, whole.counts.rejected, 0, 0, whole.counts.accepted, 0)
    assert rejects(view.import_id) == rejects(whole.import_id)


def test_a_large_compressed_file_is_unpacked_over_several_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "PART", 5 << 20)
    content = as_file([line("c1"), '"' + "x" * 12_000_000 + '"', line("c2")])
    left = iter([600.0, 1.0, 600.0, 600.0, 1.0])
    view = asked_for(gzip.compress(content))
    Steps(view.import_id, lambda: next(left, 600.0)).run()
    seen = import_run(Stores(), view.import_id)
    assert stored().keys() == {"c1", "c2"}
    assert seen.counts.read == seen.counts.accepted + seen.counts.rejected
    assert any("longer than" in reject.reason for reject in seen.rejects)


def test_a_file_that_unpacks_to_too_much_or_is_damaged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_UNPACKED", 10**9 // 1000)
    bomb = asked_for(gzip.compress(COLUMNS.encode() + b"\n" * 3_000_000))
    with pytest.raises(ImportFailed, match="unpacks to more than"):
        Steps(bomb.import_id).run()
    cut = asked_for(gzip.compress(MIXED)[:-20])
    with pytest.raises(ImportFailed, match="damaged, or ends too early"):
        Steps(cut.import_id).run()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"customer_id,colour\nc1,red\n", "there is no column"),
        (b"\n\n", "is empty"),
        (b"PK\x03\x04 anything", "damaged, or ends too early"),
        (b"a\x00b\n", "zero bytes"),
    ],
)
def test_a_file_that_is_no_table_of_the_schema_is_refused_before_anything_is_read(content: bytes, said: str) -> None:
    view = asked_for(content)
    with pytest.raises(ImportFailed, match=said) as refused:
        Steps(view.import_id).run()
    assert str(refused.value).startswith("customers.csv: ")


def test_a_file_is_read_by_the_decimal_mark_of_its_cells_or_of_the_request() -> None:
    content = as_file([line("a", watch="1.500"), line("b", watch="7")]).replace(b",", b";").replace(b".", b",")
    for decimal in (None, ","):
        imported(content, decimal=decimal)
        assert {name: item["features"]["watch_time_hours"] for name, item in stored().items()} == {"a": 1.5, "b": 7.0}
        assert {item["features"]["monthly_price"] for item in stored().values()} == {9.99}
    with pytest.raises(ImportFailed, match='column monthly_price: most cells have another decimal mark, as in "9,99"'):
        Steps(asked_for(content, decimal=".").import_id).run()


def test_a_file_of_another_size_than_announced_is_refused() -> None:
    view = asked_for(MIXED)
    boto3.client("s3").put_object(Bucket=stack().bucket, Key=upload_key(view.import_id), Body=MIXED + b"more")
    with pytest.raises(ImportFailed, match="were announced"):
        Steps(view.import_id).run()


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    view = asked_for(MIXED)
    events = dynamodb().meta.events

    def replace(params: Any, **_: Any) -> None:
        if "compare" in str(params["body"]):
            boto3.client("s3").put_object(Bucket=stack().bucket, Key=upload_key(view.import_id), Body=MIXED.upper())

    events.register("before-call.dynamodb.UpdateItem", replace)
    try:
        with pytest.raises(ImportFailed, match=r"Part 1 \(lines 2 to 25\): the file was uploaded again"):
            Steps(view.import_id).run()
    finally:
        events.unregister("before-call.dynamodb.UpdateItem", replace)


def test_throttled_writes_are_tried_again_and_a_storage_that_stays_away_is_told_with_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainstream.storage.retry.time.sleep", lambda _: None)
    refused: Counter[str] = Counter()

    def throttle(params: Any, **_: Any) -> None:
        customer_id = str(params["body"]).partition('"customer_id"')[2][:20]
        if stack().customers_table in str(params["body"]) and refused[customer_id] < 3:
            refused[customer_id] += 1
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    with hooked("before-call.dynamodb.PutItem", throttle):
        assert imported(as_file([line(f"c{number}") for number in range(20)])).counts.created == 20
    assert refused.total() == 60

    def never(params: Any, **_: Any) -> None:
        if stack().customers_table in str(params["body"]):
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    with (
        hooked("before-call.dynamodb.PutItem", never),
        pytest.raises(StorageUnavailable, match=r"Part 1 \(lines 2 to 2\): storage did not"),
    ):
        imported(as_file([line("new")]))


def test_rejected_rows_can_be_corrected_and_sent_again() -> None:
    broken = [f'"c1"x,{line("")[1:]}', "c2,basic", line(""), f"{line('c4')},too,many", line("c5"), f"  {line('c6')}"]
    view = imported(as_file(broken))
    assert (view.status, view.counts.rejected) == ("SUCCEEDED_WITH_REJECTS", 4)
    file = Documents().get_bytes(f"imports/rejects/{view.import_id}.csv")
    assert file.startswith(f"\ufeff{COLUMNS},error\r\n".encode())
    again = imported(file)
    too_many = "has 12 fields where the header has 10; put quotes around values that contain a comma"
    assert [(kind.line, kind.reason) for kind in again.rejects] == [
        (2, view.rejects[0].reason),
        (4, "is missing"),
        (5, too_many),
    ]
    assert again.notes == []
    assert rejects(again.import_id)[1:] == [rejects(view.import_id)[2], f"{line('c4')},too,many,{too_many}"]
    corrected = file.decode("utf-8-sig").replace(f"{line('c4')},too,many", line("c4")).replace(f"\n{line('')}", f"\n{line('c3')}")
    corrected = corrected.replace('"c1"x', "c1")
    assert imported(corrected.encode()).counts.rejected == 0
    assert stored().keys() == {f"c{number}" for number in range(1, 7)}


def test_a_rejected_row_is_no_formula_and_its_text_comes_back() -> None:
    formula = line("c1", plan="=x", watch="-7")
    content = f"\ufeff{COLUMNS},=note\n{line('c1')},\n{formula},@a\n".encode()
    view = imported(content)
    assert view.notes == ["columns that the schema does not have were not read: =note"]
    file = Documents().get_bytes(f"imports/rejects/{view.import_id}.csv").decode("utf-8-sig")
    guarded = formula.replace("=x", "'=x")
    assert file == f"{COLUMNS},'=note,error\r\n{guarded},'@a,customer_id: is the id of an earlier row\r\n"
    again = imported(file.replace("c1", "c2").encode())
    assert [(kind.column, kind.value) for kind in again.unread] == [("plan", "=x"), ("watch_time_hours", "-7")]
    assert unread_rows(again.import_id)[0].startswith(guarded.replace("c1", "c2"))
    assert again.notes == view.notes
    assert stored().keys() == {"c1", "c2"}


TEXTS = st.lists(
    st.one_of(
        st.integers(0, 9).map(lambda number: line(f"c{number}")),
        st.integers(0, 9).map(lambda number: line(f"c{number}", plan="gold")),
        st.sampled_from(
            ["", '"c1', "c1,basic", f'"multi\nline",{line("x")[2:]}', f'"c2"x,{line("x")[2:]}', f'"c3",{line("x")[2:]}', ",,,,,,,,"]
        ),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.integers(1, 200), st.integers(1, 4), st.integers(1, 3))
def test_any_file_in_any_parts_gives_what_the_whole_gives(
    lines: list[str], end: str, last: bool, bom: bool, least: int, span: int, partition: int
) -> None:
    content = (b"\xef\xbb\xbf" if bom else b"") + (end.join([COLUMNS, *lines]) + (end if last else "")).encode()

    def run() -> tuple[Any, ...]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(survey, "SMALLEST_PART", least)
            patch.setattr(load, "SPAN_ROWS", span)
            patch.setattr(survey, "LINES_PER_PARTITION", partition)
            view = imported(content)
        told = rejects(view.import_id) if view.counts.rejected else []
        found = {name: what_matters(item) for name, item in stored().items()}
        for name in found:
            Customers().delete(name)
        return counts(view), told, found

    in_parts = run()
    least, span, partition = 1 << 20, 1000, 1000
    assert in_parts == run()
    try:
        strict = list(Intake(open_table(io.BytesIO(content)), default_schema(), Moments.stated(None, None)).customers())
    except ValueError:
        return
    assert {row.customer_id: row.features for row in strict} == {name: item["features"] for name, item in in_parts[2].items()}
