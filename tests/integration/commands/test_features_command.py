"""`retainstream features build`."""

import csv
import gzip
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from retainstream.engine.schema import read_schema
from retainstream.engine.tables.columnar import customers_in, read_text
from retainstream.engine.tables.opening import open_table
from tests.integration.test_command_line import ROOT, run

GYM = ROOT / "examples/gym"
SCHEMA = GYM / "schema.yaml"
AS_OF = ("--as-of", "2026-03-31")


def build(folder: Path, *options: object, schema: Path = SCHEMA, sources: Path = GYM) -> tuple[int, str, str]:
    ended = run("features", "build", "--schema", schema, "--sources", sources, *options, folder=folder)
    return ended.returncode, ended.stdout, ended.stderr


def test_the_table_is_one_of_customers_by_the_same_schema(tmp_path: Path) -> None:
    code, shown, said = build(tmp_path, *AS_OF, "--anchors", "monthly", "--out", "gym.csv")
    assert code == 0, said
    assert "2025-02-01" in shown
    assert "events without a customer's id, not used: 1" in said
    assert "events later than 2026-03-31, not used: 1" in said
    assert "subscriptions that end before they start, not used: 1" in said
    schema = read_schema(SCHEMA)
    with open_table(tmp_path / "gym.csv") as table:
        customers = customers_in(read_text(table), schema)
    assert len(customers) == int(said.rsplit("written: ", 1)[1].split()[0].replace(",", ""))
    with (tmp_path / "gym.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["member", "anchor", *(column.name for column in schema.columns), "churned"]
    assert [(row["anchor"], row["member"]) for row in rows] == sorted((row["anchor"], row["member"]) for row in rows)
    assert {row["churned"] for row in rows} == {"0", "1", ""}
    assert {row["anchor"] for row in rows if not row["churned"]} == {"2026-03-01", "2026-04-01"}


def test_all_kinds_of_files_hold_the_same_table(tmp_path: Path) -> None:
    for name in ("gym.csv", "gym.csv.gz", "gym.parquet"):
        assert build(tmp_path, *AS_OF, "--anchors", "2025-09-01,2025-06-15", "--out", name)[0] == 0
    text = (tmp_path / "gym.csv").read_bytes()
    assert gzip.decompress((tmp_path / "gym.csv.gz").read_bytes()) == text
    copied = str(tmp_path / "copy.csv")
    duckdb.execute(f"COPY (FROM '{tmp_path / 'gym.parquet'}') TO '{copied}' (HEADER)")
    assert Path(copied).read_bytes() == text
    assert b",2025-06-15," in text.splitlines()[1]


def test_the_report_is_json(tmp_path: Path) -> None:
    code, printed, _ = build(tmp_path, *AS_OF, "--out", "gym.parquet", "--json")
    report = json.loads(printed)
    assert code == 0
    assert report["rows"] == sum(anchor["rows"] for anchor in report["anchors"])
    assert report["through"] == "2026-03-31"
    for name, counts in report["sources"].items():
        set_aside = sum(finding["rows"] for finding in report["findings"] if finding["source"] == name and not finding["kept"])
        assert counts["rows"] == counts["kept"] + set_aside


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--out", "gym.xlsx"), 2, "must end in .csv, .csv.gz or .parquet"),
        (("--out", "gym.csv", "--anchors", "daily"), 2, "must be monthly, weekly or a list of days such as 2026-01-31"),
        (("--out", "gym.csv", "--anchors", "2019-01-01"), 1, "the anchor 2019-01-01 has no complete data before it"),
        (("--out", "gym.csv", "--as-of", "2999-01-01"), 1, "2999-01-01 is later than today"),
        (("--out", "missing/gym.csv"), 1, "the folder missing does not exist"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(tmp_path: Path, options: tuple[str, ...], code: int, sentence: str) -> None:
    ended, _, said = build(tmp_path, *options)
    assert ended == code
    assert sentence in " ".join(said.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_read_leaves_the_earlier_table(tmp_path: Path) -> None:
    sources = tmp_path / "gym"
    shutil.copytree(GYM, sources)
    (sources / "events.csv").write_text("member,happened_at,event,amount\nm1,2025-05-01,visit\n")
    (tmp_path / "gym.csv").write_text("earlier")
    code, _, said = build(tmp_path, "--out", "gym.csv", sources=sources)
    assert code == 1
    assert "error: events.csv: line 2: has 3 fields where the header has 4" in said
    assert (tmp_path / "gym.csv").read_text() == "earlier"


def test_a_schema_without_sources_is_refused(tmp_path: Path) -> None:
    code, _, said = build(tmp_path, "--out", "gym.csv", schema=ROOT / "examples/schemas/telco.yaml")
    assert code == 1
    assert "has no sources; see docs/events.md" in said
