"""The commands of the pages for operators, which no test can run without an account: every name in them is set, and exists."""

import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.main import get_command

from cli.app import app
from tests.contract.test_docs import prose, rows, template
from tests.docs.shell_blocks import Block, blocks_of
from tools.expand import expand

PAGES = ("docs/deploy.md", "docs/operations.md")
SHELL = ("sh", "bash")
# Of the system, or with each shell.
ALWAYS = {"awk", "cat", "cd", "do", "done", "export", "for", "printf", "read", "sort", "tee", "tr", "xargs", "."}

_SET = re.compile(r"(?:^|[\s;(])(?:export )?([A-Za-z_]\w*)=|\bfor (\w+) in\b|\bread (?:-\w+ (?:'[^']*' )?)*(\w+)")
_USED = re.compile(r"\$\{?([A-Za-z_]\w*)")
_PARAMETER = re.compile(r"`([A-Z][A-Za-z]+)=([^`…]*)`")


def blocks(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in SHELL]


def commands(block: Block) -> Iterator[list[str]]:
    """Each command of a block, in words. What stands in $(…) or behind xargs is a command as well."""
    text = re.sub(r"<<'(\w+)'.*?\n\1(?=\n|$)", "", block.text, flags=re.DOTALL).replace("\\\n", " ")
    inner = [match for match in re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)", text) if match]
    outer = re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "value", text)
    for line in "\n".join([outer, *inner]).splitlines():
        lexer = shlex.shlex(line.replace("{", " ").replace("}", " "), posix=True, punctuation_chars=";|&<>()")
        lexer.whitespace_split = True
        words: list[str] = []
        into_file = False
        for word in lexer:
            if not set(word) <= set(";|&<>()"):
                words += [] if into_file else [word]
                into_file = False
            elif set(word) <= set("<>"):
                into_file = True
            else:
                yield from _cleaned(words)
                words = []
        yield from _cleaned(words)


def _cleaned(words: list[str]) -> Iterator[list[str]]:
    while words and (re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]) or words[0] in ("do", "export", "for")):
        words = words[1:] if words[0] != "for" else []
    if words:
        yield words


@pytest.mark.parametrize("page", PAGES)
def test_every_name_is_set_before_it_is_used(page: str) -> None:
    names: set[str] = set()
    functions: set[str] = set()
    for block in blocks(page):
        functions |= set(re.findall(r"^(\w+)\(\) \{", block.text, re.MULTILINE))
        names |= {name for match in _SET.finditer(block.text) for name in match.groups() if name}
        assert set(_USED.findall(block.text)) <= names, block
        called = {words[0] for words in commands(block)} & {"output", "resource"}
        assert called <= functions, block
    for block_text in re.findall(r"`([^`\n]*\$[A-Z][^`\n]*)`", prose(page)):
        assert set(_USED.findall(block_text)) <= names, block_text


@pytest.mark.parametrize("page", PAGES)
def test_every_tool_is_a_prerequisite(page: str) -> None:
    functions = {name for block in blocks(page) for name in re.findall(r"^(\w+)\(\) \{", block.text, re.MULTILINE)}
    used = {words[0] for block in blocks(page) for words in commands(block)} - functions - ALWAYS
    needed = " ".join(cells[0] for cells in rows("docs/deploy.md", "tool", "for"))
    documented = set(re.findall(r"`([a-z]+)`", needed)) | {"python", "retainstream"}  # both stand in .venv
    assert used <= documented, page
    assert any(". .venv/bin/activate" in block.text and "retainstream" in "".join(b.text for b in blocks(page)) for block in blocks(page))


@pytest.mark.parametrize("page", PAGES)
def test_the_command_line_accepts_its_commands(page: str) -> None:
    """By its own parser: names of commands and options, values, and the arguments that a command must have."""
    ours = [words[1:] for block in blocks(page) for words in commands(block) if words[0] == "retainstream"]
    assert ours
    for words in ours:
        parse(words)


def parse(words: list[str]) -> None:
    command: Any = get_command(app)
    context = command.context_class(command, info_name="retainstream")
    rest = list(words)
    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)
        context = command.context_class(command, parent=context, info_name=name)
    values, arguments, _ = command.make_parser(context).parse_args(rest)
    assert not arguments, (words, arguments)
    missing = [parameter.name for parameter in command.params if parameter.required and values.get(parameter.name) is None]
    assert not missing, (words, missing)


