"""The documentation agrees with the project: links, tables, names and commands."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from typer.main import get_command

from cli.app import app
from retainstream.settings import Settings
from tests.docs.shell_blocks import CHECKED, ROOT, RUN, Block, blocks_of, pages, shell_blocks
from tests.unit.test_import_directions import ENGINE_IMPORTS, MAY_IMPORT
from tools.expand import expand

_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")
_CODE = re.compile(r"`([^`]+)`")
_RESOURCE = re.compile(r"\b((?:[A-Z][A-Za-z]*)?(?:Table|Function|StateMachine|Bucket|Topic|Letters|SigningKey|SealingSecret|Policy))\b")
_PATH = re.compile(r"^[\w.-]+(?:/[\w.*-]+)+\.\w+$")
_OPENING, _CLOSING = "([{", ")]}"
_DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram-v2")


@cache
def template() -> dict[str, Any]:
    """The template as written, without CloudFormation's tags."""

    class Loader(yaml.SafeLoader):
        pass

    def without_tag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)  # type: ignore[arg-type]

    Loader.add_multi_constructor("!", without_tag)
    document: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    return document


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    text, fence = [], ""
    for line in (ROOT / page).read_text().splitlines():
        match = re.match(r" *(```+)", line)
        if match and not fence:
            fence = match[1]
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence:
            text.append(line)
    return "\n".join(text)


def anchors(page: str) -> set[str]:
    """The anchors of a page, as GitHub makes them from its headings."""
    seen: Counter[str] = Counter()
    names = set()
    for line in prose(page).splitlines():
        heading = _HEADING.match(line)
        if heading:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            names.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return names


def rows(page: str, *headers: str) -> list[list[str]]:
    """The cells of the tables of a page that have these headers."""
    table: list[list[str]] = []
    inside = False
    for line in prose(page).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif tuple(cells) == headers:
            inside = True
        elif inside and set(line) - set("|-: "):
            table.append(cells)
    assert table, f"{page} has no table with the headers {' | '.join(headers)}"
    return table


@pytest.mark.parametrize("page", pages())
def test_links_are_valid(page: str) -> None:
    broken = []
    for target in _LINK.findall(prose(page)):
        address, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", address):
            assert address.startswith(("https://", "mailto:")), f"{page}: {target}"
            continue
        there = ((ROOT / page).parent / unquote(address)).resolve() if address else ROOT / page
        dead = anchor and there.suffix == ".md" and there.exists() and anchor not in anchors(str(there.relative_to(ROOT)))
        if dead or not there.exists():
            broken.append(target)
    assert not broken, f"{page} has broken links: {', '.join(broken)}"


def test_a_heading_is_an_anchor_as_github_makes_it() -> None:
    assert "post-apiauthlogin" in anchors("docs/api.md")
    assert "apiservererrors" in anchors("docs/operations.md")
    assert "nothing-of-this-name" not in anchors("docs/operations.md")


def test_every_page_is_reached_from_the_index() -> None:
    for index in ("docs/README.md", "docs/decisions.md"):
        folder = Path(index).parent if index.endswith("README.md") else Path(index).with_suffix("")
        linked = {str((ROOT / index).parent / target.partition("#")[0]) for target in _LINK.findall(prose(index))}
        missing = {page for page in pages() if Path(page).parent == folder and str(ROOT / page) not in linked} - {index}
        assert not missing, f"{index} does not name {', '.join(sorted(missing))}"


def test_the_index_of_decisions_agrees_with_the_pages() -> None:
    decisions = sorted(decision for page in (ROOT / "docs/decisions").glob("*.md") for decision in decisions_of(page))
    assert [decision.number for decision in decisions] == list(range(1, len(decisions) + 1))
    index = rows("docs/decisions.md", "no.", "decision", "area", "date", "status")
    assert [row[1:] for row in index] == [[decision.title, decision.area, decision.date, decision.status] for decision in decisions]
    for row, decision in zip(index, decisions, strict=True):
        target = _LINK.findall(row[0])[0]
        assert target.startswith(f"decisions/{decision.page}.md#{decision.number}-")
    for decision in decisions:
        assert re.match(r"accepted|superseded|withdrawn", decision.status), decision
        assert ("superseded" in decision.status) <= bool(decision.replaced_by), decision
        assert all(decision.number < number <= len(decisions) for number in decision.replaced_by), decision


@dataclass(frozen=True, order=True)
class Decision:
    """A decision as its page states it. `status` is written as in the index."""

    number: int
    title: str
    area: str
    page: str
    date: str
    status: str
    replaced_by: tuple[int, ...]


_DECISION = re.compile(
    r"^## (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. Status: (\w+)\.(?: Replaced (in part )?by ([^.]*(?:\.md[^.]*)*)\.)?\n\n"
    r"\*\*Context\.\*\* [^*]+\*\*Decision\.\*\* [^*]+\*\*Consequence\.\*\* ",
    re.MULTILINE,
)


