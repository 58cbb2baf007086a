"""Lines of a deployment's logs, and which of them are about a job. Nothing here speaks to AWS."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property
from typing import Any, Self

from darkroom.models import JobStatus

ACCESS_LOG = "gateway"
"""Source of the lines that tell of a call of the API; they name no job, but the trace that it goes by."""
_ENDS = tuple(status for status in JobStatus if status.is_end)
_OWNER_HASH_LENGTH = 8
_BAD_ENDS = ("Failed", "TimedOut", "Aborted")
_EXECUTION = re.compile(r"(?P<job>[A-Za-z0-9_-]{1,64})-(?P<owner>[0-9a-f]{8})-a(?P<attempt>\d{1,5})")
"""Name of an execution: its job, a hash of its owner, its attempt."""


class Level(IntEnum):
    """How much a line matters."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One event of a log. `members` are those of its JSON; of a text that is none, there are none."""

    source: str
    at: datetime
    text: str
    members: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, source: str, event: Mapping[str, Any]) -> Self:
        """Read what FilterLogEvents gives: its times are milliseconds of the epoch."""
        text = str(event["message"]).rstrip("\n")
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        return cls(source=source, at=at, text=text, members=_members(text))

    @property
    def trace_id(self) -> str | None:
        """The trace that it belongs to."""
        return _text(self.members.get("traceId"))

    @property
    def request_id(self) -> str | None:
        """The call of the API that it is about, as the gateway numbers them."""
        return _text(self.members.get("requestId"))

    @property
    def level(self) -> Level:
        """How much it matters; ordinary, if it does not say. Step Functions says it by the type of an event."""
        name = _text(self.members.get("level")) or ""
        if name in Level.__members__:
            return Level[name]
        return Level.ERROR if (_text(self.members.get("type")) or "").endswith(_BAD_ENDS) else Level.INFO

    @property
    def attempt(self) -> int | None:
        """Which attempt at the job it is about."""
        found = self._execution
        return int(found["attempt"]) if found else None

    @property
    def next_attempt(self) -> int | None:
        """The attempt that it says is going to be made."""
        number = self.members.get("nextAttempt")
        return number if isinstance(number, int) else None

    @property
    def tells_an_end(self) -> bool:
        """Whether it says that an attempt has ended, and how."""
        return self.source != ACCESS_LOG and self.members.get("status") in _ENDS

    def is_about(self, job_id: str, owner: str | None = None) -> bool:
        """Tell whether it is about a job; of several owners' jobs of this id, that of `owner` where one is named."""
        found = self._execution
        if owner is not None and (found is None or found["owner"] != _owner_hash(owner)):
            return False
        if self.members:
            return self.members.get("jobId") == job_id or (found is not None and found["job"] == job_id)
        return re.search(rf"(?<![\w-]){re.escape(job_id)}(?![\w-])", self.text, re.ASCII) is not None

    @cached_property
    def _execution(self) -> re.Match[str] | None:
        """Read the name of its execution: ours, or that in the ARN of which Step Functions writes."""
        name = (
            _text(self.members.get("execution")) or (_text(self.members.get("execution_arn")) or "").rpartition(":")[2]
        )
        return _EXECUTION.fullmatch(name)

    def document(self) -> dict[str, Any]:
        """Lay it out for a program."""
        said = {"members": dict(self.members)} if self.members else {"text": self.text}
        return {"time": self.at.isoformat(timespec="milliseconds"), "source": self.source, **said}


def has_ended(lines: Collection[LogLine]) -> bool:
    """Tell whether the last attempt that the lines of a job know of has ended."""
    latest = max((number for line in lines for number in (line.attempt, line.next_attempt) if number), default=1)
    return any(line.tells_an_end and (line.attempt or 1) == latest for line in lines)


def _members(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _owner_hash(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:_OWNER_HASH_LENGTH]
