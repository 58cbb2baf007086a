"""The queue of dead letters, as an operator goes through it: letters are held, given back, or put away."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.jobs.model import Attempt
from lambdas.jobs.times import from_epoch_millis

HELD_SECONDS: Final = 60
"""How long others do not see a letter that was received and, by a crash, never given back. No call takes as long."""
PAGE: Final = 10
"""The most that SQS handles in a call."""
_TEXTS: Final = (
    "jobId",
    "owner",
    "stage",
    "errorClass",
    "message",
    "cause",
    "next",
    "executionArn",
    "failedAt",
    "body",
)


@dataclass(frozen=True, kw_only=True)
class HeldLetter:
    """One message, held. Whatever its writer has left out, or written otherwise, is not in `document`."""

    message_id: str
    receipt: str
    sent_at: str
    document: dict[str, Any]

    @classmethod
    def read(cls, message: dict[str, Any]) -> "HeldLetter":
        """Read what SQS gives, leniently: somebody may have put anything into the queue."""
        return cls(
            message_id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            sent_at=from_epoch_millis(int(message["Attributes"]["SentTimestamp"])),
            document=_document(message["Body"]),
        )

    @property
    def attempt(self) -> Attempt | None:
        """Which attempt of whose job it is about; None when it does not say."""
        names = [self.document.get(name) for name in ("owner", "jobId", "attempt")]
        return Attempt.from_payload(self.document) if all(names) else None

    @property
    def can_be_helped(self) -> bool:
        """Whether its writer held that a new attempt can help."""
        return self.document.get("redriveCanHelp") is True


class LetterBox:
    """Holds what it reads until it is left. Every method raises TransientError when the queue is out of reach."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url
        self._held: dict[str, HeldLetter] = {}

    def read(self, *, limit: int, until: float) -> Iterator[HeldLetter]:
        """Give letters, one after the other, until there are none, or so many, or it is so late (monotonic seconds)."""
        given = 0
        while given < limit and time.monotonic() < until:
            with translated("Reading the dead letters"):
                page = client("sqs").receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=min(PAGE, limit - given),
                    VisibilityTimeout=HELD_SECONDS,
                    WaitTimeSeconds=1,  # asks all servers of the queue; a short poll asks some, and may miss letters
                    MessageSystemAttributeNames=["SentTimestamp"],
                )
            letters = [HeldLetter.read(message) for message in page.get("Messages", [])]
            if not letters:
                return
            self._held |= {letter.message_id: letter for letter in letters}
            given += len(letters)
            yield from letters

    def put_away(self, letter: HeldLetter) -> None:
        """Delete a letter."""
        with translated("Putting the dead letter away"):
            client("sqs").delete_message(QueueUrl=self._queue_url, ReceiptHandle=letter.receipt)
        del self._held[letter.message_id]

    def give_back(self) -> None:
        """Let others see again what was read and not put away. What fails comes back by itself, only later."""
        held = list(self._held.values())
        for page in (held[start : start + PAGE] for start in range(0, len(held), PAGE)):
            with translated("Giving the dead letters back"):
                client("sqs").change_message_visibility_batch(QueueUrl=self._queue_url, Entries=_visible(page))
        self._held.clear()


def _visible(letters: Sequence[HeldLetter]) -> list[dict[str, Any]]:
    return [
        {"Id": str(place), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
        for place, letter in enumerate(letters)
    ]


def _document(body: str) -> dict[str, Any]:
    """Take what a letter says, where it is of the right kind; of what is no letter, the text as it is."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("errorClass"), str):
        return {"body": body}
    read: dict[str, Any] = {name: document[name] for name in _TEXTS if isinstance(document.get(name), str)}
    if type(document.get("attempt")) is int:
        read["attempt"] = document["attempt"]
    if isinstance(document.get("redriveCanHelp"), bool):
        read["redriveCanHelp"] = document["redriveCanHelp"]
    return read
