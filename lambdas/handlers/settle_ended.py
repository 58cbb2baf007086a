"""When an execution ends where no Catch could see it (stopped in the console, timed out): settles the job all the same.

Told by the event "Step Functions Execution Status Change", which comes at least once and in any order. An end that
is there already stands, and an attempt that is not the current one has nothing to say.
"""

import json
from typing import Any, Final
from uuid import uuid4

from lambdas import config
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable, RefusedError
from lambdas.adapters.queues import send_dead_letter
from lambdas.handlers.logs import about, logger
from lambdas.jobs.dead_letter import DeadLetter
from lambdas.jobs.failures import MAX_CAUSE, explain_end
from lambdas.jobs.model import Attempt, Failure, Job
from lambdas.jobs.status import ENDS, StageStatus, Status
from lambdas.jobs.times import now

BETWEEN_STAGES: Final = "workflow"


def handler(event: dict[str, Any], _context: Any) -> None:
    """Settle the job of one execution that has ended without success."""
    execution = event["detail"]
    # The input is ids only, so it is never among what the event leaves out for its size.
    attempt = Attempt.from_payload(json.loads(execution["input"]))
    about(attempt)
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    job = table.get(attempt.owner, attempt.job_id)
    if job is None or job.attempt != attempt.number or job.status in ENDS:
        logger.info("There is nothing to settle", extra={"status": execution["status"]})
    elif job.status is Status.CANCELLING:
        _finish_cancel(table, job)
    else:
        _fail(table, job, execution)


def _finish_cancel(table: JobTable, job: Job) -> None:
    ImageBucket(config.text(config.Variable.IMAGE_BUCKET)).delete_all_artefacts(job.owner, job.job_id)
    _settle(table, job, Status.CANCELLED, None)


def _fail(table: JobTable, job: Job, execution: dict[str, Any]) -> None:
    """The dead letter first, so that a FAILED row always has one."""
    failure = explain_end(execution["status"], execution.get("error"), stage=_stage_under_way(job))
    letter = DeadLetter(
        job_id=job.job_id,
        owner=job.owner,
        attempt=job.attempt,
        failure=failure,
        failed_at=now(),
        execution_arn=execution["executionArn"],
        cause=(execution.get("cause") or "")[:MAX_CAUSE] or None,
    )
    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), letter)
    _settle(table, job, Status.FAILED, failure)


def _settle(table: JobTable, job: Job, end: Status, failure: Failure | None) -> None:
    try:
        table.settle(job.current, end, failure=failure, token=uuid4().hex, now=now())
        logger.warning("The job is settled after its execution ended", extra={"status": end})
    except RefusedError as refused:
        logger.info("The job has moved on meanwhile", extra={"reason": str(refused)})


def _stage_under_way(job: Job) -> str:
    running = [name for name, stage in job.stages.items() if stage.status is StageStatus.RUNNING]
    return running[0] if len(running) == 1 else BETWEEN_STAGES
