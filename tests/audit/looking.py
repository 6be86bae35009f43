"""Looks for known weaknesses of everything that is locked, and says what it could not look for."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.audit.advisories import Finding, Known
from tests.audit.locked import Package, of_npm, of_uv

ROOT = Path(__file__).parents[2]
PIP_AUDIT = ROOT / ".venv-audit/bin/pip-audit"
NPM_LOCKS = ("web", "tests/e2e")  # client/ depends on nothing
_SECONDS = 120
_LONGEST_REASON = 120


@dataclass(frozen=True)
class Looked:
    """What was found, and by `unknown` what could not be known, each in a sentence."""

    findings: Sequence[Finding]
    unknown: Sequence[str] = field(default_factory=list)


def everything_locked(root: Path = ROOT) -> set[Package]:
    """Every package that this project locks."""
    return of_uv(root / "uv.lock").union(*(of_npm(root / folder / "package-lock.json") for folder in NPM_LOCKS))


def by_list(packages: Iterable[Package], known: Known) -> Looked:
    """Look in our own list."""
    packages = list(packages)
    unknown = [f"our list of {ecosystem} ends on {day}: it knows of no weakness published later" for ecosystem, day in known.as_of.items()]
    missing = known.never_looked_up(packages)
    if missing:
        unknown.append(f"our list was made before these came: {', '.join(map(str, missing))}")
    return Looked(list(known.findings(packages)), unknown)


def by_pip_audit(packages: Iterable[Package]) -> Looked:
    """Ask the service that pip-audit asks (OSV)."""
    pinned = sorted({f"{package.name}=={package.version}" for package in packages if package.ecosystem == "pypi"})
    findings, versions = [], _one_version_at_a_time(pinned)
    for lines in versions:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            requirements.write("\n".join(lines))
            requirements.flush()
            command: list[str | Path] = [
                PIP_AUDIT,
                "-r",
                requirements.name,
                "--no-deps",
                "--disable-pip",
                "--strict",
                "-s",
                "osv",
                "-f",
                "json",
                "--progress-spinner",
                "off",
            ]
            answer = _run(command)
        try:
            told = json.loads(answer)["dependencies"]
        except (ValueError, KeyError, TypeError):
            return Looked([], [f"pip-audit could not ask: {_why_not(answer)}"])
        findings += [
            Finding(Package("pypi", one["name"], one["version"]), weakness["id"]) for one in told for weakness in one.get("vulns", [])
        ]
    return Looked(findings)


def by_npm_audit(folder: Path) -> Looked:
    """Ask the registry that npm installs from."""
    npm = shutil.which("npm") or str(ROOT / ".venv-node/bin/npm")
    answer = _run([npm, "audit", "--json", "--package-lock-only", "--prefix", str(folder)])
    try:
        told = json.loads(answer)
        weak: Mapping[str, dict[str, object]] = told["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return Looked([], [f"npm audit could not ask for {folder.name}: {_why_not(answer)}"])
    return Looked([Finding(Package("npm", name, str(one["range"])), _advisories(one["via"])) for name, one in weak.items()])


def _advisories(via: object) -> str:
    parts = via if isinstance(via, list) else [via]
    return ", ".join(str(part["url"]).rpartition("/")[2] if isinstance(part, dict) else str(part) for part in parts)


def _one_version_at_a_time(pinned: Sequence[str]) -> list[list[str]]:
    """Lists in which no package is pinned twice: a lock may hold several versions of one, for different platforms."""
    lists: list[dict[str, str]] = []
    for line in pinned:
        name = line.partition("==")[0]
        free = next((one for one in lists if name not in one), None)
        if free is None:
            free = {}
            lists.append(free)
        free[name] = line
    return [list(one.values()) for one in lists]


def _run(command: Sequence[str | Path]) -> str:
    """What a command says, whatever its exit code: they are not 0 for a finding either."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout or done.stderr


def _why_not(answer: str) -> str:
    """What a command gives for its failure: in JSON, or in its last line."""
    try:
        said = str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        said = next((line.strip() for line in reversed(answer.splitlines()) if line.strip()), "it said nothing")
    return said if len(said) <= _LONGEST_REASON else f"{said[:_LONGEST_REASON]}…"
