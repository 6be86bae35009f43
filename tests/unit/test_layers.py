"""What is shipped to Lambda: the pins, and how archives are made of them."""

import re
from pathlib import Path

import pytest

from tools import pack, pin, sizes

ROOT = Path(__file__).parents[2]


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.removesuffix(" \\").split("==") for line in lines if "==" in line)


@pytest.mark.parametrize("name", pin.SHIPPED)
def test_requirements_are_what_the_lock_says(name: str) -> None:
    assert (ROOT / name).read_text() == pin.requirements(pin.SHIPPED[name])


@pytest.mark.parametrize("name", pin.SHIPPED)
def test_every_pin_has_hashes_and_no_package_of_the_runtime_is_shipped(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().split("\n", 1)[1].strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not pin.PROVIDED_BY_LAMBDA & pinned(name).keys()


def test_training_has_the_same_packages_as_serving() -> None:
    serving, training = pinned("layers/ml/requirements.txt"), pinned("layers/explain/requirements.txt")
    assert serving.items() <= training.items()


def test_every_bundle_is_pinned() -> None:
    pins = {bundle.requirements for bundle in pack.BUNDLES.values() if bundle.requirements.exists() or bundle.folder.startswith("layers/")}
    assert pins == {ROOT / name for name in pin.SHIPPED}


def test_builds_for_the_default_of_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHITECTURE", raising=False)
    assert pack.architecture() == "arm64"


def test_builds_for_the_architecture_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECTURE", "x86_64")
    assert pack.architecture() == "x86_64"


def test_an_unknown_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECTURE", "riscv64")
    with pytest.raises(SystemExit, match="riscv64 is not one of arm64, x86_64"):
        pack.architecture()


def test_no_wheel_is_newer_than_manylinux_2_28() -> None:
    accepted = pack.platforms("aarch64")
    assert accepted[0] == "manylinux_2_28_aarch64"
    assert "manylinux2014_aarch64" in accepted
    assert not [name for name in accepted if (found := re.match(r"manylinux_2_(\d+)_", name)) and int(found[1]) > 28]


def test_pruning_takes_out_what_nothing_imports_and_leaves_licences(tmp_path: Path) -> None:
    gone = ["a/tests/test_a.py", "a/core.pyi", "a/include/a.h", "bin/a", "a-1.dist-info/RECORD", "scipy/signal/x.py", "a/__pycache__/a.pyc"]
    kept = [
        "a/core.py",
        "a/core.so",
        "a/testing.py",
        "a-1.dist-info/LICENSE.txt",
        "a-1.dist-info/licenses/include/b/LICENSE",
        "a-1.dist-info/METADATA",
    ]
    for name in gone + kept:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    pack.prune(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_bytecode_is_trusted_without_a_look_at_time_stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.pycache_prefix", None)  # as `make build` has it
    (tmp_path / "python").mkdir()
    source = tmp_path / "python/a.py"
    source.write_text("def where(): raise ValueError\n")
    pack.compile_for(tmp_path, "/opt")
    compiled = next(tmp_path.rglob("*.pyc")).read_bytes()
    hash_based, checked = 0b01, 0b10
    flags = int.from_bytes(compiled[4:8], "little")
    assert flags & hash_based
    assert not flags & checked
    assert b"/opt/python/a.py" in compiled


def test_source_that_does_not_compile_stops_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("def\n")
    with pytest.raises(SystemExit, match="does not compile"):
        pack.compile_for(tmp_path, "/opt")
    capsys.readouterr()


def built(folder: Path, bytes_of_code: int) -> Path:
    """What `sam build` leaves for one function with the core layer."""
    (folder / "A").mkdir(parents=True)
    (folder / "CoreLayer").mkdir()
    (folder / "A/app.py").write_bytes(bytes(bytes_of_code))
    (folder / "CoreLayer/b.py").write_bytes(bytes(1000))
    (folder / "template.yaml").write_text(
        "Resources:\n"
        "  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: A, Layers: [{Ref: CoreLayer}]}}\n"
        "  CoreLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: CoreLayer}}\n"
    )
    return folder


def test_a_function_weighs_its_code_and_its_layers(tmp_path: Path) -> None:
    assert sizes.function_sizes(built(tmp_path / "x", 500)) == {"A": (1500, 40_000_000)}


def test_weighing_fails_when_a_function_is_over_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sizes.py", str(built(tmp_path / "x", 41_000_000))])
    assert sizes.main() == 1
    assert "over budget" in capsys.readouterr().out
