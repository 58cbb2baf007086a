"""How many unfinished jobs an owner may have."""

import pytest

from lambdas.adapters import executions
from lambdas.adapters.job_list import JobList
from lambdas.config import Variable
from lambdas.handlers import start_execution
from lambdas.jobs.model import Failure
from lambdas.jobs.status import OPEN, Status
from lambdas.jobs.times import now
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, failed_ids, message
from tests.functional.test_api import assert_problem, call
from tests.functional.test_start_execution import _throttled

LIMIT = 3


@pytest.fixture(autouse=True)
def few(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test can reach."""
    monkeypatch.setenv(Variable.MAX_OPEN_JOBS, str(LIMIT))


@pytest.fixture
def full(aws: Aws) -> Aws:
    """An owner with as many unfinished jobs as there may be: one of each kind."""
    start_execution.handler(batch(*(message(job_id=f"open-{number}") for number in range(LIMIT))), None)
    for job_id in ("open-1", "open-2"):
        aws.table.begin_stage(aws.job(job_id).current, "inspect", token="t", now=now())
    aws.cancel("open-2")
    assert {aws.job(f"open-{number}").status for number in range(LIMIT)} == OPEN
    return aws


def finish(aws: Aws, job_id: str) -> None:
    """Bring a job to an end."""
    aws.fail(job_id, Failure(error_class="InvalidImage", message="no image"))


def test_open_jobs_one_too_many_fails_and_says_what_to_do(full: Aws) -> None:
    answer = start_execution.handler(batch(message({"imageId": "image-9", "tags": {"a": "b"}})), None)

    job = full.job("job-1")
    (letter,) = full.letters()
    assert failed_ids(answer) == []
    assert (job.status, job.image_id, job.tags, job.owed_letter) == (Status.FAILED, "image-9", {"a": "b"}, None)
    assert job.error is not None
    assert (job.error.error_class, job.error.redrive_can_help) == ("TooManyJobs", True)
    assert f"{LIMIT} unfinished jobs" in job.error.message
    assert (letter["jobId"], letter["errorClass"], letter["redriveCanHelp"]) == ("job-1", "TooManyJobs", True)
    assert len(full.executions()) == LIMIT


def test_open_jobs_of_others_do_not_count(full: Aws) -> None:
    start_execution.handler(batch(message(owner=STRANGER)), None)

    assert full.job("job-1", STRANGER).status is Status.QUEUED


def test_open_jobs_that_are_finished_do_not_count(full: Aws) -> None:
    finish(full, "open-1")

    start_execution.handler(batch(message()), None)

    assert full.job("job-1").status is Status.QUEUED
    assert len(full.executions()) == LIMIT + 1


def test_open_jobs_message_of_a_job_that_is_there_changes_nothing(full: Aws) -> None:
    start_execution.handler(batch(message(job_id="open-0"), message(job_id="open-1")), None)

    assert (full.job("open-0").status, full.job("open-1").status) == (Status.QUEUED, Status.RUNNING)
    assert full.letters() == []


def test_open_jobs_message_whose_start_was_cut_off_is_started_although_it_is_full_now(
    full: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(full, "open-1")
    with monkeypatch.context() as patch:
        patch.setattr(executions, "start", _throttled)
        start_execution.handler(batch(message()), None)

    start_execution.handler(batch(message()), None)

    assert full.job("job-1").status is Status.QUEUED
    assert len(full.executions()) == LIMIT + 1


def test_open_jobs_refused_message_that_comes_twice_makes_one_failed_job_and_one_letter(full: Aws) -> None:
    start_execution.handler(batch(message(), message()), None)

    assert full.job("job-1").version == 1
    assert len(full.letters()) == 1


def test_open_jobs_refused_job_is_begun_by_a_redrive_when_there_is_room(full: Aws) -> None:
    start_execution.handler(batch(message()), None)
    assert_problem(call("POST", "/jobs/job-1/redrive"), 409, "too-many-jobs")
    finish(full, "open-1")

    answer = call("POST", "/jobs/job-1/redrive")

    assert (answer["statusCode"], answer["document"]["status"]) == (202, "QUEUED")
    assert full.job("job-1").current.execution_name in full.executions()


def test_open_jobs_cancelled_before_it_is_read_is_cancelled_although_it_is_full(full: Aws) -> None:
    full.table.note_early_cancel(OWNER, "job-1", now=now(), expires_at=2_000_000_000)

    start_execution.handler(batch(message()), None)

    job = full.job("job-1")
    assert (job.status, job.error, job.owed_letter) == (Status.CANCELLED, None, None)
    assert full.letters() == []


def test_count_open_stops_at_the_limit(full: Aws) -> None:
    jobs = JobList("jobs")

    assert [jobs.count_open(OWNER, limit=limit) for limit in (1, 2, 3, 9)] == [1, 2, 3, 3]
    assert jobs.count_open(STRANGER, limit=9) == 0
