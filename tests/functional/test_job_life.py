"""Whatever happens to a job, in whatever order and however often: a stateful property test of the real code.

Hypothesis plays everything that can reach a job's row: deliveries, stages that begin, go on, end and fail, late writers
of the same and of other attempts, cancels, clean-ups, settlements, events of ends (true, false, late, repeated), lost
executions and letters, redrives, deletions and reconcilers. After every step the row has to be in order; at the end,
when the reconciler has had its say, every failed job has its dead letter and nothing is left standing.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lambdas.adapters import executions, keys
from lambdas.adapters.queues import send_dead_letter
from lambdas.adapters.row_writes import RefusedError
from lambdas.config import Variable
from lambdas.handlers import clean_up, reconcile, redrive_job, settle_ended, settle_failed, settling, start_execution
from lambdas.handlers.cancelling import cancel
from lambdas.handlers.deleting import delete
from lambdas.handlers.problems import ProblemError
from lambdas.handlers.redriving import CannotRedriveError, redrive
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.errors import JobCancelled, JobSuperseded, TransientError
from lambdas.jobs.model import Attempt, Failure, Job
from lambdas.jobs.status import ENDS, TRANSITIONS, StageStatus, Status
from lambdas.jobs.times import now
from lambdas.stages.catalogue import LAST
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import TIME
from tests.functional.test_settle_ended import ended

stage_names = st.sampled_from(["inspect", "palette", "palette", LAST.name])
"""Few, so that they meet; one in the parallel part, and the one whose end is the job's."""
attempts = st.sampled_from([0, 0, 0, 0, -1, 1])
"""Relative to the one that is current: mostly that one, sometimes the one before or one that is not yet."""
tokens = st.sampled_from(["writer-1", "writer-2"])
unseen_ends = st.sampled_from(["FAILED", "TIMED_OUT", "ABORTED"])
QUIET_AFTER = 8
"""Looks of the reconciler, each of which can take a job one step further."""


