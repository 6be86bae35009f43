"""Every event in events/, each given by `sam local invoke` to its function in a container of its own."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from local.isolation import environment
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.settings import settings
from retainstream.storage.customers import Customers
from tests.containers.account import Account, deployed, items, keys
from tests.containers.conftest import Lambda
from tests.containers.sam import Sam
from tests.contract.test_events import CHAPTERS, EVENTS, FILE, GOES_ON, STATUS, do_the_job, event

CUSTOMERS = 1500
PARAMETERS = {"SelfRegistration": "open", "SageMakerRowThreshold": "10000", "RecountSettleSeconds": "5"}
QUICK = {"TRAINING_SECONDS": "1"}

# Acts follow one another; the lanes of an act run side by side, each its chapters in their order. A chapter is called by its first event.
ACTS = [
    [
        ["auth/register", "authorizer/request", "model/health"],
        ["customers/put", "imports/uploaded", "customers/imports"],
        ["model/train", "retraining/begin", "retraining/extract-part", "retraining/import-model"],
    ],
    [["scoring/plan"]],
    [
        ["rollups/customers", "recount/open", "dashboard/metrics"],
        ["exports/begin", "predictions/results"],
        ["customers/high-risk", "model/status"],
    ],
    [["customers/delete"], ["auth/logout"], ["retraining/fail", "scoring/fail"], ["recount/fail", "exports/fail"]],
]
NAMES = {f"{function}/{names.split()[0]}": [f"{function}/{name}" for name in names.split()] for function, names in CHAPTERS}


class Story:
    """Answers by event."""

    def __init__(self, sam: Sam) -> None:
        self._sam = sam
        self.answers: dict[str, Any] = {}

    def tell(self) -> None:
        for act in ACTS:
            with ThreadPoolExecutor(len(act)) as lanes:
                list(lanes.map(self._tell, act))

    def _tell(self, chapters: Sequence[str]) -> None:
        left: dict[str, Any] = {}  # what an export's task leaves has a new name each time
        for name in (name for chapter in chapters for name in NAMES[chapter]):
            given = {**event(name), **left} if name in GOES_ON else event(name)
            file = EVENTS / f"{name}.json"
            as_it_is = given == json.loads(file.read_text())
            answer = self._sam.invoke(f"{name.split('/')[0].capitalize()}Function", file if as_it_is else json.dumps(given))
            self.answers[name] = answer
            left = {"progress": answer["progress"]} if isinstance(answer, dict) and "progress" in answer else left
            if name == "retraining/prepare-job":
                do_the_job(answer)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """The deployed stack with customers to learn from, and the file that the upload's event tells of; nothing happens there by itself."""
    with deployed(PARAMETERS, executing=False) as made, environment(QUICK):
        settings.cache_clear()
        Customers().put_many(as_customers(generate(CUSTOMERS, 1)))
        uploaded = event("imports/uploaded")["detail"]["object"]["key"]
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=uploaded, Body=FILE)
        yield made


@pytest.fixture(scope="module")
def answers(containers: Lambda, account: Account) -> dict[str, Any]:
    """All events told."""
    story = Story(Sam(containers.engine, containers.folder, {name: {**given, **QUICK} for name, given in account.environments.items()}))
    story.tell()
    (containers.folder / "answers.json").write_text(json.dumps(story.answers, indent=1))
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
