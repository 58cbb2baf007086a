"""Reads the job queue: writes each job down, then starts its execution.

In this order, and each step safe to repeat: a message that is delivered twice starts one execution, and a row
without an execution is enough to start it later.
"""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas import config
from lambdas.adapters import executions
from lambdas.adapters.job_table import JobDeletedError, JobTable
from lambdas.adapters.metering import meter
from lambdas.handlers.batches import answer_for_each
from lambdas.handlers.costing import cost_of, last_write
from lambdas.handlers.dead_jobs import bury_unreadable, fail_unstarted
from lambdas.handlers.job_message import JobMessage, read_message
from lambdas.handlers.logs import about, about_job, logger
from lambdas.handlers.metrics import count_one
from lambdas.handlers.new_jobs import queued_job
from lambdas.handlers.open_jobs import within_limit
from lambdas.handlers.planning import plan
from lambdas.handlers.settling import fail, send_owed_letter
from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.failures import too_late
from lambdas.jobs.measures import Name
from lambdas.jobs.model import Job, OwedLetter
from lambdas.jobs.status import Status
from lambdas.jobs.submission import parse_submission
from lambdas.jobs.times import now
from lambdas.jobs.trace import trace_id_of
from lambdas.stages.catalogue import ANALYSES, DEFAULT_ANALYSES


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle one batch of messages; return those that SQS is to deliver again."""
    return answer_for_each(event, context, start_job)


def start_job(record: SQSRecord) -> None:
    """Take one message to a running execution, or to a dead letter that says why it can never run."""
    meter.start()
    try:
        message = read_message(record)
    except InvalidJob as error:
        bury_unreadable(record.body, error)
        return
    about(message.attempt, traceId=trace_id_of(message.trace))
    try:
        _start_or_fail(message)
    except JobDeletedError:
        logger.info("The job was deleted; its message has come once more and is dropped")


def _start_or_fail(message: JobMessage) -> None:
    try:
        submission = parse_submission(message.body, known_analyses=ANALYSES, default_analyses=DEFAULT_ANALYSES)
        asked = queued_job(message, submission, plan(submission))
    except InvalidJob as error:
        fail_unstarted(message, error, even_if_queued=False)
        return
    try:
        table = JobTable(config.text(config.Variable.JOB_TABLE))
        cancelled = cost_of(asked, ending=last_write(asked))
        stored = table.put_new(within_limit(asked), cost_if_cancelled=cancelled)
        about_job(stored)
        _start(table, stored, asked)
    except InvalidJob as error:
        fail_unstarted(message, error, even_if_queued=True)


def _start(table: JobTable, stored: Job, asked: Job) -> None:
    if stored.owed_letter is not None:
        send_owed_letter(stored)
    if _wanted(stored) != _wanted(asked):
        logger.warning("Another submission under the same id came first; it stands")
    if stored.status is not Status.QUEUED:
        logger.info("The job needs no start", extra={"status": stored.status})
        count_one(Name.DUPLICATES_ABSORBED)
        return
    if stored.is_late(now()):
        fail(table, stored, too_late(stored), OwedLetter())
        return
    started = executions.start(config.text(config.Variable.STATE_MACHINE_ARN), stored)
    logger.info("The execution is started" if started else "The execution was started before")
    if not started:
        count_one(Name.DUPLICATES_ABSORBED)


def _wanted(job: Job) -> tuple[Any, ...]:
    return job.image_id, list(job.analyses), dict(job.options), dict(job.tags)
