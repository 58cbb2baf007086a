"""Executions that end where no Catch could see it."""

import json
from typing import Any

import pytest

from lambdas.handlers import settle_ended, start_execution
from lambdas.jobs.model import Attempt, Failure
from lambdas.jobs.status import Status
from lambdas.jobs.times import now
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message

ATTEMPT = Attempt(owner=OWNER, job_id="job-1")


def ended(status: str, attempt: Attempt = ATTEMPT, **more: str) -> dict[str, Any]:
    """The event of an execution's end."""
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:images:{attempt.execution_name}"
    detail = {
        "executionArn": arn,
        "startDate": 1_790_000_000_000,
        "name": attempt.execution_name,
        "status": status,
        "input": json.dumps(attempt.payload()),
        **more,
    }
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


@pytest.fixture
def running(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now=now())
    return aws


@pytest.mark.parametrize(
    ("status", "error_class"),
    [("ABORTED", "ExecutionAborted"), ("TIMED_OUT", "ExecutionTimedOut"), ("FAILED", "ExecutionFailed")],
)
def test_settle_ended_running_job_fails_with_one_letter(running: Aws, status: str, error_class: str) -> None:
    settle_ended.handler(ended(status), None)
    settle_ended.handler(ended(status), None)

    job = running.job("job-1")
    (letter,) = running.letters()
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.error_class, job.error.stage) == (error_class, "inspect")
    assert (letter["errorClass"], letter["message"]) == (error_class, job.error.message)
    assert letter["executionArn"].endswith(ATTEMPT.execution_name)
    assert letter["redriveCanHelp"] is True


def test_settle_ended_queued_job_fails(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)

    settle_ended.handler(ended("ABORTED"), None)

    assert aws.job("job-1").status is Status.FAILED


def test_settle_ended_names_the_error_that_the_execution_names(running: Aws) -> None:
    settle_ended.handler(ended("FAILED", error="States.DataLimitExceeded", cause="too large"), None)

    (letter,) = running.letters()
    assert (letter["errorClass"], letter["cause"]) == ("States.DataLimitExceeded", "too large")


def test_settle_ended_cancelling_job_is_cancelled_and_leaves_nothing(running: Aws) -> None:
    running.bucket.write_artefact(OWNER, "job-1", "inspect-1/working-copy.jpg", b"x", "image/jpeg")
    running.cancel("job-1")

    settle_ended.handler(ended("ABORTED"), None)

    assert running.job("job-1").status is Status.CANCELLED
    assert running.artefacts("job-1") == set()
    assert running.letters() == []


def test_settle_ended_end_that_is_there_stands(running: Aws) -> None:
    failure = Failure(error_class="InvalidImage", message="No image.", stage="inspect")
    running.fail("job-1", failure)

    settle_ended.handler(ended("FAILED"), None)

    assert running.job("job-1").error == failure


def test_settle_ended_sends_a_letter_that_is_still_owed_once(running: Aws) -> None:
    running.fail("job-1", Failure(error_class="InvalidImage", message="No image.", stage="inspect"))

    settle_ended.handler(ended("FAILED"), None)
    settle_ended.handler(ended("FAILED"), None)

    (letter,) = running.letters()
    assert (letter["errorClass"], letter["message"]) == ("InvalidImage", "No image.")
    assert running.job("job-1").owed_letter is None


def test_settle_ended_of_one_that_could_not_settle_its_job_tells_what_had_failed(running: Aws) -> None:
    cause = 'inspect: {"errorMessage": "The file is empty. Upload it again."}'

    settle_ended.handler(ended("FAILED", error="InvalidImage", cause=cause), None)

    (letter,) = running.letters()
    assert (letter["errorClass"], letter["stage"]) == ("InvalidImage", "inspect")
    assert letter["message"] == "The file is empty. Upload it again."


@pytest.mark.parametrize("detail", [{"input": "{}"}, {"input": None}, {"name": "by-hand"}])
def test_settle_ended_execution_that_somebody_started_by_hand_is_left_alone(
    running: Aws, detail: dict[str, str | None]
) -> None:
    event = ended("ABORTED")
    event["detail"].update(detail)

    settle_ended.handler(event, None)

    assert running.job("job-1").status is Status.RUNNING


def test_settle_ended_of_another_attempt_changes_nothing(running: Aws) -> None:
    settle_ended.handler(ended("ABORTED", Attempt(owner=OWNER, job_id="job-1", number=2)), None)

    assert running.job("job-1").status is Status.RUNNING
