"""The queues: how full the job queue is, and where dead letters go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.jobs.dead_letter import DeadLetter

WAITING: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How many messages a queue has, roughly."""

    waiting: int
    in_flight: int


def depth(queue_url: str) -> Depth:
    """Count the messages of a queue, as far as SQS can say."""
    visible, hidden, delayed = _counts(queue_url)
    return Depth(waiting=visible + delayed, in_flight=hidden)


def are_empty(*queue_urls: str) -> bool:
    """Tell whether no message is waiting or being read in any of them, as far as SQS can say."""
    return all(_is_empty(queue_url) for queue_url in queue_urls)


def _is_empty(queue_url: str) -> bool:
    return not any(_counts(queue_url))


def _counts(queue_url: str) -> list[int]:
    with translated("Looking at the queue"):
        answer = client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(WAITING))
    return [int(answer["Attributes"][name]) for name in WAITING]


def send_dead_letter(queue_url: str, letter: DeadLetter) -> None:
    """Put a dead letter where a person can look at it."""
    with translated("Sending the dead letter"):
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(letter.to_document()))


def send_note(queue_url: str, note: Mapping[str, Any]) -> None:
    """Put a note about something that nobody could deal with where a person can look at it."""
    with translated("Sending the note"):
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(note))
