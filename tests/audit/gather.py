"""Writes `advisories.json` anew for what is locked now, from check-outs of public databases.

    python -m tests.audit.gather --pypi advisory-database --npm security-wg

`--pypi` is a check-out of github.com/pypa/advisory-database, `--npm` one of github.com/nodejs/security-wg, or for both of
github.com/github/advisory-database. Only ids, names and ranges of versions are taken.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.audit.advisories import FOLDER
from tests.audit.looking import everything_locked

_SPELLING = re.compile(r"[-_.]+")


def entries(checkout: Path, ecosystem: str) -> Iterator[tuple[str, str, list[str], str]]:
    """(package, advisory, versions concerned, day of publication) of every advisory of an ecosystem in a check-out."""
    for path in sorted([*checkout.rglob("*.yaml"), *checkout.rglob("*.json")]):
        document = yaml.safe_load(path.read_text()) if path.suffix == ".yaml" else json.loads(path.read_text())
        if isinstance(document, dict) and "affected" in document and "withdrawn" not in document:
            for affected in document["affected"]:
                if affected.get("package", {}).get("ecosystem", "").lower() == ecosystem:
                    yield (
                        _normal(affected["package"]["name"], ecosystem),
                        document["id"],
                        list(_of_osv(affected)),
                        str(document.get("published", ""))[:10],
                    )
        elif isinstance(document, dict) and "module_name" in document and ecosystem == "npm":
            yield (
                document["module_name"],
                f"NSWG-ECO-{document['id']}",
                list(_of_semver(document["vulnerable_versions"])),
                document["publish_date"][:10],
            )


def _normal(name: str, ecosystem: str) -> str:
    return _SPELLING.sub("-", name).lower() if ecosystem == "pypi" else name


def _of_osv(affected: Mapping[str, Any]) -> Iterator[str]:
    """https://ossf.github.io/osv-schema/#affectedrangesevents-fields"""
    ranges = [one for one in affected.get("ranges", []) if one["type"] in ("ECOSYSTEM", "SEMVER")]
    for one in ranges:
        begun = ""
        for event in one["events"]:
            if "introduced" in event:
                begun = "" if event["introduced"] == "0" else f">={event['introduced']},"
                open_ended = True
            elif "fixed" in event or "last_affected" in event:
                yield begun + (f"<{event['fixed']}" if "fixed" in event else f"<={event['last_affected']}")
                open_ended = False
        if open_ended:
            yield begun.rstrip(",")
    if not ranges:
        yield from (f"=={version}" for version in affected.get("versions", []))


def _of_semver(text: str) -> Iterator[str]:
    for part in text.split("||"):
        comparisons = re.findall(r"([<>=]*)\s*v?(\d[\w.-]*)", part)
        yield ",".join(f"{operator if operator not in ('', '=') else '=='}{version}" for operator, version in comparisons)


def main() -> int:
    """Write the list."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit.gather", description="Write the list of advisories anew.")
    parser.add_argument("--pypi", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--npm", type=Path, required=True, metavar="CHECKOUT")
    options = parser.parse_args()
    document = {}
    for ecosystem, checkout in (("pypi", options.pypi), ("npm", options.npm)):
        names = {package.name for package in everything_locked() if package.ecosystem == ecosystem}
        found: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        newest = ""
        for package, advisory, versions, day in entries(checkout, ecosystem):
            newest = max(newest, day)
            if package in names:
                found[package].setdefault(advisory, []).extend(versions)
        document[ecosystem] = {"as_of": newest, "looked_up": sorted(names), "advisories": dict(sorted(found.items()))}
    (FOLDER / "advisories.json").write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