class JobLife(RuleBasedStateMachine):
    """One job, and everything that may happen to it."""

    aws: Aws

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Job] = []
        self.results: dict[str, Any] = {}
        self.failed_attempts: set[int] = set()
        self.cancels: set[int] = set()
        self.written = 0
        self.deleted = False
        self.job_id = f"job-{uuid4().hex[:8]}"

    @initialize(late=st.sampled_from([False, False, False, True]), read=st.booleans())
    def submit(self, late: bool, read: bool) -> None:
        options = {"options": {"deadlineSeconds": 1}} if late else {}
        self.body = {"imageId": "image-1", **options}
        if read:
            self.deliver()

    @rule()
    def deliver(self) -> None:
        start_execution.handler(batch(message(self.body, job_id=self.job_id)), None)

    @rule()
    def deliver_while_nothing_can_be_started(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(executions, "start", _throttled)
            self.deliver()

    @rule(number=attempts, stage=stage_names, token=tokens)
    def begin(self, number: int, stage: str, token: str) -> None:
        attempt = self._attempt(number)
        self._try(attempt, lambda: self.aws.table.begin_stage(attempt, stage, token=token, now=now()))

    @rule(number=attempts, stage=stage_names, percents=st.lists(st.integers(0, 99), min_size=1, max_size=3))
    def go_on(self, number: int, stage: str, percents: list[int]) -> None:
        attempt = self._attempt(number)
        for percent in percents:
            report = partial(self.aws.table.report_progress, attempt, stage, percent, now=now())
            self._try(attempt, report)
            self.the_row_is_in_order()

    @rule(number=attempts, stage=stage_names, token=tokens)
    def end(self, number: int, stage: str, token: str) -> None:
        self.written += 1
        attempt = self._attempt(number)
        result = f'{{"write": {self.written}}}'
        self._try(
            attempt,
            lambda: self.aws.table.end_stage(
                attempt,
                stage,
                result=result,
                result_key=None,
                folder="f",
                checksums={},
                ends_job=stage == LAST.name,
                fingerprint_key=keys.fingerprint_key("0" * 16, "f" * 16, now()),
                token=token,
                now=now(),
            ),
        )

    @rule(number=attempts, stage=stage_names, token=tokens)
    def run_a_stage(self, number: int, stage: str, token: str) -> None:
        self.begin(number=number, stage=stage, token=token)
        self.the_row_is_in_order()
        self.end(number=number, stage=stage, token=token)

    @rule(number=attempts, stage=stage_names, token=tokens)
    def fail_a_try(self, number: int, stage: str, token: str) -> None:
        failure = Failure(error_class="TransientError", message="later", stage=stage)
        attempt = self._attempt(number)
        self._try(attempt, lambda: self.aws.table.record_stage_failure(attempt, stage, failure, token=token, now=now()))

    @rule()
    def cancel(self) -> None:
        before = self.aws.table.get(OWNER, self.job_id)
        try:
            answered = cancel(self.aws.table, OWNER, self.job_id, before, queue_urls=[self.aws.job_queue_url])
        except ProblemError:
            assert before is None or before.status in ENDS
        else:
            assert answered in (Status.CANCELLING, Status.CANCELLED)
            self.cancels.add(before.attempt if before else 1)

    @rule(number=attempts)
    def clean_up(self, number: int) -> None:
        try:
            clean_up.handler(self._attempt(number).payload(), None)
        except JobSuperseded:
            pass
        else:
            assert self._job().status is Status.CANCELLED

    @rule(number=attempts, stage=st.sampled_from(["palette", "clean_up"]), sent=st.booleans(), noted=st.booleans())
    def fail_the_workflow(self, number: int, stage: str, sent: bool, noted: bool) -> None:
        event = self._attempt(number).payload() | {"stage": stage, "errorClass": "States.Timeout", "cause": ""}
        try:
            settle_failed.handler(event | {"executionArn": "arn"}, None)
        except (JobCancelled, JobSuperseded):
            return
        assert self._job().status is Status.FAILED
        if sent:
            send_dead_letter(self.aws.dead_letters_url, DeadLetter.owed_by(self._job()))
            if noted:
                self.aws.watch_list.note_letter_sent(self._job().current)

    @rule(number=attempts, status=unseen_ends)
    def tell_of_an_end(self, number: int, status: str) -> None:
        settle_ended.handler(ended(status, self._attempt(number)), None)

    @rule()
    def end_the_execution(self) -> None:
        self.aws.end_execution(self.job_id)

    @rule()
    def reconcile(self) -> None:
        assert reconcile.handler({}, TIME)["errors"] == 0

    @rule()
    def reconcile_while_no_letter_can_be_sent(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settling, "send_dead_letter", _throttled)
            reconcile.handler({}, TIME)

    @rule()
    def redrive(self) -> None:
        before = self.aws.table.get(OWNER, self.job_id)
        if before is None:
            return
        try:
            redriven = redrive(self.aws.table, before)
        except CannotRedriveError:
            assert before.status is not Status.FAILED
        else:
            assert before.status is Status.FAILED or (before.status is Status.QUEUED and before.attempt > 1)
            assert redriven.attempt == before.attempt + (before.status is Status.FAILED)

    @rule(wanted=st.sampled_from([False, False, False, True]))
    def delete(self, wanted: bool) -> None:
        before = self.aws.table.get(OWNER, self.job_id)
        if not wanted:
            return
        try:
            delete(self.aws.table, self.aws.bucket, OWNER, self.job_id, before)
        except ProblemError:
            assert before.status not in ENDS if before else not self.deleted
        else:
            assert before.status in ENDS if before else self.deleted
            self.deleted = True

    @rule(number=attempts)
    def redrive_by_letter(self, number: int) -> None:
        before = self.aws.table.get(OWNER, self.job_id)
        letter = self._attempt(number)
        answer = redrive_job.handler(letter.payload(), None)
        possible = before is not None and before.status is Status.FAILED and before.attempt == letter.number
        assert (answer["outcome"] == "REDRIVEN") == possible

    @invariant()
    def the_row_is_in_order(self) -> None:
        job = self.aws.table.get(OWNER, self.job_id)
        if job is None:
            assert not self.seen or self.deleted, "a job that was accepted is gone"
            return
        assert not self.deleted, "a job that was deleted has come back"
        if job.status is Status.FAILED:
            self.failed_attempts.add(job.attempt)
        if self.seen:
            self._check_change(self.seen[-1], job)
        self.seen.append(job)
        self._check_results(job)
        assert (job.finished_at is not None) == (job.status in ENDS)
        assert (job.error is not None) == (job.status is Status.FAILED)
        assert (job.fingerprint is not None) == (job.status is Status.SUCCEEDED), "found by what it looks like, or not"
        assert job.owed_letter is None or job.status is Status.FAILED
        assert job.due_at is not None or (job.status in ENDS and not job.owed_letter), "nobody would look at it"

    def _check_change(self, before: Job, job: Job) -> None:
        redriven = job.attempt == before.attempt + 1
        assert redriven or job.attempt == before.attempt
        assert job.status is before.status or job.status in TRANSITIONS[before.status]
        assert job.progress >= before.progress or redriven
        assert job.version >= before.version
        assert redriven or before.status not in ENDS or _unwatched(job) == _unwatched(before), "an end was changed"
        assert not redriven or before.status is Status.FAILED

    def _check_results(self, job: Job) -> None:
        """Each stage's result is stored once, and stays."""
        for name, record in job.stages.items():
            if record.status is StageStatus.DONE:
                assert self.results.setdefault(name, record.result) == record.result
                assert record.progress == 100

    def teardown(self) -> None:
        job = self.aws.table.get(OWNER, self.job_id)
        for _ in range(QUIET_AFTER):
            self.aws.end_execution(self.job_id)  # also the one that the reconciler has started itself
            assert reconcile.handler({}, TIME)["errors"] == 0
        letters = {letter["attempt"] for letter in _letters(self.aws) if letter["jobId"] == self.job_id}
        if job is None:
            deletion = self.aws.table.deletion(OWNER, self.job_id)
            assert (deletion is not None) == self.deleted
            assert deletion is None or deletion.due_at is None
            return
        self.the_row_is_in_order()
        settled = self._job()
        assert settled.status in ENDS
        assert settled.due_at is None
        assert settled.status is not Status.FAILED or settled.attempt in letters
        assert letters <= self.failed_attempts
        assert settled.attempt not in self.cancels or settled.status is not Status.SUCCEEDED
        started = [name for name in self.aws.executions() if name.startswith(self.job_id)]
        assert len(started) == len(set(started))
        made = range(1, settled.attempt + 1)
        assert set(started) <= {Attempt(owner=OWNER, job_id=self.job_id, number=n).execution_name for n in made}

    def _attempt(self, relative: int) -> Attempt:
        current = self.seen[-1].attempt if self.seen else 1
        return Attempt(owner=OWNER, job_id=self.job_id, number=max(1, current + relative))

    def _job(self) -> Job:
        return self.aws.job(self.job_id)

    def _try(self, attempt: Attempt, write: Callable[[], Job]) -> None:
        """Write as one attempt; one that is not current changes nothing, whether it is told so or not."""
        before = self.aws.table.get(OWNER, self.job_id)
        try:
            write()
        except RefusedError:
            return
        after = self.aws.table.get(OWNER, self.job_id)
        assert after == before or (before and before.attempt == attempt.number), "another attempt has written"


def test_job_life_keeps_every_invariant_whatever_happens(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.PATIENCE_SECONDS, "0")
    monkeypatch.setattr("lambdas.handlers.watching.LATE_WRITERS_SECONDS", 0)

    class Life(JobLife):
        pass

    Life.aws = aws
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )


def _unwatched(job: Job) -> Job:
    """All of a job but when it is looked at, and whether its letter is sent."""
    return replace(job, due_at=None, owed_letter=None)


def _letters(aws: Aws) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = []
    while found := aws.letters():
        letters += found
    return letters


def _throttled(*_: Any, **__: Any) -> Any:
    raise TransientError("AWS answered ThrottlingException.")
