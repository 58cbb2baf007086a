"""From a failed state to words, and to the right end."""

import json
from typing import Any

import pytest

from lambdas.adapters.job_table import JobTable
from lambdas.handlers import settle_failed, start_execution
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.failures import MAX_CAUSE, MAX_MESSAGE
from lambdas.jobs.model import Attempt
from lambdas.jobs.status import Status
from lambdas.jobs.times import now
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message

ATTEMPT = Attempt(owner=OWNER, job_id="job-1")


def failing(stage: str, error_class: str, cause: str) -> dict[str, object]:
    """What the state machine hands over."""
    return ATTEMPT.payload() | {
        "stage": stage,
        "errorClass": error_class,
        "cause": cause,
        "executionArn": "arn:execution",
    }


def settled(event: dict[str, object]) -> dict[str, Any]:
    """Settle, and return the dead letter that is handed on."""
    letter: dict[str, Any] = settle_failed.handler(event, None)["letter"]
    return letter


def from_function(error_class: str, text: str) -> str:
    """A cause as Lambda writes it."""
    return json.dumps({"errorMessage": text, "errorType": error_class, "requestId": "r", "stackTrace": ["a line"]})


@pytest.fixture
def running(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now=now())
    return aws


def test_settle_failed_own_error_tells_its_message(running: Aws) -> None:
    letter = settled(
        failing("inspect", "InvalidImage", from_function("InvalidImage", "The file is empty. Upload it again.")),
    )

    assert letter["stage"] == "inspect"
    assert letter["message"] == "The file is empty. Upload it again."
    assert letter["redriveCanHelp"] is False


def test_settle_failed_of_a_branch_names_its_stage(running: Aws) -> None:
    cause = "palette: " + from_function("TransientError", "Throttled.")

    letter = settled(failing("analyse", "TransientError", cause))

    assert (letter["stage"], letter["message"]) == ("palette", "Throttled.")


@pytest.mark.parametrize(
    ("error_class", "cause"),
    [
        ("States.Timeout", ""),
        (
            "Sandbox.Timedout",
            from_function("Sandbox.Timedout", "RequestId: 7 Error: Task timed out after 30.00 seconds"),
        ),
        ("Runtime.ExitError", from_function("Runtime.ExitError", "RequestId: 7 Error: signal: killed")),
        ("Lambda.AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/x is not authorized"),
        ("InvalidImage", '{"errorMessage": "cut o'),
        ("InvalidImage", '{"errorMessage": }'),
        ("InvalidImage", "[1]"),
        ("UnexpectedError", '{"errorMessage": null}'),
    ],
)
def test_settle_failed_machinery_is_told_in_words_and_leaks_nothing(running: Aws, error_class: str, cause: str) -> None:
    letter = settled(failing("codes", error_class, cause))

    assert letter["stage"] == "codes"
    assert "The stage codes" in letter["message"]
    assert not any(leak in letter["message"] for leak in ("arn:", "RequestId", "errorMessage"))


def test_settle_failed_keeps_within_its_limits(running: Aws) -> None:
    cause = from_function("InvalidImage", "x" * 50_000)

    letter = settled(failing("inspect", "InvalidImage", cause))

    assert len(letter["message"]) <= MAX_MESSAGE
    assert len(letter["cause"]) <= MAX_CAUSE


def test_settle_failed_of_a_cancelled_job_is_none(running: Aws) -> None:
    running.cancel("job-1")

    with pytest.raises(JobCancelled):
        settle_failed.handler(failing("inspect", "States.Timeout", ""), None)


def test_settle_failed_of_a_job_that_is_cancelled_in_between_is_none(
    running: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = running.job("job-1")
    running.cancel("job-1")
    monkeypatch.setattr(JobTable, "get", lambda *_: seen)

    with pytest.raises(JobCancelled):
        settle_failed.handler(failing("inspect", "States.Timeout", ""), None)
    assert running.letters() == []


def test_settle_failed_of_the_clean_up_itself_is_one(running: Aws) -> None:
    running.cancel("job-1")

    assert settled(failing("clean_up", "TransientError", ""))["stage"] == "clean_up"
    assert running.job("job-1").status is Status.FAILED


def test_settle_failed_again_hands_on_the_same_letter_until_it_is_sent(running: Aws) -> None:
    first = settled(failing("inspect", "States.Timeout", ""))
    assert settled(failing("inspect", "States.Timeout", "")) == first

    running.watch_list.note_letter_sent(ATTEMPT)

    with pytest.raises(JobSuperseded):
        settle_failed.handler(failing("inspect", "States.Timeout", ""), None)


def test_settle_failed_of_another_attempt_is_none(running: Aws) -> None:
    later = running.job("job-1").next
    event = failing("inspect", "States.Timeout", "") | later.payload()

    with pytest.raises(JobSuperseded):
        settle_failed.handler(event, None)
    assert running.job("job-1").status is Status.RUNNING
