"""Jobs as items of the job table, and back. The attribute names of the table are written here and in `keys` only.

A stage's result is one string of JSON: small to store, and free of the table's own number type.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from lambdas.adapters import keys
from lambdas.adapters.item_values import from_item_value, to_item_value
from lambdas.jobs.cost import Cost, Spent
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.model import Failure, Job, OwedLetter, StageRecord
from lambdas.jobs.status import StageStatus, Status

SCHEMA_VERSION: Final = 1
CANCELLED_UNSEEN: Final = "cancelledUnseenAt"
"""On a row that is only this note: the owner has cancelled an id whose message had not been read yet."""
DELETED: Final = "deletedAt"
"""On a row that is only this note: the owner has deleted the job, and no late message or writer may bring it back."""
OWED_LETTER: Final = "owedLetter"
"""On a FAILED row whose dead letter is not known to be sent. The state machine removes it: state `LetterSent`."""
COST: Final = "cost"
"""On the row of a job that has ended."""
_SPENT: Final = {
    "told": "told",
    "ms": "milliseconds",
    "writes": "table_writes",
    "puts": "object_writes",
    "gets": "object_reads",
    "looks": "recognitions",
}
"""Names in the row, which are billed by their length, of what a stage has spent."""

Item = dict[str, Any]


def marshal(values: Mapping[str, Any]) -> Item:
    """Turn plain values into the table's typed ones; None is left out."""
    return {name: to_item_value(value) for name, value in values.items() if value is not None}


def unmarshal(item: Item) -> dict[str, Any]:
    """Turn an item into plain values."""
    return {name: from_item_value(value) for name, value in item.items()}


def key(owner: str, job_id: str) -> Item:
    """Make the key of a row."""
    return marshal({keys.OWNER: owner, keys.JOB_ID: job_id})


def is_note(row: Mapping[str, Any]) -> bool:
    """Tell a note, of an early cancel or of a deletion, from a job."""
    return CANCELLED_UNSEEN in row or DELETED in row


def to_row(job: Job) -> dict[str, Any]:
    """Lay a job out as the attributes of its row."""
    return {
        keys.OWNER: job.owner,
        keys.JOB_ID: job.job_id,
        "schemaVersion": SCHEMA_VERSION,
        "version": job.version,
        "status": job.status.value,
        "attempt": job.attempt,
        "execution": job.current.execution_name,
        "imageId": job.image_id,
        "analyses": list(job.analyses),
        "options": dict(job.options),
        "tags": dict(job.tags),
        "stages": {name: stage_to_row(stage) for name, stage in job.stages.items()},
        "createdAt": job.created_at,
        "updatedAt": job.updated_at,
        "startedAt": job.started_at,
        "cancelRequestedAt": job.cancel_requested_at,
        "finishedAt": job.finished_at,
        "deadlineAt": job.deadline_at,
        "error": failure_to_row(job.error),
        OWED_LETTER: owed_letter_to_row(job.owed_letter),
        "tokens": dict(job.tokens),
        keys.OWNER_AND_STATUS: keys.owner_and_status(job.owner, job.status),
        keys.CREATED_KEY: keys.created_key(job.created_at, job.job_id),
        keys.WATCH_SHARD: keys.watch_shard(job.job_id) if job.due_at else None,
        keys.DUE_AT: job.due_at,
        keys.FINGERPRINT: fingerprint_to_row(job.fingerprint, job.created_at),
        COST: None if job.cost is None else job.cost.text(),
        "trace": job.trace,
        keys.EXPIRES_AT: job.expires_at,
    }


