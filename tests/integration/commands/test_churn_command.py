"""`retainstream churn define` and `schema infer` of source files, as commands."""

import json
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import typer.testing

from cli.app import app
from retainstream.engine.schema import read_schema
from tests.dialects_of_sources import GERMAN, write_sources, write_table

HEADER = ["Kunde", "Tag", "Art"]


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thirds of the customers buy once in a while, and one third often, until they leave."""
    rng, rows = np.random.default_rng(7), []
    for customer in range(450):
        gap = 8.0 if customer % 3 == 0 else 90.0
        day, gone = float(rng.uniform(0, 60)), float(rng.uniform(0, 1_100))
        while day < min(gone, 900):
            rows.append(
                [f"k{customer}", (date(2023, 6, 1) + timedelta(days=int(day))).isoformat(), "Kauf" if rng.random() < 0.9 else "Besuch"]
            )
            day += float(rng.exponential(gap)) + 1
    return write_table(tmp_path_factory.mktemp("purchases") / "einkaeufe.csv", HEADER, rows, GERMAN)


def run(*arguments: object) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments], env={"NO_COLOR": "1", "COLUMNS": "140"})


def test_the_table_the_proposal_and_the_rule_are_printed(purchases: Path) -> None:
    ended = run("churn", "define", "--events", purchases, "--id", "Kunde", "--at", "Tag")
    assert ended.exit_code == 0, ended.output
    assert "days of silence" in ended.stdout
    assert "One number of days does not fit all customers." in ended.stdout
    days = json.loads(run("churn", "define", "--events", purchases, "--json").stdout)["proposed_days"]
    assert f"In the schema: churn: {{when: no-event, days: {days}}}" in ended.stdout


def test_a_kind_and_a_share_are_chosen(purchases: Path) -> None:
    chosen = ("--kind", "Kauf", "--return-share", 0.3, "--within", 60, "--json")
    report = json.loads(run("churn", "define", "--events", purchases, *chosen).stdout)
    assert (report["kind"], report["return_share"], report["within_days"]) == ("Kauf", 0.3, 60)
    assert report["events"] < json.loads(run("churn", "define", "--events", purchases, "--json").stdout)["events"]
    proposed = next(each for each in report["returns"] if (each["silence_days"], each["within_days"]) == (report["proposed_days"], 60))
    assert proposed["share"] <= 0.3


@pytest.mark.parametrize("name", ["plot.svg", "plot.html"])
def test_a_plot_is_written(purchases: Path, name: str, tmp_path: Path) -> None:
    ended = run("churn", "define", "--events", purchases, "--out", tmp_path / name)
    assert ended.exit_code == 0, ended.output
    text = (tmp_path / name).read_text()
    if name.endswith(".svg"):
        ElementTree.fromstring(text)
    assert "Days without an event" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--out", "plot.png"), 2, "must end in .svg or .html"),
        (("--out", "nowhere/plot.svg"), 1, "the folder nowhere does not exist"),
        (("--return-share", "0"), 2, "0.001"),
    ],
)
def test_wrong_options_are_refused(purchases: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = run("churn", "define", "--events", purchases, *arguments)
    assert ended.exit_code == code
    assert said in ended.output


def test_a_kind_that_no_event_has_is_refused_with_the_kinds(purchases: Path) -> None:
    ended = run("churn", "define", "--events", purchases, "--kind", "Kaufe")
    assert "no event is of kind Kaufe; the kinds are Besuch, Kauf" in str(ended.exception)


def test_a_schema_is_drafted_from_files(tmp_path: Path) -> None:
    files = write_sources(tmp_path, GERMAN)
    options = [f"--{source}={path}" for source, path in files.items()]
    ended = run("schema", "infer", *options, "-o", tmp_path / "schema.yaml", "--strict")
    assert ended.exit_code == 0, ended.output
    assert "question: Zeitpunkt of " in ended.stderr
    assert f"retainstream features build --schema {tmp_path}/schema.yaml --sources {tmp_path}" in ended.stderr
    assert read_schema(tmp_path / "schema.yaml").sources is not None
    report = json.loads(run("schema", "infer", *options, "-o", tmp_path / "again.yaml", "--json").stdout)
    assert report["kinds"][0]["kind"] == "*"
    assert {"Anmeldung", "Zahlung"} <= {kind["kind"] for kind in report["kinds"]}
    assert report["questions"][0]["columns"] == ["Zeitpunkt"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "s.yaml"), "give a table of customers, or dated files"),
        (("--events", "e.csv", "--data", "d.csv", "--label", "left", "-o", "s.yaml"), "give a table of customers, or dated files"),
        (("--data", "d.csv", "-o", "s.yaml"), "is required with --data"),
        (("--events", "e.csv", "--role", "events.when=x", "-o", "s.yaml"), "the roles are"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("schema", "infer", *arguments)
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.replace("│", " ").split())
