"""What a cancel does to a job, wherever in its life it arrives."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from lambdas.adapters import queues
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.costing import cost_of, last_write
from lambdas.handlers.logs import logger
from lambdas.handlers.problems import ConflictError, NotFoundError
from lambdas.handlers.watching import after_late_writers, next_look
from lambdas.jobs.cost import Cost
from lambdas.jobs.model import Job
from lambdas.jobs.status import CANCELLATION, ENDS, ON_CANCEL, Status
from lambdas.jobs.times import now

NOTE_LIFETIME: Final = timedelta(days=15)
"""A day longer than a message can wait in the job queue and in its dead-letter queue together."""


def cancel(table: JobTable, owner: str, job_id: str, job: Job | None, *, queue_urls: Sequence[str]) -> Status:
    """Cancel a job, given as the caller has read it; return the status that this leads to. Safe to repeat.

    Raises NotFoundError when there is no such job, ConflictError when it has ended otherwise.
    """
    while job is not None:
        if job.status in CANCELLATION:
            return job.status
        if job.status not in ON_CANCEL:
            raise ConflictError(f"The job has ended as {job.status}; nothing was changed.", jobStatus=job.status)
        try:
            target = ON_CANCEL[job.status]
            return table.cancel(job, cost=_cost(job, target), due_at=_due_after(target), now=now()).status
        except RefusedError as refused:
            job = refused.job  # it has moved on in between, and can do so only a few times before it ends
    return _cancel_unseen(table, owner, job_id, queue_urls)


def _cost(job: Job, status: Status) -> Cost | None:
    """Price a job that the cancel ends; one that is still at work ends later."""
    return cost_of(job, ending=last_write(job)) if status in ENDS else None


def _due_after(status: Status) -> str:
    return after_late_writers() if status in ENDS else next_look(None)


def _cancel_unseen(table: JobTable, owner: str, job_id: str, queue_urls: Sequence[str]) -> Status:
    """Cancel a job whose message may still be in the queue: leave a note that the message's reader will find."""
    if table.is_cancelled_unseen(owner, job_id):
        return Status.CANCELLED
    if table.deletion(owner, job_id) or queues.are_empty(*queue_urls):
        raise NotFoundError(
            f"None of your jobs has the id {job_id}. If you have just submitted it, try again in a moment."
        )
    expires_at = int((datetime.now(UTC) + NOTE_LIFETIME).timestamp())
    try:
        table.note_early_cancel(owner, job_id, now=now(), expires_at=expires_at)
    except RefusedError as refused:
        return cancel(table, owner, job_id, refused.job, queue_urls=queue_urls)
    logger.info("The cancel is noted ahead of the job", extra={"jobId": job_id})
    return Status.CANCELLED
