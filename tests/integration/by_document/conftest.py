"""A stack of these tests' own: what they do to it would surprise others."""

from collections.abc import Iterator

import pytest

from tests.integration.by_document.probing import ADMIN, Probe
from tests.integration.conftest import LocalProcess
from tests.made_sources import streaming_with_sources

_WRONG_PASSWORDS = [part for name in ("Account", "Address") for part in ("--parameter", f"WrongPasswords{name}=1000000")]


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    running = LocalProcess(tmp_path_factory.mktemp("by-document"), customers=400, arguments=(*_WRONG_PASSWORDS,))
    running.start()
    with running.client(*ADMIN) as client:
        document = {"document": streaming_with_sources().model_dump_json(exclude_defaults=True)}
        replaces = client.post("/api/model/schema/check", json=document).raise_for_status().json()["data"]["replaces"]
        client.put("/api/model/schema", json={**document, "replaces": replaces}).raise_for_status()
    yield Probe(running)
    running.end()