def decisions_of(page: Path) -> Iterator[Decision]:
    """The decisions of a page.

    Raises:
        AssertionError: a decision lacks its date, its status, or one of its three paragraphs.
    """
    text = page.read_text()
    area = text.splitlines()[0].removeprefix("# Decisions: ")
    matches = list(_DECISION.finditer(text))
    assert len(matches) == text.count("\n## "), f"{page.name}: a decision lacks a part"
    for match in matches:
        number, title, date, status, partly, links = match.groups()
        replaced_by = tuple(int(one) for one in re.findall(r"\[(\d+)\]", links or ""))
        if replaced_by:
            status += f", {'in part ' if partly else ''}replaced by {', '.join(map(str, replaced_by))}"
        yield Decision(int(number), title, area, page.stem, date, status, replaced_by)


@pytest.mark.parametrize("page", [page for page in pages() if "```mermaid" in (ROOT / page).read_text()])
def test_diagrams_are_complete(page: str) -> None:
    for block in blocks_of(page):
        if block.language != "mermaid":
            continue
        lines = [line for line in block.text.splitlines() if line.strip()]
        assert lines[0].split()[0] in _DIAGRAMS, block
        for line in lines:
            bare = re.sub(r'"[^"]*"', "", line)
            assert line.count('"') % 2 == 0, f"{block}: {line}"
            assert _balanced(bare if lines[0].startswith("flowchart") else ""), f"{block}: {line}"
        opened = sum(bool(re.match(r"\s*subgraph\b", line)) for line in lines)
        assert opened == sum(line.strip() == "end" for line in lines), block


def _balanced(text: str) -> bool:
    open_ones = []
    for letter in text:
        if letter in _OPENING:
            open_ones.append(_OPENING.index(letter))
        elif letter in _CLOSING and (not open_ones or open_ones.pop() != _CLOSING.index(letter)):
            return False
    return not open_ones


def test_every_parameter_is_documented_with_its_default() -> None:
    documented = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("docs/deploy.md", "parameter", "default", "meaning")}
    assert documented == {name: str(parameter["Default"]) for name, parameter in template()["Parameters"].items()}


def test_resources_that_outlive_the_stack_are_documented() -> None:
    documented = {name for cells in rows("docs/deploy.md", "kept", "why") for name in _CODE.findall(cells[0])}
    with_their_function = {"AWS::Lambda::Version"}
    kept = {
        re.sub(r"[0-9a-f]{10}$", "", name)  # SAM puts a digest behind the names of layers
        for name, resource in expand().template["Resources"].items()
        if "Retain" in resource.get("DeletionPolicy", "") and resource["Type"] not in with_their_function
    }
    assert documented == kept


