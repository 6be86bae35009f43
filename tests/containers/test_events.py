"""Every event in events/: the first of each chapter by `sam local invoke` in a container of its own, the others in warm containers.

A chapter is the events that follow one another for a function. Warm containers serve one act: the first call of each is a cold one, too.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from local.isolation import environment
from retainstream.engine.learning.synthetic import generate
from retainstream.settings import settings
from tests.containers.account import Account, Containers, deployed, items, keys
from tests.containers.conftest import Lambda
from tests.containers.sam import Sam
from tests.contract.test_events import (
    CHAPTERS,
    EVENTS,
    GOES_ON,
    STATUS,
    bring_customers_and_files,
    do_the_job,
    event,
    leave_what_others_bring,
)
from tests.delivered_sources import deliver_profile_and_subscriptions

CUSTOMERS = 1500
PARAMETERS = {"SelfRegistration": "open", "SageMakerRowThreshold": "10000", "RecountSettleSeconds": "5"}
QUICK = {"TRAINING_SECONDS": "1"}

# Acts follow one another; the lanes of an act run side by side, each its chapters in their order. A chapter is called by its first event.
ACTS = [
    [
        ["auth/register", "authorizer/request", "model/health"],
        ["customers/put", "imports/uploaded", "customers/imports", "drafts/draft", "prepare/arrived", "customers/sources"],
        ["model/train", "retraining/begin", "history/extract", "retraining/validate"],
    ],
    [
        ["retraining/begin-by-schedule", "history/extract-part", "retraining/gather", "retraining/import-model"],
        ["scoring/plan", "history/keep", "scoring/finish"],
    ],
    [
        ["rollups/customers", "recount/open", "dashboard/metrics"],
        ["exports/begin", "predictions/results"],
        ["customers/high-risk", "prepare/forget", "customers/preparation", "model/status"],
    ],
    [["customers/delete", "history/forget"], ["auth/logout"], ["retraining/fail", "scoring/fail"], ["recount/fail", "exports/fail"]],
]
NAMES = {f"{function}/{names.split()[0]}": [f"{function}/{name}" for name in names.split()] for function, names in CHAPTERS}


class Story:
    """Answers by event, and which of them a new container gave."""

    def __init__(self, sam: Sam, account: Account) -> None:
        self._sam = sam
        self._account = account
        self._names = {logical_id: name for name, logical_id in account.logical_ids.items()}
        self.answers: dict[str, Any] = {}
        self.cold: set[str] = set()

    def tell(self) -> None:
        for act in ACTS:
            with self._sam.served("start-lambda") as address, ThreadPoolExecutor(len(act)) as lanes:
                list(lanes.map(partial(self._tell, Containers(self._account, address)), act))

    def _tell(self, warm: Containers, chapters: Sequence[str]) -> None:
        left: dict[str, Any] = {}  # what an export's task leaves has a new name each time
        for name in (name for chapter in chapters for name in NAMES[chapter]):
            leave_what_others_bring(name)
            given = {**event(name), **left} if name in GOES_ON else event(name)
            function = f"{name.split('/')[0].capitalize()}Function"
            if name in NAMES:
                file = EVENTS / f"{name}.json"
                answer = self._sam.invoke(function, file if given == json.loads(file.read_text()) else json.dumps(given))
                self.cold.add(name)
            else:
                answer = warm.invoke(self._names[function], given)
            self.answers[name] = answer
            left = {"progress": answer["progress"]} if isinstance(answer, dict) and "progress" in answer else left
            if name == "retraining/prepare-job":
                do_the_job(answer)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """The deployed stack with customers to learn from, and the file that the upload's event tells of; nothing happens there by itself."""
    with deployed(PARAMETERS, executing=False) as made, environment(QUICK):
        settings.cache_clear()
        bring_customers_and_files(CUSTOMERS)
        deliver_profile_and_subscriptions("s0000042", "s0000043")
        yield made


@pytest.fixture(scope="module")
def story(containers: Lambda, account: Account) -> Story:
    """All events told."""
    environments = {name: {**variables, **QUICK} for name, variables in account.environments.items()}
    story = Story(Sam(containers.engine, containers.folder, environments), account)
    story.tell()
    (containers.folder / "answers.json").write_text(json.dumps(story.answers, indent=1))
    return story


@pytest.fixture(scope="module")
def answers(story: Story) -> dict[str, Any]:
    return story.answers


def body(answer: Any) -> Any:
    return json.loads(answer["body"])["data"]


def test_every_chapter_is_told_once() -> None:
    assert sorted(chapter for act in ACTS for lane in act for chapter in lane) == sorted(NAMES)


def test_every_event_is_answered(answers: dict[str, Any], subtests: pytest.Subtests) -> None:
    assert answers.keys() == {name for names in NAMES.values() for name in names}
    for name, answer in answers.items():
        with subtests.test(name):
            if isinstance(answer, dict):
                assert "errorMessage" not in answer, answer
                if "statusCode" in answer:
                    assert answer["statusCode"] == STATUS.get(name, 200), answer["body"]
    assert answers["authorizer/request"] == {"isAuthorized": True, "context": {"refused": "1"}}


def test_every_function_has_begun_in_a_new_container(story: Story) -> None:
    assert story.cold == NAMES.keys()
    assert {name.split("/")[0] for name in story.cold} == {name.split("/")[0] for name in story.answers}


def test_people_and_their_sign_outs_are_stored(answers: dict[str, Any]) -> None:
    [person] = items(settings().users_table)[:1]
    registered = json.loads(event("auth/register")["body"])["email"]
    assert registered in {item["email"]["S"] for item in items(settings().users_table)}
    assert json.loads(event("auth/register")["body"])["password"] not in str(person)
    token = event("auth/logout")["requestContext"]["authorizer"]["lambda"]["tokenId"]
    assert token in {item["jti"]["S"] for item in items(settings().revoked_tokens_table)}
    assert body(answers["auth/logout"]) == {"signed_out": True}


def test_the_file_is_imported_and_the_deleted_customer_is_gone(answers: dict[str, Any]) -> None:
    done = body(answers["customers/import-status"])
    assert (done["status"], done["counts"]["accepted"], done["counts"]["rejected"]) == ("SUCCEEDED", 1, 1)
    customers = {item["customer_id"]["S"] for item in items(settings().customers_table)}
    deleted = event("customers/delete")["rawPath"].rsplit("/", 1)[1]
    assert customers == set(generate(CUSTOMERS, 1).ids) - {deleted}
    assert deleted not in {item["customer_id"]["S"] for item in items(settings().predictions_table)}
    assert not [key for key in keys("exports/") if key.endswith(".csv")]


def test_a_model_is_in_service_and_has_scored_everybody(answers: dict[str, Any]) -> None:
    version = answers["retraining/train"]["version"]
    assert body(answers["model/status"])["model"]["version"] == version
    assert {f"models/{version}/{name}" for name in ("model.ubj", "schema.json", "calibration.json", "card.html")} <= keys(
        f"models/{version}/"
    )
    counts = answers["scoring/verify"]["counts"]
    assert counts["read"] == CUSTOMERS
    assert counts["scored"] == counts["read"] - counts["churned"]
    assert len(items(settings().predictions_table)) >= counts["scored"] - 1
    assert answers["exports/finish"]["rows"] == body(answers["predictions/export"])["rows"] > 0


def test_the_day_is_kept(answers: dict[str, Any]) -> None:
    [day] = body(answers["dashboard/metrics"])["days"]
    assert day["day"] in str(items(settings().rollups_table))
