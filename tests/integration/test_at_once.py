"""Work that meets: two imports, two scoring runs, two trainings, promotions and rollbacks, an import with a run and a removal.

What is left is what some order of doing them one after the other leaves, and every run ends."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import boto3
import pytest

from retainstream.customers import removal
from retainstream.registry import loading
from retainstream.registry.champion import Champion, champion, promote, rollback
from retainstream.registry.errors import NotPromotable
from retainstream.registry.versions import newest
from retainstream.runs.scoring import segment
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models
from retainstream.storage.predictions import Predictions
from retainstream.storage.removals import Removals
from retainstream.storage.runs import Runs
from tests.conftest import account
from tests.importing import Steps, as_file, asked_for, line
from tests.integration.at_once import CacheOfThread
from tests.integration.base_of_customers import watch_streams
from tests.integration.conftest import lambda_context, load_function
from tests.integration.retraining_machine import Machine, retraining_machine, seed
from tests.integration.state_left import counters_left, rows_left, run_left
from tests.interleaving import interleave
from tests.mortal_tasks import first_seed
from tests.small_models import add_customers, put_in_service

type Work = Callable[[], object]

pytestmark = pytest.mark.usefixtures("tidy_answers")


def meet(works: Sequence[Work], chance: random.Random) -> None:
    """Lets them meet call by call, in an order by chance; each keeps its turn for a while."""
    last = 0

    def choose(waiting: Sequence[int]) -> int:
        nonlocal last
        if last not in waiting or chance.random() < 0.2:
            last = chance.choice(list(waiting))
        return last

    interleave(works, choose)


def consumed() -> dict[Any, dict[str, int]]:
    """The counters, which are the recount of the rows."""
    return counters_left(lambda batch: load_function("rollups").handler(batch, lambda_context("rollups")))


# --------------------------------------------------------------------------------------------------------------------- imports

FILES = {
    "older": (
        as_file([line(f"c{number}", watch="1.5", churned="yes" if number % 3 else "") for number in range(14)], outcomes=True),
        "2026-11-10",
    ),
    "newer": (
        as_file([line(f"c{number}", watch="7", churned="no" if number % 4 else "") for number in range(6, 20)], outcomes=True),
        "2026-11-12",
    ),
}


def import_of(name: str) -> tuple[str, Work]:
    content, as_of = FILES[name]
    view = asked_for(content, as_of=f"{as_of}T00:00:00Z", key=name)
    return view.import_id, Steps(view.import_id).run


def imported_in_turn(order: Sequence[str]) -> dict[str, Any]:
    with account():
        watch_streams()
        for name in order:
            import_of(name)[1]()
        return rows_left()["customers"]


def test_two_imports_of_the_same_customers_leave_what_one_after_the_other_leaves() -> None:
    serial = [imported_in_turn(order) for order in (("older", "newer"), ("newer", "older"))]
    first = first_seed(1)
    for number in range(first, first + 3):
        with account():
            watch_streams()
            works = [import_of(name) for name in FILES]
            meet([work for _, work in works], random.Random(number))
            assert rows_left()["customers"] in serial, f"SEED={number}"
            for import_id, _ in works:
                left = run_left(import_id)
                assert left["status"] == "SUCCEEDED"
                assert left["counts"]["accepted"] + left["counts"]["rejected"] == left["counts"]["rows"] == 14
            consumed()


# --------------------------------------------------------------------------------------------------------------------- scoring


def scoring(run_id: str) -> Work:
    """A whole run by the model in service when it begins."""

    def do(task: str, **given: Any) -> Any:
        event = {"task": task, "run_id": run_id, **given}
        return json.loads(json.dumps(load_function("scoring").handler(event, lambda_context("scoring"))))

    def work() -> None:
        plan = do("plan", input={"started_by": "test"})
        chosen = {name: plan[name] for name in ("model_version", "chosen_at")}
        [part] = plan["segments"]
        while not part.get("done"):
            part = do("score", part=part, **chosen)
        do("finish", model_version=plan["model_version"], counts=do("verify", parts=[part], planned=1)["counts"])

    return work


BEFORE, AFTER = "20260101T000000Z-aaaaaaaa", "20260201T000000Z-bbbbbbbb"


def versions_and_customers(customers: int) -> None:
    watch_streams()
    put_in_service(0, BEFORE)
    put_in_service(1, AFTER)
    rollback(Models(), "test")
    add_customers(customers, churned=4)


def promoting_and_scoring(run_id: str) -> Work:
    def work() -> None:
        promote(Models(), AFTER, "test")
        scoring(run_id)()

    return work


def by_row() -> dict[str, Any]:
    """Each prediction without its past, which tells who was first."""
    rows = rows_left()["predictions"]
    return {name: {key: value for key, value in row.items() if key not in ("history", "change")} for name, row in rows.items()}


def test_a_scoring_run_that_meets_a_promotion_and_its_run_leaves_predictions_of_the_version_in_service() -> None:
    with account():
        versions_and_customers(30)
        scoring("one")()
        promoting_and_scoring("two")()
        serial = by_row()
    first = first_seed(1)
    for number in range(first, first + 3):
        with account(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(segment, "BLOCK", 10)
            patch.setattr(loading, "_cache", CacheOfThread())
            versions_and_customers(30)
            meet([scoring("one"), promoting_and_scoring("two")], random.Random(number))
            assert by_row() == serial, f"SEED={number}"
            for name in ("one", "two"):
                ended = run_left(name)
                assert (ended["status"], ended["counts"]["scored"]) == ("SUCCEEDED", 26)
            consumed()


# ----------------------------------------------------------------------------------------------- import, scoring and removal


def test_an_import_a_scoring_run_and_a_removal_of_the_same_customers_agree_in_the_end() -> None:
    first = first_seed(1)
    for number in range(first, first + 4):
        with account():
            versions_and_customers(4)
            import_of("older")[1]()
            import_id, importing = import_of("newer")

            def remove() -> None:
                for customer in ("c7", "c8"):
                    removal.remove(customer, Customers(), Predictions(), Documents(), Removals())

            meet([importing, scoring("one"), remove], random.Random(number))
            rows = rows_left()
            assert rows["predictions"].keys() <= rows["customers"].keys(), f"SEED={number}"
            assert not rows["customers"].keys() & {"c7", "c8"}, f"SEED={number}: the file is older than the removal"
            for name, prediction in rows["predictions"].items():
                assert prediction["churned"] is (rows["customers"][name].get("churned") is True), f"SEED={number}: {name}"
            assert run_left("one")["status"] == run_left(import_id)["status"] == "SUCCEEDED"
            consumed()


# --------------------------------------------------------------------------------------------------------- the version in service


def tried(move: Callable[[], Champion], done: list[str]) -> None:
    with suppress(Conflict, NotPromotable):
        done.append(move().version)


def test_promotions_and_rollbacks_at_once_leave_one_champion_with_the_history_of_those_that_were_told_of_success() -> None:
    first = first_seed(1)
    for number in range(first, first + 15):
        chance = random.Random(number)
        with account():
            for place in range(4):
                put_in_service(place, f"2026010{place + 1}T000000Z-aaaaaaaa")
            models, done = Models(), list[str]()
            versions = [record["version"] for record in newest(models, limit=10).items]
            before = champion(models)
            assert before
            moves_of = [partial(rollback, models, "ann"), partial(rollback, models, "ben")]
            moves_of += [partial(promote, models, version, "cleo") for version in chance.sample(versions[1:], 2)]
            meet([partial(tried, move, done) for move in chance.sample(moves_of, 3)], chance)
            after = champion(models)
            assert after
            moves = after.revision - before.revision
            entries = [entry["version"] for entry in after.history]
            assert Counter(entries[:moves]) <= Counter(done), f"SEED={number}"  # to promote what is in service moves nothing
            assert entries[moves:] == [entry["version"] for entry in before.history]
            assert (after.version, after.previous) == (entries[0], entries[1])
            assert after.record is not None
            assert after.record["version"] == after.version
            assert moves >= 1


# --------------------------------------------------------------------------------------------------------------------- training


@pytest.fixture
def machine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with retraining_machine(monkeypatch) as run_machine:
        yield run_machine


def test_two_trainings_at_once_both_end_and_one_champion_is_one_of_theirs(machine: Machine) -> None:
    seed(900)
    states = boto3.client("stepfunctions")
    for run_id in ("first-run", "second-run"):
        states.start_execution(
            stateMachineArn=settings().retraining_state_machine_arn, name=run_id, input=json.dumps({"started_by": "test"})
        )
    ended = [machine("first-run", started=True, beside=["second-run"]), machine("second-run", started=True)]
    assert {record["status"] for record in ended} <= {"SUCCEEDED", "FAILED"}
    assert any(record["status"] == "SUCCEEDED" for record in ended)
    promoted = [record["result"]["version"] for record in ended if "result" in record and record["result"]["promoted"]]
    pointer = champion(Models())
    assert pointer
    assert pointer.version in promoted
    assert pointer.revision == len(pointer.history) == len(promoted)
    assert sorted(entry["version"] for entry in pointer.history) == sorted(promoted)
    assert Runs().existing("first-run")["run_id"] != Runs().existing("second-run")["run_id"]
