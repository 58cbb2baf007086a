"""Jobs that die before their execution begins: a FAILED row for the owner, and a dead letter for whoever is on call."""

from typing import Final

from lambdas import config
from lambdas.adapters.job_table import JobTable, RefusedError
from lambdas.adapters.queues import send_dead_letter
from lambdas.handlers.job_message import JobMessage
from lambdas.handlers.logs import logger
from lambdas.handlers.new_jobs import failed_job
from lambdas.jobs.dead_letter import BEFORE_THE_FIRST_STAGE, DeadLetter
from lambdas.jobs.errors import JobError
from lambdas.jobs.model import Failure, Job
from lambdas.jobs.status import Status
from lambdas.jobs.times import now

MAX_EXCERPT: Final = 2_000
"""How much of a message that cannot be read goes into its dead letter, in characters."""


def fail_unstarted(message: JobMessage, error: JobError, *, even_if_queued: bool) -> None:
    """Fail a job that has not begun: its dead letter first, so that a FAILED row always has one, then its row.

    A job that is there already was submitted first, and stands; `even_if_queued` is for one that is itself at fault and
    still waits to be started.
    """
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    job = table.get(message.attempt.owner, message.attempt.job_id)
    if job is not None and not (even_if_queued and job.status is Status.QUEUED):
        logger.warning("The job under this id is left as it is", extra={"status": job.status, "reason": str(error)})
        return
    failure = Failure(error_class=type(error).__name__, message=str(error), stage=BEFORE_THE_FIRST_STAGE)
    logger.warning("The job cannot be started", extra={"errorClass": failure.error_class, "detail": failure.message})
    attempt = message.attempt if job is None else job.current
    _send(
        DeadLetter(job_id=attempt.job_id, owner=attempt.owner, attempt=attempt.number, failure=failure, failed_at=now())
    )
    if job is None:
        table.put_new(failed_job(message, failure))
    else:
        _settle(table, job, failure, message)


def bury_unreadable(body: str, error: JobError) -> None:
    """Send a dead letter for a message that does not say whose it is: it did not come through the API."""
    logger.error("A message cannot be read", extra={"reason": str(error)})
    failure = Failure(error_class=type(error).__name__, message=str(error), stage=BEFORE_THE_FIRST_STAGE)
    _send(DeadLetter(job_id=None, owner=None, attempt=1, failure=failure, failed_at=now(), body=body[:MAX_EXCERPT]))


def _settle(table: JobTable, job: Job, failure: Failure, message: JobMessage) -> None:
    try:
        table.settle(job.current, Status.FAILED, failure=failure, token=message.message_id, now=now())
    except RefusedError as refused:
        logger.warning("The job has moved on meanwhile", extra={"reason": str(refused)})


def _send(letter: DeadLetter) -> None:
    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), letter)
