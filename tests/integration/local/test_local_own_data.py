"""A schema and customers of one's own in the local stack: from a file to reasons and actions in their words."""

import contextlib
import csv
import io
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retainstream.engine.schema import FeatureSchema, read_schema, schema_from_text
from tests.integration.conftest import LocalProcess
from tests.made_customers import Row, made_rows, write_rows
from tests.patience import killed_after, wait_for

ROOT = Path(__file__).parents[3]
TELCO_FILE = ROOT / "examples/schemas/telco.yaml"
TELCO = read_schema(TELCO_FILE)
DRIVERS = {"Contract": -0.5, "tenure": -0.3, "TechSupport": -0.2}

GYM_TEXT = """
name: gym
title: Members of a gym
id: {column: member, numbered: true}
label: {column: left, positive: "yes"}
horizon_days: 30
columns:
  - name: visits
    source: Besuche (30 Tage)
    kind: integer
    min: 0
    missing: true
    missing_values: [-999]
    monotone: decreasing
    label: Visits
  - {name: city, kind: category, levels: [Bonn, Köln, elsewhere], other: elsewhere, missing: true, label: City}
  - {name: auto_pay, kind: boolean, label: Automatic payment}
  - {name: joined, kind: date, format: "%d.%m.%Y", label: Joined, feature: false}
"""
GYM = schema_from_text(GYM_TEXT)

ODD_GROUPS = ["a", "a#1", "a/b", "Größe ü 東京", "50 % & more + a?", "x" * 200]
ODD = FeatureSchema.model_validate(
    {
        "name": "odd",
        "title": "Groups of any name",
        "id": {"column": "customer"},
        "label": {"column": "left", "positive": "gone"},
        "group": "tier",
        "horizon_days": 30,
        "money": {"price": "fee", "currency": "EUR", "offer_cost": 1.0, "save_rate": 0.5},
        "columns": [
            {"name": "tier", "kind": "category", "levels": ODD_GROUPS, "label": "Tier", "missing": True},
            {"name": "town", "kind": "category", "levels": [f"town {number}" for number in range(500)], "label": "Town"},
            {
                "name": "fee",
                "kind": "number",
                "unit": "EUR",
                "min": 0,
                "label": "Fee",
                "action": {"title": "Lower the fee", "cost": 2.0, "save_rate": 0.4},
            },
        ],
    }
)


def started(folder: Path, *arguments: object) -> LocalProcess:
    running = LocalProcess(folder, customers=0, arguments=tuple(map(str, arguments)))
    running.start()
    return running


def seeded(folder: Path) -> bool:
    """Whether the state in a folder, which another process may use, holds everything of its first start."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'state.sqlite3'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT 1 FROM meta WHERE name='seeded'").fetchone() is not None


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProcess]:
    """Telco-shaped customers, two rows of whom cannot be customers."""
    folder = tmp_path_factory.mktemp("telco")
    rows = made_rows(TELCO, 1200, drivers=DRIVERS)
    rows[7]["Contract"] = "Weekly"
    rows[9]["customerID"] = rows[8]["customerID"]
    running = started(folder / "state", "--schema", TELCO_FILE, "--data", write_rows(folder / "telco.csv", rows))
    yield running
    running.end()


@pytest.fixture(scope="module")
def gym(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProcess]:
    """Customers without ids, in no groups, who pay nothing; in the dialect of another country."""
    folder = tmp_path_factory.mktemp("gym")
    (folder / "gym.yaml").write_text(GYM_TEXT)
    rows = made_rows(GYM, 900, drivers={"visits": -0.7, "auto_pay": -0.2})
    data = write_rows(folder / "gym.csv", rows, delimiter=";", encoding="cp1252")
    running = started(folder / "state", "--schema", folder / "gym.yaml", "--data", data)
    yield running
    running.end()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProcess]:
    """Groups with names that separate things elsewhere, and some customers in none."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.json").write_text(ODD.model_dump_json())
    data = write_rows(folder / "odd.csv", made_rows(ODD, 900, drivers={"fee": 0.8}))
    running = started(folder / "state", "--schema", folder / "odd.json", "--data", data)
    yield running
    running.end()


