"""What would be unzipped in Lambda: how much, for which processor and C library, and with what left out."""

import re
import struct
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.shipped.conftest import BUILT
from tools.pack import BUNDLES, LAYERS, MACHINES
from tools.sizes import function_sizes

# Amazon Linux 2023, which Lambda's python3.13 runs on: glibc 2.34, and libstdc++ of GCC 11.
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
UNCHECKED_HASH = 0b01
FOLDERS = [pytest.param(machine, name, id=f"{machine}-{name}") for machine in BUILT for name in BUNDLES]


def shared_objects(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*.so*"):
        if (content := path.read_bytes()).startswith(b"\x7fELF"):
            yield path, content


def asked_versions(content: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The versions of symbols that a shared object names, as in ("GLIBC", (2, 17))."""
    for library, version in re.findall(rb"\0(GLIBC|GLIBCXX|CXXABI)_([0-9.]+)(?=\0)", content):
        yield library.decode(), tuple(int(part) for part in version.split(b"."))


@pytest.mark.parametrize("machine", BUILT)
def test_every_function_is_within_its_budget(machine: str) -> None:
    weighed = function_sizes(BUILT[machine])
    assert {name for name in BUNDLES if name not in LAYERS} == weighed.keys()
    assert not {name: (total, budget) for name, (total, budget) in weighed.items() if total > budget}


@pytest.mark.parametrize(("machine", "name"), FOLDERS)
def test_shared_objects_are_for_the_processor_and_run_on_lambdas_c_library(machine: str, name: str) -> None:
    for path, content in shared_objects(BUILT[machine] / name):
        assert struct.unpack_from("<H", content, 18) == (ELF_MACHINES[machine],), path
        assert not [asked for asked in asked_versions(content) if asked[1] > NEWEST[asked[0]]], path


def test_versions_of_symbols_are_seen() -> None:
    ml = BUILT["x86_64"] / "MlLayer/python"
    found = {asked for _, content in shared_objects(ml) for asked in asked_versions(content)}
    assert {library for library, _ in found} == NEWEST.keys()
    assert list(asked_versions(b"\0GLIBC_2.38\0memcpy\0")) == [("GLIBC", (2, 38))]


@pytest.mark.parametrize(("machine", "name"), FOLDERS)
def test_wheels_are_for_the_processor_and_no_newer_than_lambda(machine: str, name: str) -> None:
    for wheel in (BUILT[machine] / name).rglob("*.dist-info/WHEEL"):
        tags = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
        platforms = {platform for tag in tags for platform in tag.split("-")[2].split(".")}
        glibc = [int(found[1]) for platform in platforms if (found := re.fullmatch(rf"manylinux_2_(\d+)_{MACHINES[machine]}", platform))]
        legacy = {f"manylinux{year}_{MACHINES[machine]}" for year in (1, 2010, 2014)}
        assert "any" in platforms or (glibc and min(glibc) <= NEWEST["GLIBC"][1]) or platforms & legacy, (wheel, platforms)


@pytest.mark.parametrize(("machine", "name"), FOLDERS)
def test_all_modules_have_bytecode_that_is_trusted_unseen(machine: str, name: str) -> None:
    folder = BUILT[machine] / name
    compiled = list(folder.rglob("*.pyc"))
    assert compiled
    for path in compiled:
        with path.open("rb") as stream:
            magic, flags = stream.read(4), int.from_bytes(stream.read(4), "little")
        assert (magic, flags) == (MAGIC_NUMBER, UNCHECKED_HASH), path
    sources = list(folder.rglob("*.py"))
    if BUNDLES[name].sources:
        assert {path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in sources} == set(compiled)
    else:
        assert not sources


@pytest.mark.parametrize(("machine", "name"), FOLDERS)
def test_tests_stubs_and_headers_are_left_out_and_licences_are_not(machine: str, name: str) -> None:
    folder = BUILT[machine] / name
    metadata = [path for path in folder.rglob("*.dist-info") if path.is_dir()]
    shipped = [path for path in folder.rglob("*") if not any(part.suffix == ".dist-info" for part in (path, *path.parents))]
    assert not [path for path in shipped if path.is_dir() and path.name in {"tests", "include"}]
    assert not [path for path in shipped if path.suffix in {".pyi", ".pxd", ".h", ".hpp"}]
    for distribution in metadata:
        described = HeaderParser().parsestr((distribution / "METADATA").read_text())
        for licence in described.get_all("License-File", []):
            assert any((place / licence).exists() for place in (distribution, distribution / "licenses")), (distribution.name, licence)
