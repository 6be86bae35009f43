"""`retainstream evaluate`, called as people and scripts call it."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from retainstream.engine.learning import metrics
from retainstream.engine.learning.synthetic import generate
from retainstream.engine.schema import default_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/streaming_customers.csv"
SCHEMA = ROOT / "examples/schemas/streaming.yaml"

type Table = list[list[str]]


def run(*arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT / "layers/core"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "cli.app", "evaluate", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "140"},
    )


def example() -> Table:
    with EXAMPLE.open(newline="") as stream:
        return list(csv.reader(stream))


def write(path: Path, table: Table) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(table)
    return path


def test_figures_that_are_chance_or_too_good_to_be_true_are_said_to_be_so(tmp_path: Path) -> None:
    table = example()
    random = np.random.default_rng(3)
    blind = [table[0], *([*row[:-1], "true" if random.random() < 0.2 else "false"] for row in table[1:])]
    ended = run("--schema", SCHEMA, "--data", write(tmp_path / "blind.csv", blind), "--folds", 3, "--seconds", 0.2, "--json")
    assert ended.returncode == 0, ended.stderr
    [doubt] = json.loads(ended.stdout)["doubts"]
    assert "no better than chance" in doubt
    assert f"warning: {doubt}" in ended.stderr
    days = table[0].index("last_login_days")
    known = [table[0], *([*row[:days], "90" if row[-1] == "true" else "1", *row[days + 1 :]] for row in table[1:])]
    ended = run("--schema", SCHEMA, "--data", write(tmp_path / "known.csv", known), "--folds", 3, "--seconds", 0.2, "--json")
    assert ended.returncode == 0, ended.stderr
    assert "nearly perfect" in json.loads(ended.stdout)["doubts"][0]


def test_every_row_gets_a_probability_from_a_fold_that_had_not_seen_it(tmp_path: Path) -> None:
    table = example()
    for row in table[1:30:3]:
        row[-1] = ""
    data, out = write(tmp_path / "customers.csv", table), tmp_path / "result.json"
    ended = run("--schema", SCHEMA, "--data", data, "--folds", 3, "--seed", 4, "--seconds", 0.2, "--baselines", "--out", out)
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(out.read_text())
    assert (result["rows"], result["known"], len(result["out_of_fold"])) == (1000, 990, 1000)
    known = np.array([row[-1] != "" for row in table[1:]])
    churned = np.array([row[-1] == "true" for row in table[1:]])[known]
    assert [value is None for value in result["out_of_fold"]] == (~known).tolist()
    fold_of = np.array([fold for fold in result["fold_of"] if fold is not None])
    given = np.array([value for value in result["out_of_fold"] if value is not None])
    for number, (_, judged) in enumerate(StratifiedKFold(3, shuffle=True, random_state=4).split(churned, churned)):
        assert np.flatnonzero(fold_of == number).tolist() == judged.tolist()
        told = result["folds"][number]
        assert told["roc_auc"] == pytest.approx(metrics.roc_auc(churned[judged], given[judged]))
        assert told["log_loss"] == pytest.approx(metrics.log_loss(churned[judged], given[judged]))
        assert told["why"].startswith("Chosen: ")
    assert result["mean"]["roc_auc"] == pytest.approx(np.mean([fold["roc_auc"] for fold in result["folds"]]))
    linear = result["baselines"]["logistic regression"]
    assert len(linear["out_of_fold"]) == 1000
    assert result["mean"]["roc_auc"] > linear["mean"]["roc_auc"] - 0.02
    assert result["synthetic"] is True
    assert result["ceiling"]["roc_auc"] > 0.5
    assert "synthetic" in ended.stdout
    pooled = result["pooled"]
    assert pooled["observed_to_expected"] == pytest.approx(churned.sum() / given.sum())
    for name in ("roc_auc", "observed_to_expected", "calibration_slope"):
        assert pooled["intervals"][name]["low"] < pooled[name] < pooled["intervals"][name]["high"]
    said_of_all = ("observed to expected", "calibration slope", "all rows", "perfectly calibrated")
    for said in ("fold 1", "fold 3", "ROC AUC", "ECE", "ceiling", "±", "logistic regression", *said_of_all):
        assert said in ended.stdout + ended.stderr
    assert "10 rows without a known outcome are left out" in ended.stderr


def test_a_script_gets_one_document_the_same_for_the_same_seed() -> None:
    ended = [run("-s", SCHEMA, "-d", EXAMPLE, "--folds", 2, "--seconds", 0.2, "--json") for _ in range(2)]
    documents = [json.loads(result.stdout) for result in ended]
    for document in documents:
        assert "out_of_fold" not in document
        for fold in document["folds"]:
            del fold["seconds"]
    assert documents[0] == documents[1]


def test_customers_of_somebody_else_have_no_ceiling(tmp_path: Path) -> None:
    table = example()
    rng = np.random.default_rng(0)
    for row in table[1:]:
        row[-1] = "true" if rng.random() < 0.3 else "false"
    ended = run("-s", SCHEMA, "-d", write(tmp_path / "other.csv", table), "--folds", 2, "--seconds", 0.2, "--json")
    document = json.loads(ended.stdout)
    assert (document["synthetic"], "ceiling" in document) == (False, False)


def without_label(table: Table) -> Table:
    return [row[:-1] for row in table]


def one_class(table: Table) -> Table:
    return [table[0], *([*row[:-1], "false"] for row in table[1:])]


def few_who_left(table: Table) -> Table:
    return [table[0], *([*row[:-1], "true" if place < 8 else "false"] for place, row in enumerate(table[1:]))]


def thirty(table: Table) -> Table:
    return table[:31]


def unknown_plan(table: Table) -> Table:
    place = table[0].index("plan")
    return [table[0], *([*row[:place], "gold", *row[place + 1 :]] if at == 7 else row for at, row in enumerate(table[1:]))]


def unknown_plans(table: Table) -> Table:
    place = table[0].index("plan")
    return [table[0], *([*row[:place], "gold", *row[place + 1 :]] for row in table[1:])]


def column_twice(table: Table) -> Table:
    return [[*table[0], "plan"], *([*row, "basic"] for row in table[1:])]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_label, "there is no label column churned"),
        (one_class, "column churned: no row has the positive value"),
        (few_who_left, "only 8 of the 1000 customers with a known outcome left: at least 20 are needed."),
        (thirty, "only 30 customers with a known outcome: at least 200 are needed."),
        (unknown_plans, 'column plan: no cell can be read, such as "gold", which is new (1,000 rows)'),
        (column_twice, "the header names it 2 times"),
    ],
)
def test_what_cannot_be_learned_from_ends_with_one_line(change: Callable[[Table], Table], said: str, tmp_path: Path) -> None:
    data = write(tmp_path / "customers.csv", change(example()))
    ended = run("--schema", SCHEMA, "--data", data.name, "--out", "result.json", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert said in ended.stderr
    assert (ended.stderr.count("\n"), ended.stderr.startswith("error: customers.csv: ")) == (1, True)
    assert sorted(tmp_path.iterdir()) == [data]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--schema", "none.yaml", "--data", EXAMPLE], 1, "error: none.yaml: cannot be read: no such file"),
        (["--schema", SCHEMA, "--data", "none.csv"], 1, "error: none.csv: cannot be read: no such file"),
        (["--schema", SCHEMA, "--data", EXAMPLE, "--out", "none/result.json"], 1, "error: the folder none does not exist"),
        (["--schema", SCHEMA, "--data", EXAMPLE, "--folds", "1"], 2, "--folds"),
        (["--schema", SCHEMA], 2, "--data"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: list[object], code: int, said: str, tmp_path: Path) -> None:
    ended = run(*arguments, folder=tmp_path)
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_two_thousand_columns_are_read_by_the_schema_alone(tmp_path: Path) -> None:
    table = example()
    wide = [[*table[0], *(f"extra_{place}" for place in range(1990))], *([*row, *["1"] * 1990] for row in table[1:302])]
    ended = run("-s", SCHEMA, "-d", write(tmp_path / "wide.csv", wide), "--folds", 2, "--seconds", 0.2)
    assert ended.returncode == 0
    assert "columns outside the schema are not read: extra_0" in ended.stderr
    assert len(max(ended.stderr.splitlines(), key=len)) < 400


def test_a_level_of_one_row_is_met_only_when_judged(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text(SCHEMA.read_text().replace("[basic, standard, premium]", "[basic, standard, premium, gold]"))
    table = unknown_plan(example()[:401])
    out = tmp_path / "result.json"
    ended = run("-s", schema, "-d", write(tmp_path / "one.csv", table), "--folds", 2, "--seconds", 0.2, "--baselines", "-o", out)
    assert ended.returncode == 0, ended.stderr
    assert all(0 < probability < 1 for probability in json.loads(out.read_text())["out_of_fold"])


def test_a_column_that_knows_the_outcome_is_named(tmp_path: Path) -> None:
    table = example()
    place = table[0].index("payment_failures")
    for row in table[1:]:
        row[place] = "9" if row[-1] == "true" else "0"
    ended = run("-s", SCHEMA, "-d", write(tmp_path / "leaking.csv", table), "--folds", 2, "--seconds", 0.2)
    assert ended.returncode == 0
    assert "warning: Failed payments alone predicts who left with an AUC of 1.000" in ended.stderr
    assert "keep such a model out of service" in ended.stderr


def test_the_command_of_the_page_runs_and_its_fields_are_there(tmp_path: Path) -> None:
    page = (ROOT / "docs/evaluate.md").read_text()
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    words = shlex.split(block.replace("\\\n", " "))
    assert words[:2] == ["retainstream", "evaluate"]
    out = tmp_path / words[-1]
    assert run(*words[2:-1], out, "--folds", 2, "--seconds", 0.2).returncode == 0
    result = json.loads(out.read_text())
    described = page.partition("## The result file")[2].partition("\nLightGBM")[0]
    fields = {name for row in re.findall(r"^\| (`.*?) \|", described, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(fields) == 12
    assert fields <= set(result)
    assert {"ece_by_chance", "ece_by_chance_at_most", "seconds", "why", "calibration", "threshold"} <= set(result["folds"][0])


def test_the_help_tells_the_exit_code_and_the_folds() -> None:
    told = " ".join(run("--help").stdout.split())
    assert "exit code 1" in told
    assert "StratifiedKFold" in told


def months(path: Path, days: tuple[str, ...], customers: int = 260) -> Path:
    """A CSV file with a row for each customer of the default schema at each day."""
    base = generate(customers * len(days), 3)
    names = [column.name for column in default_schema().columns]
    rows = [
        [base.ids[place % customers], days[place // customers], *(features.get(name, "") for name in names), left]
        for place, (features, left) in enumerate(zip(base.features(), base.churned.tolist(), strict=True))
    ]
    return write(path, [["customer_id", "anchor", *names, "churned"], *rows])


def test_each_period_is_judged_by_a_model_from_before_it_whether_the_file_is_csv_or_parquet(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(default_schema().model_copy(update={"moments": None}).model_dump_json())
    data = months(tmp_path / "months.csv", ("2026-07-31", "2026-08-31", "2026-09-30"))
    ended = run("--schema", schema, "--data", data, "--by-time", "--folds", 2, "--seconds", 0.1, "--json")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    (september,) = result["by_period"]
    assert {name: september[name] for name in ("period", "rows", "learned", "promised_by")} == {
        "period": "2026-09",
        "rows": 260,
        "learned": 520,
        "promised_by": "customers",
    }
    assert september["observed"] == september["churned"] > 20
    assert 0.5 < september["expected"] / september["observed"] < 2
    assert september["roc_auc_interval"]["low"] < september["roc_auc"] < september["roc_auc_interval"]["high"]
    assert (result["judged_by"], result["by_time"]["rows"], result["by_time"]["roc_auc"]) == ("time", 260, september["roc_auc"])
    assert "2026-09: ROC AUC" in ended.stderr

    parquet = tmp_path / "months.parquet"
    duckdb.read_csv(str(data)).write_parquet(str(parquet))
    again = run("--schema", schema, "--data", parquet, "--by-time", "--folds", 2, "--seconds", 0.1)
    assert again.returncode == 0, again.stderr
    for words in (f"{september['roc_auc']:.4f}", "2026-09", "promised", "Believe the figures by time"):
        assert words in again.stdout + again.stderr


def test_without_three_periods_the_figures_are_by_customers_and_the_command_says_so(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(default_schema().model_copy(update={"moments": None}).model_dump_json())
    one = months(tmp_path / "one.csv", ("2026-09-30",))
    ended = run("--schema", schema, "--data", one, "--by-time", "--folds", 2, "--seconds", 0.1, "--json")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert (result["judged_by"], result["by_period"]) == ("customers", [])
    assert "there is one period (2026-09), and three are needed, so the figures are by customers alone" in ended.stderr
    assert (
        "no column says the day of a row (anchor)"
        in run(*shlex.split(f"--schema {SCHEMA} --data {EXAMPLE} --by-time --folds 2 --seconds 0.1")).stderr
    )


def test_a_row_whose_day_cannot_be_read_is_left_out_and_named_with_its_line(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(default_schema().model_copy(update={"moments": None}).model_dump_json())
    data = months(tmp_path / "months.csv", ("2026-09-30",))
    data.write_text(data.read_text().replace("2026-09-30", "the end of September", 1))
    ended = run("--schema", schema, "--data", data, "--by-time", "--folds", 2, "--seconds", 0.1, "--json")
    assert ended.returncode == 0, ended.stderr
    assert "note: 1 row is left out: line 2, column anchor: is not a day like 2026-01-31\n" in ended.stderr
    result = json.loads(ended.stdout)
    assert (result["rows"], result["known"]) == (259, 259)
