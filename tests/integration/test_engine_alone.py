"""The commands for files in an environment that holds the engine's packages alone: no AWS library, no web server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/streaming_customers.csv"
SCHEMA = ROOT / "examples/schemas/streaming.yaml"
SERVICE_PACKAGES = ("boto3", "botocore", "aws_lambda_powertools", "moto", "httpx", "jwt", "cryptography", "argon2", "uvicorn")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment with the lock's group `engine`."""
    folder = tmp_path_factory.mktemp("engine") / "environment"
    uv = str(Path(sys.executable).with_name("uv"))
    settings = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never"}
    only_the_engine = [uv, "sync", "--quiet", "--frozen", "--no-default-groups", "--group", "engine", "--python", sys.executable]
    subprocess.run(only_the_engine, cwd=ROOT, env=settings, check=True)
    return folder / ("Scripts" if os.name == "nt" else "bin")


def run(environment: Path, program: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "RETAINSTREAM_"))}
    return subprocess.run(
        [environment / program, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**settings, "NO_COLOR": "1", "COLUMNS": "140"},
    )


@pytest.mark.parametrize("package", SERVICE_PACKAGES)
def test_the_environment_holds_no_package_of_the_service(environment: Path, package: str, tmp_path: Path) -> None:
    ended = run(environment, "python", "-c", f"import {package}", folder=tmp_path)
    assert f"No module named '{package}'" in ended.stderr


def test_a_schema_is_drafted_and_checked(environment: Path, tmp_path: Path) -> None:
    drafted = run(environment, "retainstream", "schema", "infer", "-d", EXAMPLE, "-l", "churned", "-o", "drafted.yaml", folder=tmp_path)
    assert drafted.returncode == 0, drafted.stderr
    checked = run(environment, "retainstream", "schema", "check", "drafted.yaml", "-d", EXAMPLE, folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "1,000 customers read" in checked.stdout


def test_features_are_built_from_events(environment: Path, tmp_path: Path) -> None:
    gym = ROOT / "examples/gym"
    ended = run(
        environment, "retainstream", "features", "build", "-s", gym / "schema.yaml", "-d", gym, "-o", "gym.parquet", folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "gym.parquet").read_bytes()[:4] == b"PAR1"


def test_training_is_evaluated(environment: Path, tmp_path: Path) -> None:
    ended = run(
        environment,
        "retainstream",
        *("evaluate", "-s", SCHEMA, "-d", EXAMPLE, "--folds", 2, "--seconds", 0.2, "--baselines", "-o", "result.json"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert "logistic regression" in ended.stdout
    assert (tmp_path / "result.json").stat().st_size > 10_000


def test_a_command_of_the_service_names_the_package_it_lacks(environment: Path, tmp_path: Path) -> None:
    ended = run(environment, "retainstream", "bootstrap-admin", "--email", "a@example.com", "--stack", "s", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: this command needs the package boto3, which is not installed")
    assert len(ended.stderr.splitlines()) == 1


def test_churn_is_defined_and_a_schema_is_drafted_from_source_files(environment: Path, tmp_path: Path) -> None:
    gym = ROOT / "examples/gym"
    events = ("--events", gym / "events.csv")
    defined = run(
        environment, "retainstream", "churn", "define", *events, "--id", "member", "--at", "happened_at", "--out", "s.html", folder=tmp_path
    )
    assert defined.returncode == 0, defined.stderr
    assert "In the schema: churn: {when: no-event, days: " in defined.stdout
    assert (tmp_path / "s.html").stat().st_size > 10_000
    drafted = run(
        environment, "retainstream", "schema", "infer", *events, "--profile", gym / "profile.csv", "-o", "gym.yaml", folder=tmp_path
    )
    assert drafted.returncode == 0, drafted.stderr
    assert "churn: {when: no-event" in (tmp_path / "gym.yaml").read_text()
