"""Dead letters, typed: read from the messages of their queue, whatever those say. Nothing here talks to AWS.

A letter says which attempt of which job failed, and why. The queue delivers at least once and may hold a letter twice:
owner, job and attempt are its identity. What is no letter at all is kept as RAW, for a person to look at.
"""

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

SHORT_ID = 8
"""So many characters of a message's id are shown, and as many at least are asked for."""
_EXECUTION = re.compile(r"arn:aws[a-z-]*:states:([a-z0-9-]+):\d{12}:execution:[\w.-]+:[\w.-]+", re.ASCII)


class Kind(StrEnum):
    """What a message of the queue is."""

    LETTER = "letter"
    RAW = "raw"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message as the queue gives it."""

    message_id: str
    body: str
    sent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One letter, of one or more messages. Whatever its writer has left out, or written otherwise, is None."""

    kind: Kind
    message_ids: tuple[str, ...]
    text: str = field(repr=False)
    """The message's body as it is."""
    sent_at: datetime | None = None
    job_id: str | None = None
    owner: str | None = None
    attempt: int | None = None
    stage: str | None = None
    error_class: str | None = None
    message: str | None = None
    cause: str | None = None
    redrive_can_help: bool | None = None
    next_step: str | None = None
    execution_arn: str | None = None
    failed_at: datetime | None = None
    body: str | None = None
    """What a message said that nobody could read; of a letter without a job."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, message: Message) -> "DeadLetter":
        """Read a message, leniently: a letter from a newer Darkroom is a letter, too."""
        document = _object(message.body)
        common: dict[str, Any] = {
            "message_ids": (message.message_id,),
            "text": message.body,
            "sent_at": message.sent_at,
        }
        if document is None or not isinstance(document.get("errorClass"), str) or "jobId" not in document:
            return cls(kind=Kind.RAW, **common)
        return cls(
            kind=Kind.LETTER,
            **common,
            job_id=_text(document, "jobId"),
            owner=_text(document, "owner"),
            attempt=_number(document, "attempt"),
            stage=_text(document, "stage"),
            error_class=_text(document, "errorClass"),
            message=_text(document, "message"),
            cause=_text(document, "cause"),
            redrive_can_help=_flag(document, "redriveCanHelp"),
            next_step=_text(document, "next"),
            execution_arn=_text(document, "executionArn"),
            failed_at=_time(document, "failedAt"),
            body=_text(document, "body"),
            document=document,
        )

    @property
    def identity(self) -> Hashable:
        """What two copies of one letter have in common. Of what is nobody's, each message is one of its own."""
        return (self.owner, self.job_id, self.attempt) if self.names_an_attempt else self.message_ids[0]

    @property
    def names_an_attempt(self) -> bool:
        """Whether it says of whose job which attempt has failed."""
        return self.job_id is not None and self.owner is not None and self.attempt is not None

    @property
    def name(self) -> str:
        """What to call it by in a command: its job's id, or the beginning of its message's."""
        return self.job_id or self.message_ids[0][:SHORT_ID]

    @property
    def since(self) -> datetime | None:
        """When the job failed, or else when the message was sent."""
        return self.failed_at or self.sent_at

    @property
    def console_url(self) -> str | None:
        """Where AWS's console shows the execution; None when the letter names none."""
        found = _EXECUTION.fullmatch(self.execution_arn or "")
        if found is None:
            return None
        region = found.group(1)
        return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{found.group()}"

    def answers_to(self, name: str) -> bool:
        """Tell whether a person may mean it by `name`."""
        if self.job_id is not None:
            return self.job_id == name
        return len(name) >= SHORT_ID and self.message_ids[0].startswith(name)

    def with_copy(self, other: "DeadLetter") -> "DeadLetter":
        """Return the letter with the messages of another copy of it."""
        return replace(self, message_ids=(*self.message_ids, *other.message_ids))

    def heading(self) -> dict[str, Any]:
        """Say for a program which letter it is."""
        return {
            "kind": self.kind.value,
            "jobId": self.job_id,
            "owner": self.owner,
            "attempt": self.attempt,
            "copies": len(self.message_ids),
            "messageIds": list(self.message_ids),
            "sentAt": self.sent_at.isoformat(timespec="milliseconds") if self.sent_at else None,
        }

    def to_document(self) -> dict[str, Any]:
        """Lay it out for a program, with all that its writer has put into it."""
        return {**self.heading(), **({"letter": dict(self.document)} if self.document else {"body": self.text})}


def _object(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def _number(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(document: Mapping[str, Any], name: str) -> bool | None:
    value = document.get(name)
    return value if isinstance(value, bool) else None


def _time(document: Mapping[str, Any], name: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(document.get(name, ""))
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
