"""What the API answers with, typed: jobs, their stages, their errors. Nothing here sends or asks anything.

Each keeps the document that it was read from, so that members newer than this client are not lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from darkroom.documents import Members


class JobStatus(StrEnum):
    """Where a job is on its way."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_end(self) -> bool:
        """Whether the job is over. A failed one can be redriven, by its owner or an operator."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


class StageStatus(StrEnum):
    """Where a stage is on its way."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    OTHER = "OTHER"
    """One that is newer than this client."""

    @classmethod
    def _missing_(cls, value: object) -> "StageStatus":  # noqa: ARG003 - as Enum calls it
        return cls.OTHER


class ArtefactName(StrEnum):
    """The pictures that a job makes; the heat map only with the analysis `regions`."""

    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"
    HEAT_MAP = "heat-map"

    @property
    def file(self) -> str:
        """A name to store it under."""
        return f"{self}.png" if self is ArtefactName.HEAT_MAP else f"{self}.jpg"


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job, or one of its stages, failed."""

    error_class: str
    message: str
    stage: str | None = None
    redrive_can_help: bool | None = None

    @classmethod
    def parse(cls, document: object) -> "JobError":
        """Read the API's JobError."""
        members = Members(document, "JobError")
        return cls(
            error_class=members.text("class"),
            message=members.text("message"),
            stage=members.optional_text("stage"),
            redrive_can_help=members.optional_flag("redriveCanHelp"),
        )


@dataclass(frozen=True, kw_only=True)
class StageEntry:
    """One stage in the timeline of a job."""

    stage: str
    status: StageStatus
    progress: int
    tries: int
    attempt: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: JobError | None = None
    reason: str | None = None
    """Why it is skipped, where that is not because nobody asked for it."""

    @classmethod
    def parse(cls, document: object) -> "StageEntry":
        """Read the API's StageEntry."""
        members = Members(document, "StageEntry")
        return cls(
            stage=members.text("stage"),
            status=members.one_of("status", StageStatus),
            progress=members.number("progress"),
            tries=members.number("tries"),
            attempt=members.optional_number("attempt"),
            started_at=members.optional_time("startedAt"),
            finished_at=members.optional_time("finishedAt"),
            error=members.optional("error", JobError.parse),
            reason=members.optional_text("reason"),
        )


@dataclass(frozen=True, kw_only=True)
class ChargedAmount:
    """How much of one thing that AWS charges for, and what it cost in USD."""

    count: float
    usd: float

    @classmethod
    def parse(cls, document: object) -> "ChargedAmount":
        """Read the API's ChargedAmount."""
        members = Members(document, "ChargedAmount")
        return cls(count=members.decimal("count"), usd=members.decimal("usd"))


@dataclass(frozen=True, kw_only=True)
class JobCost:
    """What a job had cost when it ended last, in USD at list prices; `parts` are its stages and what is beside them."""

    usd: float
    region: str
    prices_of: str
    usage: Mapping[str, ChargedAmount]
    parts: Mapping[str, float]

    @classmethod
    def parse(cls, document: object) -> "JobCost":
        """Read the API's JobCost."""
        members = Members(document, "JobCost")
        return cls(
            usd=members.decimal("usd"),
            region=members.text("region"),
            prices_of=members.text("pricesOf"),
            usage={name: ChargedAmount.parse(amount) for name, amount in members.object("usage").items()},
            parts=members.decimals("parts"),
        )


@dataclass(frozen=True, kw_only=True)
class JobAccepted:
    """The answer to a submission, a cancel or a redrive."""

    job_id: str
    status: JobStatus
    links: Mapping[str, str]
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, document: object) -> "JobAccepted":
        """Read the API's JobAccepted."""
        members = Members(document, "JobAccepted")
        return cls(
            job_id=members.text("jobId"),
            status=members.one_of("status", JobStatus),
            links=members.texts("links"),
            document=members.all,
        )


@dataclass(frozen=True, kw_only=True)
class JobSummary:
    """A job, as lists show it."""

    job_id: str
    status: JobStatus
    progress: int
    attempt: int
    image_id: str | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    deadline_at: datetime | None = None
    """When the current attempt is to be over, if there is such a time."""
    finished_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    error: JobError | None = None
    cost: JobCost | None = None
    """None of a job that has not ended yet, or of a Darkroom that counts none."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, document: object) -> "JobSummary":
        """Read the API's JobSummary."""
        members = Members(document, "JobSummary")
        return cls(**_summary(members))


