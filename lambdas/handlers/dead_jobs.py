"""Jobs that die before their execution begins: a FAILED row for the owner, and a dead letter for whoever is on call."""

from typing import Final

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.queues import send_dead_letter
from lambdas.handlers.job_message import JobMessage
from lambdas.handlers.logs import logger
from lambdas.handlers.new_jobs import failed_job
from lambdas.handlers.settling import fail, send_owed_letter
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.errors import JobError
from lambdas.jobs.model import BEFORE_THE_FIRST_STAGE, Failure, OwedLetter
from lambdas.jobs.status import Status
from lambdas.jobs.times import now

MAX_EXCERPT: Final = 2_000
"""How much of a message that cannot be read goes into its dead letter, in characters."""


def fail_unstarted(message: JobMessage, error: JobError, *, even_if_queued: bool) -> None:
    """Fail a job that has not begun.

    A job that is there already was submitted first, and stands; `even_if_queued` is for one that is itself at fault and
    still waits to be started.
    """
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    failure = Failure(error_class=type(error).__name__, message=str(error), stage=BEFORE_THE_FIRST_STAGE)
    job = table.put_new(failed_job(message, failure))
    why = {"errorClass": failure.error_class, "detail": failure.message}
    logger.warning("The job cannot be started", extra={"status": job.status, **why})
    if job.owed_letter is not None:
        send_owed_letter(job)
    elif even_if_queued and job.status is Status.QUEUED:
        fail(table, job, failure, OwedLetter())
    else:
        logger.warning("The job under this id is left as it is", extra={"status": job.status, "reason": str(error)})


def bury_unreadable(body: str, error: JobError) -> None:
    """Send a dead letter for a message that does not say whose it is: it did not come through the API."""
    logger.error("A message cannot be read", extra={"reason": str(error)})
    failure = Failure(error_class=type(error).__name__, message=str(error), stage=BEFORE_THE_FIRST_STAGE)
    letter = DeadLetter(job_id=None, owner=None, attempt=1, failure=failure, failed_at=now(), body=body[:MAX_EXCERPT])
    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), letter)
