"""The audit of what is locked fails on what is known to be weak, and says what it cannot know."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit import __main__ as audit
from tests.audit import looking
from tests.audit.advisories import UnusableList, accepted, known
from tests.audit.gather import entries
from tests.audit.locked import Package, of_uv
from tests.audit.looking import NPM_LOCKS, ROOT, by_list, by_npm_audit, by_pip_audit, everything_locked

WEAK = Package("pypi", "jinja2", "2.10")  # CVE-2019-10906
WEAK_NPM = Package("npm", "minimatch", "3.0.0")  # CVE-2016-10540
SERVICE_IS_AWAY = "#!/bin/sh\necho 'the service cannot be reached' >&2\nexit 1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of our lock files, with services that do not answer."""
    for lock in ("uv.lock", *(f"{folder}/package-lock.json" for folder in NPM_LOCKS)):
        (tmp_path / lock).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / lock).write_text((ROOT / lock).read_text())
    answering(SERVICE_IS_AWAY, tmp_path, monkeypatch)
    monkeypatch.delenv("AUDIT_ONLINE", raising=False)
    return tmp_path


def answering(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for pip-audit and npm, which ask services."""
    for name in ("pip-audit", "npm"):
        (folder / name).write_text(script)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setattr(looking, "PIP_AUDIT", folder / "pip-audit")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def lock_instead(project: Path, package: Package) -> None:
    """Put a package in place of the version that is locked."""
    if package.ecosystem == "pypi":
        path = project / "uv.lock"
        now = next(one for one in of_uv(path) if one.name == package.name)
        path.write_text(
            path.read_text().replace(
                f'name = "{now.name}"\nversion = "{now.version}"', f'name = "{now.name}"\nversion = "{package.version}"'
            )
        )
    else:
        path = project / "web/package-lock.json"
        document = json.loads(path.read_text())
        document["packages"][f"node_modules/{package.name}"]["version"] = package.version
        path.write_text(json.dumps(document))


def test_nothing_locked_is_known_to_be_weak_but_what_is_accepted() -> None:
    assert {str(finding) for finding in by_list(everything_locked(), known()).findings} <= accepted().keys()


def test_the_lock_files_are_read_whole() -> None:
    packages = everything_locked()
    assert {"jinja2", "numpy", "pyjwt", "boto3"} <= {package.name for package in packages if package.ecosystem == "pypi"}
    assert {"preact", "vite", "@playwright/test"} <= {package.name for package in packages if package.ecosystem == "npm"}
    assert not {package for package in packages if package.name in ("retainstream", "")}


@pytest.mark.parametrize(("planted", "advisory"), [(WEAK, "PYSEC-2019-217"), (WEAK_NPM, "NSWG-ECO-118")], ids=str)
def test_an_old_weak_package_fails_the_audit(planted: Package, advisory: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock_instead(project, planted)
    assert audit.main(project) == 1
    assert f"KNOWN WEAKNESS  {planted}: {advisory}" in capsys.readouterr().out


def test_without_the_services_the_audit_says_what_it_cannot_know(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(project) == 0
    told = capsys.readouterr().out
    for sentence in (
        "pip-audit could not ask",
        "npm audit could not ask for web",
        "our list of pypi ends on 20",
        "our list of npm ends on 20",
    ):
        assert f"not known  {sentence}" in told
    assert "the service cannot be reached" in told


def test_where_the_services_are_required_their_silence_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_ONLINE", "required")
    assert audit.main(project) == 1


def test_a_package_that_nobody_has_looked_up_is_not_let_through(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "uv.lock"
    path.write_text(path.read_text() + '\n[[package]]\nname = "newcomer"\nversion = "1.0"\nsource = { registry = "elsewhere" }\n')
    assert audit.main(project) == 1
    assert "newcomer 1.0" in capsys.readouterr().out


def test_what_the_services_find_fails_the_audit(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pip = {"dependencies": [{"name": "numpy", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}]}
    npm = {"vulnerabilities": {"vite": {"range": "<9", "via": [{"url": "https://example.com/GHSA-1"}]}}}
    answering(
        f"""#!/bin/sh\ncase "$0" in *npm) echo '{json.dumps(npm)}';; *) echo '{json.dumps(pip)}';; esac\nexit 1\n""", project, monkeypatch
    )
    assert audit.main(project) == 1
    told = capsys.readouterr().out
    assert "KNOWN WEAKNESS  numpy 1.0: PYSEC-1" in told
    assert "KNOWN WEAKNESS  vite <9: GHSA-1" in told
    assert "not known" not in told


