"""What happened in a run, as the judge sees it. Plain values only: a history can be made up, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
"""A job's row as plain values, by the table's own names."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One that happened; `job` is empty when it happened to everything."""

    at: float
    kind: str
    job: str = ""
    place: str = ""
    until: float | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """What was asked of the API about a job, and its last answer: a status of HTTP."""

    at: float
    what: str
    job: str
    answer: int
    job_status: str | None = None
    """What the row had said just before."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A row as it was at some moment."""

    at: float
    row: Row

    @property
    def status(self) -> str:
        """Where the job was."""
        return str(self.row["status"])

    @property
    def attempt(self) -> int:
        """Which attempt it was."""
        return int(self.row["attempt"])

    @property
    def version(self) -> int:
        """Which change of the row it was."""
        return int(self.row["version"])

    @property
    def progress(self) -> int:
        """Percent of the work, by the weights of the stages that count."""
        counted = [stage for stage in self.row["stages"].values() if stage["status"] != "SKIPPED"]
        total = sum(stage["weight"] for stage in counted)
        return int(sum(stage["weight"] * stage["progress"] for stage in counted) // total) if total else 0


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A run of the state machine."""

    name: str
    status: str
    error: str | None = None
    stopped: float | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the API answered for a job that has succeeded: of which image, by its digest, and what was not there."""

    image: str | None = None
    analyses: frozenset[str] = frozenset()
    pictures: frozenset[str] = frozenset()
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was submitted."""

    job_id: str
    image: str | None
    """None when there is no image that anything could be found out about."""
    analyses: frozenset[str]
    fails_as: frozenset[str] = frozenset()
    """Error classes that are right without any fault."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything that is known of a run after it has settled, or has been given up on."""

    seed: int
    wanted: Mapping[str, Wanted]
    """Every job, by id; those of poisoned messages that say whose they are, too."""
    accepted: Mapping[str, float]
    """When the API said that a job is accepted. A poisoned message counts as accepted by the queue."""
    rows: Mapping[str, Row]
    seen: Mapping[str, Sequence[Seen]]
    """The changes of each row in their order: all, but for those around a restart."""
    executions: Mapping[str, Execution]
    letters: Sequence[Mapping[str, Any]]
    unreadable_letters: Sequence[str]
    objects: Mapping[str, Sequence[str]]
    results: Mapping[str, Result]
    faults: Sequence[Fault]
    calls: Sequence[Call]
    poisons: frozenset[str] = frozenset()
    """Markers of the poisoned messages that were sent and do not say whose they are."""
    queues: Mapping[str, int] = field(default_factory=dict)
    """Messages that were left, by queue."""

    @property
    def duplicates(self) -> int:
        """How often a job was asked for that had been asked for before, by calls and by messages."""
        asked = [call.job for call in self.calls if call.what in {"submit", "message"} and call.answer == ACCEPTED]
        return len(asked) - len(set(asked))

    def faults_of(self, job: str) -> list[Fault]:
        """What happened to a job."""
        return [fault for fault in self.faults if fault.job == job]

    def calls_about(self, job: str, what: str) -> list[Call]:
        """What was asked about a job."""
        return [call for call in self.calls if call.job == job and call.what == what]

    def is_cancelled_by_owner(self, job: str) -> bool:
        """Tell whether the API has accepted a cancel."""
        return any(call.answer == ACCEPTED for call in self.calls_about(job, "cancel"))


ACCEPTED = 202
