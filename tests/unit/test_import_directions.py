"""The arrows of the architecture: what each part of the package may import."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/core/retainstream"

MAY_IMPORT = {
    "settings": set(),
    "schema": set(),
    "tables": {"schema"},
    "inference": {"schema", "tables"},
    "roles": set(),
    "telemetry": {"settings"},
    "storage": {"settings", "schema", "roles", "telemetry"},
    "runs": {"storage"},
    "auth": {"settings", "schema", "storage", "roles"},
    "monitoring": {"settings", "schema", "storage"},
    "scoring": {"settings", "schema", "storage", "monitoring", "runs", "telemetry"},
    "registry": {"settings", "schema", "storage", "scoring", "monitoring"},
    "rollups": {"settings", "schema", "storage", "scoring", "registry", "monitoring", "runs", "telemetry"},
    "customers": {"settings", "schema", "tables", "storage", "scoring", "registry", "rollups", "runs", "telemetry"},
    "training": {
        "settings",
        "schema",
        "tables",
        "inference",
        "storage",
        "scoring",
        "registry",
        "rollups",
        "monitoring",
        "runs",
        "telemetry",
    },
    "http": {"settings", "schema", "storage", "roles", "telemetry"},
}
NOT_FOR_LOGIC = {"boto3", "botocore"}
HEAVY = {"numpy", "scipy", "xgboost", "pandas", "sklearn", "shap"}
START_WITHOUT_A_MODEL = {"http", "schema", "tables", "storage", "auth", "customers", "rollups", "monitoring", "runs", "telemetry"}
NEEDS_NUMPY = {"columnar.py", "histograms.py"}


def imports(path: Path, *, at_module_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def part_of(path: Path) -> str:
    return part_named(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def part_named(module: Sequence[str]) -> str:
    """The part a module belongs to. Roles are words that storage, auth and the edge share, so they are a part of their own."""
    return "roles" if tuple(module[:3]) == ("retainstream", "auth", "roles") else module[1]


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
DOORS = sorted(ROOT.glob("functions/*/app.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_lies_below_it(path: Path) -> None:
    part = part_of(path)
    used = {part_named(name.split(".")) for name in imports(path) if name.startswith("retainstream.")}
    assert used <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_storage_speaks_to_aws(path: Path) -> None:
    if part_of(path) != "storage":
        assert not {name.split(".")[0] for name in imports(path)} & NOT_FOR_LOGIC


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.name)
def test_a_function_imports_the_package_and_no_other_function(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & (NOT_FOR_LOGIC | {"functions", "local", "tests"})


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if part_of(path) in START_WITHOUT_A_MODEL and path.name not in NEEDS_NUMPY],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_parts_that_start_without_a_model_import_nothing_heavy(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path, at_module_level=True)} & HEAVY
