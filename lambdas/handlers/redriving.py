"""A new attempt at a job that has failed: it goes on where the last one stopped.

The row comes first: once it says QUEUED at the next attempt, the redrive is accepted and durable, and whoever finds it
without an execution starts that.
"""

from typing import Final

from lambdas import config
from lambdas.adapters import executions
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.logs import about_job, logger
from lambdas.handlers.watching import next_look
from lambdas.jobs.deadline import deadline_after
from lambdas.jobs.errors import ArtefactLost, InvalidJob, TransientError
from lambdas.jobs.model import Job
from lambdas.jobs.status import Status, on_redrive
from lambdas.jobs.times import now

MAX_ATTEMPTS: Final = 100
"""Whatever fails as often as that will fail again."""


class CannotRedriveError(Exception):
    """The job does not allow a redrive; the message says why."""

    def __init__(self, message: str, job: Job) -> None:
        super().__init__(message)
        self.job = job


def redrive(table: JobTable, job: Job, *, failed_attempt: int | None = None) -> Job:
    """Start a new attempt at a failed job, given as the caller has read it; return it.

    Safe to repeat: while the new attempt has not begun, and for ever when the caller says which attempt it is that had
    failed. Finished stages are not run again, unless what they had made is lost. Raises CannotRedriveError.
    """
    about_job(job)
    if failed_attempt is not None and failed_attempt > job.attempt:
        raise CannotRedriveError(f"The job is only at attempt {job.attempt}; look at it again.", job)
    if failed_attempt is not None and failed_attempt < job.attempt and job.status is not Status.QUEUED:
        return job  # by an earlier call, whose answer was lost: the new attempt may even be over
    queued = job if _is_redriven(job) else _next_attempt(table, job)
    try:
        executions.start(config.text(config.Variable.STATE_MACHINE_ARN), queued)
    except (TransientError, InvalidJob) as reason:
        logger.warning("It could not be started; the reconciler will see to it", extra={"reason": str(reason)})
    return queued


def _is_redriven(job: Job) -> bool:
    """Tell whether the job waits for its next attempt already, by an earlier call."""
    asked = on_redrive(cancel_requested=job.cancel_requested_at is not None)
    return job.attempt > 1 and job.status is asked is Status.QUEUED


def _next_attempt(table: JobTable, job: Job) -> Job:
    _refuse_unless_possible(job)
    asked_at = now()
    deadline_at = deadline_after(asked_at, job.options)
    lost = job.error is not None and job.error.error_class == ArtefactLost.__name__
    try:
        queued = table.redrive(
            job, deadline_at=deadline_at, due_at=next_look(deadline_at), everything=lost, now=asked_at
        )
    except RefusedError as refused:
        if refused.job and refused.job.attempt == job.attempt + 1:
            return refused.job  # by another call at the same moment, or by this one, whose answer was lost
        raise CannotRedriveError("The job has moved on meanwhile; look at it again.", refused.job or job) from refused
    logger.info("The job is redriven", extra={"nextAttempt": queued.attempt})
    return queued


def _refuse_unless_possible(job: Job) -> None:
    if job.status is not Status.FAILED:
        raise CannotRedriveError(f"The job is {job.status}; only a job that has FAILED can be redriven.", job)
    if not job.stages:
        raise CannotRedriveError("The submission could not be read, so there is nothing to do. Submit it anew.", job)
    if job.attempt >= MAX_ATTEMPTS:
        raise CannotRedriveError(f"The job has had {MAX_ATTEMPTS} attempts. Submit it anew.", job)