def test_every_alarm_is_explained() -> None:
    alarms = {name for name, resource in template()["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    runbook = prose("docs/operations.md").split("\n## Alarms\n")[1].split("\n## ")[0]
    in_headings = [name for heading in re.findall(r"^### (.+)$", runbook, re.MULTILINE) for name in _CODE.findall(heading)]
    in_tables = [
        name for cells in rows("docs/operations.md", "function", "errors", "throttles") for cell in cells for name in _CODE.findall(cell)
    ]
    assert sorted(in_headings + in_tables) == sorted(alarms)


def test_every_variable_is_documented_with_its_default() -> None:
    documented = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("docs/environment.md", "variable", "default", "from")}
    ours = {}
    for name, field in Settings.model_fields.items():
        default = "" if field.is_required() or field.default in ("", ()) else str(field.default)
        ours[name.upper()] = default
    assert documented == ours


def test_parameters_that_pages_name_exist() -> None:
    known = template()["Parameters"].keys()
    for cells in [*rows("docs/environment.md", "variable", "default", "from"), *rows("docs/environment.md", "there", "here", "why")]:
        for cell in cells[1:]:
            for name in re.findall(r"(?:parameters? )?`([A-Z][a-z]+(?:[A-Z][A-Za-z]+)+)`", cell):
                assert name in known, name


def test_resources_that_the_architecture_names_exist_and_the_main_ones_are_named() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    known = {name: resource["Type"] for name, resource in template()["Resources"].items()}
    named = set(_RESOURCE.findall(text))
    assert named <= known.keys(), f"not in the template: {', '.join(sorted(named - known.keys()))}"
    main = ("AWS::DynamoDB::Table", "AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::S3::Bucket")
    assert {name for name, kind in known.items() if kind in main} <= named


def test_prefixes_of_the_bucket_end_as_documented() -> None:
    rules = template()["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    ends = {prefix: f"{end} days" if isinstance(end, int) else "`HistoryMonths`" for prefix, end in days.items()}
    documented = {cells[0].strip("`"): cells[2] for cells in rows("docs/architecture.md", "prefix of `Bucket`", "holds", "ends after")}
    assert {prefix: end for prefix, end in documented.items() if end != "kept"} == ends
    granted = set(re.findall(r"\$\{Bucket\.Arn\}/([a-z]+/)", (ROOT / "template.yaml").read_text()))
    assert granted == {f"{prefix.split('/')[0]}/" for prefix in documented}


def test_tables_outlive_the_stack_as_documented() -> None:
    documented = {
        cells[0].strip("`"): cells[3] for cells in rows("docs/architecture.md", "table", "key", "holds", "kept when the stack goes")
    }
    tables = {name: table for name, table in template()["Resources"].items() if table["Type"] == "AWS::DynamoDB::Table"}
    assert documented == {name: "yes" if table["DeletionPolicy"] == "RetainExceptOnCreate" else "no" for name, table in tables.items()}


def test_the_steps_that_diagrams_show_are_those_of_the_machines() -> None:
    shown = [block.text for block in blocks_of("docs/architecture.md") if block.text.startswith("stateDiagram")]
    machines = ("retraining", "scoring", "import", "prepare", "recount", "export", "history")
    assert len(shown) == len(machines)
    for machine, diagram in zip(machines, shown, strict=True):
        known = set(_states(yaml.safe_load((ROOT / f"statemachines/{machine}.asl.yaml").read_text())))
        short = {alias: name for name, alias in re.findall(r'state "([^"]+)" as (\w+)', diagram)}
        drawn = {end for line in diagram.splitlines() if "-->" in line for end in re.split(r"-->|:", line)[:2]}
        names = {short.get(end.strip(), end.strip()) for end in drawn} - {"[*]"}
        assert names <= known, f"{machine}: {', '.join(sorted(names - known))}"


def _states(machine: dict[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield name
        for inner in ("Iterator", "ItemProcessor"):
            if inner in state:
                yield from _states(state[inner])


def test_import_directions_are_those_that_the_test_keeps() -> None:
    documented = {cells[0].strip("`"): set(_CODE.findall(cells[1])) for cells in rows("docs/architecture.md", "part", "may import")}
    assert documented == MAY_IMPORT
    engine = {
        cells[0].strip("`"): set(_CODE.findall(cells[2]))
        for cells in rows("docs/architecture.md", "room of the engine", "holds", "may import")
    }
    assert engine == ENGINE_IMPORTS


@pytest.mark.parametrize("page", pages())
def test_files_that_pages_name_exist(page: str) -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build"}
    named = [text for text in _CODE.findall(prose(page)) if _PATH.match(text) and text.split("/")[0] in folders]
    missing = [text for text in named if not list(ROOT.glob(text)) and not text.startswith("web/dist/")]
    assert not missing, f"{page} names missing files: {', '.join(missing)}"


def test_every_promise_of_security_names_its_test() -> None:
    for cells in rows("docs/security.md", "promise", "done in", "shown by"):
        places, proofs = _CODE.findall(cells[1]), _CODE.findall(cells[2])
        assert places, cells[0]
        assert proofs, cells[0]
        for path in [*places, *proofs]:
            assert (ROOT / path).is_file(), f"{cells[0]}: {path}"
        assert all(proof.startswith("tests/") for proof in proofs), cells[0]


@pytest.mark.parametrize("month", [1, 2])
def test_the_example_files_are_those_of_their_program(month: int) -> None:
    written = subprocess.run(
        [sys.executable, ROOT / "examples/telco.py", "--month", str(month)], capture_output=True, text=True, check=True
    ).stdout
    name = "telco_customers.csv" if month == 1 else "telco_next_month.csv"
    assert written == (ROOT / "examples" / name).read_text()


def test_the_files_of_the_gym_are_those_of_their_program(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "examples/gym.py", tmp_path], check=True)
    for name in ("profile.csv", "subscriptions.csv", "events.csv"):
        assert (tmp_path / name).read_text() == (ROOT / "examples/gym" / name).read_text()


# ------------------------------------------------------------------------------------------------------- what can be typed


def test_pages_with_commands_are_either_run_or_say_why_not() -> None:
    with_commands = {block.page for block in shell_blocks()}
    assert not RUN.keys() & CHECKED.keys()
    assert with_commands <= RUN.keys() | CHECKED.keys()


@pytest.mark.parametrize("block", shell_blocks(), ids=str)
def test_commands_can_be_typed(block: Block) -> None:
    syntax = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert syntax.returncode == 0, f"{block}: {syntax.stderr}"
    joined = re.sub(r"\\\n\s*", " ", block.text)
    joined = "\n".join([re.sub(r"\$\([^()]*\)", "…", joined), *re.findall(r"\$\(([^()]*)\)", joined)])
    for line in re.split(r"\n|&&|\|\||[|;]", joined):
        words = line.split("#")[0].split()
        while words and re.fullmatch(r"\w+=\S*", words[0]):
            words.pop(0)
        if not words:
            continue
        if words[0].endswith("retainstream"):
            _check_command(words[1:], f"{block}: {line.strip()}")
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
            unknown = set(targets) - _make_targets()
            assert not unknown, f"{block}: make has no {', '.join(unknown)}"


def _check_command(words: list[str], place: str) -> None:
    command: Any = get_command(app)
    words = list(words)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{place}: there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("-")}
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= options | {"--help", "-h"}, f"{place}: there is no option {', '.join(sorted(used - options))}"


def test_an_unknown_command_fails() -> None:
    with pytest.raises(AssertionError, match="no command divine"):
        _check_command(["divine", "--url", "x"], "a page")
    with pytest.raises(AssertionError, match="no option --divine"):
        _check_command(["schema", "check", "--divine"], "a page")


@cache
def _make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
