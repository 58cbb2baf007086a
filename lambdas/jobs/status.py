"""The statuses of a job and the changes between them that are allowed: the one place where they are written down.

The table below makes the condition of every status write, the enum of the API document and the picture in the docs.
"""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where a job is in its life."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    # FAILED: the job could not be started. CANCELLED: no execution has begun to work on it.
    Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELLED}),
    Status.RUNNING: frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLING}),
    # Not to SUCCEEDED: a cancel that was accepted is not forgotten. FAILED: the clean-up itself failed.
    Status.CANCELLING: frozenset({Status.CANCELLED, Status.FAILED}),
    # A redrive: of the work, or of the clean-up after a cancel that had failed.
    Status.FAILED: frozenset({Status.QUEUED, Status.CANCELLING}),
    Status.SUCCEEDED: frozenset(),
    Status.CANCELLED: frozenset(),
}

ENDS = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
"""Nothing runs any more. FAILED may be left again by a redrive, which is a new attempt."""

OPEN = frozenset(Status) - ENDS
"""Something is still to be done for the job: what counts against its owner's limit."""

CANCELLATION = frozenset({Status.CANCELLING, Status.CANCELLED})

ON_CANCEL: Mapping[Status, Status] = {
    status: target
    for status in Status
    for target in (Status.CANCELLED, Status.CANCELLING)
    if target in TRANSITIONS[status] and status not in CANCELLATION | ENDS
}
"""Where the owner's cancel leads from each status that it is possible in."""


def on_redrive(*, cancel_requested: bool) -> Status:
    """Say where a redrive leads: what the owner no longer wants is cleaned up, and not worked on."""
    return Status.CANCELLING if cancel_requested else Status.QUEUED


def sources(target: Status) -> tuple[Status, ...]:
    """List the statuses from which `target` may be reached, in the order of a job's life."""
    return tuple(status for status in Status if target in TRANSITIONS[status])


class StageStatus(StrEnum):
    """Where one stage of a job is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    """Shown, never stored: it was running when the job ended for another reason."""


STAGE_CLOSED = (StageStatus.DONE, StageStatus.SKIPPED)
"""There is nothing left to do for it, in this attempt or a later one."""
