"""The tasks of a training run on rows of several periods, from the data set to the registered version."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from retainstream.engine.learning.dataset import DataSet, Provenance
from retainstream.registry.card import card_document
from retainstream.registry.champion import champion, promote
from retainstream.registry.loading import load_judged, load_version
from retainstream.registry.versions import get
from retainstream.runs.retraining.steps import TASKS
from retainstream.runs.retraining.workbench import TrainingEvent, Workbench
from retainstream.settings import settings
from retainstream.storage.documents import Documents
from retainstream.storage.models import Models
from retainstream.storage.stores import Stores
from tests.made_periods import FOUR_MONTHS, at_month_ends, day

FIVE_MONTHS = (*FOUR_MONTHS, "2026-10-31")


@pytest.fixture
def stores(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    monkeypatch.setenv("TRAINING_SECONDS", "0.8")
    settings.cache_clear()
    yield Stores()
    settings.cache_clear()


def trained(stores: Stores, run_id: str, data: DataSet) -> Any:
    """The record of the version that a training run makes of these rows."""
    stores.runs.start(run_id, "training", "ann")
    bench = Workbench(stores.documents, run_id)
    stored = bench.put_data(data)
    left, customers = int(data.churned.sum()), len(np.unique(data.keys))
    provenance = Provenance(customers, len(data), left, {"api": len(data)}, data.schema.name, {"checked": len(data) - 500, "stated": 500})
    bench.put_json("provenance.json", {**provenance.document(), "sha256": stored.sha256})
    event: TrainingEvent = {"run_id": run_id, "started_at": "2026-12-01T09:00:00.000+00:00", "started_by": "ann"}
    for task in ("validate", "train", "evaluate", "gate", "register"):
        answer: Any = TASKS[task](stores, event)
    return get(stores.models, answer["version"])


def test_a_version_is_judged_on_the_newest_period_and_serves_with_all_rows(stores: Stores) -> None:
    data = at_month_ends(FOUR_MONTHS)
    record = trained(stores, "september", data)
    assert record["split"] == {"by": "time", "period": "2026-09", "test_from": "2026-09-30", "horizon_days": 30, "development": 1_500}
    assert record["learned"] == {"customers": "all", "until": "2026-10-30"}
    assert (record["rows"]["train"], record["rows"]["test"]) == (2_000, 500)
    assert {"judged.ubj", "judged.json"} < set(record["files"])

    service = load_version(Models(), Documents(), record["version"])
    stored = load_judged(record, Documents())
    assert stored
    judged, learned = stored
    assert learned == {"customers": "all", "until": "2026-09-30"}
    newest = data.where(data.anchors == day("2026-09-30"))
    assert (service.margins(newest.rows) != judged.margins(newest.rows)).any()

    metrics = json.loads(Documents().get_bytes(f"models/{record['version']}/metrics.json"))
    assert [entry["period"] for entry in metrics["by_period"]] == ["2026-08", "2026-09"]
    assert metrics["by_period"][-1]["roc_auc"] == pytest.approx(record["metrics"]["roc_auc"])
    assert metrics["by_period"][-1]["expected"] == pytest.approx(judged.probabilities(newest.rows).sum())

    card: Any = card_document(Models(), Documents(), record["version"])
    assert (card["evaluation"]["by"], card["evaluation"]["period"], card["evaluation"]["refitted"]) == ("time", "2026-09", True)
    assert card["evaluation"]["by_customers"]["rows"] == 1_500
    assert "The moments of 500 of 2,000 rows are as stated, not checked" in " ".join(card["limits"])
    page = Documents().get_bytes(f"models/{record['version']}/card.html").decode()
    for words in (
        "ROC AUC by period",
        "the customers of 2026-09, the newest period",
        "fitted to all 2,000 rows",
        "Believe the figures by time",
    ):
        assert words in page


def test_a_champion_that_has_learned_the_newest_period_is_compared_as_it_was_before(stores: Stores) -> None:
    data = at_month_ends(FIVE_MONTHS)
    first = trained(stores, "first-000", data)
    assert first["gate"]["notes"][-1] == "There is no champion to compare with."
    promote(stores.models, first["version"], "ann", expected_revision=0)

    again = trained(stores, "again-000", data)
    assert again["gate"]["champion"] == first["version"]
    assert "learned outcomes of the test rows since it was judged" in again["gate"]["notes"][-1]
    comparison = again["gate"]["comparison"]
    assert (comparison["rows"], comparison["roc_auc"]["difference"]) == (500, 0), "the same rows and settings, so the same model"


def test_a_champion_of_the_month_before_is_compared_as_it_serves(stores: Stores) -> None:
    data = at_month_ends(FIVE_MONTHS)
    before = trained(stores, "before-00", data.where(data.anchors <= day("2026-09-30")))
    promote(stores.models, before["version"], "ann", expected_revision=0)
    service = load_version(Models(), Documents(), before["version"])

    after = trained(stores, "after-000", data)
    current = champion(Models())
    assert current
    assert current.version == after["gate"]["champion"] == before["version"]
    assert not [note for note in after["gate"]["notes"] if "learned" in note]
    newest = data.where(data.anchors == day("2026-10-31"))
    stored = load_judged(after, Documents())
    assert stored
    losses = [
        -np.log(np.where(newest.churned, chances, 1 - chances)).mean()
        for chances in (stored[0].probabilities(newest.rows), service.probabilities(newest.rows))
    ]
    assert after["gate"]["comparison"]["log_loss"]["difference"] == pytest.approx(losses[0] - losses[1])


def test_a_champion_of_an_earlier_release_is_compared_on_customers_it_never_saw(stores: Stores) -> None:
    data = at_month_ends(FIVE_MONTHS, 1_000)
    old = trained(stores, "old-00000", data)
    del old["learned"], old["split"]
    old["files"] = {name: file for name, file in old["files"].items() if not name.startswith("judged")}
    old["version"] = "20261115T090000Z-old-0000"
    old["created_at"] = "2026-11-15T09:00:00.000+00:00"
    stores.models.add_version(old["version"], old)
    promote(stores.models, old["version"], "ann", expected_revision=0)
    new = trained(stores, "new-00000", data)
    assert 150 < new["gate"]["comparison"]["rows"] < 250
    assert "test rows whose outcomes the champion has not learned" in new["gate"]["notes"][-1]
