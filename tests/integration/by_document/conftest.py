"""A stack of these tests' own: what they do to it would surprise others."""

from collections.abc import Iterator

import pytest

from tests.integration.by_document.probing import Probe
from tests.integration.conftest import LocalProcess

_WRONG_PASSWORDS = [part for name in ("Account", "Address") for part in ("--parameter", f"WrongPasswords{name}=1000000")]


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    running = LocalProcess(tmp_path_factory.mktemp("by-document"), customers=400, arguments=(*_WRONG_PASSWORDS,))
    running.start()
    yield Probe(running)
    running.end()
