"""The audit of what is locked fails on a known weakness, and names what it could not check."""

import json
import os
import stat
from pathlib import Path

import pytest

from tools import audit

SERVICE_IS_AWAY = "#!/bin/sh\necho 'no route to the service' >&2\nexit 1\n"
NOTHING_FOUND = """#!/bin/sh
case "$0" in *npm) echo '{"vulnerabilities": {}}';; *) echo '{"dependencies": []}';; esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of our lock files."""
    for lock in ("uv.lock", *(f"{folder}/package-lock.json" for folder in audit.NPM_LOCKS)):
        (tmp_path / lock).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / lock).write_text((audit.ROOT / lock).read_text())
    monkeypatch.delenv("AUDIT_ONLINE", raising=False)
    return tmp_path


def services(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for pip-audit and npm, which ask services."""
    for name in ("pip-audit", "npm"):
        (folder / name).write_text(script)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setattr(audit, "PIP_AUDIT", folder / "pip-audit")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def accept(entries: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "accepted.yaml").write_text(json.dumps(entries))
    monkeypatch.setattr(audit, "ACCEPTED", folder / "accepted.yaml")


def finding(weaknesses_of_numpy: list[str]) -> str:
    """Services that know weaknesses of numpy 1.0, and one of vite."""
    pip = {"dependencies": [{"name": "numpy", "version": "1.0", "vulns": [{"id": name} for name in weaknesses_of_numpy]}]}
    npm = {"vulnerabilities": {"vite": {"range": "<9", "via": [{"url": "https://example.com/GHSA-1"}, "esbuild"]}}}
    return f"""#!/bin/sh\ncase "$0" in *npm) echo '{json.dumps(npm)}';; *) echo '{json.dumps(pip)}';; esac\nexit 1\n"""


def test_the_lock_files_are_read_whole() -> None:
    pinned = audit.locked_for_python(audit.ROOT / "uv.lock")
    assert {"jinja2", "numpy", "pyjwt", "boto3"} <= {line.partition("==")[0] for line in pinned}
    assert not [line for line in pinned if line.startswith(("retainstream", "=="))]


def test_what_the_services_find_fails_the_audit(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    services(finding(["PYSEC-1"]), project, monkeypatch)
    assert audit.main(project) == 1
    said = capsys.readouterr().out
    assert "KNOWN WEAKNESS  numpy 1.0: PYSEC-1\n" in said
    assert "KNOWN WEAKNESS  vite <9: GHSA-1, esbuild\n" in said
    assert "NOT CHECKED" not in said


def test_nothing_found_passes(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    services(NOTHING_FOUND, project, monkeypatch)
    assert audit.main(project) == 0
    assert capsys.readouterr().out.count("checked      ") == 3


@pytest.mark.parametrize("script", [SERVICE_IS_AWAY, "#!/bin/sh\necho '{}'\n", "#!/bin/sh\n"])
def test_a_service_that_does_not_answer_is_named_with_what_was_not_checked(
    script: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    services(script, project, monkeypatch)
    assert audit.main(project) == 0
    said = capsys.readouterr().out
    for lock in ("uv.lock", "web/package-lock.json", "tests/e2e/package-lock.json"):
        assert any(line.startswith("NOT CHECKED") and lock in line for line in said.splitlines())
    assert "The audit needs the network. Known weaknesses were not looked up for 3 of 3 lists." in said
    monkeypatch.setenv("AUDIT_ONLINE", "required")
    assert audit.main(project) == 1


def test_what_is_accepted_needs_a_reason_and_a_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    services(finding(["PYSEC-1"]), project, monkeypatch)
    both = dict.fromkeys(["numpy 1.0: PYSEC-1", "vite <9: GHSA-1, esbuild"], "not reached from outside")
    accept(both, project, monkeypatch)
    assert audit.main(project) == 0
    accept({**both, "gone 1.0: PYSEC-2": "it was here once"}, project, monkeypatch)
    assert audit.main(project) == 1
    assert "ACCEPTED, BUT NOT FOUND  gone 1.0: PYSEC-2" in capsys.readouterr().out
    accept({**both, "numpy 1.0: PYSEC-1": " "}, project, monkeypatch)
    assert audit.main(project) == 1
    assert "needs a reason" in capsys.readouterr().out
