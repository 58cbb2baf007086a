"""Deleting a job: all of it goes, and nothing that comes late brings any of it back."""

from typing import Any

import boto3
import pytest

from lambdas.adapters import keys
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.row_writes import RefusedError
from lambdas.config import Variable
from lambdas.handlers import bury_message, reconcile, redrive_job, start_execution
from lambdas.jobs.errors import JobSuperseded, TransientError
from lambdas.jobs.model import Failure, Job
from lambdas.stages.contract import StageInput, StageOutput
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, failed_ids, message
from tests.functional.runner import ATTEMPT, TIME, Runner, make_working_copy
from tests.functional.test_api import assert_problem, call, succeed

LATER_MILLIS = 4_000_000_000_000
"""A submission of another century: after the deletion, whenever the test runs."""


@pytest.fixture
def done(aws: Aws) -> Aws:
    """A job that has succeeded, with two artefacts, and an upload."""
    start_execution.handler(batch(message()), None)
    succeed(aws)
    aws.upload("image-1", b"an image")
    for name in ("report-1/report.json", "report-1/preview.jpg"):
        aws.bucket.write_artefact(OWNER, "job-1", name, b"{}", "application/json")
    return aws


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late writers are looked for at once."""
    monkeypatch.setattr("lambdas.handlers.watching.LATE_WRITERS_SECONDS", 0)


def delete(owner: str = OWNER) -> dict[str, Any]:
    return call("DELETE", "/jobs/job-1", owner=owner)


def sweep() -> dict[str, int]:
    """Let the reconciler look at what is due."""
    return reconcile.handler({}, TIME)


def test_delete_job_removes_row_and_artefacts_and_leaves_the_image(done: Aws) -> None:
    answer = delete()

    assert (answer["statusCode"], answer.get("body")) == (204, None)
    assert done.table.get(OWNER, "job-1") is None
    assert done.artefacts("job-1") == set()
    assert done.bucket.read_upload(OWNER, "image-1") == b"an image"
    assert call("GET", "/jobs")["document"] == {"jobs": []}
    for method, path in (("GET", ""), ("GET", "/result"), ("POST", "/cancel"), ("POST", "/redrive")):
        assert_problem(call(method, f"/jobs/job-1{path}"), 404, "job-not-found")


def test_delete_job_again_is_harmless(done: Aws) -> None:
    assert [delete()["statusCode"], delete()["statusCode"]] == [204, 204]


def test_delete_job_of_another_is_answered_like_one_that_is_not_there(done: Aws) -> None:
    foreign = delete(STRANGER)
    unknown = call("DELETE", "/jobs/job-2", owner=STRANGER)

    assert_problem(foreign, 404, "job-not-found")
    assert foreign["body"].replace("job-1", "job-2") == unknown["body"]
    assert done.job("job-1").progress == 100
    assert done.artefacts("job-1") == {"report.json", "preview.jpg"}


@pytest.mark.parametrize("cancelled", [False, True])
def test_delete_job_that_is_unfinished_conflicts(aws: Aws, cancelled: bool) -> None:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now="2026-09-21T14:13:21.000Z")
    if cancelled:
        aws.cancel("job-1")

    answer = delete()

    assert_problem(answer, 409, "job-status-conflict")
    assert answer["document"]["jobStatus"] == ("CANCELLING" if cancelled else "RUNNING")
    assert aws.job("job-1").attempt == 1


def test_delete_job_that_is_redriven_meanwhile_conflicts(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    start_execution.handler(batch(message()), None)
    failed = aws.fail("job-1", Failure(error_class="States.Timeout", message="slow"))
    aws.table.redrive(failed, deadline_at=None, due_at="2026-09-21T14:13:21.000Z", everything=False, now="n")
    read = JobTable.get
    seen = [failed]

    def get_late(table: JobTable, owner: str, job_id: str) -> Job | None:
        return seen.pop() if seen else read(table, owner, job_id)

    monkeypatch.setattr(JobTable, "get", get_late)

    assert_problem(delete(), 409, "job-status-conflict")
    assert aws.job("job-1").attempt == 2


def test_delete_job_cut_off_before_the_artefacts_is_made_good(
    done: Aws, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ImageBucket, "delete_all_artefacts", _throttled)
        assert_problem(delete(), 503, "unavailable")
    assert done.artefacts("job-1")

    assert sweep()["swept"] == 1
    assert done.artefacts("job-1") == set()
    assert sweep()["looked"] == 0


def test_delete_job_message_that_comes_once_more_brings_nothing_back(done: Aws) -> None:
    started = done.executions()
    delete()

    for handler in (start_execution.handler, bury_message.handler):
        assert failed_ids(handler(batch(message()), None)) == []
        assert failed_ids(handler(batch(message("[]")), None)) == []

    assert done.table.get(OWNER, "job-1") is None
    assert done.executions() == started
    assert done.letters() == []


def test_delete_job_uses_its_id_up(done: Aws) -> None:
    started = done.executions()
    delete()

    assert failed_ids(start_execution.handler(batch(message(sent_millis=LATER_MILLIS)), None)) == []

    error = done.job("job-1").error
    assert error is not None
    assert (error.error_class, "another id" in error.message) == ("InvalidJob", True)
    assert [letter["errorClass"] for letter in done.letters()] == ["InvalidJob"]
    assert done.executions() == started


def test_delete_job_redelivery_after_its_id_was_tried_again_brings_nothing_back(done: Aws) -> None:
    delete()
    start_execution.handler(batch(message(sent_millis=LATER_MILLIS)), None)

    start_execution.handler(batch(message()), None)

    assert done.job("job-1").stages == {}


def test_delete_job_late_stage_writes_nothing_and_takes_its_artefacts_back(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_execution.handler(batch(message()), None)
    aws.upload("image-1", b"an image")

    def work(stage_input: StageInput) -> StageOutput:
        aws.fail("job-1", Failure(error_class="ExecutionAborted", message="stopped"))
        assert delete()["statusCode"] == 204
        return make_working_copy(stage_input)

    with pytest.raises(JobSuperseded):
        Runner(monkeypatch).run("inspect", work)

    assert aws.table.get(OWNER, "job-1") is None
    assert aws.artefacts("job-1") == set()


def test_delete_job_what_a_killed_late_writer_has_stored_is_swept(done: Aws, soon: None) -> None:
    delete()
    done.bucket.write_artefact(OWNER, "job-1", "inspect-2/working-copy.jpg", b"late", "image/jpeg")

    assert sweep()["swept"] == 1

    assert done.artefacts("job-1") == set()
    assert sweep()["looked"] == 0
    assert delete()["statusCode"] == 204


def test_delete_job_is_not_swept_before_late_writers_are_done(done: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.PATIENCE_SECONDS, "0")
    delete()

    assert sweep()["looked"] == 0
    deletion = done.table.deletion(OWNER, "job-1")
    assert deletion is not None
    assert deletion.due_at is not None
    assert deletion.due_at > deletion.deleted_at


def test_delete_job_cannot_be_redriven_by_its_letter(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)
    aws.fail("job-1", Failure(error_class="States.Timeout", message="slow"))
    delete()

    assert redrive_job.handler(ATTEMPT.payload(), None)["outcome"] == "NOT_FOUND"


def test_delete_job_leaves_a_note_with_no_more_than_ids_and_times(done: Aws) -> None:
    delete()

    (item,) = boto3.client("dynamodb").scan(TableName="jobs")["Items"]
    assert item.keys() == {
        keys.OWNER,
        keys.JOB_ID,
        "deletedAt",
        keys.WATCH_SHARD,
        keys.DUE_AT,
        keys.EXPIRES_AT,
    }


def test_delete_job_cancel_that_was_noted_early_is_no_job(aws: Aws) -> None:
    aws.table.note_early_cancel(OWNER, "job-1", now="2026-09-21T14:13:19.000Z", expires_at=2_000_000_000)

    assert_problem(delete(), 404, "job-not-found")
    assert aws.table.is_cancelled_unseen(OWNER, "job-1")


def test_delete_of_a_note_that_is_gone_is_no_unwatching(aws: Aws) -> None:
    with pytest.raises(RefusedError):
        aws.watch_list.unwatch_deleted(OWNER, "job-1")


def _throttled(*_: Any) -> int:
    raise TransientError("Listing the artefacts: AWS answered SlowDown.")
