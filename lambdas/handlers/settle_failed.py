"""Where a workflow has failed: says what went wrong, once, writes it into the job's row, and hands on its dead letter.

Looks at the job first. A stage that fails while its job is being cancelled is no failure, and one whose job has moved
on is nobody's concern; neither gets a dead letter.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.metering import meter
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.costing import cost_of, function_usage, one_read, row_bytes, with_retries
from lambdas.handlers.logs import about, about_job, logger
from lambdas.handlers.watching import after_failure
from lambdas.jobs.cost import Cost, total
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.failures import MAX_CAUSE, explain
from lambdas.jobs.model import Attempt, Failure, Job, OwedLetter
from lambdas.jobs.prices import Charge, write_units
from lambdas.jobs.status import CANCELLATION
from lambdas.jobs.times import now
from lambdas.stages.catalogue import BY_NAME

CLEAN_UP: Final = "clean_up"
STATES: Final = 4
"""SettleFailed, DeadLetter, LetterSent, Failed."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Settle one attempt as FAILED; return its ids and, as `letter`, the dead letter that it owes.

    Safe to repeat while the letter is owed. Raises JobCancelled or JobSuperseded when there is nothing to settle.
    """
    meter.start()
    attempt = Attempt.from_payload(event)
    about(attempt, stage=event["stage"])
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    found = table.get(attempt.owner, attempt.job_id)
    job = _refuse_unless_failing(found, attempt, cleaning_up=event["stage"] == CLEAN_UP)
    about_job(job, stage=event["stage"])
    failure = explain(event["errorClass"], event["cause"], stage=event["stage"], stages=BY_NAME)
    letter = OwedLetter(cause=event["cause"][:MAX_CAUSE], execution_arn=event["executionArn"])
    cost = _cost(job, event)
    failed = _settle(table, attempt, failure, letter, cleaning_up=event["stage"] == CLEAN_UP, cost=cost)
    return attempt.payload() | {"letter": DeadLetter.owed_by(failed).to_document()}


def _cost(job: Job, event: Mapping[str, Any]) -> Cost:
    """Price the job, with the states that come after this one: its letter is sent, and noted to be sent."""
    states = STATES + (1 + event.get("retries", 0) if event["stage"] == CLEAN_UP else 0)
    writes = 2 * write_units(row_bytes(job)) + 1
    further = total([one_read(job), {Charge.QUEUE_REQUESTS: 1}])
    ending = function_usage(transitions=states, table_writes=writes, further=further)
    return cost_of(with_retries(job, event), ending=ending, is_caught=True)


def _settle(
    table: JobTable, attempt: Attempt, failure: Failure, letter: OwedLetter, *, cleaning_up: bool, cost: Cost
) -> Job:
    try:
        job = table.settle_failed(
            attempt,
            failure,
            letter,
            even_if_cancelling=cleaning_up,
            cost=cost,
            due_at=after_failure(),
            token=uuid4().hex,
            now=now(),
        )
    except RefusedError as refused:
        _refuse_unless_failing(refused.job, attempt, cleaning_up=cleaning_up)
        if refused.job and refused.job.owed_letter:
            return refused.job  # settled by an earlier call, whose answer was lost
        raise JobSuperseded(f"There is nothing to settle: {refused}.") from refused
    why = {"errorClass": failure.error_class, "detail": failure.message}
    logger.warning("The job has failed", extra={"status": job.status, **why})
    return job


def _refuse_unless_failing(job: Job | None, attempt: Attempt, *, cleaning_up: bool) -> Job:
    if job is None or job.attempt != attempt.number:
        raise JobSuperseded("The job was deleted, or is at another attempt.")
    # A clean-up that has given up must not be sent to the clean-up again.
    if job.status in CANCELLATION and not cleaning_up:
        raise JobCancelled("The owner has cancelled the job.")
    return job
