"""Where a workflow has failed: says what went wrong, once, for the dead letter and for the job's row alike.

Looks at the job first. A stage that fails while its job is being cancelled is no failure, and one whose job has moved
on is nobody's concern; neither gets a dead letter.
"""

from typing import Any, Final

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.handlers.logs import about, logger
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.failures import MAX_CAUSE, explain
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import CANCELLATION, ENDS
from lambdas.stages.catalogue import BY_NAME

CLEAN_UP: Final = "clean_up"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Describe one failure. Raises JobCancelled or JobSuperseded when it is none."""
    attempt = Attempt.from_payload(event)
    about(attempt, stage=event["stage"])
    job = JobTable(config.text(config.Variable.JOB_TABLE)).get(attempt.owner, attempt.job_id)
    _refuse_unless_failing(job, attempt, cleaning_up=event["stage"] == CLEAN_UP)
    failure = explain(event["errorClass"], event["cause"], stage=event["stage"], stages=BY_NAME)
    logger.warning("The workflow has failed", extra={"errorClass": failure.error_class, "failedStage": failure.stage})
    return attempt.payload() | {
        "stage": failure.stage,
        "errorClass": failure.error_class,
        "message": failure.message,
        "cause": event["cause"][:MAX_CAUSE],
        "redriveCanHelp": failure.redrive_can_help,
    }


def _refuse_unless_failing(job: Job | None, attempt: Attempt, *, cleaning_up: bool) -> None:
    if job is None or job.attempt != attempt.number:
        raise JobSuperseded("The job was deleted, or is at another attempt.")
    # A clean-up that has given up must not be sent to the clean-up again.
    if job.status in CANCELLATION and not cleaning_up:
        raise JobCancelled("The owner has cancelled the job.")
    if job.status in ENDS:
        raise JobSuperseded(f"The job has ended as {job.status}.")
