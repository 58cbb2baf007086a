"""The reconciler: whatever stands still is settled or started again, once, and nothing else is touched."""

import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import executions
from lambdas.adapters.row_writes import RefusedError
from lambdas.adapters.watch_list import WatchList
from lambdas.config import Variable
from lambdas.handlers import reconcile, settling, start_execution
from lambdas.jobs.errors import TransientError
from lambdas.jobs.model import Failure, Job
from lambdas.jobs.status import Status
from lambdas.jobs.times import later, now
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, TIME


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    """Everything is due at once."""
    monkeypatch.setenv(Variable.PATIENCE_SECONDS, "0")
    monkeypatch.setattr("lambdas.handlers.watching.LATE_WRITERS_SECONDS", 0)


@pytest.fixture
def unstarted(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A row whose execution could not be started."""
    with monkeypatch.context() as patch:
        patch.setattr(executions, "start", _throttled)
        start_execution.handler(batch(message()), None)
    assert aws.executions() == []
    return aws


@pytest.fixture
def running(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now=now())
    return aws


def test_reconcile_queued_job_without_execution_is_started(unstarted: Aws) -> None:
    report = reconcile.handler({}, TIME)

    assert (report["looked"], report["restarted"], report["errors"]) == (1, 1, 0)
    assert unstarted.executions() == [ATTEMPT.execution_name]
    assert unstarted.letters() == []


def test_reconcile_running_job_whose_execution_is_gone_is_started_again(
    running: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(executions, "find", lambda *_: None)
    monkeypatch.setattr(executions, "start", lambda _, job: started.append(job.current.execution_name) or True)

    assert reconcile.handler({}, TIME)["restarted"] == 1
    assert started == [ATTEMPT.execution_name]
    assert running.job("job-1").status is Status.RUNNING


def test_reconcile_job_whose_execution_runs_is_left_alone_and_looked_at_again(running: Aws) -> None:
    before = running.job("job-1")

    assert reconcile.handler({}, TIME)["alive"] == 1
    assert reconcile.handler({}, TIME)["alive"] == 1

    after = running.job("job-1")
    assert (after.status, after.version) == (before.status, before.version)


def test_reconcile_running_job_whose_execution_ended_unseen_fails_with_one_letter(running: Aws) -> None:
    running.end_execution("job-1")

    assert reconcile.handler({}, TIME)["failed"] == 1
    assert reconcile.handler({}, TIME)["looked"] == 0

    (letter,) = running.letters()
    job = running.job("job-1")
    assert (job.status, letter["errorClass"], letter["stage"]) == (Status.FAILED, "ExecutionAborted", "inspect")
    assert letter["executionArn"].endswith(ATTEMPT.execution_name)
    assert "darkroom dlq redrive job-1" in letter["next"]


def test_reconcile_cancelling_job_whose_execution_ended_is_cancelled_and_swept(running: Aws) -> None:
    running.bucket.write_artefact(OWNER, "job-1", "inspect-1/working-copy.jpg", b"x", "image/jpeg")
    running.cancel("job-1")
    running.end_execution("job-1")

    assert reconcile.handler({}, TIME)["cancelled"] == 1
    assert running.job("job-1").status is Status.CANCELLED
    assert running.artefacts("job-1") == set()

    running.bucket.write_artefact(OWNER, "job-1", "palette-1/result.json", b"late", "application/json")
    assert reconcile.handler({}, TIME)["swept"] == 1
    assert running.artefacts("job-1") == set()
    assert reconcile.handler({}, TIME)["looked"] == 0


def test_reconcile_sends_a_letter_that_could_not_be_sent(running: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    running.end_execution("job-1")
    with monkeypatch.context() as patch:
        patch.setattr(settling, "send_dead_letter", _throttled)
        assert reconcile.handler({}, TIME)["errors"] == 1
    assert running.job("job-1").status is Status.FAILED
    assert running.letters() == []

    assert reconcile.handler({}, TIME)["lettersSent"] == 1
    assert reconcile.handler({}, TIME)["looked"] == 0
    (letter,) = running.letters()
    assert letter["message"] == getattr(running.job("job-1").error, "message", None)


def test_reconcile_deadline_that_is_over_ends_job_and_execution(aws: Aws) -> None:
    soon = message({"imageId": "image-1", "options": {"deadlineSeconds": 1}}, sent_millis=_millis(later(-0.5)))
    start_execution.handler(batch(soon), None)
    aws.table.begin_stage(ATTEMPT, "inspect", token="t", now=later(-0.5))
    _wait_until(aws.job("job-1").deadline_at or "")

    assert reconcile.handler({}, TIME)["failed"] == 1

    job = aws.job("job-1")
    (letter,) = aws.letters()
    assert (job.status, letter["errorClass"]) == (Status.FAILED, "DeadlineExceeded")
    found = executions.find(aws.state_machine_arn, ATTEMPT)
    assert found is not None
    assert found.status == "ABORTED"


def test_execution_that_an_alias_started_is_found_and_counted_as_the_machines(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)
    alias = f"{aws.state_machine_arn}:live"

    found = executions.find(alias, ATTEMPT)

    assert found is not None
    assert found == executions.find(aws.state_machine_arn, ATTEMPT)
    assert executions.count(alias, since=0).running == 1


def test_reconcile_by_two_at_once_does_each_thing_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        start_execution.handler(batch(message(job_id=f"job-{number}")), None)
        aws.end_execution(f"job-{number}")

    claim, second = WatchList.claim, []

    def claim_after_the_other(watch_list: WatchList, job: Job, **due: str) -> Job:
        monkeypatch.setattr(WatchList, "claim", claim)
        second.append(reconcile.handler({}, TIME))  # in between the first one's look and its claim
        return claim(watch_list, job, **due)

    monkeypatch.setattr(WatchList, "claim", claim_after_the_other)
    first = reconcile.handler({}, TIME)

    letters = _all_letters(aws)
    assert (first["failed"], second[0]["failed"]) == (0, 12)
    assert first["movedOn"] >= 1
    assert sorted(letter["jobId"] for letter in letters) == sorted(f"job-{number}" for number in range(12))


def test_reconcile_that_is_interrupted_goes_on_the_next_time(aws: Aws) -> None:
    for number in range(3):
        start_execution.handler(batch(message(job_id=f"job-{number}")), None)
        aws.end_execution(f"job-{number}")
    time_left = iter([100_000, 1_000])

    first = reconcile.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: next(time_left)))
    second = reconcile.handler({}, TIME)

    assert (first["looked"], first["left"]) == (1, 1)
    assert (second["looked"], second["left"]) == (2, 0)


def test_reconcile_job_that_cannot_be_dealt_with_holds_up_no_other(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        start_execution.handler(batch(message(job_id=f"job-{number}")), None)
        aws.end_execution(f"job-{number}")
    find = executions.find
    monkeypatch.setattr(
        executions, "find", lambda arn, attempt: _throttled() if attempt.job_id == "job-1" else find(arn, attempt)
    )

    report = reconcile.handler({}, TIME)

    assert (report["failed"], report["errors"]) == (2, 1)
    assert aws.job("job-1").status is Status.QUEUED


def test_reconcile_pages_through_more_than_one_page(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for number in range(11):
        start_execution.handler(batch(message(job_id=f"job-{number}")), None)

    assert reconcile.handler({}, TIME)["alive"] == 11


def test_reconcile_what_is_not_due_is_not_looked_at(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.PATIENCE_SECONDS, "300")
    start_execution.handler(batch(message()), None)

    assert reconcile.handler({}, TIME)["looked"] == 0


def test_claim_of_a_job_is_given_to_one_only(running: Aws) -> None:
    seen = running.job("job-1")
    running.watch_list.claim(seen, due_at=later(60))

    with pytest.raises(RefusedError):
        running.watch_list.claim(seen, due_at=later(60))


def test_watch_ends_when_a_failed_job_owes_no_letter(running: Aws) -> None:
    failed = running.fail("job-1", Failure(error_class="States.Timeout", message="late"))
    assert failed.due_at is not None

    running.watch_list.note_letter_sent(ATTEMPT)

    assert (running.job("job-1").due_at, running.job("job-1").owed_letter) == (None, None)


def _throttled(*_: Any, **__: Any) -> Any:
    raise TransientError("AWS answered ThrottlingException.")


def _millis(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _wait_until(moment: str) -> None:
    while now() <= moment:
        time.sleep(0.05)


def _all_letters(aws: Aws) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = []
    while found := aws.letters():
        letters += found
    return letters
