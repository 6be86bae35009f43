"""The shell blocks of the documentation, and whether a test runs them.

A block that begins with ```sh is run, in the order of its page, unless a word after `sh` says why not. Whole pages are either run or
only checked, with a reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

RUN: dict[str, str] = {
    "docs/quick-start.md": "",
    "docs/front-end.md": "",
    "docs/imports.md": (
        "URL=http://localhost:5000; cp examples/streaming_customers.csv customers.csv\n"
        "TOKEN=$(curl -s $URL/api/auth/login -H 'Content-Type: application/json'"
        ' -d \'{"email": "alex.chen@netflix.com", "password": "password"}\' | jq -r .data.token)'
    ),
    "docs/cli.md": "export RETAINSTREAM_PASSWORD=password",
    "docs/feature-schema.md": "",
    "docs/events.md": "",
    "docs/churn-definition.md": "",
    "docs/own-data.md": "",
}
"""Pages whose blocks are run in this order, on one local stack, in one temporary folder; and the commands that the page assumes."""

CHECKED: dict[str, str] = {
    "README.md": "repeats docs/quick-start.md",
    "docs/deploy.md": "needs an AWS account",
    "docs/evaluate.md": "takes minutes; tests/integration/test_evaluate_command.py runs the same command",
    "docs/operations.md": "needs an AWS account",
    "docs/set-up.md": "changes the machine",
    "docs/training-at-scale.md": "needs an AWS account",
}
"""Pages whose blocks are only checked (shell syntax, commands and options), with the reason."""

MARKS = {
    "aws": "needs an AWS account",
    "machine": "changes the machine",
    "long": "takes long",
    "yours": "names files or ids of the reader",
}
"""Words after `sh`, with their meanings: the block is only checked."""

_FENCE = re.compile(r"^( *)(```+)(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block. `words` follow the opening fence: the language, then marks."""

    page: str
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def not_run_because(self) -> str | None:
        """Why the block is only checked; None for a block that is run."""
        marks = [MARKS[word] for word in self.words[1:]]
        return marks[0] if marks else CHECKED.get(self.page)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page of the documentation, relative to the project."""
    folders = [ROOT, *(ROOT / name for name in ("docs", "docs/decisions", "events", "tests", "bench", "web", "client", "layers", "local"))]
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in folder.glob("*.md"))


def blocks_of(page: str) -> Iterator[Block]:
    """The fenced blocks of a page.

    Raises:
        ValueError: a fence has no end.
    """
    fence, line, words, text = "", 0, (), []  # type: ignore[var-annotated]
    for number, content in enumerate((ROOT / page).read_text().splitlines(), 1):
        match = _FENCE.match(content)
        if not fence and match:
            fence, line, words, text = match[2], number, tuple(match[3].split()), []
        elif fence and content.strip() == fence:
            yield Block(page, line, words, "\n".join(text))
            fence = ""
        elif fence:
            text.append(content)
    if fence:
        raise ValueError(f"{page}:{line}: the block has no end")


def shell_blocks() -> list[Block]:
    """Every block of shell commands."""
    return [block for page in pages() for block in blocks_of(page) if block.language in ("sh", "bash", "shell", "console")]
