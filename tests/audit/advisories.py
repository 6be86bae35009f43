"""The list of known weaknesses of what we use, as far as it was known on a day, and what of it is accepted."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.audit.locked import Package

FOLDER = Path(__file__).parent


class UnusableList(Exception):
    """The list of advisories, or of what is accepted, cannot be used as it is; the message says why."""


@dataclass(frozen=True, order=True)
class Finding:
    """A locked package with a known weakness."""

    package: Package
    advisory: str

    def __str__(self) -> str:
        return f"{self.package}: {self.advisory}"


@dataclass(frozen=True)
class Known:
    """Advisories by ecosystem and package: (id, versions concerned).

    `as_of` is the day of the newest advisory in each ecosystem's source, `looked_up` the names that were looked up there.
    """

    as_of: Mapping[str, str]
    looked_up: Mapping[str, frozenset[str]]
    advisories: Mapping[tuple[str, str], tuple[tuple[str, tuple[SpecifierSet, ...]], ...]]

    def findings(self, packages: Iterable[Package]) -> Iterator[Finding]:
        """Every advisory that concerns one of the packages."""
        for package in sorted(packages):
            for advisory, versions in self.advisories.get((package.ecosystem, package.name), ()):
                if any(concerned.contains(Version(package.version), prereleases=True) for concerned in versions):
                    yield Finding(package, advisory)

    def never_looked_up(self, packages: Iterable[Package]) -> list[Package]:
        """The packages of which the list says nothing, for nobody asked when it was made."""
        return sorted(package for package in packages if package.name not in self.looked_up[package.ecosystem])


def known(path: Path = FOLDER / "advisories.json") -> Known:
    """Read the list.

    Raises:
        UnusableList: it is missing or damaged.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        advisories = {
            (ecosystem, package): tuple((advisory, tuple(map(SpecifierSet, versions))) for advisory, versions in sorted(found.items()))
            for ecosystem, source in document.items()
            for package, found in source["advisories"].items()
        }
        as_of = {ecosystem: source["as_of"] for ecosystem, source in document.items()}
        return Known(as_of, {ecosystem: frozenset(source["looked_up"]) for ecosystem, source in document.items()}, advisories)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UnusableList(f"{path} cannot be read: {error!r}") from error


def accepted(path: Path = FOLDER / "accepted.yaml") -> dict[str, str]:
    """The reason why an advisory is accepted, by "package: id".

    Raises:
        UnusableList: it is damaged, or one has no reason.
    """
    try:
        entries = yaml.safe_load(path.read_text()) or {}
        if not all(isinstance(reason, str) and reason.strip() for reason in entries.values()):
            raise UnusableList(f"{path}: each needs a reason")
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise UnusableList(f"{path} cannot be read: {error!r}") from error
    return dict(entries)