def test_the_parser_refuses() -> None:
    for words in (["publish-pages"], ["publish-pages", "--stack"], ["publish-pages", "--divine", "x"], ["divine"]):
        with pytest.raises(Exception, match=r"requires an argument|No such|missing|stack"):
            parse(words)


@cache
def resources() -> dict[str, str]:
    return {name: resource["Type"] for name, resource in expand().template["Resources"].items()}


@pytest.mark.parametrize("page", PAGES)
def test_outputs_resources_and_functions_exist(page: str) -> None:
    named = 0
    for block in blocks(page):
        for words in commands(block):
            if words[0] == "output" and len(words) > 1:
                assert words[1] in template()["Outputs"], (block, words)
                named += 1
            if words[0] == "resource" and len(words) > 1 and not words[1].startswith("$"):
                assert words[1] in resources(), (block, words)
                named += 1
        for name in re.findall(r'--function-name "\$STACK-([a-z]+)', block.text):
            assert f"{name.capitalize()}Function" in resources(), block
        for name in re.findall(r"for layer in ([a-z ]+);", block.text):
            layers = {f"{layer.capitalize()}Layer" for layer in name.split()}
            assert layers == {kind for kind in map(_without_digest, resources()) if kind.endswith("Layer")}, block
    assert named > 3, page
    for name in re.findall(r"`([A-Z][A-Za-z]+(?:Url|Name|Arn|Id))`", prose(page)):
        known = template()["Outputs"].keys() | template()["Parameters"].keys() | _of_the_role()
        assert name in known, f"{page} names {name}"


def _without_digest(name: str) -> str:
    return re.sub(r"[0-9a-f]{10}$", "", name)


def _of_the_role() -> set[str]:
    return {"StackName", "ProviderArn"}


@pytest.mark.parametrize("page", PAGES)
def test_parameters_exist_and_take_the_values_that_are_shown(page: str) -> None:
    known = template()["Parameters"]
    shown = _PARAMETER.findall(prose(page))
    shown += [tuple(word.split("=", 1)) for block in blocks(page) for words in commands(block) for word in _overrides(words)]
    for name, value in shown:
        assert name in known, f"{page}: {name}={value}"
        allowed, pattern = known[name].get("AllowedValues"), known[name].get("AllowedPattern")
        assert not value or allowed is None or value in map(str, allowed), f"{page}: {name}={value}"
        assert not value or pattern is None or re.search(pattern, value), f"{page}: {name}={value}"


def _overrides(words: list[str]) -> list[str]:
    """The parameters of a `sam deploy`; those of the deployment role's own stack are another template's."""
    if words[:2] != ["sam", "deploy"] or "--parameter-overrides" not in words:
        return []
    return words[words.index("--parameter-overrides") + 1 :]


def test_the_tables_that_deletion_names_are_those_that_are_kept() -> None:
    [listed] = [match for block in blocks("docs/deploy.md") for match in re.findall(r"for table in ([A-Za-z ]+);", block.text)]
    kept = {name for cells in rows("docs/deploy.md", "kept", "why") for name in re.findall(r"`(\w+Table)`", cells[0])}
    assert set(listed.split()) == kept


@pytest.mark.parametrize("ends_with_the_bucket", [False, True])
def test_the_commands_that_empty_a_bucket_work(ends_with_the_bucket: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [
        words for block in blocks("docs/deploy.md") for words in commands(block) if words[:2] == ["python", "-c"] and "versions" in words[2]
    ]
    [program] = [words[2] for words in programs if ("bucket.delete()" in words[2]) is ends_with_the_bucket]
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="kept")
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        for body in (b"first", b"second"):
            s3.put_object(Bucket="kept", Key="index.html", Body=body)
        s3.delete_object(Bucket="kept", Key="index.html")
        monkeypatch.setattr(sys, "argv", ["-c", "kept"])
        exec(program, {})
        if ends_with_the_bucket:
            assert s3.list_buckets()["Buckets"] == []
        else:
            versions = s3.list_object_versions(Bucket="kept")
            assert not versions.get("Versions")
            assert not versions.get("DeleteMarkers")
