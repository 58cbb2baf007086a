"""How a function answers for a batch of messages: for each one apart, so that a bad one holds up nobody."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.handlers.logs import about_nobody, logger


def answer_for_each(event: dict[str, Any], context: Any, handle: Callable[[SQSRecord], None]) -> Any:
    """Handle each message; return those that raised, for SQS to deliver again. Other messages are done."""

    def handle_aloud(record: SQSRecord) -> None:
        about_nobody()
        try:
            handle(record)
        except Exception:
            logger.exception("The message goes back to the queue", extra={"messageId": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=handle_aloud, processor=processor, context=context)
