"""The API's calls for operators: the state of things, and the dead letters."""

import json

import boto3
import pytest

from lambdas.adapters.queues import send_dead_letter
from lambdas.handlers import api, start_execution
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.errors import InvalidImage, TransientError
from lambdas.jobs.model import Failure
from lambdas.jobs.status import Status
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message
from tests.functional.test_api import assert_problem, call
from tests.functional.test_operators import NO_OPERATOR, OPERATOR

OPERATORS = "[operators]"
CALLS = [
    ("GET", "/operations", None),
    ("GET", "/operations/dead-letters", None),
    ("POST", "/operations/dead-letters/redrive", {"all": True}),
]
PASSING = Failure(error_class=TransientError.__name__, message="No answer.", stage="palette")
LASTING = Failure(error_class=InvalidImage.__name__, message="No image.", stage="inspect")


def ask(method: str, path: str, body: object = None) -> dict[str, object]:
    """Ask as an operator."""
    return call(method, path, owner=OPERATOR, groups=OPERATORS, body=body)


def with_letter(aws: Aws, job_id: str, failure: Failure) -> None:
    """Make a job that has failed, and have its dead letter sent."""
    start_execution.handler(batch(message(job_id=job_id)), None)
    send_dead_letter(aws.dead_letters_url, DeadLetter.owed_by(aws.fail(job_id, failure)))


def letters() -> list[dict[str, object]]:
    """The dead letters, as the API shows them."""
    return list(ask("GET", "/operations/dead-letters")["document"]["letters"])  # type: ignore[index]


@pytest.mark.parametrize("groups", NO_OPERATOR)
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_everybody_else_finds_nothing_there(aws: Aws, method: str, path: str, body: object, groups: str | None) -> None:
    with_letter(aws, "job-1", PASSING)
    assert_problem(call(method, path, body=body, groups=groups), 404, "not-found")
    assert aws.job("job-1").status is Status.FAILED


def test_operations_tell_how_full_the_queues_are_and_what_runs(aws: Aws) -> None:
    start_execution.handler(batch(message(job_id="job-1")), None)
    with_letter(aws, "job-2", PASSING)
    boto3.client("sqs").send_message(QueueUrl=aws.job_queue_url, MessageBody="{}")

    document = ask("GET", "/operations")["document"]

    waiting = {queue["name"]: queue["waiting"] for queue in document["queues"]}  # type: ignore[index]
    assert waiting == {"jobs": 1, "intakeDeadLetters": 0, "deadLetters": 1}
    counted = document["executions"]  # type: ignore[index]
    assert (counted["started"], counted["running"], counted["ended"]) == (2, 2, 0)


def test_letters_are_shown_and_stay(aws: Aws) -> None:
    with_letter(aws, "job-1", PASSING)

    first, second = letters(), letters()

    assert first == second
    (letter,) = first
    assert (letter["jobId"], letter["owner"], letter["attempt"]) == ("job-1", OWNER, 1)
    assert (letter["errorClass"], letter["redriveCanHelp"]) == ("TransientError", True)


def test_redriving_one_starts_its_job_and_puts_its_letter_away(aws: Aws) -> None:
    with_letter(aws, "job-1", PASSING)
    with_letter(aws, "job-2", PASSING)
    chosen = next(letter for letter in letters() if letter["jobId"] == "job-2")

    answer = ask("POST", "/operations/dead-letters/redrive", {"letters": [chosen["messageId"]]})

    assert answer["document"] == {"redriven": 1, "left": [], "more": False}
    assert (aws.job("job-1").attempt, aws.job("job-2").attempt) == (1, 2)
    assert [letter["jobId"] for letter in letters()] == ["job-1"]


def test_redriving_all_leaves_what_cannot_be_helped(aws: Aws) -> None:
    with_letter(aws, "passing", PASSING)
    with_letter(aws, "lasting", LASTING)

    document = ask("POST", "/operations/dead-letters/redrive", {"all": True})["document"]

    assert document["redriven"] == 1  # type: ignore[index]
    assert [left["jobId"] for left in document["left"]] == ["lasting"]  # type: ignore[index]
    assert (aws.job("passing").attempt, aws.job("lasting").attempt) == (2, 1)


def test_letter_whose_job_has_moved_on_is_put_away(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)
    with_letter(aws, "job-1", PASSING)
    call("POST", "/jobs/job-1/redrive")

    ask("POST", "/operations/dead-letters/redrive", {"all": True})

    assert aws.job("job-1").attempt == 2
    assert letters() == []


@pytest.mark.parametrize(
    "body",
    ["no letter", "[]", '{"errorClass": 1}', json.dumps({"errorClass": "X", "jobId": 5, "owner": [], "attempt": "1"})],
)
def test_what_is_no_letter_is_shown_and_left(aws: Aws, body: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=aws.dead_letters_url, MessageBody=body)
    (letter,) = letters()

    document = ask("POST", "/operations/dead-letters/redrive", {"letters": [letter["messageId"]]})["document"]

    assert document["redriven"] == 0  # type: ignore[index]
    assert len(document["left"]) == len(letters()) == 1  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"all": 1}, {"letters": []}, {"letters": ["a b"]}, {"all": True, "letters": ["a"]}, {"x": 1}],
)
def test_choice_that_breaks_a_rule_is_refused(aws: Aws, body: object) -> None:
    with_letter(aws, "job-1", PASSING)
    assert_problem(ask("POST", "/operations/dead-letters/redrive", body), 400, "bad-request")
    assert aws.job("job-1").attempt == 1


def test_every_use_is_logged_with_who(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    for method, path, body in CALLS:
        ask(method, path, body)
    told = [(record.operator, record.call) for record in caplog.records if hasattr(record, "operator")]
    assert told == [(OPERATOR, f"{method} {path}") for method, path, _ in CALLS]
