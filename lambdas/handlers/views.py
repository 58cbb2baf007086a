"""Jobs as the API shows them: the schemas `Job`, `JobSummary` and `JobAccepted` of openapi.yaml."""

from typing import Any

from lambdas.adapters.similar_jobs import Neighbours
from lambdas.jobs.cost import Cost
from lambdas.jobs.model import Failure, Job, StageRecord
from lambdas.jobs.status import ENDS, StageStatus, Status
from lambdas.jobs.trace import trace_id_of


def links(job_id: str) -> dict[str, str]:
    """Paths below the API's address."""
    path = f"/jobs/{job_id}"
    return {"self": path, "cancel": f"{path}/cancel", "redrive": f"{path}/redrive", "result": f"{path}/result"}


def accepted(job_id: str, status: Status) -> dict[str, Any]:
    """The short answer to a call that changes a job."""
    return {"jobId": job_id, "status": status.value, "links": links(job_id)}


def summary(job: Job) -> dict[str, Any]:
    """A job in a list."""
    return _without_none(
        {
            "jobId": job.job_id,
            "seq": job.version,
            "status": job.status.value,
            "progress": job.progress,
            "attempt": job.attempt,
            "imageId": job.image_id or None,
            "createdAt": job.created_at,
            "updatedAt": job.updated_at,
            "deadlineAt": job.deadline_at,
            "startedAt": job.started_at,
            "cancelRequestedAt": job.cancel_requested_at,
            "finishedAt": job.finished_at,
            "tags": dict(job.tags),
            "error": failure(job.error),
            "cost": cost(job.cost),
            "links": links(job.job_id),
        }
    )


def cost(cost: Cost | None) -> dict[str, Any] | None:
    """What a job has cost, the dearest first; None of one that has not ended yet."""
    if cost is None:
        return None
    usage = sorted(cost.usage.items(), key=lambda entry: -entry[1][1])
    return {
        "usd": _places(cost.usd),
        "region": cost.region,
        "pricesOf": cost.prices_of,
        "usage": {name.value: {"count": _places(count), "usd": _places(usd)} for name, (count, usd) in usage},
        "parts": {name: _places(usd) for name, usd in sorted(cost.parts.items(), key=lambda entry: -entry[1])},
    }


def _places(number: float) -> float:
    return round(number, 10)


def whole(job: Job) -> dict[str, Any]:
    """A job with all that there is to know about it."""
    return summary(job) | {
        "analyses": list(job.analyses),
        "options": dict(job.options),
        "execution": job.current.execution_name,
        **({"traceId": trace_id_of(job.trace)} if job.trace else {}),
        "timeline": [stage(job, name, record) for name, record in _by_start(job)],
    }


def similar(job_id: str, max_distance: int, found: Neighbours) -> dict[str, Any]:
    """What is of the same picture as a job."""
    return {
        "jobId": job_id,
        "maxDistance": max_distance,
        "similar": [
            {
                "distance": near.match.distance,
                "differenceDistance": near.match.difference_distance,
                "confirmed": near.match.is_confirmed,
                "job": summary(near.job),
            }
            for near in found.jobs
        ],
        "more": found.more,
    }


def _by_start(job: Job) -> list[tuple[str, StageRecord]]:
    """Stages as they began; those that have not, last, in no order that would mean anything."""
    return sorted(job.stages.items(), key=lambda entry: (entry[1].started_at or "~", entry[0]))


def stage(job: Job, name: str, record: StageRecord) -> dict[str, Any]:
    """One entry of the timeline."""
    cut_off = job.status in ENDS and record.status is StageStatus.RUNNING
    to_blame = job.error if cut_off and job.error and job.error.stage == name else None
    status = (StageStatus.FAILED if to_blame else StageStatus.STOPPED) if cut_off else record.status
    return _without_none(
        {
            "stage": name,
            "status": status.value,
            "progress": record.progress,
            "tries": record.tries,
            "attempt": record.attempt,
            "startedAt": record.started_at,
            "finishedAt": record.finished_at,
            "error": failure(record.error or to_blame),
            "reason": record.reason,
        }
    )


def failure(reason: Failure | None) -> dict[str, Any] | None:
    """Why a job or a stage failed; None when it has not."""
    if reason is None:
        return None
    return _without_none(
        {
            "class": reason.error_class,
            "message": reason.message,
            "stage": reason.stage,
            "redriveCanHelp": reason.redrive_can_help,
        }
    )


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
