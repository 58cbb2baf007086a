"""A job as Darkroom remembers it, and what follows from it. Knows nothing of how it is stored."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.jobs.cost import Cost, Spent
from lambdas.jobs.errors import redrive_can_help
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.status import StageStatus, Status

OWNER_HASH_LENGTH = 8
"""With a job's id of up to 64 characters and an attempt of up to 5 digits, an execution's name keeps within 80."""
BEFORE_THE_FIRST_STAGE = "start"
"""What stands for the stage of a failure where the job died before its execution began."""
BETWEEN_STAGES = "workflow"
"""What stands for it where several stages, or none, were at work."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt at one job: what travels between the states of the state machine, and what fences every write."""

    owner: str
    job_id: str
    number: int = 1

    @property
    def execution_name(self) -> str:
        """Name of the execution: readable in the console, unique for owner and attempt; starting twice is harmless."""
        owner_hash = hashlib.sha256(self.owner.encode()).hexdigest()[:OWNER_HASH_LENGTH]
        return f"{self.job_id}-{owner_hash}-a{self.number}"

    def payload(self) -> dict[str, Any]:
        """Shape the state machine's input: ids only, since nothing between states may come near 256 KiB."""
        return {"owner": self.owner, "jobId": self.job_id, "attempt": self.number}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Attempt":
        """Read the state machine's input. Raises KeyError when it is not ours."""
        return cls(owner=payload["owner"], job_id=payload["jobId"], number=int(payload["attempt"]))


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job, or a stage of it, failed: a stable class, and words for a person."""

    error_class: str
    message: str
    stage: str | None = None

    @property
    def redrive_can_help(self) -> bool:
        """Whether a new attempt may succeed."""
        return redrive_can_help(self.error_class)


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """What a job remembers of one of its stages. `progress` is a percent; `weight` its share of the job's progress."""

    weight: int
    status: StageStatus = StageStatus.PENDING
    progress: int = 0
    tries: int = 0
    attempt: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    error: Failure | None = None
    reason: str | None = None
    """Why it is skipped, where that is not because nobody asked for it."""
    result: Mapping[str, Any] | None = None
    result_key: str | None = None
    folder: str | None = None
    """Where the try that counts has put its artefacts, below the job's own place."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each artefact of that try, in hexadecimal, by name."""
    retries: int = 0
    """How often the state machine has tried its state again; more than tries, where Lambda had no room for some."""
    tried_at: str | None = None
    """When the last try began."""
    spent: Spent = field(default_factory=Spent)

    def reopened(self) -> "StageRecord":
        """The record as a new attempt finds it: nothing is done yet."""
        return StageRecord(weight=self.weight)


@dataclass(frozen=True, kw_only=True)
class OwedLetter:
    """What a dead letter says beyond the job's row; kept in the row until the letter is sent."""

    cause: str | None = None
    execution_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. Times are RFC 3339 in UTC; `version` grows by one with every change."""

    owner: str
    job_id: str
    status: Status
    attempt: int
    image_id: str
    analyses: Sequence[str]
    options: Mapping[str, Any]
    tags: Mapping[str, str]
    stages: Mapping[str, StageRecord]
    created_at: str
    updated_at: str
    expires_at: int
    version: int = 1
    started_at: str | None = None
    cancel_requested_at: str | None = None
    finished_at: str | None = None
    deadline_at: str | None = None
    """When the current attempt is to be over; None when its owner has all the time in the world."""
    trace: str | None = None
    """The trace that it goes by, in the form of X-Ray's header; None of a job from before there were any."""
    due_at: str | None = None
    """When the reconciler looks at the job; None when there is nothing left that could go wrong."""
    error: Failure | None = None
    owed_letter: OwedLetter | None = None
    """Of a FAILED job whose dead letter is not known to be sent."""
    tokens: Mapping[str, str] = field(default_factory=dict)
    """The token of the last write of each kind: how a writer recognises its own write when the reply was lost."""

    fingerprint: Fingerprint | None = None
    """What the job is found by when another is of the same picture; only of jobs that have succeeded."""
    cost: Cost | None = None
    """What it had cost when it ended last; None of one that has not ended yet."""

    @property
    def current(self) -> Attempt:
        """The attempt that may write."""
        return Attempt(owner=self.owner, job_id=self.job_id, number=self.attempt)

    @property
    def next(self) -> Attempt:
        """The attempt that a redrive makes."""
        return Attempt(owner=self.owner, job_id=self.job_id, number=self.attempt + 1)

    @property
    def progress(self) -> int:
        """Percent of the work that is done, by the stages' weights; skipped stages do not count."""
        counted = [stage for stage in self.stages.values() if stage.status is not StageStatus.SKIPPED]
        total = sum(stage.weight for stage in counted)
        return sum(stage.weight * stage.progress for stage in counted) // total if total else 0

    def is_late(self, present: str) -> bool:
        """Tell whether the deadline is over."""
        return self.deadline_at is not None and self.deadline_at <= present

    def path_of(self, stage: str, artefact: str) -> str:
        """Say where, below the job's own place, an artefact of a stage that is done is."""
        return f"{self.stages[stage].folder}/{artefact}"

    @property
    def etag(self) -> str:
        """Changes whenever the job does."""
        return f'"{self.attempt}-{self.version}"'
