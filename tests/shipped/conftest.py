"""What `make build` has left."""

import pytest

from tools.as_lambda import ROOT

BUILT = {machine: ROOT / "build" / machine for machine in ("arm64", "x86_64")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any("shipped" in item.path.parts for item in items) and not all((built / "template.yaml").exists() for built in BUILT.values()):
        pytest.exit("nothing is built: run `make test-shipped`", returncode=1)
