"""A container engine with the image of Lambda, and AWS beside it: once for all tests of a run."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from moto.server import ThreadedMotoServer

from tests.containers.engine import Engine, running_engine
from tests.containers.image import make_image
from tests.containers.sam import TEMPLATE
from tools.as_lambda import ROOT

OUTPUT = ROOT / "build/e2e-lambda"


@dataclass(frozen=True)
class Lambda:
    """Where functions run, and the address at which they and we find AWS. `folder` is for files of a run."""

    engine: Engine
    aws: str
    folder: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any("containers" in item.path.parts for item in items) and not TEMPLATE.exists():
        pytest.exit("nothing is built: run `make e2e-lambda`", returncode=1)


@pytest.fixture(scope="session")
def containers() -> Iterator[Lambda]:
    """An engine with the image, and AWS where its containers find it. Without an engine the tests fail."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is stopped then, too
    prepared = subprocess.run([str(Path(__file__).with_name("prepare.sh"))], stdout=subprocess.PIPE, text=True, check=False)
    assert prepared.returncode == 0, "There is no container engine; the reason is above."
    root = Path(prepared.stdout.strip())
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    with TemporaryDirectory(dir=root.parent, prefix="engine-") as data, running_engine(Path(data)) as engine:
        server = ThreadedMotoServer(engine.address, 0, verbose=False)
        server.start()
        aws = "http://{}:{}".format(*server.get_host_and_port())
        make_image(engine, root, aws, OUTPUT)
        yield Lambda(engine, aws, OUTPUT)
        server.stop()
    signal.signal(signal.SIGTERM, before)
