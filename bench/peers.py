"""Environments of peers, from pinned packages, in build/bench-envs."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / "build/bench-envs"
PYTHON = {"mlserver": "3.11"}
"""Peers that do not run on our Python, with theirs."""


class NoEnvironment(Exception):
    """The environment of a peer cannot be created here; the message has the reason."""


def python_of(peer: str) -> Path:
    """The Python of a peer's environment, which is made when it is absent or its requirements have changed.

    Raises:
        NoEnvironment: there is no such Python here, or a package cannot be installed.
    """
    requirements = REQUIREMENTS / f"{peer}.txt"
    place, wanted = ENVIRONMENTS / peer, hashlib.sha256(requirements.read_bytes()).hexdigest()
    made = place / "made-from"
    python = place / "bin/python"
    if made.exists() and made.read_text() == wanted and python.exists():
        return python
    print(f"Creating the environment of {peer} in {place.relative_to(ROOT)} ({_count(requirements)} packages)", flush=True)
    _uv("venv", "--clear", "--python", PYTHON.get(peer, "3.13"), str(place))
    _uv("pip", "install", "--python", str(python), "--requirements", str(requirements))
    made.write_text(wanted)
    return python


def versions_of(peer: str, packages: tuple[str, ...]) -> dict[str, str]:
    """The versions in a peer's environment."""
    folders = [str(folder) for folder in (ENVIRONMENTS / peer / "lib").glob("python*/site-packages")]
    versions = {package.metadata["Name"]: package.version for package in distributions(path=folders)}
    return {package: versions[package] for package in packages if package in versions}


def environment(**more: str) -> dict[str, str]:
    """The process environment of a peer: ours without what points Python at our packages."""
    kept: Mapping[str, str] = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, **more}


def _uv(*arguments: str) -> None:
    uv = ROOT / ".venv/bin/uv"
    program = str(uv) if uv.exists() else shutil.which("uv")
    if program is None:
        raise NoEnvironment("uv is not installed: run make setup")
    ended = subprocess.run([program, *arguments], env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"}, check=False)
    if ended.returncode:
        raise NoEnvironment(f"uv {' '.join(arguments[:2])} failed")


def _count(requirements: Path) -> int:
    return sum("==" in line for line in requirements.read_text().splitlines())
