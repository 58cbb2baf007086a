"""Reads the dead-letter queue of the job queue: messages that could not be started, however often they were delivered.

Tries once more, since most of what stops a start passes: nothing dies for a throttle. A job that still cannot be
started fails, with a dead letter in the one place where people look and in the one envelope that they know.
"""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.handlers.batches import answer_for_each
from lambdas.handlers.dead_jobs import fail_unstarted
from lambdas.handlers.job_message import read_message
from lambdas.handlers.logs import logger
from lambdas.handlers.start_execution import start_job
from lambdas.jobs.errors import StartFailed, TransientError


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle one batch of messages; return those that SQS is to deliver again."""
    return answer_for_each(event, context, _start_or_bury)


def _start_or_bury(record: SQSRecord) -> None:
    try:
        start_job(record)
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, it ends here with a letter that names it
        logger.exception("The job could not be started")
        reason = f"Its execution could not be started: {type(error).__name__}. This is a fault of Darkroom."
        fail_unstarted(read_message(record), StartFailed(reason), even_if_queued=True)
