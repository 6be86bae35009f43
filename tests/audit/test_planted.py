"""The services find an old package with a known weakness that is planted in a lock file. Run by `make audit`; needs the network."""

import json
import os
from pathlib import Path

import pytest

from tools.audit import NoAnswer, npm_weaknesses, python_weaknesses


def not_checked(error: NoAnswer) -> None:
    """Fails where the services must answer; elsewhere says that this test showed nothing."""
    said = f"NOT CHECKED: the service cannot be reached, so nobody has seen that the audit finds a planted weakness ({error})"
    if os.environ.get("AUDIT_ONLINE") == "required":
        pytest.fail(said)
    pytest.skip(said)


def test_an_old_python_package_is_found() -> None:
    try:
        weaknesses = python_weaknesses(["jinja2==2.10"])  # CVE-2019-10906
    except NoAnswer as error:
        not_checked(error)
    else:
        assert any(weakness.startswith("jinja2 2.10: ") for weakness in weaknesses)


def test_an_old_npm_package_is_found(tmp_path: Path) -> None:
    entry = {"version": "3.0.0", "resolved": "https://registry.npmjs.org/minimatch/-/minimatch-3.0.0.tgz"}  # CVE-2016-10540
    lock = {
        "name": "planted",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": {"name": "planted", "dependencies": {"minimatch": "3.0.0"}}, "node_modules/minimatch": entry},
    }
    (tmp_path / "package.json").write_text(json.dumps({"name": "planted", "dependencies": {"minimatch": "3.0.0"}}))
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    try:
        weaknesses = npm_weaknesses(tmp_path)
    except NoAnswer as error:
        not_checked(error)
    else:
        assert any(weakness.startswith("minimatch ") for weakness in weaknesses)