def test_an_answer_that_is_none_is_no_all_clear(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering("#!/bin/sh\necho '{}'\n", project, monkeypatch)
    assert by_pip_audit([WEAK]).unknown
    assert by_npm_audit(project / "web").unknown


def test_what_is_accepted_needs_a_reason_and_a_finding(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_instead(project, WEAK)
    weak = {str(finding) for finding in by_list([WEAK], known()).findings}
    monkeypatch.setattr(audit, "accepted", lambda: dict.fromkeys(weak, "we render no template of strangers"))
    assert audit.main(project) == 0
    monkeypatch.setattr(audit, "accepted", lambda: dict.fromkeys([*weak, "gone 1.0: PYSEC-2"], "it was here once"))
    assert audit.main(project) == 1
    (tmp_path / "accepted.yaml").write_text('"jinja2 2.10: PYSEC-2019-217": ""\n')
    with pytest.raises(UnusableList, match="needs a reason"):
        accepted(tmp_path / "accepted.yaml")


@pytest.mark.parametrize(
    "damage", ["", "[]", '{"pypi": {}}', '{"pypi": {"as_of": "", "looked_up": [], "advisories": {"a": {"b": ["<<1"]}}}}']
)
def test_a_damaged_list_is_no_all_clear(damage: str, tmp_path: Path) -> None:
    (tmp_path / "advisories.json").write_text(damage)
    with pytest.raises(UnusableList):
        known(tmp_path / "advisories.json")


def test_databases_are_read_by_their_ranges(tmp_path: Path) -> None:
    osv = {
        "id": "PYSEC-1",
        "published": "2024-01-02T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "Some_Thing"},
                "ranges": [
                    {"type": "GIT", "events": [{"introduced": "0"}]},
                    {
                        "type": "ECOSYSTEM",
                        "events": [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2.0"}, {"last_affected": "2.3"}],
                    },
                    {"type": "ECOSYSTEM", "events": [{"introduced": "3.0"}]},
                ],
            },
            {"package": {"ecosystem": "npm", "name": "other"}, "ranges": []},
        ],
    }
    old = {"id": 7, "module_name": "other", "vulnerable_versions": "<=1.1 || >= 2.0.0 <2.0.5", "publish_date": "2019-01-01"}
    (tmp_path / "a.json").write_text(json.dumps(osv))
    (tmp_path / "b.json").write_text(json.dumps({**osv, "withdrawn": "2024-02-02"}))
    (tmp_path / "c.json").write_text(json.dumps(old))
    (tmp_path / "package.json").write_text(json.dumps({"name": "no advisory"}))
    assert list(entries(tmp_path, "pypi")) == [("some-thing", "PYSEC-1", ["<1.2", ">=2.0,<=2.3", ">=3.0"], "2024-01-02")]
    assert ("other", "NSWG-ECO-7", ["<=1.1", ">=2.0.0,<2.0.5"], "2019-01-01") in entries(tmp_path, "npm")


def test_the_command_is_what_make_audit_runs() -> None:
    answer = subprocess.run([sys.executable, "-m", "tests.audit"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "locked packages looked up in our list" in answer.stdout, answer.stderr
    assert "-m tests.audit" in (ROOT / "Makefile").read_text()
