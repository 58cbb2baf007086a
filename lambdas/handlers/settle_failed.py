"""At the end of a failed workflow: settles the job as FAILED, in the words of its dead letter."""

from typing import Any
from uuid import uuid4

from lambdas import config
from lambdas.adapters.job_table import JobTable, RefusedError
from lambdas.handlers.logs import about, logger
from lambdas.jobs.model import Attempt, Failure
from lambdas.jobs.status import Status
from lambdas.jobs.times import now


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Settle one attempt. Safe to repeat; an end that is there already stands."""
    attempt = Attempt.from_payload(event)
    about(attempt, stage=event["stage"])
    failure = Failure(error_class=event["errorClass"], message=event["message"], stage=event["stage"])
    try:
        JobTable(config.text(config.Variable.JOB_TABLE)).settle(
            attempt, Status.FAILED, failure=failure, token=uuid4().hex, now=now()
        )
        logger.warning("The job has failed", extra={"errorClass": failure.error_class, "detail": failure.message})
    except RefusedError as refused:
        logger.info("The job is settled already, or at another attempt", extra={"reason": str(refused)})
    return event
