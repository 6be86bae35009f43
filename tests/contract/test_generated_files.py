"""Generated files agree with their sources, and .gitattributes marks each of them as generated."""

from pathlib import Path, PurePosixPath

from tools.expand import TEMPLATE
from tools.generate import generated_files
from tools.openapi_document import ROOT
from tools.pin import SHIPPED

WRITTEN_BY_OTHER_TOOLS = [
    *SHIPPED,
    "bench/results.json",
    "tests/e2e/package-lock.json",
    "uv.lock",
    "web/package-lock.json",
]


def marked() -> list[str]:
    """The patterns of .gitattributes that are marked as generated."""
    lines = [line.split() for line in (ROOT / ".gitattributes").read_text().splitlines() if not line.startswith("#")]
    return [pattern for pattern, *attributes in lines if "linguist-generated" in attributes]


def is_marked(path: str) -> bool:
    return any(PurePosixPath(path).full_match(pattern) for pattern in marked())


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run make generate and commit what it writes"


def test_every_generated_file_is_marked() -> None:
    types = [relative(path) for path in (ROOT / "client/types").iterdir()]
    generated = [relative(path) for path in generated_files() if path != TEMPLATE]
    assert [path for path in [*generated, *types, *WRITTEN_BY_OTHER_TOOLS] if not is_marked(path)] == []


def test_every_mark_names_a_file_and_none_a_file_that_people_write() -> None:
    assert [pattern for pattern in marked() if not any(ROOT.glob(pattern))] == []
    by_hand = [
        "README.md",
        "template.yaml",
        "bench/prices.yaml",
        "docs/operations.md",
        "docs/performance.md",
        "docs/scale.md",
        "web/package.json",
        "client/api-client.js",
    ]
    assert [path for path in by_hand if is_marked(path)] == []
