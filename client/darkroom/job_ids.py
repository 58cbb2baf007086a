"""Ids of jobs, made here: UUIDv7 (RFC 9562), so that repeating a submission is harmless and ids sort by time."""

import re
import secrets
import uuid

from darkroom.errors import InvalidArgumentError

_ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = 7


def new_job_id(now: float) -> str:
    """Make an id that carries the time `now` (seconds since 1970) to the millisecond."""
    value = (int(now * 1000) & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | _VERSION << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def made_at(job_id: str) -> float | None:
    """Tell when an id was made, in seconds since 1970; None when it is no UUIDv7."""
    try:
        value = uuid.UUID(job_id)
    except ValueError:
        return None
    return (value.int >> 80) / 1000 if value.version == _VERSION else None


def checked(job_id: str) -> str:
    """Return the id. Raises InvalidArgumentError when it cannot be one, so that no path is made of it."""
    if not _ALLOWED.fullmatch(job_id):
        raise InvalidArgumentError(f"{job_id!r} cannot be the id of a job: 1 to 64 of A-Z, a-z, 0-9, _ and -.")
    return job_id
