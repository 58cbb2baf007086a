"""Names in the job table and in the bucket, and how keys are made. The stack creates what these name."""

import zlib
from typing import Final

OWNER: Final = "owner"
"""Partition key: the subject of the verified token."""
JOB_ID: Final = "jobId"
"""Sort key. Owner and id together are the key, so nobody can squat on, or probe, another's id."""
EXPIRES_AT: Final = "expiresAt"
"""Seconds since the epoch; the table's time to live."""

BY_OWNER_INDEX: Final = "byOwner"
"""Owner's jobs by age; keys only, so that progress costs no write here."""
BY_OWNER_AND_STATUS_INDEX: Final = "byOwnerAndStatus"
"""The same for one status; keys only."""
OWNER_AND_STATUS: Final = "ownerAndStatus"
CREATED_KEY: Final = "createdKey"
"""Sort key of both indexes: when the job was accepted, then its id, so that no two are equal."""

BY_DUE_INDEX: Final = "byDue"
"""Jobs with something left that could go wrong, by when the reconciler looks at them; sparse, keys only."""
WATCH_SHARD: Final = "watchShard"
WATCH_SHARDS: Final = tuple("0123")
"""A partition of an index takes 1,000 writes a second: with four, 2,000 jobs a second can begin and end."""
DUE_AT: Final = "dueAt"

BY_FINGERPRINT_INDEX: Final = "byFingerprint"
"""An owner's succeeded jobs by what their pictures look like; sparse, keys only."""
FINGERPRINT: Final = "fingerprint"
"""Sort key of that index: pHash, dHash and when the job was accepted. Written with the job's end, and never changed."""

UPLOAD_PREFIX: Final = "uploads/"
JOB_PREFIX: Final = "jobs/"


def owner_and_status(owner: str, status: str) -> str:
    """Partition key of the index by status."""
    return f"{owner}#{status}"


def created_key(created_at: str, job_id: str) -> str:
    """Sort key of the indexes."""
    return f"{created_at}#{job_id}"


def fingerprint_key(perceptual: str, difference: str, created_at: str) -> str:
    """Sort key of the index by fingerprint."""
    return f"{perceptual}#{difference}#{created_at}"


def watch_shard(job_id: str) -> str:
    """Partition key of the index by due time."""
    return WATCH_SHARDS[zlib.crc32(job_id.encode()) % len(WATCH_SHARDS)]


def upload_key(owner: str, image_id: str) -> str:
    """Where the upload of an image is: derived, never taken from a request."""
    return f"{UPLOAD_PREFIX}{owner}/{image_id}"


def job_prefix(owner: str, job_id: str) -> str:
    """Everything that a job has made is below this."""
    return f"{JOB_PREFIX}{owner}/{job_id}/"


def artefact_key(owner: str, job_id: str, name: str) -> str:
    """Where an artefact of a job is."""
    return f"{job_prefix(owner, job_id)}{name}"
