"""The arrows of the architecture: what each part of the package may import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/core/retainstream"

ENGINE_IMPORTS = {
    "records": set(),
    "schema": {"records"},
    "lives": {"records"},
    "tables": {"records", "schema"},
    "sql": set(),
    "sources": {"records", "schema", "tables", "sql"},
    "traps": set(),
    "drafting": {"records", "schema", "tables", "traps", "sources", "silence"},
    "silence": {"learning", "sources", "tables"},
    "model": {"records", "schema", "lives"},
    "monitoring": {"model"},
    "business": {"records", "schema"},
    "learning": {"records", "schema", "lives", "tables", "traps", "model", "monitoring", "business", "history"},
    "history": {"records", "schema", "lives", "model", "monitoring", "sql"},
}
MAY_IMPORT = {
    "engine": set(),
    "settings": set(),
    "roles": set(),
    "strict_json": set(),
    "telemetry": {"settings"},
    "storage": {"engine", "settings", "roles", "telemetry"},
    "http": {"engine", "settings", "storage", "roles", "strict_json", "telemetry"},
    "accounts": {"settings", "storage", "roles", "strict_json"},
    "predictions": {"engine", "storage"},
    "registry": {"engine", "settings", "storage"},
    "dashboard": {"engine", "storage", "predictions", "registry"},
    "customers": {"engine", "storage", "predictions", "dashboard"},
    "drafts": {"engine"},
    "runs": {"engine", "settings", "storage", "telemetry", "predictions", "registry", "dashboard", "customers", "drafts"},
}
NOT_FOR_THE_ENGINE = {"boto3", "botocore", "aws_lambda_powertools", "httpx", "starlette", "urllib", "http", "socket"}
NOT_FOR_LOGIC = {"boto3", "botocore"}
HEAVY = {"duckdb", "numpy", "scipy", "xgboost", "pandas", "sklearn", "shap"}
START_WITHOUT_A_MODEL = {
    "http",
    "storage",
    "accounts",
    "customers",
    "dashboard",
    "telemetry",
    "engine/schema",
    "engine/tables",
    "engine/monitoring",
    "engine/lives",
    "runs/imports",
    "runs/recounts",
}
ALSO_WITHOUT_A_MODEL = {"request.py", "view.py", "record.py", "starting.py", "failure.py", "turns.py", "tasks.py"}
"""The files of `runs` by which an API module asks for a run and shows it, of every run."""
NEEDS_NUMPY = {"columnar.py", "histograms.py", "labels.py", "parquet.py", "rates.py"}


def imports(path: Path, *, at_module_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def used_by(path: Path) -> set[str]:
    """The modules of the package that a file imports, without the package's own name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("retainstream.") for name in names if name.startswith("retainstream.") and name != "retainstream.__version__"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return "/".join(parts[:2]) if parts[0] in ("engine", "runs") else parts[0].removesuffix(".py")


def starts_without_a_model(path: Path) -> bool:
    if part_of(path) == "runs" and path.name in ALSO_WITHOUT_A_MODEL:
        return True
    return room_of(path) in START_WITHOUT_A_MODEL and path.name not in NEEDS_NUMPY


def imported_at_start(path: Path) -> set[Path]:
    """The files of the package that importing one imports, itself among them, as far as module level goes."""
    seen, waiting = set[Path](), [path]
    while waiting:
        if (file := waiting.pop()) in seen:
            continue
        seen.add(file)
        names: set[str] = set()
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("retainstream."):
                names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        for name in names:
            place = PACKAGE.joinpath(*name.split(".")[1:])
            waiting += [found for found in (place.with_suffix(".py"), place / "__init__.py") if found.exists()]
    return seen


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
ENGINE = [path for path in MODULES if part_of(path) == "engine"]
DOORS = sorted(ROOT.glob("functions/*/app.py"))


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_engine_knows_no_aws_no_http_and_no_settings(path: Path) -> None:
    assert {name.split(".")[0] for name in used_by(path)} <= {"engine"}
    assert not {name.split(".")[0] for name in imports(path)} & NOT_FOR_THE_ENGINE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_lies_below_it(path: Path) -> None:
    part = part_of(path)
    assert {name.split(".")[0] for name in used_by(path)} <= MAY_IMPORT[part] | {part}
    if part == "engine" and len(path.relative_to(PACKAGE).parts) > 2:
        room = path.relative_to(PACKAGE).parts[1]
        assert {name.split(".")[1] for name in used_by(path)} <= ENGINE_IMPORTS[room] | {room}


def test_every_arrow_that_is_allowed_has_an_import_behind_it() -> None:
    arrows = {(part_of(path), name.split(".")[0]) for path in MODULES for name in used_by(path)}
    assert {(part, other) for part, below in MAY_IMPORT.items() for other in below} <= arrows
    inside = {(path.relative_to(PACKAGE).parts[1], name.split(".")[1]) for path in ENGINE for name in used_by(path)}
    assert {(room, other) for room, below in ENGINE_IMPORTS.items() for other in below} <= inside


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_storage_speaks_to_aws(path: Path) -> None:
    if part_of(path) != "storage":
        assert not {name.split(".")[0] for name in imports(path)} & NOT_FOR_LOGIC


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.parent.name)
def test_a_function_imports_the_package_and_no_other_function(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & (NOT_FOR_LOGIC | {"functions", "local", "tests"})


WITHOUT_A_MODEL = [path for path in MODULES if starts_without_a_model(path)]


@pytest.mark.parametrize("path", WITHOUT_A_MODEL, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_parts_that_start_without_a_model_import_nothing_heavy(path: Path) -> None:
    heavy = {file for file in imported_at_start(path) if {name.split(".")[0] for name in imports(file, at_module_level=True)} & HEAVY}
    assert not heavy


IN_OTHER_RUNS = {"history"}
"""The folder whose tasks are steps of several runs: nobody asks for them, so they have no request and no view."""


def test_every_run_has_the_same_three_files() -> None:
    runs = [folder for folder in (PACKAGE / "runs").iterdir() if (folder / "__init__.py").exists() and folder.name not in IN_OTHER_RUNS]
    assert len(runs) == 7
    for run in runs:
        assert {"request.py", "steps.py", "view.py"} <= {file.name for file in run.iterdir()}, run.name
    for folder in IN_OTHER_RUNS:
        files = {file.name for file in (PACKAGE / "runs" / folder).iterdir()}
        assert "steps.py" in files
        assert not files & {"request.py", "view.py"}
