"""A message of the job queue: what the gateway puts around the body that a person has sent."""

from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.model import Attempt
from lambdas.jobs.submission import is_id
from lambdas.jobs.times import from_epoch_millis
from lambdas.jobs.trace import own_trace, trace_of

KNOWN_VERSION: Final = "1"
TRACE_HEADER: Final = "AWSTraceHeader"
"""The attribute of SQS's own that carries a trace along with a message."""


@dataclass(frozen=True, kw_only=True)
class JobMessage:
    """A submission as it comes from the queue: whose it is, when SQS took it, and the body as it was sent.

    `trace` is that of the call that sent it, or one made for it.
    """

    message_id: str
    attempt: Attempt
    sent_at: str
    body: str
    trace: str


def read_message(record: SQSRecord) -> JobMessage:
    """Read the envelope. Raises InvalidJob when it is not the gateway's.

    Owner and id are attributes that the gateway sets from the token and the path; the body has no say in them. The id
    of `POST /jobs` is the message's own.
    """
    version = _attribute(record, "schemaVersion")
    owner = _attribute(record, "owner")
    job_id = _attribute(record, "jobId") or record.message_id
    if version != KNOWN_VERSION:
        raise InvalidJob(f"The message has schemaVersion {version!r}; this deployment reads {KNOWN_VERSION}.")
    if not owner:
        raise InvalidJob("The message has no attribute `owner`: it did not come through the API.")
    if not is_id(job_id):
        raise InvalidJob("The job's id has to be 1 to 64 characters of A-Z a-z 0-9 _ -.")
    sent_at = from_epoch_millis(int(record.attributes.sent_timestamp))
    return JobMessage(
        message_id=record.message_id,
        attempt=Attempt(owner=owner, job_id=job_id),
        sent_at=sent_at,
        body=record.body,
        trace=trace_of(record.attributes.get(TRACE_HEADER)) or own_trace(record.message_id, sent_at),
    )


def _attribute(record: SQSRecord, name: str) -> str | None:
    # As it came: an attribute of another type than the gateway's has no text, and is as good as none.
    value = record["messageAttributes"].get(name, {}).get("stringValue")
    return value if isinstance(value, str) else None
