"""Whatever happens to a job, in whatever order and however often: a stateful property test of the real code.

Hypothesis plays everything that can reach a job's row: deliveries, stages that begin, go on, end and fail, late writers
of the same and of other attempts, cancels, clean-ups, settlements. After every step the row has to be in order.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lambdas.adapters.clients import client
from lambdas.adapters.job_items import key
from lambdas.adapters.job_table import RefusedError
from lambdas.handlers import clean_up, settle_failed, start_execution
from lambdas.handlers.cancelling import cancel
from lambdas.handlers.problems import ProblemError
from lambdas.jobs.errors import JobSuperseded
from lambdas.jobs.model import Attempt, Failure, Job
from lambdas.jobs.status import ENDS, TRANSITIONS, StageStatus, Status
from lambdas.jobs.times import now
from lambdas.stages.catalogue import LAST, STAGES
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message

stage_names = st.sampled_from([stage.name for stage in STAGES])
attempts = st.sampled_from([Attempt(owner=OWNER, job_id="job-1"), Attempt(owner=OWNER, job_id="job-1", number=2)])
tokens = st.sampled_from(["writer-1", "writer-2"])


class JobLife(RuleBasedStateMachine):
    """One job, and everything that may happen to it."""

    aws: Aws

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Job] = []
        self.results: dict[str, Any] = {}
        self.written = 0

    @initialize()
    def forget_the_last_example(self) -> None:
        client("dynamodb").delete_item(TableName="jobs", Key=key(OWNER, "job-1"))

    @rule()
    def deliver(self) -> None:
        start_execution.handler(batch(message({"imageId": "image-1"})), None)

    @rule(attempt=attempts, stage=stage_names, token=tokens)
    def begin(self, attempt: Attempt, stage: str, token: str) -> None:
        self._try(lambda: self.aws.table.begin_stage(attempt, stage, token=token, now=now()))

    @rule(attempt=attempts, stage=stage_names, percent=st.integers(0, 99))
    def go_on(self, attempt: Attempt, stage: str, percent: int) -> None:
        self._try(lambda: self.aws.table.report_progress(attempt, stage, percent, now=now()))

    @rule(attempt=attempts, stage=stage_names, token=tokens)
    def end(self, attempt: Attempt, stage: str, token: str) -> None:
        self.written += 1
        result = f'{{"write": {self.written}}}'
        self._try(
            lambda: self.aws.table.end_stage(
                attempt,
                stage,
                result=result,
                result_key=None,
                folder="f",
                ends_job=stage == LAST.name,
                token=token,
                now=now(),
            )
        )

    @rule(attempt=attempts, stage=stage_names, token=tokens)
    def fail_a_try(self, attempt: Attempt, stage: str, token: str) -> None:
        failure = Failure(error_class="TransientError", message="later", stage=stage)
        self._try(lambda: self.aws.table.record_stage_failure(attempt, stage, failure, token=token, now=now()))

    @rule()
    def cancel(self) -> None:
        before = self.aws.table.get(OWNER, "job-1")
        try:
            answered = cancel(self.aws.table, OWNER, "job-1", before, queue_urls=[self.aws.job_queue_url])
        except ProblemError:
            assert before is None or before.status in ENDS
        else:
            assert answered in (Status.CANCELLING, Status.CANCELLED)

    @rule(attempt=attempts)
    def clean_up(self, attempt: Attempt) -> None:
        try:
            clean_up.handler(attempt.payload(), None)
        except JobSuperseded:
            pass
        else:
            assert self.aws.job("job-1").status is Status.CANCELLED

    @rule(attempt=attempts)
    def settle_as_failed(self, attempt: Attempt) -> None:
        letter = attempt.payload() | {"stage": "palette", "errorClass": "States.Timeout", "message": "No answer."}
        settle_failed.handler(letter, None)

    @invariant()
    def every_change_is_allowed(self) -> None:
        job = self.aws.table.get(OWNER, "job-1")
        if job is None:
            assert not self.seen, "a job that was accepted is gone"
            return
        if self.seen:
            before = self.seen[-1]
            assert job.status is before.status or job.status in TRANSITIONS[before.status]
            assert job.progress >= before.progress or job.attempt > before.attempt
            assert job.version >= before.version
            assert before.status not in ENDS or job == before, "an end was overwritten"
        self.seen.append(job)

    @invariant()
    def results_are_stored_once(self) -> None:
        job = self.aws.table.get(OWNER, "job-1")
        for name, record in job.stages.items() if job else ():
            if record.status is StageStatus.DONE:
                assert self.results.setdefault(name, record.result) == record.result
                assert record.progress == 100

    @invariant()
    def the_row_agrees_with_itself(self) -> None:
        job = self.aws.table.get(OWNER, "job-1")
        if job is None:
            return
        assert (job.finished_at is not None) == (job.status in ENDS)
        assert (job.error is not None) == (job.status is Status.FAILED)
        assert len(self.aws.executions()) <= 1

    def _try(self, write: Callable[[], Job]) -> None:
        try:
            write()
        except RefusedError:
            return


def test_job_life_keeps_every_invariant_whatever_happens(aws: Aws) -> None:
    class Life(JobLife):
        pass

    Life.aws = aws
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
