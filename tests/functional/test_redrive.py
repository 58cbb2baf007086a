"""A new attempt at a job that has failed: by its owner through the API, and by an operator with the dead letter."""

import json
from typing import Any

import boto3
import pytest

from lambdas.adapters import executions, keys
from lambdas.handlers import api, clean_up, reconcile, redrive_job, start_execution
from lambdas.handlers.redriving import MAX_ATTEMPTS, CannotRedriveError, redrive
from lambdas.jobs.errors import ArtefactLost, TransientError
from lambdas.jobs.model import Failure, OwedLetter
from lambdas.jobs.status import StageStatus, Status
from lambdas.stages.catalogue import STAGES
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, TIME, Runner, make_working_copy
from tests.functional.test_api import assert_problem, call

FAILURE = Failure(error_class="States.Timeout", message="No answer.", stage="palette")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is not waited for long."""
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


@pytest.fixture
def failed(aws: Aws, stages: Runner) -> Aws:
    """A job whose first stage is done, and whose second one has failed."""
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message({"imageId": "image-1"})), None)
    stages.run("inspect", make_working_copy)
    with pytest.raises(TransientError):
        stages.run("palette", _throttle)
    aws.fail("job-1", FAILURE)
    return aws


def test_redrive_failed_job_starts_its_next_attempt(failed: Aws) -> None:
    answer = call("POST", "/jobs/job-1/redrive")

    job = failed.job("job-1")
    assert (answer["statusCode"], answer["document"]["status"]) == (202, "QUEUED")
    assert (job.status, job.attempt, job.error, job.finished_at) == (Status.QUEUED, 2, None, None)
    assert sorted(failed.executions()) == [ATTEMPT.execution_name, job.current.execution_name]


def test_redrive_does_not_run_finished_stages_again(failed: Aws, stages: Runner) -> None:
    call("POST", "/jobs/job-1/redrive")

    for stage in STAGES:
        stages.run(stage.name, make_working_copy, attempt=failed.job("job-1").current)

    job = failed.job("job-1")
    assert job.status is Status.SUCCEEDED
    assert stages.worked.count("inspect") == 1
    assert stages.worked.count("palette") == 2
    assert (job.stages["inspect"].tries, job.stages["inspect"].attempt) == (1, 1)
    assert (job.stages["palette"].tries, job.stages["palette"].attempt) == (1, 2)


def test_redrive_again_before_it_has_begun_is_harmless(failed: Aws) -> None:
    answers = [call("POST", "/jobs/job-1/redrive") for _ in range(3)]

    assert [answer["statusCode"] for answer in answers] == [202] * 3
    assert failed.job("job-1").attempt == 2
    assert len(failed.executions()) == 2


def test_redrive_that_names_the_attempt_makes_one_however_late_it_is_repeated(failed: Aws, stages: Runner) -> None:
    """The answer to the first call is lost, and the new attempt has failed by the time that it is repeated."""
    call("POST", "/jobs/job-1/redrive", query={"attempt": "1"})
    running = failed.job("job-1").current
    with pytest.raises(TransientError):
        stages.run("palette", _throttle, attempt=running)
    while_running = call("POST", "/jobs/job-1/redrive", query={"attempt": "1"})
    failed.fail("job-1", FAILURE)

    again = call("POST", "/jobs/job-1/redrive", query={"attempt": "1"})

    job = failed.job("job-1")
    assert [answer["statusCode"] for answer in (while_running, again)] == [202, 202]
    assert [answer["document"]["status"] for answer in (while_running, again)] == ["RUNNING", "FAILED"]
    assert (job.status, job.attempt) == (Status.FAILED, 2)
    assert call("POST", "/jobs/job-1/redrive", query={"attempt": "2"})["document"]["status"] == "QUEUED"
    assert failed.job("job-1").attempt == 3


def test_redrive_of_an_attempt_that_is_not_there_yet_conflicts(failed: Aws) -> None:
    assert_problem(call("POST", "/jobs/job-1/redrive", query={"attempt": "2"}), 409, "job-status-conflict")
    assert failed.job("job-1").attempt == 1


@pytest.mark.parametrize("attempt", ["0", "-1", "one", "1.0", "", "10000"])
def test_redrive_of_an_attempt_that_is_no_number_is_refused(failed: Aws, attempt: str) -> None:
    assert_problem(call("POST", "/jobs/job-1/redrive", query={"attempt": attempt}), 400, "bad-request")
    assert failed.job("job-1").status is Status.FAILED


def test_redrive_by_many_who_saw_the_same_makes_one_attempt(failed: Aws) -> None:
    seen = failed.job("job-1")

    redriven = [redrive(failed.table, seen) for _ in range(8)]

    assert {job.attempt for job in redriven} == {2}
    assert len(failed.executions()) == 2


def test_redrive_of_a_running_job_conflicts(failed: Aws, stages: Runner) -> None:
    call("POST", "/jobs/job-1/redrive")
    stages.run("palette", attempt=failed.job("job-1").current)
    before = failed.job("job-1")

    answer = call("POST", "/jobs/job-1/redrive")

    assert_problem(answer, 409, "job-status-conflict")
    assert answer["document"]["jobStatus"] == "RUNNING"
    assert failed.job("job-1") == before


@pytest.mark.parametrize("end", [Status.SUCCEEDED, Status.CANCELLED, Status.QUEUED])
def test_redrive_of_a_job_that_has_not_failed_conflicts(aws: Aws, stages: Runner, end: Status) -> None:
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message()), None)
    if end is Status.SUCCEEDED:
        for stage in STAGES:
            stages.run(stage.name, make_working_copy)
    if end is Status.CANCELLED:
        aws.cancel("job-1")

    assert_problem(call("POST", "/jobs/job-1/redrive"), 409, "job-status-conflict")
    assert (aws.job("job-1").status, aws.job("job-1").attempt) == (end, 1)


def test_redrive_of_an_unknown_job_is_not_found(aws: Aws) -> None:
    assert_problem(call("POST", "/jobs/job-2/redrive"), 404, "job-not-found")


def test_redrive_of_a_submission_that_could_not_be_read_conflicts(aws: Aws) -> None:
    start_execution.handler(batch(message("[]")), None)

    assert_problem(call("POST", "/jobs/job-1/redrive"), 409, "job-status-conflict")


def test_redrive_after_very_many_attempts_is_refused(failed: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.handlers.redriving.MAX_ATTEMPTS", 1)

    with pytest.raises(CannotRedriveError, match="anew"):
        redrive(failed.table, failed.job("job-1"))
    assert MAX_ATTEMPTS < 100_000  # five digits are what an execution's name has room for


def test_redrive_that_cannot_be_started_is_accepted_and_watched(failed: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "start", _raise_throttled)

    assert call("POST", "/jobs/job-1/redrive")["statusCode"] == 202

    job = failed.job("job-1")
    assert (job.status, job.attempt) == (Status.QUEUED, 2)
    assert job.due_at is not None


def test_redrive_late_writers_of_the_old_attempt_change_nothing(failed: Aws, stages: Runner) -> None:
    call("POST", "/jobs/job-1/redrive")
    before = failed.job("job-1")

    with pytest.raises(Exception, match="attempt 2"):
        stages.run("palette", attempt=ATTEMPT)

    assert failed.job("job-1") == before


def test_redrive_that_is_cancelled_before_it_begins_leaves_nothing(
    failed: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("POST", "/jobs/job-1/redrive")
    monkeypatch.setattr("lambdas.handlers.watching.LATE_WRITERS_SECONDS", 0)

    assert call("POST", "/jobs/job-1/cancel")["document"]["status"] == "CANCELLED"
    assert failed.artefacts("job-1") == {"working-copy.jpg"}  # of the first attempt
    reconcile.handler({}, TIME)

    assert failed.artefacts("job-1") == set()


def test_redrive_of_a_failed_cancel_cleans_up(aws: Aws, stages: Runner) -> None:
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message()), None)
    stages.run("inspect", make_working_copy)
    aws.cancel("job-1")
    aws.table.settle_failed(
        ATTEMPT,
        Failure(error_class="TransientError", message="later", stage="clean_up"),
        letter=OwedLetter(),
        even_if_cancelling=True,
        due_at="2026-01-01T00:00:00.000Z",
        token="t",
        now="2026-01-01T00:00:00.000Z",
    )

    assert call("POST", "/jobs/job-1/redrive")["document"]["status"] == "CANCELLING"
    clean_up.handler(aws.job("job-1").current.payload(), None)

    assert aws.job("job-1").status is Status.CANCELLED
    assert aws.artefacts("job-1") == set()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_redrive_after_what_a_stage_made_is_lost_makes_it_again(failed: Aws, stages: Runner, how: str) -> None:
    call("POST", "/jobs/job-1/redrive")
    _damage(failed, how)
    with pytest.raises(ArtefactLost) as lost:
        stages.run("palette", attempt=failed.job("job-1").current)
    failed.fail("job-1", Failure(error_class="ArtefactLost", message=str(lost.value), stage="palette"))

    call("POST", "/jobs/job-1/redrive")

    job = failed.job("job-1")
    assert job.attempt == 3
    # What the image does not need is not wanted by a new attempt either.
    assert {name for name, record in job.stages.items() if record.status is StageStatus.SKIPPED} == {
        "regions",
        "labels",
    }
    assert {record.status for record in job.stages.values()} == {StageStatus.PENDING, StageStatus.SKIPPED}
    stages.run("inspect", make_working_copy, attempt=job.current)
    stages.run("palette", attempt=job.current)
    assert failed.job("job-1").stages["palette"].status is StageStatus.DONE


def test_redrive_job_for_an_operator_starts_the_next_attempt_once(failed: Aws) -> None:
    letter = ATTEMPT.payload()

    first, second = (redrive_job.handler(letter, None) for _ in range(2))

    assert (first["outcome"], first["status"], first["attempt"]) == ("REDRIVEN", "QUEUED", 2)
    assert second["outcome"] == "MOVED_ON"
    assert len(failed.executions()) == 2


def test_redrive_job_takes_nothing_from_a_tampered_letter_but_which_job_it_is(failed: Aws) -> None:
    letter = {
        **ATTEMPT.payload(),
        "imageId": "another-image",
        "input": {"imageId": "another-image"},
        "status": "QUEUED",
    }

    redrive_job.handler(letter, None)

    job = failed.job("job-1")
    assert (job.image_id, job.attempt) == ("image-1", 2)
    (given,) = [text for text in map(_input_of, failed.executions()) if text["attempt"] == 2]
    assert given == job.current.payload()


def test_redrive_job_of_a_letter_that_names_another_owner_finds_nothing(failed: Aws) -> None:
    answer = redrive_job.handler({**ATTEMPT.payload(), "owner": STRANGER}, None)

    assert answer["outcome"] == "NOT_FOUND"
    assert (failed.job("job-1").status, len(failed.executions())) == (Status.FAILED, 1)


def test_redrive_job_tells_what_cannot_be_done(aws: Aws) -> None:
    start_execution.handler(batch(message("[]", job_id="unread")), None)

    refused = redrive_job.handler({"owner": OWNER, "jobId": "unread", "attempt": 1}, None)
    missing = redrive_job.handler({"owner": OWNER, "jobId": "gone", "attempt": 1}, None)

    assert (refused["outcome"], refused["status"]) == ("REFUSED", "FAILED")
    assert "Submit it anew" in refused["detail"]
    assert (missing["outcome"], missing["status"]) == ("NOT_FOUND", None)


def _input_of(execution: str) -> Any:
    states = boto3.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{execution}"
    return json.loads(states.describe_execution(executionArn=arn)["input"])


def _damage(aws: Aws, how: str) -> None:
    s3 = boto3.client("s3")
    prefix = keys.job_prefix(OWNER, "job-1")
    for item in s3.list_objects_v2(Bucket=aws.bucket_name, Prefix=prefix)["Contents"]:
        if how == "deleted":
            s3.delete_object(Bucket=aws.bucket_name, Key=item["Key"])
        else:
            s3.put_object(Bucket=aws.bucket_name, Key=item["Key"], Body=b"something else")


def _throttle(_: Any) -> Any:
    raise TransientError("later")


def _raise_throttled(*_: Any, **__: Any) -> bool:
    raise TransientError("Starting the execution: AWS answered ThrottlingException.")
