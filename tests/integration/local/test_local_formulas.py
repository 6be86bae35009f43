"""What somebody names like a formula, from a file through import, scoring and every way out of the stack again."""

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retainstream.engine.schema import FeatureSchema
from tests.integration.conftest import LocalProcess
from tests.made_customers import Row, made_rows, write_rows

ROOT = Path(__file__).parents[3]
TIERS = ["plain", "=1+1", "+1", "-1", "@SUM(A1)"]
NOTES = [
    "plain",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+cmd|'x'!A0",
    "@SUM(1+1)*cmd|'x'!A0",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    '"=1',
    "\u200b=1",
    "−5",
]
SCHEMA = FeatureSchema.model_validate(
    {
        "name": "formulas",
        "title": "Customers named like formulas",
        "id": {"column": "customer"},
        "label": {"column": "left", "positive": "gone"},
        "group": "tier",
        "horizon_days": 30,
        "money": {"price": "fee", "currency": "EUR", "offer_cost": 1.0, "save_rate": 0.5},
        "columns": [
            {"name": "tier", "kind": "category", "levels": TIERS, "label": "=Tier"},
            {"name": "note", "kind": "category", "levels": NOTES, "label": "@Note"},
            {
                "name": "fee",
                "kind": "number",
                "min": -100,
                "label": "+Fee",
                "action": {"title": "=Lower the fee", "cost": 2.0, "save_rate": 0.4},
            },
        ],
    }
)
IDS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", "'=1", '"=1', "=cmd|' /C calc'!A0"]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return made_rows(SCHEMA, 600, drivers={"note": 0.9, "tier": -0.4})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> Iterator[LocalProcess]:
    folder = tmp_path_factory.mktemp("formulas")
    (folder / "schema.json").write_text(SCHEMA.model_dump_json())
    data = write_rows(folder / "data.csv", rows)
    arguments = ("--schema", str(folder / "schema.json"), "--data", str(data), "--parameter", "ExportAtOnce=400")
    stack = LocalProcess(folder / "state", customers=0, arguments=arguments)
    stack.start()
    yield stack
    stack.end()


def cells_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def no_cell_is_a_formula(file: bytes) -> None:
    for line in cells_of(file):
        for cell in line:
            try:
                float(cell)
            except ValueError:
                assert not cell.lstrip("\"'` \u200b\ufeff").startswith(tuple("=+-@\t\r＝＋－＠−")) or cell.startswith("'"), cell


def says_what_was_imported(file: bytes, rows: list[Row]) -> int:
    """The number of lines, each with its customer's values behind the apostrophe that guards them."""
    known = {row["customer"]: row for row in rows}
    lines = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    guarded = 0
    for line in lines:
        for name in ("tier", "note"):
            value, cell = known[line["customer"]][name], line[name]
            assert cell in (value, f"'{value}"), (cell, value)
            guarded += cell != value
        assert float(line["fee"]) == float(known[line["customer"]]["fee"])
    assert guarded > len(lines) / 2
    return len(lines)


def finished(client: httpx.Client, path: str, status: str = "SUCCEEDED") -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while (run := client.get(path).json()["data"])["status"] in ("WAITING", "RUNNING") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert run["status"] == status, run
    return dict(run)


def test_a_file_made_at_once(running: LocalProcess, rows: list[Row]) -> None:
    with running.client() as client:
        answer = client.get("/api/predictions/results", params={"format": "data", "level": "medium"})
        assert answer.status_code == 200, answer.text
        file = httpx.get(answer.json()["data"]["url"]).content
    no_cell_is_a_formula(file)
    assert says_what_was_imported(file, rows) == answer.json()["data"]["rows"] > 0


def test_a_file_made_by_a_run(running: LocalProcess, rows: list[Row]) -> None:
    with running.client() as client:
        answer = client.get("/api/predictions/results", params={"format": "data"})
        assert answer.status_code == 202, answer.text
        run = finished(client, answer.headers["location"])
        file = httpx.get(run["url"]).content
    no_cell_is_a_formula(file)
    assert says_what_was_imported(file, rows) == run["rows"] > 200


def test_a_file_written_by_the_command(running: LocalProcess, rows: list[Row], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'layers/core'}{os.pathsep}{ROOT}",
        "RETAINSTREAM_URL": running.url,
        "RETAINSTREAM_CONFIG_DIR": str(tmp_path),
        "RETAINSTREAM_EMAIL": "alex.chen@netflix.com",
        "RETAINSTREAM_PASSWORD": "password",
    }
    for arguments in (
        ["login"],
        ["export", "-o", str(tmp_path / "words.csv")],
        ["export", "--for-programs", "-o", str(tmp_path / "out.csv")],
    ):
        command = [sys.executable, "-m", "cli.app", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    words = (tmp_path / "words.csv").read_bytes()
    assert words.startswith(b"\xef\xbb\xbf")
    no_cell_is_a_formula(words)
    file = (tmp_path / "out.csv").read_bytes()
    no_cell_is_a_formula(file)
    assert says_what_was_imported(file, rows) > 200


def test_the_file_of_rejected_rows(running: LocalProcess, rows: list[Row]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*rows[0], "=evil()", "+2"])
    for place, name in enumerate(IDS):
        writer.writerow([*({**rows[place], "customer": name}).values(), "=1"])  # a field too few
    writer.writerow([*({**rows[20], "tier": "=NOT_A_TIER"}).values(), "=1"])
    content = text.getvalue().encode()
    with running.client() as client:
        asked = client.post("/api/customers/imports", json={"file_name": "=evil.csv", "size": len(content)}).json()["data"]
        httpx.put(asked["upload"]["parts"][0]["url"], content=content).raise_for_status()
        done = finished(client, f"/api/customers/imports/{asked['import_id']}", "FAILED")
        assert done["counts"]["accepted"] == 0
        assert done["counts"]["rejected"] == len(IDS) + 1
        file = httpx.get(done["rejects_url"]).content
    no_cell_is_a_formula(file)
    assert len(cells_of(file)) == len(IDS) + 2
