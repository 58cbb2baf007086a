"""Bringing jobs to an end from outside their workflow: a failure is written down first, its dead letter sent then.

In this order, so that a dead letter always belongs to a job that has failed. The row keeps what the letter says until
it is known to be sent; whoever finds it owed sends it.
"""

from typing import Final
from uuid import uuid4

from lambdas import config
from lambdas.adapters.executions import Execution
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.queues import send_dead_letter
from lambdas.adapters.row_writes import RefusedError
from lambdas.adapters.watch_list import WatchList
from lambdas.handlers.costing import cancelled_cost, failed_cost
from lambdas.handlers.logs import logger
from lambdas.handlers.watching import after_failure, after_late_writers
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.failures import MAX_CAUSE, explain_end
from lambdas.jobs.model import BETWEEN_STAGES, Failure, Job, OwedLetter
from lambdas.jobs.status import CANCELLATION, StageStatus, Status, sources
from lambdas.jobs.times import now
from lambdas.stages.catalogue import BY_NAME

SETTLED_FROM: Final = frozenset(sources(Status.FAILED)) - CANCELLATION
"""Where a job fails when its execution is over: one that is being cancelled is not failed but cleaned up."""


def fail(table: JobTable, job: Job, failure: Failure, letter: OwedLetter) -> bool:
    """Settle a job as FAILED and send its dead letter; return False when the job has moved on meanwhile.

    Raises TransientError, with the letter still owed, when it could not be sent.
    """
    try:
        failed = table.settle_failed(
            job.current,
            failure,
            letter,
            cost=failed_cost(job),
            due_at=after_failure(),
            token=uuid4().hex,
            now=now(),
        )
    except RefusedError as refused:
        logger.info("The job has moved on meanwhile", extra={"reason": str(refused)})
        return False
    why = {"errorClass": failure.error_class, "detail": failure.message}
    logger.warning("The job has failed", extra={"status": failed.status, **why})
    send_owed_letter(failed)
    return True


def send_owed_letter(job: Job) -> None:
    """Send the dead letter that a failed job owes, and note that it is sent."""
    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), DeadLetter.owed_by(job))
    try:
        WatchList(config.text(config.Variable.JOB_TABLE)).note_letter_sent(job.current)
    except RefusedError as refused:
        logger.info("The job was redriven meanwhile", extra={"reason": str(refused)})


def finish_cancel(table: JobTable, job: Job) -> bool:
    """Delete what a job has made and settle it as CANCELLED; return False when it has moved on meanwhile."""
    ImageBucket(config.text(config.Variable.IMAGE_BUCKET)).delete_all_artefacts(job.owner, job.job_id)
    try:
        cost = cancelled_cost(job)
        table.settle_cancelled(job.current, cost=cost, due_at=after_late_writers(), token=uuid4().hex, now=now())
    except RefusedError as refused:
        logger.info("The job has moved on meanwhile", extra={"reason": str(refused)})
        return False
    logger.info("The cancel is finished", extra={"status": Status.CANCELLED})
    return True


def settle_after(table: JobTable, job: Job, execution: Execution) -> bool:
    """Settle a job whose execution is over and has not settled it; return False when there was nothing to settle."""
    if job.status is Status.CANCELLING:
        return finish_cancel(table, job)
    if job.status in SETTLED_FROM:
        failure = explain_end(
            execution.status, execution.error, execution.cause, stage=stage_under_way(job), stages=BY_NAME
        )
        cause = (execution.cause or "")[:MAX_CAUSE] or None
        return fail(table, job, failure, OwedLetter(cause=cause, execution_arn=execution.arn))
    return False


def stage_under_way(job: Job) -> str:
    """Name the one stage that is at work, or say that there is no such one."""
    running = [name for name, stage in job.stages.items() if stage.status is StageStatus.RUNNING]
    return running[0] if len(running) == 1 else BETWEEN_STAGES