@dataclass(frozen=True, kw_only=True)
class Job(JobSummary):
    """A job, whole, as it was when it was asked for."""

    seq: int | None = None
    """The number of the last event that it shows; None of a Darkroom that counts none."""
    analyses: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    execution: str | None = None
    trace_id: str | None = None
    timeline: tuple[StageEntry, ...] = ()
    etag: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, document: object, etag: str | None = None) -> "Job":
        """Read the API's Job."""
        members = Members(document, "Job")
        return cls(
            **_summary(members),
            seq=members.optional_number("seq"),
            analyses=tuple(str(name) for name in members.list("analyses")),
            options=members.object("options"),
            execution=members.optional_text("execution"),
            trace_id=members.optional_text("traceId"),
            timeline=tuple(StageEntry.parse(entry) for entry in members.list("timeline")),
            etag=etag,
        )


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """One page of a list of jobs."""

    jobs: tuple[JobSummary, ...]
    next_cursor: str | None

    @classmethod
    def parse(cls, document: object) -> "JobPage":
        """Read the API's JobPage."""
        members = Members(document, "JobPage")
        return cls(
            jobs=tuple(JobSummary.parse(job) for job in members.list("jobs")),
            next_cursor=members.optional_text("nextCursor"),
        )


@dataclass(frozen=True, kw_only=True)
class SimilarJob:
    """A job of the same picture, and by how many of 64 bits its fingerprints differ."""

    distance: int
    """Of pHash."""
    difference_distance: int
    """Of dHash."""
    confirmed: bool
    """Whether both say that it is the same picture."""
    job: JobSummary

    @classmethod
    def parse(cls, document: object) -> "SimilarJob":
        """Read the API's SimilarJob."""
        members = Members(document, "SimilarJob")
        return cls(
            distance=members.number("distance"),
            difference_distance=members.number("differenceDistance"),
            confirmed=members.flag("confirmed"),
            job=JobSummary.parse(members.object("job")),
        )


@dataclass(frozen=True, kw_only=True)
class SimilarJobs:
    """Jobs of the same picture as one job, nearest first."""

    job_id: str
    max_distance: int
    similar: tuple[SimilarJob, ...]
    more: bool
    """Whether there are others, further away or older."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, document: object) -> "SimilarJobs":
        """Read the API's SimilarJobs."""
        members = Members(document, "SimilarJobs")
        return cls(
            job_id=members.text("jobId"),
            max_distance=members.number("maxDistance"),
            similar=tuple(SimilarJob.parse(near) for near in members.list("similar")),
            more=members.flag("more"),
            document=members.all,
        )


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A place to upload one image to."""

    image_id: str
    url: str
    fields: Mapping[str, str]
    max_bytes: int

    @classmethod
    def parse(cls, document: object) -> "Upload":
        """Read the API's Upload."""
        members = Members(document, "Upload")
        return cls(
            image_id=members.text("imageId"),
            url=members.text("url"),
            fields=members.texts("fields"),
            max_bytes=members.number("maxBytes"),
        )


def queued_job(
    job_id: str,
    submitted_at: float,
    *,
    image_id: str = "",
    analyses: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Job:
    """Make the job that a submission will become, for the moment in which the API has no record of it yet."""
    moment = datetime.fromtimestamp(submitted_at, UTC).isoformat(timespec="milliseconds")
    return Job.parse(
        {
            "jobId": job_id,
            "status": JobStatus.QUEUED.value,
            "progress": 0,
            "attempt": 1,
            "imageId": image_id,
            "createdAt": moment,
            "updatedAt": moment,
            "analyses": list(analyses or ()),
            "tags": dict(tags or {}),
            "timeline": [],
        }
    )


def _summary(members: Members) -> dict[str, Any]:
    return {
        "job_id": members.text("jobId"),
        "status": members.one_of("status", JobStatus),
        "progress": members.number("progress"),
        "attempt": members.number("attempt"),
        "image_id": members.optional_text("imageId"),
        "created_at": members.time("createdAt"),
        "updated_at": members.time("updatedAt"),
        "started_at": members.optional_time("startedAt"),
        "cancel_requested_at": members.optional_time("cancelRequestedAt"),
        "deadline_at": members.optional_time("deadlineAt"),
        "finished_at": members.optional_time("finishedAt"),
        "tags": members.texts("tags"),
        "error": members.optional("error", JobError.parse),
        "cost": members.optional("cost", JobCost.parse),
        "document": members.all,
    }
