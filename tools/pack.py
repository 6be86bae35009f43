"""Builds a layer or a function for AWS Lambda without a container.

`python3.13 tools/pack.py CoreLayer DIRECTORY` installs the pinned wheels for Lambda's Linux, adds our own source, removes files that
nothing imports, and compiles. `sam build` calls it through the Makefile beside this file, by the resource's name in the template. The
environment variable ARCHITECTURE (arm64 or x86_64) sets the processor; default: the template's. Needs only Python 3.13
and pip.
"""

import argparse
import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (3, 13)
GLIBC_MINOR = 28  # manylinux_2_28; Lambda's Amazon Linux 2023 has glibc 2.34
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True)
class Bundle:
    """What goes into one archive: the packages that `folder`/requirements.txt pins, where there is one, and our own `source`.

    `inside` is the folder for packages in it, `runs_at` where Lambda unpacks it. With `sources` false only bytecode is shipped.
    """

    folder: str
    source: str = ""
    inside: str = "python"
    runs_at: str = "/opt"
    sources: bool = True

    @property
    def requirements(self) -> Path:
        return ROOT / self.folder / "requirements.txt"


LAYERS = {
    "CoreLayer": Bundle("layers/core", source="retainstream"),
    "MlLayer": Bundle("layers/ml"),
    "HistoryLayer": Bundle("layers/history"),
    # The whole of the training function's packages, those of ml again: sources and bytecode together are more than AWS allows.
    "ExplainLayer": Bundle("layers/explain", sources=False),
}
FUNCTIONS = {
    f"{door.parent.name.capitalize()}Function": Bundle(f"functions/{door.parent.name}", source="app.py", inside=".", runs_at="/var/task")
    for door in sorted(ROOT.glob("functions/*/app.py"))
}
BUNDLES = {**LAYERS, **FUNCTIONS}

_UNUSED_FOLDERS = {"__pycache__", "tests", "include", "bin"}
_UNUSED_SUFFIXES = {".pyi", ".pxd", ".pyx", ".h", ".hpp", ".c", ".cc", ".cpp", ".f", ".f90", ".a", ".cmake", ".build", ".tp", ".pxi"}
_COMPILED_TESTS = re.compile(r"_(c|cy)?tests?[_.]|_tests\.")
_UNUSED_PARTS = (
    "scipy/signal",
    "scipy/odr",
    "scipy/fftpack",
    "scipy/datasets",
    "scipy/io/_fast_matrix_market/_fmm_core.cpython-*.so",
    "sklearn/datasets/data",
    "sklearn/datasets/descr",
    "sklearn/datasets/images",
    "shap/benchmark",
    "shap/plots",
    "joblib/test",
    "yaml/_yaml.cpython-*.so",  # the schema is read with the loader in Python
    "xgboost/dask",
    "xgboost/spark",
    "xgboost/testing",
    "cffi",  # cryptography loads _cffi_backend alone; cffi and pycparser compile bindings
    "pycparser",
    "retainstream/engine/silence",  # a draft of a churn definition is made by the command line alone
    "retainstream/engine/drafting/churn_rule.py",
    "retainstream/engine/drafting/from_sources*.py",
)
_UNUSED_METADATA = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def architecture() -> str:
    """The processor to build for.

    Raises:
        SystemExit: ARCHITECTURE is neither of the two.
    """
    chosen = os.environ.get("ARCHITECTURE") or _default_architecture()
    if chosen not in MACHINES:
        raise SystemExit(f"ARCHITECTURE={chosen} is not one of {', '.join(MACHINES)}")
    return chosen


def _default_architecture() -> str:
    parameter = re.search(r"^  Architecture:\n(?:    .*\n)*?    Default: (\S+)\n", (ROOT / "template.yaml").read_text(), re.MULTILINE)
    if not parameter:
        raise SystemExit("template.yaml has no parameter Architecture with a default; set ARCHITECTURE")
    return parameter[1]


def platforms(machine: str) -> list[str]:
    """The wheel platforms that run on Lambda, newest first."""
    return [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 16, -1)] + [f"manylinux2014_{machine}"]


def install(requirements: Path, target: Path, machine: str) -> None:
    """Install exactly the pinned wheels, checked by their hashes, for `machine`."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    exactly = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile", "--root-user-action", "ignore"]
    on_lambda = ["--implementation", "cp", "--python-version", "{}.{}".format(*PYTHON)]
    on_lambda += [argument for platform in platforms(machine) for argument in ("--platform", platform)]
    subprocess.run([*pip, "install", *exactly, *on_lambda, "--target", str(target), "--requirement", str(requirements)], check=True)


def prune(packages: Path) -> None:
    """Take out tests, stubs, headers, scripts, and what neither we nor the packages import. Licences stay."""
    for part in _UNUSED_PARTS:
        for path in packages.glob(part):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in sorted(packages.rglob("*"), reverse=True):
        if any(part.endswith(".dist-info") for part in path.relative_to(packages).parts):
            if path.name in _UNUSED_METADATA:
                path.unlink()
        elif path.is_dir():
            if path.name in _UNUSED_FOLDERS:
                shutil.rmtree(path)
        elif path.suffix in _UNUSED_SUFFIXES or (path.suffix == ".so" and _COMPILED_TESTS.search(path.name)):
            path.unlink()


def compile_for(folder: Path, runs_at: str, *, keep_sources: bool = True) -> None:
    """Write bytecode that Lambda trusts whatever the time stamps are, with the paths of where it will run; in place of the sources when
    these are not kept.

    Raises:
        SystemExit: a file does not compile.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(
        folder, quiet=1, stripdir=str(folder), prependdir=runs_at, invalidation_mode=mode, legacy=not keep_sources
    ):
        raise SystemExit(f"{folder} does not compile")
    if not keep_sources:
        for source in folder.rglob("*.py"):
            source.unlink()


def build(name: str, target: Path) -> None:
    """Build one bundle into `target`."""
    bundle = BUNDLES[name]
    packages = target / bundle.inside
    packages.mkdir(parents=True, exist_ok=True)
    if bundle.requirements.exists():
        install(bundle.requirements, packages, MACHINES[architecture()])
    if bundle.source:
        source = ROOT / bundle.folder / bundle.source
        if source.is_dir():
            shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, packages)
    prune(packages)
    compile_for(target, bundle.runs_at, keep_sources=bundle.sources)


def main() -> int:
    """Build the bundle named on the command line."""
    if sys.version_info[:2] != PYTHON:
        raise SystemExit("Lambda runs Python {}.{}; this is {}.{}".format(*PYTHON, *sys.version_info[:2]))
    parser = argparse.ArgumentParser(description="Build a layer or function for AWS Lambda.")
    parser.add_argument("name", choices=BUNDLES, metavar="name", help="a layer or function as template.yaml calls it")
    parser.add_argument("target", type=Path, help="folder to build into")
    options = parser.parse_args()
    build(options.name, options.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