def data_of(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["data"]


def every_route_answers(client: httpx.Client, customer: dict[str, Any], change: dict[str, Any], criterion: dict[str, Any]) -> None:
    """All routes that speak of customers, with one that is there and one that is made."""
    features, known = customer["features"], customer["customer_id"]
    for route in ("dashboard/metrics", "dashboard/distribution", "dashboard/features", "customers", "model/status", "model/features"):
        assert data_of(client.get(f"/api/{route}"))
    assert data_of(client.post("/api/dashboard/predict", json={"sample_size": 20}))["scored"] == 20
    assert data_of(client.put("/api/customers/made", json={"features": features}))["features"] == features
    [made] = data_of(client.post("/api/predictions/generate", json={"customer_ids": ["made"]}))["predictions"]
    [score] = data_of(client.post("/api/predictions/generate", json={"rows": [features]}))["scores"]
    assert score["probability"] == made["probability"]
    asked = data_of(client.post("/api/predictions/what-if", json={"customer_id": known, "changes": change}))
    assert set(asked["changed"]) == set(change)
    assert asked["before"]["features"] == features
    found = data_of(client.post("/api/customers/segment", json={"criteria": [criterion], "limit": 5}))
    assert found["count"] >= len(found["customers"]) > 0
    assert data_of(client.post("/api/customers/made/outcome", json={"churned": True}))["churned"] is True
    assert client.delete("/api/customers/made").status_code == 200
    assert data_of(client.get("/api/predictions/performance"))["held_out"]["synthetic"] is False
    assert data_of(client.get("/api/model/drift"))["state"] == "known"
    version = data_of(client.get("/api/model/versions"))[0]["version"]
    assert data_of(client.get(f"/api/model/versions/{version}/card"))["synthetic"] is False
    assert "<html" in client.get(f"/api/model/versions/{version}/card?format=html").text


def exported(client: httpx.Client, **filters: str) -> list[Row]:
    link = data_of(client.get("/api/predictions/results", params={"format": "data", **filters}))
    rows = list(csv.DictReader(io.StringIO(httpx.get(link["url"]).content.decode())))
    assert len(rows) == link["rows"]
    return rows


def test_the_start_tells_what_became_of_the_rows(telco: LocalProcess) -> None:
    told = "".join(telco.told)
    assert "1,199 customers" in told
    assert "1 rejected row:" in told
    assert "1 row has a cell that could not be read and counts as missing:" in told
    assert '1 × Contract: "' in told
    assert "1 × customerID: is the id of an earlier row (line 11)" in told
    assert "synthetic" not in told
    for name, error in (("rejected", "customerID: is the id of an earlier row"), ("unread", 'Contract: "')):
        [row] = csv.DictReader((telco.folder / f"{name}-rows.csv").open(encoding="utf-8-sig"))
        assert row["error"].startswith(error)


def test_telco_customers_get_reasons_and_actions_in_their_own_words(telco: LocalProcess) -> None:
    phrases = {phrase for column in TELCO.columns for phrase in (column.phrase, *column.phrases.values()) if phrase}
    patterns = [re.escape(phrase).replace(r"\{value\}", r"\$?[\d.,]+").replace(r"\{s\}", "s?") for phrase in phrases]
    said = re.compile(rf"({'|'.join(patterns)}|paid in all unknown): [+-][\d.]+ points?")
    titles = {column.action.title for column in TELCO.columns if column.action}
    with telco.client() as client:
        listed = data_of(client.get("/api/customers/high-risk?limit=50"))
        assert all(said.fullmatch(reason["text"]) for customer in listed for reason in customer["reasons"])
        actions = {row["action"] for row in exported(client)} - {""}
        assert actions
        assert actions <= titles
        by_contract = [
            data_of(client.get("/api/customers/high-risk", params={"plan": level, "limit": 100}))
            for level in TELCO.column("Contract").levels
        ]
        assert [{customer["group"] for customer in page} - {level} for page, level in zip(by_contract, TELCO.groups, strict=True)] == [
            set()
        ] * 3
        refused = client.get("/api/customers/high-risk?plan=premium")
        assert refused.status_code == 422
        assert "Month-to-month" in refused.text


def test_every_route_speaks_telco(telco: LocalProcess) -> None:
    with telco.client() as client:
        metrics = data_of(client.get("/api/dashboard/metrics"))
        assert metrics["revenue_at_risk"]["currency"] == "USD"
        assert metrics["model"]["synthetic"] is False
        assert metrics["customers"]["scored"] == metrics["customers"]["active"]
        customer = data_of(client.get("/api/customers/C-00001"))
        criterion = {"column": "SeniorCitizen", "op": "eq", "value": customer["features"]["SeniorCitizen"]}
        every_route_answers(client, customer, {"tenure": customer["features"]["tenure"] + 1, "TotalCharges": None}, criterion)
        rows = exported(client, plan="One year")
        assert {row["Contract"] for row in rows} == {"One year"}
        assert {row["Partner"] for row in rows} == {"true", "false"}
        wrong = client.put("/api/customers/made", json={"features": {**customer["features"], "Contract": "Weekly", "plan": "basic"}})
        assert {error["field"] for error in wrong.json()["errors"]} == {"body.features.Contract", "body.features.plan"}


def test_every_route_answers_without_groups_money_and_ids(gym: LocalProcess) -> None:
    with gym.client() as client:
        metrics = data_of(client.get("/api/dashboard/metrics"))
        assert metrics["revenue_at_risk"] is None
        customer = data_of(client.get("/api/customers/1"))
        criterion = {"column": "city", "op": "missing", "value": True}
        every_route_answers(client, customer, {"visits": None, "auto_pay": not customer["features"]["auto_pay"]}, criterion)
        [first, *_] = data_of(client.get("/api/customers/high-risk?sort=value"))
        assert (first["group"], first["price"], first["action"]) == ("all", None, None)
        assert {group["group"] for group in data_of(client.get("/api/dashboard/distribution"))["groups"]} == {"all"}
        assert {row["city"] for row in exported(client)} == {"Bonn", "Köln", "elsewhere", ""}
    assert any("Windows-1252" in line for line in gym.told)


def test_groups_may_have_any_name(odd: LocalProcess) -> None:
    with odd.client() as client:
        shown = {group["group"]: group["customers"] for group in data_of(client.get("/api/dashboard/distribution"))["groups"]}
        assert set(shown) == {*ODD_GROUPS, "all"}
        assert min(shown.values()) > 0
        assert sum(shown.values()) == data_of(client.get("/api/dashboard/metrics"))["customers"]["scored"]
        everybody = client.get("/api/customers/high-risk?limit=100").json()["page"]["total"]
        totals = []
        for group in ODD_GROUPS:
            page = client.get("/api/customers/high-risk", params={"plan": group, "limit": 100}).json()
            assert {customer["group"] for customer in page["data"]} == {group}
            assert len(page["data"]) == min(100, page["page"]["total"])
            totals.append(page["page"]["total"])
            assert {row["tier"].lstrip("'") for row in exported(client, plan=group)} == {group}
            found = data_of(client.post("/api/customers/segment", json={"criteria": [{"column": "tier", "op": "eq", "value": group}]}))
            assert (found["count"], found["currency"]) == (shown[group], "EUR")
        none = data_of(client.post("/api/customers/segment", json={"criteria": [{"column": "tier", "op": "missing"}], "levels": ["low"]}))
        assert sum(totals) + shown["all"] - none["count"] == everybody
        customer = data_of(client.get("/api/customers/C-00003"))
        every_route_answers(client, customer, {"town": "town 499"}, {"column": "town", "op": "ne", "value": "town 1"})


def test_a_second_start_goes_on_with_what_is_there(telco: LocalProcess) -> None:
    with telco.client() as client:
        before = data_of(client.get("/api/dashboard/metrics"))["model"]["version"]
    telco.end()
    telco.arguments = ()
    telco.start()
    with telco.client() as client:
        assert data_of(client.get("/api/dashboard/metrics"))["model"]["version"] == before
        assert "Contract" in data_of(client.get("/api/customers/C-00001"))["features"]


def test_a_schema_alone_waits_for_customers_who_are_kept_whatever_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    running = started(folder, "--schema", TELCO_FILE)
    assert any("The schema telco is active. There are no customers yet." in line for line in running.told)
    with running.client() as client:
        assert data_of(client.get("/api/customers")) == []
        assert "body.features.Contract" in client.put("/api/customers/one", json={"features": {"tenure": 3}}).text
    running.end()
    data = write_rows(tmp_path / "data.csv", made_rows(TELCO, 600, drivers={}))
    command = [sys.executable, "-m", "local", "--port", "0", "--data-dir", str(folder), "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process, killed_after(process):
        wait_for(lambda: not seeded(folder), "a start begins to store the customers", process)
    running.arguments = ("--data", str(data))
    running.start()
    assert any("600 customers" in line for line in running.told)
    told = "".join(running.told)
    assert "was not promoted, so no customer is scored" in told
    assert "There is no proof that this version ranks better than chance" in told
    with running.client() as client:
        metrics = data_of(client.get("/api/dashboard/metrics"))
        assert (metrics["customers"]["total"], metrics["model"]) == (600, None)
        [version] = data_of(client.get("/api/model/versions"))
        assert (version["status"], version["gate"]["passed"]) == ("registered", True)
        assert "no proof that this version ranks better than chance" in version["gate"]["held_back"][0]
        card = data_of(client.get(f"/api/model/versions/{version['version']}/card"))
        assert card["gate"]["held_back"] == version["gate"]["held_back"]
    running.end()


def test_the_real_telco_from_end_to_end(tmp_path: Path) -> None:
    found = Path(os.environ.get("RETAINSTREAM_DATA", "")) / "telco_ibm.csv"
    if not found.is_file():
        pytest.skip("IBM's sample is not part of the project; set RETAINSTREAM_DATA to the folder with telco_ibm.csv")
    running = started(tmp_path / "state", "--schema", TELCO_FILE, "--data", found)
    assert any("7,043 customers, 1,869 left, 5,174 stayed" in line for line in running.told)
    with running.client() as client:
        metrics = data_of(client.get("/api/dashboard/metrics"))
        assert metrics["model"]["roc_auc"] > 0.82
        assert metrics["customers"] == {"total": 7043, "active": 5174, "churned": 1869, "scored": 5174}
        actions = {row["action"] for row in exported(client)} - {""}
        assert actions
        assert actions <= {column.action.title for column in TELCO.columns if column.action}
    running.end()
