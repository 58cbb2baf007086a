"""Deleting a job for good: its row, and everything that it has made.

The row goes first, and leaves a note in its place: from then on every writer of the job is refused, and so is a message
that comes once more. The artefacts go next. Both may be repeated; whatever a writer that was still at work stores after
that is deleted by the reconciler, which finds the note on its list.
"""

from datetime import UTC, datetime

from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.cancelling import NOTE_LIFETIME
from lambdas.handlers.logs import about_job, logger
from lambdas.handlers.problems import ConflictError, NotFoundError
from lambdas.handlers.watching import after_late_writers
from lambdas.jobs.model import Job
from lambdas.jobs.status import ENDS
from lambdas.jobs.times import now


def delete(table: JobTable, bucket: ImageBucket, owner: str, job_id: str, job: Job | None) -> None:
    """Delete a job that has ended, given as the caller has read it. Safe to repeat.

    One that is deleted already is no error: what a late writer has left of it is deleted.
    Raises NotFoundError when there is no such job, ConflictError when it is not finished.
    """
    while job is not None:
        job = _leave_a_note(table, job)
    if table.deletion(owner, job_id) is None:
        raise NotFoundError(f"None of your jobs has the id {job_id}.")
    deleted = bucket.delete_all_artefacts(owner, job_id)
    logger.info("The job is deleted", extra={"jobId": job_id, "objects": deleted})


def _leave_a_note(table: JobTable, job: Job) -> Job | None:
    """Put the note in the place of the row; return the job when it has moved on, None when it is gone."""
    about_job(job)
    if job.status not in ENDS:
        raise ConflictError(
            f"The job is {job.status}: cancel it, and delete it when it has ended.", jobStatus=job.status
        )
    expires_at = int((datetime.now(UTC) + NOTE_LIFETIME).timestamp())
    try:
        table.delete(job, due_at=after_late_writers(), expires_at=expires_at, now=now())
    except RefusedError as refused:
        return refused.job
    return None
