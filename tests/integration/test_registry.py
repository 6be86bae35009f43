"""Versions, the pointer to the one in service, and loading it."""

import hashlib
import json
import threading
from typing import Any

import boto3
import numpy as np
import pytest
import xgboost

from retainstream.engine.learning.synthetic import generate
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.model import matrix
from retainstream.engine.schema import default_schema
from retainstream.registry.active_schema import active_schema, set_active_schema
from retainstream.registry.champion import champion, promote, rollback
from retainstream.registry.errors import CorruptModel, NoModel, NotPromotable, UnknownVersion
from retainstream.registry.loading import ChampionCache, load_version, verified_file
from retainstream.registry.versions import get, newest, register
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict, NotStored, StorageUnavailable
from retainstream.storage.models import Models, Pointer
from tests import patience
from tests.integration.aws_events import refused, seen

SCHEMA = default_schema()
BASE = generate(300, 1)
ROWS = encode(SCHEMA, list(BASE.features()))


def booster(rounds: int) -> bytes:
    given = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    return bytes(xgboost.train(given, matrix(SCHEMA.features, ROWS, label=BASE.churned.astype(np.float32)), rounds).save_raw("ubj"))


BOOSTERS = {name: booster(rounds) for name, rounds in (("v1", 3), ("v2", 5), ("v3", 7))}


def add(version: str, *, status: str = "registered", run_id: str | None = None) -> Any:
    contents = {
        "model.ubj": BOOSTERS[version],
        "schema.json": SCHEMA.model_dump_json().encode(),
        "calibration.json": json.dumps({"method": "platt", "a": 0.9, "b": 0.1}).encode(),
    }
    files = {}
    for name, content in contents.items():
        stored = Documents().put_bytes(f"models/{version}/{name}", content)
        files[name] = {"key": stored.key, "sha256": stored.sha256}
    record: Any = {
        "version": version,
        "run_id": run_id or f"run of {version}",
        "status": status,
        "threshold": 0.3,
        "files": files,
        "gate": {"passed": status == "registered", "reasons": ["It was too bad."]},
    }
    register(Models(), record)
    return record


