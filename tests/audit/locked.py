"""The packages that the lock files name."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Package:
    """A package as it is locked. `ecosystem` is "pypi" or "npm"."""

    ecosystem: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def of_uv(path: Path) -> set[Package]:
    """What a `uv.lock` locks, for every platform and group; not the project itself."""
    packages = tomllib.loads(path.read_text())["package"]
    return {Package("pypi", one["name"], one["version"]) for one in packages if "registry" in one["source"]}


def of_npm(path: Path) -> set[Package]:
    """What a `package-lock.json` locks, for every platform; not the project itself."""
    packages = json.loads(path.read_text())["packages"]
    return {
        Package("npm", one.get("name", place.rpartition("node_modules/")[2]), one["version"])
        for place, one in packages.items()
        if place and not one.get("link")
    }
