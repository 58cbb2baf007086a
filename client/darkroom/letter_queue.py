"""The queue of dead letters: looked through without taking, and given back as it was, but for what is deleted."""

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from darkroom.aws import in_our_words
from darkroom.dead_letters import DeadLetter, Message
from darkroom.errors import AwsError, AwsFailureError

HELD_SECONDS = 300
"""How long the others do not see a letter that was received and, by a crash, never given back.

A round over more letters than that leaves time for outlives it. No harm in that: somebody else may then act on the same
letter, and redriving and deleting twice is what once would have been.
"""
WAIT_SECONDS = 1
"""A long poll asks all servers of the queue; a short one asks some, and may miss letters."""
QUIET_ROUNDS = 2
"""After so many polls that bring nothing new, all has been seen."""
PAGE = 10
"""The most that SQS handles in a call."""
_NOT_HELD = {"MessageNotInflight", "InvalidParameterValue"}
"""Codes for a message that cannot be given back because it is visible, or gone, already."""
_HIDDEN = "ApproximateNumberOfMessagesNotVisible"


class LetterQueue:
    """The queue, as it is held while entered: whatever was read and not deleted is given back at the end."""

    def __init__(self, sqs: Any, url: str, *, warn: Callable[[str], None]) -> None:
        self._sqs = sqs
        self._url = url
        self._warn = warn
        self._receipts: dict[str, str] = {}
        """By message id, of what is held. A message's newest receipt is the one that counts."""

    def __enter__(self) -> Self:
        """Begin; nothing is held yet."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give everything back, however it ended."""
        self._give_back(list(self._receipts))

    def out_of_sight(self) -> int:
        """Count, roughly, what somebody else holds at the moment. Ask before reading, or it counts what we hold."""
        with in_our_words(self._url):
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[_HIDDEN])
        return int(answer["Attributes"][_HIDDEN])

    def read(
        self,
        wanted: Callable[[DeadLetter], bool],
        limit: int | None = None,
        counts: Callable[[DeadLetter], bool] = lambda _: True,
    ) -> list[DeadLetter]:
        """Read the letters that are wanted and hold them; the others are given back at once. The oldest come first.

        With a `limit`, reading stops when so many of those that `counts` says do count are found; copies of theirs may
        then still be in the queue. Raises AwsError.
        """
        found: dict[Hashable, DeadLetter] = {}
        quiet = 0
        while quiet < QUIET_ROUNDS and (limit is None or sum(map(counts, found.values())) < limit):
            messages = self._receive()
            quiet = 0 if messages else quiet + 1
            for letter in map(DeadLetter.parse, messages):
                if wanted(letter):
                    known = found.get(letter.identity)
                    found[letter.identity] = known.with_copy(letter) if known else letter
        chosen = _up_to(limit, found.values(), counts)
        held = {message_id for letter in chosen for message_id in letter.message_ids}
        self._give_back([message_id for message_id in self._receipts if message_id not in held])
        return sorted(chosen, key=_age)

    def delete(self, letter: DeadLetter) -> None:
        """Delete all messages of a letter that was read. Raises AwsError."""
        for page in _pages(letter.message_ids):
            entries = [
                {"Id": str(index), "ReceiptHandle": self._receipts[message_id]} for index, message_id in enumerate(page)
            ]
            with in_our_words(self._url):
                answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            for done in answer.get("Successful", []):
                del self._receipts[page[int(done["Id"])]]
            if failed := answer.get("Failed"):
                raise AwsFailureError(f"The queue did not delete it ({failed[0].get('Code', 'unknown')}).")

    def _receive(self) -> list[Message]:
        """Receive a page and return what is new of it: what was held for too long comes round again."""
        with in_our_words(self._url):
            page = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=PAGE,
                VisibilityTimeout=HELD_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
        fresh = [_message(message) for message in page if message["MessageId"] not in self._receipts]
        self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in page}
        return fresh

    def _give_back(self, message_ids: Sequence[str]) -> None:
        """Let others see messages again. What fails is no error: they come back by themselves, only later."""
        left = sum(self._failures_of_giving_back(page) for page in _pages(message_ids))
        if left:
            self._warn(f"{left} letters could not be given back; they show again in {HELD_SECONDS // 60} minutes.")

    def _failures_of_giving_back(self, message_ids: Sequence[str]) -> int:
        entries = [
            {"Id": str(index), "ReceiptHandle": self._receipts.pop(message_id), "VisibilityTimeout": 0}
            for index, message_id in enumerate(message_ids)
        ]
        try:
            with in_our_words(self._url):
                answer = self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except AwsError:
            return len(entries)
        return sum(failure.get("Code") not in _NOT_HELD for failure in answer.get("Failed", []))


def _pages(message_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (message_ids[start : start + PAGE] for start in range(0, len(message_ids), PAGE))


def _message(received: dict[str, Any]) -> Message:
    sent = received.get("Attributes", {}).get("SentTimestamp")
    return Message(
        message_id=received["MessageId"],
        body=received["Body"],
        sent_at=datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
    )


def _up_to(limit: int | None, letters: Iterable[DeadLetter], counts: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
    """Leave out what counts beyond the limit: the last page may have brought more than was asked for."""
    left = itertools.count(limit, -1) if limit is not None else itertools.repeat(1)
    return [letter for letter in letters if not counts(letter) or next(left) > 0]


def _age(letter: DeadLetter) -> datetime:
    return letter.since or datetime.max.replace(tzinfo=UTC)
