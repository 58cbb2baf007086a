"""Changes of a job as events: the schema `JobEvent` of openapi.yaml, in the envelope of CloudEvents 1.0.

A job's row counts its own changes, and each of them is one event: so `seq` has no gap and no repeat, whoever tells of
it and however often. Changes that only concern the reconciler do not count, and are no events.
"""

import hashlib
from typing import Any, Final

from lambdas.handlers import views
from lambdas.jobs.model import Job, StageRecord
from lambdas.jobs.status import StageStatus

SOURCE: Final = "/darkroom/jobs"
SPEC_VERSION: Final = "1.0"
_OWNER_HASH_LENGTH: Final = 12


def event_between(before: Job | None, after: Job) -> dict[str, Any] | None:
    """Tell what a write of a job's row has changed; None when it is nothing that concerns anybody."""
    if before is not None and before.version == after.version:
        return None
    changed = _changed_stages(before, after)
    data = {
        "jobId": after.job_id,
        "seq": after.version,
        "status": after.status.value,
        "progress": after.progress,
        "attempt": after.attempt,
        "stages": [_shown(after, name) for name in changed],
    }
    error = views.failure(after.error)
    return {
        "specversion": SPEC_VERSION,
        "id": f"{_owner_hash(after.owner)}-{after.job_id}-{after.version}",
        "source": SOURCE,
        "type": _type(before, after, changed),
        "subject": after.job_id,
        "time": after.updated_at,
        "datacontenttype": "application/json",
        "data": data if error is None else data | {"error": error},
    }


def _changed_stages(before: Job | None, after: Job) -> list[str]:
    """Names of the stages that are shown otherwise now. Of a new job, those that it will never come to."""
    if before is None:
        return [name for name, record in after.stages.items() if record.status is StageStatus.SKIPPED]
    return [name for name in after.stages if name not in before.stages or _shown(before, name) != _shown(after, name)]


def _shown(job: Job, name: str) -> dict[str, Any]:
    return views.stage(job, name, job.stages[name])


def _type(before: Job | None, after: Job, changed: list[str]) -> str:
    """Name the change: the job's status before a stage's, and a stage's before mere progress."""
    if before is None or (before.status, before.attempt) != (after.status, after.attempt):
        return f"darkroom.job.{after.status.lower()}"
    if changed and _has_moved(before.stages.get(changed[0]), after.stages[changed[0]]):
        return f"darkroom.stage.{after.stages[changed[0]].status.lower()}"
    return "darkroom.job.progressed"


def _has_moved(before: StageRecord | None, after: StageRecord) -> bool:
    return before is None or (before.status, before.tries) != (after.status, after.tries)


def _owner_hash(owner: str) -> str:
    """So that an event's id is unique among all owners, and names none of them."""
    return hashlib.sha256(owner.encode()).hexdigest()[:_OWNER_HASH_LENGTH]
