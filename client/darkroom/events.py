"""Events: what has happened to jobs, one event for each change, numbered per job from 1."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from darkroom.documents import Members
from darkroom.models import Job, JobError, JobStatus, StageEntry

_OF_THE_JOB = ("status", "progress", "attempt", "seq")


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """One change of a job, and how the job stands after it. `stages` are those that have changed."""

    type: str
    job_id: str
    seq: int
    status: JobStatus
    progress: int
    attempt: int
    time: datetime
    stages: tuple[StageEntry, ...] = ()
    error: JobError | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The whole of it, in the envelope of CloudEvents 1.0."""

    @classmethod
    def parse(cls, document: object) -> "JobEvent":
        """Read the API's JobEvent."""
        envelope = Members(document, "JobEvent")
        data = Members(envelope.object("data"), "JobEvent")
        return cls(
            type=envelope.text("type"),
            job_id=data.text("jobId"),
            seq=data.number("seq"),
            status=data.one_of("status", JobStatus),
            progress=data.number("progress"),
            attempt=data.number("attempt"),
            time=envelope.time("time"),
            stages=tuple(StageEntry.parse(entry) for entry in data.list("stages")),
            error=data.optional("error", JobError.parse),
            document=envelope.all,
        )

    def applied_to(self, job: Job) -> Job:
        """Return a job as it stands after this event, as far as events tell."""
        data = self.document["data"]
        told = {name: data[name] for name in _OF_THE_JOB} | {"updatedAt": self.document["time"]}
        kept = {name: value for name, value in job.document.items() if name != "error"}
        error = {"error": data["error"]} if "error" in data else {}
        timeline = _merged(job.document.get("timeline", []), data["stages"])
        return Job.parse(kept | told | error | {"timeline": timeline})


def _merged(known: Iterable[Mapping[str, Any]], changed: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    stages = {entry["stage"]: entry for entry in known} | {entry["stage"]: entry for entry in changed}
    # As the API sorts them: by when they began.
    return sorted(stages.values(), key=lambda entry: (entry.get("startedAt") or "~", entry["stage"]))


class InOrder:
    """Makes, of events of one job that come late, twice, out of order or not at all, each of them once and in order."""

    def __init__(self, after: int) -> None:
        self.last = after
        """Number of the last event that was given out."""
        self._early: dict[int, JobEvent] = {}

    @property
    def has_gap(self) -> bool:
        """Whether something has come whose predecessors have not."""
        return bool(self._early)

    def pushed(self, events: Iterable[JobEvent]) -> list[JobEvent]:
        """Take events that were pushed, and give out those whose turn it is."""
        self._early |= {event.seq: event for event in events if event.seq > self.last}
        return self._due()

    def read(self, events: Iterable[JobEvent]) -> list[JobEvent]:
        """Take what the log has after the last event: a number that it leaves out is lost, and not waited for."""
        given = []
        for event in events:
            if event.seq > self.last:
                given.append(event)
                self.last = event.seq
        self._early = {seq: event for seq, event in self._early.items() if seq > self.last}
        return given + self._due()

    def _due(self) -> list[JobEvent]:
        given = []
        while event := self._early.pop(self.last + 1, None):
            given.append(event)
            self.last = event.seq
        return given
