"""Ask OSV (by pip-audit) and npm's registry (by npm audit) for known weaknesses of everything that is locked. Needs the network.

`python -m tools.audit` ends with 1 for a known weakness that `audit_accepted.yaml` does not accept. A service that cannot be reached is
named, with what was therefore not checked; AUDIT_ONLINE=required makes that a failure, too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / ".venv-audit/bin/pip-audit"
ACCEPTED = Path(__file__).with_name("audit_accepted.yaml")
NPM_LOCKS = ("web", "tests/e2e")  # client/ depends on nothing
_SECONDS = 120
_LONGEST_REASON = 160


class NoAnswer(Exception):
    """A service did not answer; the message says why."""


def locked_for_python(lock: Path) -> list[str]:
    """Every package that a uv.lock names, as "name==version"; not the project itself."""
    packages = tomllib.loads(lock.read_text())["package"]
    return sorted({f"{package['name']}=={package['version']}" for package in packages if "registry" in package["source"]})


def python_weaknesses(pinned: Sequence[str]) -> list[str]:
    """What pip-audit finds, as "name version: advisory".

    Raises:
        NoAnswer: pip-audit cannot be run, or reach its service.
    """
    weaknesses: list[str] = []
    for requirements in _no_name_twice(pinned):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(requirements))
            file.flush()
            asked = ["--no-deps", "--disable-pip", "--strict", "-s", "osv", "-f", "json", "--progress-spinner", "off", "-r", file.name]
            answer = _said_by([str(PIP_AUDIT), *asked])
        try:
            packages = json.loads(answer)["dependencies"]
        except (ValueError, KeyError, TypeError):
            raise NoAnswer(_reason(answer)) from None
        for package in packages:
            weaknesses += [f"{package['name']} {package['version']}: {advisory['id']}" for advisory in package.get("vulns", [])]
    return weaknesses


def npm_weaknesses(folder: Path) -> list[str]:
    """What npm audit finds for the package-lock.json of a folder, as "name range: advisories".

    Raises:
        NoAnswer: npm cannot be run, or reach its registry.
    """
    npm = shutil.which("npm") or str(ROOT / ".venv-node/bin/npm")
    answer = _said_by([npm, "audit", "--json", "--package-lock-only", "--prefix", str(folder)])
    try:
        packages = json.loads(answer)["vulnerabilities"]
        return [f"{name} {package['range']}: {', '.join(_advisories(package['via']))}" for name, package in packages.items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoAnswer(_reason(answer)) from None


def main(root: Path = ROOT) -> int:
    """Ask for everything that is locked, and print what is weak and what was not checked."""
    accepted = yaml.safe_load(ACCEPTED.read_text()) or {}
    if without := [entry for entry, reason in accepted.items() if not str(reason or "").strip()]:
        print(f"{ACCEPTED.name}: {', '.join(without)}: needs a reason")
        return 1
    weaknesses: set[str] = set()
    unchecked: list[str] = []
    pinned = locked_for_python(root / "uv.lock")
    questions = [
        (f"the {len(pinned)} Python packages of uv.lock", partial(python_weaknesses, pinned)),
        *((f"the npm packages of {folder}/package-lock.json", partial(npm_weaknesses, root / folder)) for folder in NPM_LOCKS),
    ]
    for subject, ask in questions:
        try:
            weaknesses |= set(ask())
            print(f"checked      {subject}")
        except NoAnswer as error:
            unchecked.append(subject)
            print(f"NOT CHECKED  {subject}: the service cannot be reached ({error})")
    refused = sorted(weaknesses - accepted.keys())
    gone = [] if unchecked else sorted(accepted.keys() - weaknesses)
    for weakness in refused:
        print(f"KNOWN WEAKNESS  {weakness}")
    for entry in gone:
        print(f"ACCEPTED, BUT NOT FOUND  {entry}: take it out of {ACCEPTED.name}")
    if unchecked:
        print(f"The audit needs the network. Known weaknesses were not looked up for {len(unchecked)} of {len(questions)} lists.")
    required = os.environ.get("AUDIT_ONLINE") == "required"
    return 1 if refused or gone or (unchecked and required) else 0


def _advisories(via: object) -> Iterator[str]:
    for part in via if isinstance(via, list) else [via]:
        yield str(part["url"]).rpartition("/")[2] if isinstance(part, dict) else str(part)


def _no_name_twice(pinned: Sequence[str]) -> list[list[str]]:
    """Lists for pip-audit, which takes one version of a package at a time; a lock may hold several, for different platforms."""
    lists: list[dict[str, str]] = []
    for line in pinned:
        name = line.partition("==")[0]
        free = next((names for names in lists if name not in names), None)
        if free is None:
            free = {}
            lists.append(free)
        free[name] = line
    return [list(names.values()) for names in lists]


def _said_by(command: Sequence[str]) -> str:
    """What a command prints, whatever its exit code: a finding is not 0 either."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ended.stdout or ended.stderr


def _reason(answer: str) -> str:
    """Why a command failed: the message of its JSON, or its last line."""
    try:
        reason = str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        reason = next((line.strip() for line in reversed(answer.splitlines()) if line.strip()), "it printed nothing")
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"


if __name__ == "__main__":
    sys.exit(main())
