"""The installed command, called as people and scripts call it."""

import csv
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from retainstream.engine.schema import read_schema, schema_from_text
from retainstream.engine.tables import open_table, read_customers

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/streaming_customers.csv"
PAGE = (ROOT / "docs/feature-schema.md").read_text()


def run(*arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.app", *map(str, arguments)]
    paths = os.pathsep.join([str(ROOT / "layers/core"), str(ROOT)])
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "120"},
    )


def write(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def leaking(path: Path) -> Path:
    rows = [["member", "visits", "left_on", "left"]]
    rows += [[f"M{n}", str(n % 37), "2024-05-01" if n % 4 == 0 else "", "yes" if n % 4 == 0 else "no"] for n in range(1200)]
    return write(path, [list(row) for row in rows])


def test_a_draft_reads_its_table_again(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    drafted = run("schema", "infer", "--data", EXAMPLE, "--label", "churned", "--id", "customer_id", "-o", schema)
    assert (drafted.returncode, drafted.stdout) == (0, "")
    assert "warning" not in drafted.stderr
    assert [column.name for column in read_schema(schema).features] == [
        column.name for column in read_schema(ROOT / "examples/schemas/streaming.yaml").features
    ]
    checked = run("schema", "check", schema, "--data", EXAMPLE, "--json")
    assert json.loads(checked.stdout)["data"]["rows"] == 1000


def test_a_script_gets_warnings_with_evidence_and_an_exit_code(tmp_path: Path) -> None:
    data = leaking(tmp_path / "members.csv")
    drafted = run("schema", "infer", "-d", data, "-l", "left", "-o", tmp_path / "schema.yaml", "--json", "--strict")
    assert drafted.returncode == 3
    report = json.loads(drafted.stdout)
    leak = next(warning for warning in report["warnings"] if warning["sort"] == "leak")
    assert (leak["columns"], leak["evidence"]["auc"]) == (["left_on"], 1.0)
    assert not read_schema(tmp_path / "schema.yaml").column("left_on").feature


def test_a_script_gets_the_texts_that_are_not_of_their_columns_kind(tmp_path: Path) -> None:
    rows: list[list[object]] = [["member", "visits", "LEFT"]]
    rows += ([f"M{n}", "Error" if n % 20 == 0 else n % 37, "yes" if n % 3 else "no"] for n in range(600))
    drafted = run(
        "schema", "infer", "-d", write(tmp_path / "m.csv", rows), "-l", "left", "--positive", "yes", "-o", tmp_path / "s.yaml", "--json"
    )
    assert json.loads(drafted.stdout)["not_read"] == {"visits": {"Error": 30}}


def test_a_name_that_a_schema_cannot_have_is_wrong_usage(tmp_path: Path) -> None:
    ended = run("schema", "infer", "-d", EXAMPLE, "-l", "churned", "--name", "Fit & Co", "-o", tmp_path / "schema.yaml")
    assert ended.returncode == 2
    assert "must be a lower-case letter" in " ".join(ended.stderr.replace("│", " ").split())


def test_the_schema_can_be_printed(tmp_path: Path) -> None:
    printed = run("schema", "infer", "-d", leaking(tmp_path / "members.csv"), "-l", "left", "-o", "-")
    assert printed.returncode == 0
    assert schema_from_text(printed.stdout).name == "members"
    assert "warning: left_on predicts left almost alone" in printed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "none.csv", "--label", "left"], "error: none.csv: cannot be read: no such file"),
        (
            ["--data", "members.csv", "--label", "Lefd"],
            "error: members.csv: there is no column Lefd for the label; did you mean left?",
        ),
        (["--data", "members.csv", "--label", "left", "--positive", "gone"], 'no row has "gone"'),
        (["--data", "twice.csv", "--label", "left"], "the header names it 2 times (columns 1, 2)"),
        (["--data", "wide.csv", "--label", "left"], "a schema has at most 500"),
        (["--data", ".", "--label", "left"], "error: .: cannot be read: is a directory"),
    ],
)
def test_bad_input_ends_with_a_line_and_writes_nothing(arguments: list[str], said: str, tmp_path: Path) -> None:
    leaking(tmp_path / "members.csv")
    write(tmp_path / "twice.csv", [["a", "a", "left"], [1, 2, "yes"]])
    header = [*(f"c{place}" for place in range(1999)), "left"]
    write(
        tmp_path / "wide.csv",
        [list(header), *([*((n * place) % 7 for place in range(3, 2002)), "yes" if n % 2 else "no"] for n in range(40))],
    )
    before = sorted(tmp_path.iterdir())
    ended = run("schema", "infer", *arguments, "-o", "schema.yaml", folder=tmp_path)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert all(line.startswith("error: ") for line in ended.stderr.splitlines())
    assert sorted(tmp_path.iterdir()) == before


