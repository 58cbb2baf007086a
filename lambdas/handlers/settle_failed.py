"""Where a workflow has failed: says what went wrong, once, writes it into the job's row, and hands on its dead letter.

Looks at the job first. A stage that fails while its job is being cancelled is no failure, and one whose job has moved
on is nobody's concern; neither gets a dead letter.
"""

from typing import Any, Final
from uuid import uuid4

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.logs import about, logger
from lambdas.handlers.watching import after_failure
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.failures import MAX_CAUSE, explain
from lambdas.jobs.model import Attempt, Failure, Job, OwedLetter
from lambdas.jobs.status import CANCELLATION
from lambdas.jobs.times import now
from lambdas.stages.catalogue import BY_NAME

CLEAN_UP: Final = "clean_up"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Settle one attempt as FAILED; return its ids and, as `letter`, the dead letter that it owes.

    Safe to repeat while the letter is owed. Raises JobCancelled or JobSuperseded when there is nothing to settle.
    """
    attempt = Attempt.from_payload(event)
    about(attempt, stage=event["stage"])
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    job = table.get(attempt.owner, attempt.job_id)
    _refuse_unless_failing(job, attempt, cleaning_up=event["stage"] == CLEAN_UP)
    failure = explain(event["errorClass"], event["cause"], stage=event["stage"], stages=BY_NAME)
    letter = OwedLetter(cause=event["cause"][:MAX_CAUSE], execution_arn=event["executionArn"])
    failed = _settle(table, attempt, failure, letter, cleaning_up=event["stage"] == CLEAN_UP)
    return attempt.payload() | {"letter": DeadLetter.owed_by(failed).to_document()}


def _settle(table: JobTable, attempt: Attempt, failure: Failure, letter: OwedLetter, *, cleaning_up: bool) -> Job:
    try:
        job = table.settle_failed(
            attempt,
            failure,
            letter,
            even_if_cancelling=cleaning_up,
            due_at=after_failure(),
            token=uuid4().hex,
            now=now(),
        )
    except RefusedError as refused:
        _refuse_unless_failing(refused.job, attempt, cleaning_up=cleaning_up)
        if refused.job and refused.job.owed_letter:
            return refused.job  # settled by an earlier call, whose answer was lost
        raise JobSuperseded(f"There is nothing to settle: {refused}.") from refused
    logger.warning("The job has failed", extra={"errorClass": failure.error_class, "detail": failure.message})
    return job


def _refuse_unless_failing(job: Job | None, attempt: Attempt, *, cleaning_up: bool) -> None:
    if job is None or job.attempt != attempt.number:
        raise JobSuperseded("The job was deleted, or is at another attempt.")
    # A clean-up that has given up must not be sent to the clean-up again.
    if job.status in CANCELLATION and not cleaning_up:
        raise JobCancelled("The owner has cancelled the job.")
