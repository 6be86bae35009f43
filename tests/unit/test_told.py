"""The look at everything that functions tell would see what must not be told."""

import logging
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger

from tests import told

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("signed in ann@example.com", "an e-mail address"),
        ('{"user": "Ann.Lee+x@mail.example.co.uk"}', "an e-mail address"),
        (f"refused {TOKEN}", "a token"),
        (f"refused {TOKEN[:40]}", "a token"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "an authorization"),
        ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "a password's hash"),
        ("https://b.s3.amazonaws.com/x?X-Amz-Signature=aa", "a presigned link"),
        ("https://b.s3.amazonaws.com/x?AWSAccessKeyId=a&Signature=b", "a presigned link"),
        (f"tried {told.CANARY_PASSWORDS[0]}", "a password"),
        ("could not score s0000042", "a customer's id"),
        ("rows: ['C-00017']", "a customer's id"),
    ],
)
def test_what_must_not_be_told_is_seen(text: str, what: str) -> None:
    assert [problem.partition(":")[0] for problem in told.problems_of(text)] == [what]


@pytest.mark.parametrize(
    "text",
    [
        '{"message":"request","route":"GET /api/customers/{customer_id}","status":200,"milliseconds":4.6}',
        "arn:aws:states:eu-west-1:123456789012:stateMachine:test-scoring",
        "storage unavailable: ProvisionedThroughputExceededException",
        "at layers/core/retainstream/http/api.py:115 resolve",
        "7s0000042a and C-0001x and a@b",
    ],
)
def test_ordinary_lines_pass(text: str) -> None:
    assert told.problems_of(text) == []


def test_messages_extras_and_tracebacks_of_any_logger_are_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    with told.watched() as found:
        logging.getLogger("retainstream.storage").warning("for %s", "ann@example.com")
        Logger(service="planted").info("request", extra={"by": "ann@example.com"})
        try:
            raise KeyError(TOKEN)
        except KeyError:
            logging.getLogger("anything").exception("unexpected")
        logging.getLogger("httpx").info("GET /x?X-Amz-Signature=1")
        logging.getLogger("retainstream").debug("ann@example.com")
        assert [problem.partition(":")[0] for problem in found()] == ["an e-mail address", "an e-mail address", "a token"]
    with told.watched() as found:
        assert found() == []


def test_what_a_handler_raises_is_looked_at_as_lambda_would_log_it() -> None:
    @told.raising_is_telling
    def handler(event: object, context: object) -> None:
        raise ValueError(f"cannot read {event}")

    with told.watched() as found:
        with pytest.raises(ValueError, match="cannot"):
            handler({"email": "ann@example.com"}, None)
        assert len(found()) == 1
    with told.watched():
        pass


def test_a_log_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    log.write_text("ann@example.com\nfine\n")
    told.watch_log(log)
    with told.watched() as found:
        assert len(found()) == 1
        assert found() == []
        with log.open("a") as stream:
            stream.write(f"fine\n{TOKEN}\n")
        assert len(found()) == 1
        log.unlink()
        assert found() == []


def test_a_test_whose_functions_tell_too_much_fails(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import functions_tell_nothing_of_people\n")
    pytester.makepyfile(
        "import logging\n"
        "def test_planted():\n"
        "    logging.getLogger('retainstream').warning('for ann@example.com')\n"
        "def test_clean():\n"
        "    logging.getLogger('retainstream').warning('for somebody')\n"
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2, errors=1)