def from_row(row: Mapping[str, Any]) -> Job:
    """Read a job from the attributes of its row."""
    return Job(
        owner=row[keys.OWNER],
        job_id=row[keys.JOB_ID],
        version=int(row["version"]),
        status=Status(row["status"]),
        attempt=int(row["attempt"]),
        image_id=row["imageId"],
        analyses=list(row["analyses"]),
        options={name: int(value) for name, value in row["options"].items()},
        tags=dict(row["tags"]),
        stages={name: _stage_from_row(stage) for name, stage in row["stages"].items()},
        created_at=row["createdAt"],
        updated_at=row["updatedAt"],
        started_at=row.get("startedAt"),
        cancel_requested_at=row.get("cancelRequestedAt"),
        finished_at=row.get("finishedAt"),
        deadline_at=row.get("deadlineAt"),
        trace=row.get("trace"),
        due_at=row.get(keys.DUE_AT),
        error=_failure_from_row(row.get("error")),
        owed_letter=_owed_letter_from_row(row.get(OWED_LETTER)),
        tokens=dict(row.get("tokens", {})),
        fingerprint=fingerprint_from_row(row[keys.FINGERPRINT])[0] if keys.FINGERPRINT in row else None,
        cost=Cost.read(row[COST]) if COST in row else None,
        expires_at=int(row[keys.EXPIRES_AT]),
    )


def stage_to_row(stage: StageRecord) -> dict[str, Any]:
    """Lay one stage's record out as a map."""
    row = {
        "weight": stage.weight,
        "status": stage.status.value,
        "progress": stage.progress,
        "tries": stage.tries,
        "attempt": stage.attempt,
        "startedAt": stage.started_at,
        "finishedAt": stage.finished_at,
        "error": failure_to_row(stage.error),
        "reason": stage.reason,
        "result": None if stage.result is None else json.dumps(stage.result),
        "resultKey": stage.result_key,
        "folder": stage.folder,
        "checksums": dict(stage.checksums) or None,
        "retries": stage.retries or None,
        "triedAt": stage.tried_at,
        "spent": spent_to_row(stage.spent) or None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _stage_from_row(row: Mapping[str, Any]) -> StageRecord:
    return StageRecord(
        weight=int(row["weight"]),
        status=StageStatus(row["status"]),
        progress=int(row["progress"]),
        tries=int(row["tries"]),
        attempt=int(row["attempt"]) if "attempt" in row else None,
        started_at=row.get("startedAt"),
        finished_at=row.get("finishedAt"),
        error=_failure_from_row(row.get("error")),
        reason=row.get("reason"),
        result=json.loads(row["result"]) if "result" in row else None,
        result_key=row.get("resultKey"),
        folder=row.get("folder"),
        checksums=dict(row.get("checksums", {})),
        retries=int(row.get("retries", 0)),
        tried_at=row.get("triedAt"),
        spent=Spent(**{_SPENT[name]: int(count) for name, count in row.get("spent", {}).items()}),
    )


def spent_to_row(spent: Spent) -> dict[str, int]:
    """Lay out what a stage has spent as a map; what is nothing is left out."""
    return {name: count for name, attribute in _SPENT.items() if (count := getattr(spent, attribute))}


def fingerprint_to_row(fingerprint: Fingerprint | None, created_at: str) -> str | None:
    """Write what a job is found by as its key in the index; None keeps the job out of it."""
    if fingerprint is None:
        return None
    return keys.fingerprint_key(fingerprint.perceptual, fingerprint.difference, created_at)


def fingerprint_from_row(text: str) -> tuple[Fingerprint, str]:
    """Read a key of the index: the fingerprint, and when the job was accepted."""
    perceptual, difference, created_at = text.split("#")
    return Fingerprint(perceptual=perceptual, difference=difference), created_at


def failure_to_row(failure: Failure | None) -> dict[str, Any] | None:
    """Lay out why something failed as a map."""
    if failure is None:
        return None
    row = {"class": failure.error_class, "message": failure.message, "stage": failure.stage}
    return {name: value for name, value in row.items() if value is not None}


def _failure_from_row(row: Mapping[str, Any] | None) -> Failure | None:
    return None if row is None else Failure(error_class=row["class"], message=row["message"], stage=row.get("stage"))


def owed_letter_to_row(letter: OwedLetter | None) -> dict[str, Any] | None:
    """Lay out, as a map, what a dead letter says beyond the row; an empty one still says that it is owed."""
    if letter is None:
        return None
    row = {"cause": letter.cause, "executionArn": letter.execution_arn}
    return {name: value for name, value in row.items() if value is not None}


def _owed_letter_from_row(row: Mapping[str, Any] | None) -> OwedLetter | None:
    return None if row is None else OwedLetter(cause=row.get("cause"), execution_arn=row.get("executionArn"))
