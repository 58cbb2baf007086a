"""From a failed state to words, and to the right end."""

import json

import pytest

from lambdas.handlers import describe_failure, start_execution
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.failures import MAX_CAUSE, MAX_MESSAGE
from lambdas.jobs.model import Attempt, Failure
from lambdas.jobs.status import Status
from lambdas.jobs.times import now
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message

ATTEMPT = Attempt(owner=OWNER, job_id="job-1")


def failing(stage: str, error_class: str, cause: str) -> dict[str, object]:
    """What the state machine hands over."""
    return ATTEMPT.payload() | {"stage": stage, "errorClass": error_class, "cause": cause}


def from_function(error_class: str, text: str) -> str:
    """A cause as Lambda writes it."""
    return json.dumps({"errorMessage": text, "errorType": error_class, "requestId": "r", "stackTrace": ["a line"]})


@pytest.fixture
def running(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now=now())
    return aws


def test_describe_failure_own_error_tells_its_message(running: Aws) -> None:
    described = describe_failure.handler(
        failing("inspect", "InvalidImage", from_function("InvalidImage", "The file is empty. Upload it again.")), None
    )

    assert described["stage"] == "inspect"
    assert described["message"] == "The file is empty. Upload it again."
    assert described["redriveCanHelp"] is False


def test_describe_failure_of_a_branch_names_its_stage(running: Aws) -> None:
    cause = "palette: " + from_function("TransientError", "Throttled.")

    described = describe_failure.handler(failing("analyse", "TransientError", cause), None)

    assert (described["stage"], described["message"]) == ("palette", "Throttled.")


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
def test_describe_failure_machinery_is_told_in_words_and_leaks_nothing(
    running: Aws, error_class: str, cause: str
) -> None:
    described = describe_failure.handler(failing("codes", error_class, cause), None)

    assert described["stage"] == "codes"
    assert "The stage codes" in described["message"]
    assert not any(leak in described["message"] for leak in ("arn:", "RequestId", "errorMessage"))


def test_describe_failure_keeps_within_its_limits(running: Aws) -> None:
    cause = from_function("InvalidImage", "x" * 50_000)

    described = describe_failure.handler(failing("inspect", "InvalidImage", cause), None)

    assert len(described["message"]) <= MAX_MESSAGE
    assert len(described["cause"]) <= MAX_CAUSE


def test_describe_failure_of_a_cancelled_job_is_none(running: Aws) -> None:
    running.table.cancel(running.job("job-1"), now=now())

    with pytest.raises(JobCancelled):
        describe_failure.handler(failing("inspect", "States.Timeout", ""), None)


def test_describe_failure_of_the_clean_up_itself_is_one(running: Aws) -> None:
    running.table.cancel(running.job("job-1"), now=now())

    assert describe_failure.handler(failing("clean_up", "TransientError", ""), None)["stage"] == "clean_up"


def test_describe_failure_of_a_job_that_has_moved_on_is_none(running: Aws) -> None:
    failure = Failure(error_class="States.Timeout", message="late")
    running.table.settle(ATTEMPT, Status.FAILED, failure=failure, token="t", now=now())

    with pytest.raises(JobSuperseded):
        describe_failure.handler(failing("inspect", "States.Timeout", ""), None)
