"""Writes the requirements.txt of each layer and function from uv.lock, the one place where versions are chosen.

Run as `python tools/pin.py` after a change of uv.lock; `--check` only reports whether the files are up to date.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROVIDED_BY_LAMBDA = {"boto3", "botocore", "s3transfer", "snapshot-restore-py"}

# What is shipped: file → dependency groups of pyproject.toml. All but core itself find the core layer's packages beside them.
SHIPPED = {
    "layers/core/requirements.txt": ("core",),
    "layers/ml/requirements.txt": ("ml",),
    "layers/explain/requirements.txt": ("ml", "explain"),
    "layers/history/requirements.txt": ("history",),
    "functions/auth/requirements.txt": ("auth",),
    "functions/authorizer/requirements.txt": ("authorizer",),
    "functions/customers/requirements.txt": ("files",),
    "functions/drafts/requirements.txt": ("files",),
    "functions/imports/requirements.txt": ("files",),
    "functions/prepare/requirements.txt": ("files",),
}

_HEADER = "# Written by tools/pin.py from uv.lock ({groups}). Do not edit.\n"
_ON_LAMBDA = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_python_implementation": "CPython"}


def locked(*groups: str) -> dict[str, str]:
    """The packages of dependency groups that Lambda needs: name → its lines in a requirements file, with hashes."""
    command = [sys.executable, "-m", "uv", "export", "--frozen", "--format", "requirements.txt", "--no-header", "--no-annotate"]
    command += [f"--only-group={group}" for group in groups]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    packages = {}
    for entry in re.split(r"\n(?=\S)", lines.strip()):
        pin, *hashes = entry.replace("\\\n", "").split(" --hash=")
        requirement = Requirement(pin)
        if requirement.marker and not requirement.marker.evaluate({**_ON_LAMBDA, "extra": ""}):
            continue
        version = f"{requirement.name}{requirement.specifier}"
        packages[requirement.name] = " \\\n    --hash=".join([version, *(value.strip() for value in hashes)])
    return packages


def requirements(groups: tuple[str, ...]) -> str:
    """The text of a requirements file.

    Raises:
        SystemExit: it would ship a package that Lambda's runtime has.
    """
    there = {} if groups == ("core",) else locked("core")
    shipped = {name: lines for name, lines in locked(*groups).items() if name not in there}
    if unwanted := PROVIDED_BY_LAMBDA & shipped.keys():
        raise SystemExit(f"{', '.join(groups)} would ship {', '.join(sorted(unwanted))}, which the runtime has")
    return _HEADER.format(groups=", ".join(groups)) + "".join(f"{lines}\n" for _, lines in sorted(shipped.items()))


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description="Pin what the layers and functions ship to the versions in uv.lock.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is out of date")
    check = parser.parse_args().check
    stale = []
    for name, groups in SHIPPED.items():
        path, text = ROOT / name, requirements(groups)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
            print(f"wrote {name}")
    if check and stale:
        print(f"not what uv.lock says: {', '.join(stale)}; run `python tools/pin.py`", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