def test_a_label_that_does_not_say_who_left_is_asked_about_with_both_readings(tmp_path: Path) -> None:
    rows = [(number, number % 7, number % 11, "NO" if number % 4 == 0 else "YES") for number in range(400)]
    data = write(tmp_path / "paper.csv", [("id", "visits", "calls", "Subscriber"), *rows])
    asked = run("schema", "infer", "-d", data, "-l", "Subscriber", "-o", tmp_path / "schema.yaml")
    assert (asked.returncode, asked.stdout, asked.stderr.count("\n")) == (2, "", 1)
    assert "--positive NO means that 25.0% of 400 left; --positive YES means that 75.0% of 400 left" in asked.stderr
    assert not (tmp_path / "schema.yaml").exists()
    answered = run("schema", "infer", "-d", data, "-l", "Subscriber", "--positive", "NO", "-o", "-")
    assert schema_from_text(answered.stdout).label.stayed == ("YES",)


def test_a_file_is_not_replaced_unless_told(tmp_path: Path) -> None:
    there = tmp_path / "schema.yaml"
    there.write_text("mine")
    refused = run("schema", "infer", "-d", EXAMPLE, "-l", "churned", "-o", there)
    assert (refused.returncode, there.read_text()) == (1, "mine")
    assert "use --force to replace it" in refused.stderr
    assert run("schema", "infer", "-d", EXAMPLE, "-l", "churned", "-o", there, "--force").returncode == 0
    assert read_schema(there).name == "streaming_customers"
    nowhere = run("generate", "-o", tmp_path / "none/customers.csv")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)


