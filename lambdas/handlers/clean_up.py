"""After a cancel: deletes what the job has made and settles it as CANCELLED."""

from typing import Any, Final
from uuid import uuid4

from lambdas import config
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.metering import meter
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.costing import cancelled_cost, with_retries
from lambdas.handlers.logs import about, about_job, logger
from lambdas.handlers.watching import after_late_writers
from lambdas.jobs.errors import JobSuperseded
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import CANCELLATION, Status
from lambdas.jobs.times import now

STATES: Final = 2
"""CleanUp, Cancelled."""
SETTLED_BEFORE: Final = "errorClass"
"""Of the state's input, when SettleFailed has found that the job is cancelled: then that was one more."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Clean up after one cancelled attempt. Safe to repeat. Raises JobSuperseded when the job has moved on."""
    meter.start()
    attempt = Attempt.from_payload(event)
    about(attempt)
    job = _refuse_unless_cancelled(_table().get(attempt.owner, attempt.job_id), attempt)
    about_job(job)
    deleted = ImageBucket(config.text(config.Variable.IMAGE_BUCKET)).delete_all_artefacts(attempt.owner, attempt.job_id)
    logger.info("The artefacts are deleted", extra={"objects": deleted})
    try:
        _table().settle_cancelled(
            attempt,
            cost=cancelled_cost(with_retries(job, event), states=STATES + (SETTLED_BEFORE in event)),
            due_at=after_late_writers(),
            token=uuid4().hex,
            now=now(),
        )
    except RefusedError as refused:
        # One that was cancelled while it was queued is settled already.
        _refuse_unless_cancelled(refused.job, attempt)
    logger.info("The cancel is finished", extra={"status": Status.CANCELLED})
    return event


def _refuse_unless_cancelled(job: Job | None, attempt: Attempt) -> Job:
    """Nothing may be deleted from under another attempt, or from a job that is wanted."""
    if job is None or job.attempt != attempt.number or job.status not in CANCELLATION:
        raise JobSuperseded("The job was not cancelled at this attempt; nothing was deleted.")
    return job


def _table() -> JobTable:
    return JobTable(config.text(config.Variable.JOB_TABLE))
