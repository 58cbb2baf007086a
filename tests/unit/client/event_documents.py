"""Events as the API tells them."""

from typing import Any

from darkroom.events import JobEvent


def document(seq: int, *, status: str = "RUNNING", job_id: str = "job-1", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"owner-{job_id}-{seq}",
        "source": "/darkroom/jobs",
        "type": f"darkroom.job.{status.lower()}",
        "subject": job_id,
        "time": "2026-11-24T10:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "jobId": job_id,
            "seq": seq,
            "status": status,
            "progress": min(seq, 100),
            "attempt": 1,
            "stages": [],
            **data,
        },
    }


def event(seq: int, **data: Any) -> JobEvent:
    return JobEvent.parse(document(seq, **data))


def story(length: int) -> list[JobEvent]:
    """The events of a job, from its first to its end."""
    return [event(seq, status="SUCCEEDED" if seq == length else "RUNNING") for seq in range(1, length + 1)]