def test_checking_names_every_fault_of_schema_and_data(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    text = (ROOT / "examples/schemas/streaming.yaml").read_text()
    schema.write_text(text.replace("kind: integer", "kind: whole"))
    ended = run("schema", "check", schema)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 5
    assert "line 28: column subscription_age_months, kind: should be" in ended.stderr
    schema.write_text(text.replace("[basic, standard, premium]", "[basic, standard]").replace("max: 365", "max: 20"))
    ended = run("schema", "check", schema, "--data", EXAMPLE)
    assert ended.returncode == 0
    assert re.search(r'cells could not be read: \d+ × plan: "premium" is new', ended.stdout)
    assert "last_login_days: " in ended.stdout


def test_customers_are_generated_alike_and_by_the_default_schema(tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    assert run("generate", "--customers", 1000, "--seed", 7, "-o", again).returncode == 0
    assert again.read_bytes() == EXAMPLE.read_bytes()
    for name in ("a.csv.gz", "b.csv.gz"):
        assert run("generate", "-n", 300, "--drift", "engagement=-1", "-o", tmp_path / name).returncode == 0
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == gzip.decompress((tmp_path / "b.csv.gz").read_bytes())
    with open_table(tmp_path / "a.csv.gz") as table:
        assert not any(row.errors for row in read_customers(table, read_schema(ROOT / "examples/schemas/streaming.yaml")))


@pytest.mark.parametrize("drift", ["engagement", "engagement=low", "weather=1"])
def test_an_unknown_drift_is_a_wrong_call(drift: str, tmp_path: Path) -> None:
    ended = run("generate", "--drift", drift, "-o", tmp_path / "customers.csv")
    assert ended.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_business_with_a_past_is_generated_alike_and_its_files_fit_each_other(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        ended = run("generate", "--past", folder, "-n", 60, "--months", 3, "--until", "2026-01-31", "--seed", 4)
        assert (ended.returncode, ended.stdout) == (0, "")
        assert "2025-08-01 to 2026-01-31" in ended.stderr
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*.csv"))
    monthly = [f"monthly/{day}.csv" for day in ("2025-11-30", "2025-12-31", "2026-01-31")]
    assert names == ["events.csv", *monthly, "profiles.csv", "subscriptions.csv", "truth.csv"]
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in names)
    tables = {name: list(csv.DictReader((first / name).open())) for name in names}
    everybody = {row["customer_id"] for row in tables["profiles.csv"]}
    assert all({row["customer_id"] for row in rows} <= everybody for rows in tables.values())
    for row in tables["truth.csv"]:
        assert 0 < float(row["probability"]) < 1
        assert row["churned"] in ("true", "false", "")
    schema = read_schema(ROOT / "examples/schemas/streaming.yaml")
    for name in monthly:
        assert {(row["features_as_of"], row["outcomes_as_of"]) for row in tables[name]} == {(name[8:18], name[8:18])}
        assert {column.name for column in schema.columns} < set(tables[name][0])
        assert all(max(row["began_on"], row["left_on"]) <= name[8:18] for row in tables[name])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "one of --output and --past"),
        (["-o", "customers.csv", "--past", "past"], "one of --output and --past"),
        (["--past", "past", "--drift", "price=1"], "does not go with --past"),
        (["--past", "past", "-n", "200001"], "at most 200,000"),
        (["--past", "past", "--until", "1989-12-31"], "from 1990 on"),
        (["--past", "past", "--until", "31.12.2025"], "2025"),
        (["--past", "past", "--months", "0"], "months"),
    ],
)
def test_a_generated_business_needs_sizes_and_days_that_make_sense(tmp_path: Path, arguments: list[str], text: str) -> None:
    ended = run("generate", *arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert text in " ".join(ended.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_a_generated_business_replaces_files_only_by_force(tmp_path: Path) -> None:
    arguments = ("generate", "--past", tmp_path, "-n", 5, "--months", 1, "--until", "2026-01-31")
    (tmp_path / "events.csv").write_text("mine\n")
    ended = run(*arguments)
    assert (ended.returncode, (tmp_path / "events.csv").read_text()) == (1, "mine\n")
    assert "events.csv already exists" in ended.stderr
    assert run(*arguments, "--force").returncode == 0
    assert (tmp_path / "events.csv").read_text().startswith("customer_id,occurred_at,")
    (tmp_path / "file").write_text("")
    assert "cannot be created" in run("generate", "--past", tmp_path / "file").stderr


@pytest.mark.parametrize("arguments", [[], ["schema"], ["schema", "infer"], ["schema", "check"], ["generate"]])
def test_every_command_explains_itself(arguments: list[str]) -> None:
    ended = run(*arguments, "--help")
    assert ended.returncode == 0
    assert "Usage" in ended.stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "pydantic", "xgboost", "yaml", "boto3"}
    code = f"import sys; import cli.app; print(sorted({{name.split('.')[0] for name in sys.modules}} & {heavy}))"
    paths = os.pathsep.join([str(ROOT / "layers/core"), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": paths}
    )
    assert ended.stdout.strip() == "[]"


def test_the_commands_the_page_shows_do_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "retainstream"
        ended = run(*words[1:], folder=tmp_path)
        assert ended.returncode == 0, ended.stderr


def test_the_readme_leads_from_a_file_to_a_schema_and_a_start(tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text().partition("## Your own data")[2].partition("\n## ")[0]
    *commands, start = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0].splitlines()
    (tmp_path / "customers.csv").symlink_to(EXAMPLE)
    for command in commands:
        name, *words = shlex.split(command)
        assert name == ".venv/bin/retainstream"
        ended = run(*words, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
    made = subprocess.run([*shlex.split(start), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r'-m local .*--reset.*--schema "schema\.yaml" --data "customers\.csv"', made.stdout, re.DOTALL)


def test_the_pages_example_is_a_schema_and_its_tables_name_every_field() -> None:
    example = schema_from_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    described = set(re.findall(r"`([a-z_]+)`", PAGE))
    for part in (type(example), type(example.columns[0])):
        assert {field.alias or name for name, field in part.model_fields.items()} <= described