def spoil(key: str) -> None:
    content = bytearray(Documents().get_bytes(key))
    content[len(content) // 2] ^= 0xFF
    Documents().put_bytes(key, bytes(content))


@pytest.mark.usefixtures("aws")
class TestVersions:
    def test_a_version_is_written_once(self) -> None:
        first = add("v1")
        assert register(Models(), first | {"created_by": "the same run, tried again"}) is False
        with pytest.raises(Conflict):
            register(Models(), first | {"run_id": "another run", "threshold": 0.9})
        assert get(Models(), "v1")["threshold"] == 0.3

    def test_versions_come_newest_first_and_in_pages(self) -> None:
        for version in ("v2", "v1", "v3"):
            add(version)
        page = newest(Models(), limit=2)
        assert [record["version"] for record in page.items] == ["v3", "v2"]
        assert [record["version"] for record in newest(Models(), limit=2, after="v2").items] == ["v1"]
        with pytest.raises(UnknownVersion):
            get(Models(), "v9")


@pytest.mark.usefixtures("aws")
class TestChampion:
    def test_there_is_none_at_first(self) -> None:
        assert champion(Models()) is None
        with pytest.raises(NotPromotable):
            rollback(Models(), "ann")

    def test_rollback_goes_to_the_version_before_and_again_undoes_it(self) -> None:
        add("v1"), add("v2")
        promote(Models(), "v1", "ann")
        with pytest.raises(NotPromotable):
            rollback(Models(), "ann")
        promote(Models(), "v2", "ben")
        assert rollback(Models(), "cleo").version == "v1"
        assert rollback(Models(), "cleo").version == "v2"
        pointer = champion(Models())
        assert pointer
        assert (pointer.version, pointer.previous, pointer.revision) == ("v2", "v1", 4)
        assert [(entry["version"], entry["promoted_by"]) for entry in pointer.history] == [
            ("v2", "cleo"), ("v1", "cleo"), ("v2", "ben"), ("v1", "ann"),
        ]  # fmt: skip

    def test_promoting_the_version_in_service_changes_nothing(self) -> None:
        add("v1")
        first = promote(Models(), "v1", "ann", expected_revision=0)
        assert promote(Models(), "v1", "ben", expected_revision=0) == first

    def test_rejected_and_unknown_versions_stay_out(self) -> None:
        add("v1", status="rejected")
        with pytest.raises(NotPromotable, match="too bad"):
            promote(Models(), "v1", "ann")
        with pytest.raises(UnknownVersion):
            promote(Models(), "v2", "ann")
        assert champion(Models()) is None

    def test_a_decision_based_on_an_older_pointer_is_refused(self) -> None:
        add("v1"), add("v2"), add("v3")
        promote(Models(), "v1", "ann", expected_revision=0)
        promote(Models(), "v2", "ann", expected_revision=1)
        with pytest.raises(Conflict):
            promote(Models(), "v3", "ann", expected_revision=1)
        pointer = champion(Models())
        assert pointer
        assert pointer.version == "v2"

    @pytest.mark.parametrize("before", [0, 1])
    def test_of_two_promotions_at_once_exactly_one_wins(self, before: int) -> None:
        add("v1"), add("v2"), add("v3")
        if before:
            promote(Models(), "v1", "ann")
        barrier, outcomes = threading.Barrier(2, timeout=patience.SECONDS), []

        class Together(Models):
            def champion(self) -> Pointer | None:
                found = super().champion()
                barrier.wait()
                return found

        def run(version: str) -> None:
            try:
                outcomes.append(promote(Together(), version, "ann", expected_revision=before).version)
            except Conflict:
                outcomes.append("conflict")

        threads = [threading.Thread(target=run, args=(version,)) for version in ("v2", "v3")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("conflict") == 1
        pointer = champion(Models())
        assert pointer
        assert pointer.version in outcomes
        assert pointer.revision == before + 1

    def test_the_history_is_bounded(self) -> None:
        add("v1"), add("v2")
        promote(Models(), "v1", "ann")
        for _ in range(30):
            promote(Models(), "v2", "ann")
            promote(Models(), "v1", "ann")
        pointer = champion(Models())
        assert pointer
        assert len(pointer.history) == 50
        assert pointer.revision == 61


@pytest.mark.usefixtures("aws")
class TestLoading:
    def test_a_version_scores_as_the_booster_that_was_registered(self) -> None:
        add("v1")
        model = load_version(Models(), Documents(), "v1")
        assert model.version == "v1"
        assert model.threshold == 0.3
        assert model.average_probability is None  # the version is of an earlier RetainStream
        assert model.calibration.document() == {"method": "platt", "a": 0.9, "b": 0.1}
        assert len(model.probabilities(ROWS)) == len(ROWS)

    def test_nothing_in_service_is_an_error_of_its_own(self) -> None:
        with pytest.raises(NoModel):
            ChampionCache().model(Models(), Documents(), 30)

    def test_the_pointer_is_read_again_only_after_its_time(self) -> None:
        add("v1"), add("v2")
        promote(Models(), "v1", "ann")
        models, documents, cache = Models(), Documents(), ChampionCache()
        assert cache.model(models, documents, 60).version == "v1"
        promote(Models(), "v2", "ann")
        with seen() as calls:
            assert cache.model(models, documents, 60).version == "v1"
        assert calls == []
        assert cache.model(models, documents, 0).version == "v2"
        with seen() as calls:
            assert cache.model(models, documents, 0).version == "v2"
        assert calls == ["GetItem"]

    def test_a_process_that_slept_looks_again(self) -> None:
        add("v1"), add("v2")
        promote(Models(), "v1", "ann")
        cache = ChampionCache()
        assert cache.model(Models(), Documents(), 30).version == "v1"
        promote(Models(), "v2", "ann")
        for moved in (86_400, -86_400):
            cache._checked_at += moved
            assert cache.model(Models(), Documents(), 30).version == "v2"

    @pytest.mark.parametrize("name", ["model.ubj", "schema.json", "calibration.json"])
    def test_changed_files_are_refused(self, name: str) -> None:
        record = add("v1")
        promote(Models(), "v1", "ann")
        spoil(record["files"][name]["key"])
        with pytest.raises(CorruptModel, match=name):
            ChampionCache().model(Models(), Documents(), 30)
        boto3.client("s3").delete_object(Bucket=settings().bucket, Key=record["files"][name]["key"])
        with pytest.raises(CorruptModel, match="missing"):
            verified_file(record, Documents(), name)

    def test_bytes_that_were_never_a_model_are_refused(self) -> None:
        record = add("v1")
        record["files"]["model.ubj"]["sha256"] = hashlib.sha256(b"not a model").hexdigest()
        Documents().put_bytes(record["files"]["model.ubj"]["key"], b"not a model")
        register(Models(), record | {"version": "v2", "run_id": "another"})
        with pytest.raises(CorruptModel):
            load_version(Models(), Documents(), "v2")

    def test_a_corrupt_champion_leaves_the_loaded_one_in_use_until_it_is_whole(self) -> None:
        add("v1")
        record = add("v2")
        promote(Models(), "v1", "ann")
        cache = ChampionCache()
        cache.model(Models(), Documents(), 0)
        spoil(record["files"]["model.ubj"]["key"])
        promote(Models(), "v2", "ann")
        assert cache.model(Models(), Documents(), 0).version == "v1"
        Documents().put_bytes(record["files"]["model.ubj"]["key"], BOOSTERS["v2"])
        assert cache.model(Models(), Documents(), 0).version == "v2"

    def test_a_loaded_model_outlives_an_outage_of_the_table(self) -> None:
        add("v1")
        promote(Models(), "v1", "ann")
        cache, models = ChampionCache(), Models()
        cache.model(models, Documents(), 0)
        with refused("GetItem"):
            assert cache.model(models, Documents(), 0).version == "v1"
            with pytest.raises(StorageUnavailable):
                ChampionCache().model(models, Documents(), 0)


@pytest.mark.usefixtures("aws")
class TestActiveSchema:
    def test_the_default_is_in_force_until_one_is_set(self) -> None:
        assert active_schema(Documents()) == default_schema()
        changed = SCHEMA.model_copy(update={"title": "Ours"})
        set_active_schema(Documents(), changed)
        assert active_schema(Documents()).title == "Ours"


@pytest.mark.usefixtures("aws")
class TestDocuments:
    def test_bytes_come_back_with_their_checksum(self) -> None:
        stored = Documents().put_bytes("datasets/x", b"abc")
        assert stored.sha256 == hashlib.sha256(b"abc").hexdigest()
        assert Documents().get_bytes("datasets/x") == b"abc"
        assert Documents().exists("datasets/x")
        assert not Documents().exists("datasets/")
        with pytest.raises(NotStored):
            Documents().get_bytes("datasets/y")

    def test_a_download_link_names_the_file_and_ends(self) -> None:
        link = Documents().download_link("exports/a.csv", file_name="call list.csv", seconds=60)
        assert "exports/a.csv" in link
        assert "call%20list.csv" in link
        assert "X-Amz-Expires=60" in link

    def test_an_outage_is_told_as_such(self) -> None:
        with refused("PutObject"), pytest.raises(StorageUnavailable):
            Documents().put_bytes("datasets/x", b"abc")
