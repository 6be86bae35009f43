"""A month with the command line alone, against the whole stack; and what holds for every command."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from cli.app import app
from tests.integration.commands.conftest import EMAIL, PASSWORD, ROOT, Run, RunHere
from tests.integration.conftest import LocalProcess


def test_a_month_from_file_to_call_list(run: Run, stack: LocalProcess, tmp_path: Path) -> None:
    def done(*arguments: object, code: int = 0, stdin: str = "") -> str:
        ended = run(*arguments, stdin=stdin, folder=tmp_path, RETAINSTREAM_URL=stack.url)
        assert ended.returncode == code, (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    done("login", "--email", EMAIL, stdin=f"{PASSWORD}\n")
    done("generate", "--output", "month.csv", "--customers", 300, "--seed", 7)
    rows = list(csv.reader((tmp_path / "month.csv").open()))
    for number, row in enumerate(rows[1:]):
        row[0] = f"new-{number}"
    rows[3][rows[0].index("watch_time_hours")] = "-1"
    rows[5][0] = ""
    with (tmp_path / "month.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    today = datetime.now(UTC).date()
    moments = ("--features-as-of", str(today - timedelta(days=35)), "--outcomes-as-of", str(today))
    imported = json.loads(done("import", "month.csv", *moments, "--rejects", "rejected.csv", "--json"))
    assert imported["counts"]["read"] == 300
    assert imported["counts"]["rejected"] == 1
    assert [(kind["line"], kind["column"]) for kind in imported["rejects"]] == [(6, "customer_id")]
    assert [(kind["column"], kind["value"], kind["rows"]) for kind in imported["unread"]] == [("watch_time_hours", "-1", 1)]
    rejected = list(csv.reader((tmp_path / "rejected.csv").open(encoding="utf-8-sig")))
    assert rejected == [[*rows[0], "error"], [*rows[5], "customer_id: is missing"]]
    done("import", "month.csv", *moments, "--watch", "--strict", code=3)

    scored = json.loads(done("score", "--watch", "--json"))
    before = json.loads(done("status", "--json"))["model"]["version"]
    assert scored["result"]["model_version"] == before
    listed = json.loads(done("at-risk", "--limit", 5, "--json"))
    assert [row["probability"] for row in listed] == sorted((row["probability"] for row in listed), reverse=True)
    shown = done("customers", "show", listed[0]["customer_id"])
    assert f"churn probability: {listed[0]['probability']:.1%} ({listed[0]['level']})" in shown
    at_least = ("--min-probability", listed[-1]["probability"])
    done("export", "--output", "calls.csv", *at_least, "--separator", "semicolon", "--decimal", "comma")
    called = list(csv.DictReader((tmp_path / "calls.csv").open(encoding="utf-8-sig"), delimiter=";"))
    assert {row["customer_id"] for row in listed} <= {row["Customer"] for row in called}
    done("export", "--output", "fields.csv", *at_least, "--for-programs")
    fields = list(csv.DictReader((tmp_path / "fields.csv").open(encoding="utf-8")))
    assert [row["customer_id"] for row in fields] == [row["Customer"] for row in called]

    trained = json.loads(done("train", "--watch", "--json"))
    assert trained["result"]["version"] in done("versions")
    done("promote", before, "--yes")
    assert json.loads(done("status", "--json"))["model"]["version"] == before
    if trained["result"]["promoted"]:
        assert trained["result"]["version"] in done("rollback", "--yes")
        done("rollback", "--yes")
    done("drift")
    done("performance")


def test_accounts_and_what_they_may(run: Run, stack: LocalProcess, tmp_path: Path) -> None:
    first, own, url = "a-first-password-of-cleo", "words that cleo chose alone", {"RETAINSTREAM_URL": stack.url}
    run("login", "--email", EMAIL, stdin=PASSWORD, **url)
    added = run("users", "add", "cleo@example.com", stdin=first, **url)
    assert added.returncode == 0, added.stderr
    again = run("users", "add", "cleo@example.com", stdin=first, **url)
    assert (again.returncode, "is taken" in again.stderr) == (1, True)
    assert "cleo@example.com" in [user["email"] for user in json.loads(run("users", "list", "--json", **url).stdout)]

    other = {**url, "RETAINSTREAM_CONFIG_DIR": str(tmp_path / "cleo")}
    assert run("login", "--email", "cleo@example.com", stdin=first, **other).returncode == 0
    refused = run("status", **other)
    assert (refused.returncode, "retainstream password" in refused.stderr) == (4, True)
    changed = run("password", "--json", stdin=f"{first}\n{own}", **other)
    assert json.loads(changed.stdout)["must_change_password"] is False
    assert json.loads(run("whoami", "--json", **other).stdout)["role"] == "viewer"
    for command in (("users", "list"), ("train",), ("score",), ("import", ROOT / "examples/streaming_customers.csv")):
        refused = run(*command, **other)
        assert refused.returncode == 4, (command, refused.stderr)
        assert "Ask an administrator" in refused.stderr
    assert run("users", "change", "cleo@example.com", "--status", "disabled", **url).returncode == 0
    assert run("login", "--email", "cleo@example.com", stdin=own, **other).returncode == 4


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        elif isinstance(command, TyperCommand):
            yield (*path, name), command


ROOT_COMMAND = typer.main.get_command(app)
assert isinstance(ROOT_COMMAND, TyperGroup)
COMMANDS = dict(commands(ROOT_COMMAND))
LOCAL = {("generate",), ("evaluate",), ("schema", "infer"), ("schema", "check"), ("features", "build"), ("churn", "define")}
WITH_AWS = {("bootstrap-admin",), ("publish-pages",)}
ARGUMENTS = {
    ("customers", "show"): ["c1"],
    ("customers", "remove"): ["c1", "--yes"],
    ("promote",): ["v1"],
    ("users", "add"): ["a@example.com"],
    ("import",): ["customers.csv"],
    ("sources", "put"): ["README.md", "--kind", "events"],
    ("schema", "put"): ["examples/schemas/telco.yaml"],
    ("schema", "learn"): ["plan=gold"],
}
ARGUMENTS[("users", "change")] = ["a@example.com", "--role", "viewer"]


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_command_explains_itself_and_can_print_json(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    options = {name for option in command.params for name in option.opts}
    assert "--json" in options or path in {("generate",), ("logout",)}
    unexplained = [option.name for option in command.params if not getattr(option, "help", None)]
    assert unexplained == []
    assert not {"--password", "--token"} & options


@pytest.mark.parametrize("path", sorted(set(COMMANDS) - LOCAL - WITH_AWS - {("login",)}), ids=" ".join)
def test_who_is_not_signed_in_is_told_how(run_here: RunHere, path: tuple[str, ...]) -> None:
    ended = run_here(*path, *ARGUMENTS.get(path, []), stdin="password")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert re.fullmatch(r"error: You are not signed in at \S+\. To sign in: retainstream login --url \S+\n", ended.stderr)


def test_the_documentation_names_every_command() -> None:
    page = (ROOT / "docs/cli.md").read_text()
    assert [path for path in COMMANDS if f"retainstream {' '.join(path)}" not in page] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(run: Run, shell: str) -> None:
    words = {"bash": {"COMP_WORDS": "retainstream boot", "COMP_CWORD": "1"}}.get(shell, {"_TYPER_COMPLETE_ARGS": "retainstream boot"})
    variables = {"_RETAINSTREAM_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args", **words}
    ended = run(**variables)
    assert "bootstrap-admin" in ended.stdout, ended.stderr
