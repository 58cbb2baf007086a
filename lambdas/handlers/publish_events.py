"""Reads the job table's stream: writes each change of a job down as an event, and tells watchers and the bus of it.

Knows of changes after they have happened: whatever fails here, no job waits for it. The stream gives a batch again
until it is dealt with, so everything here may be repeated. A row that cannot be read is noted where a person can look
at it, and holds up no other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lambdas import config
from lambdas.adapters import event_bus, queues
from lambdas.adapters.event_log import EventLog
from lambdas.adapters.row_writes import job_in
from lambdas.handlers.job_events import event_between
from lambdas.handlers.logs import about_nobody, logger
from lambdas.handlers.metrics import count, count_one
from lambdas.handlers.pushing import push
from lambdas.jobs.measures import Name, measures_of
from lambdas.jobs.model import Job

Records = list[Mapping[str, Any]]


class Change(NamedTuple):
    """What a write has made of a row: jobs where the row was or is one, and not a note of a cancel or of a deletion."""

    before: Job | None
    after: Job | None
    is_there: bool
    """Whether there is still a row: one that has expired is gone."""


def handler(event: dict[str, Any], _context: Any) -> None:
    """Deal with one batch of the stream. Raises TransientError: then it comes again."""
    about_nobody()
    changes = list(_changes(event["Records"]))
    told = list(_told(changes))
    log = EventLog(config.text(config.Variable.EVENT_TABLE))
    log.append((job.owner, job.expires_at, change) for job, change in told)
    push((job.owner, change) for job, change in told)
    event_bus.publish(config.text(config.Variable.EVENT_BUS_NAME), [change for _, change in told])
    for job in _deleted(changes):
        log.forget(job.owner, job.job_id, job.version)
    # Last, so that a batch which failed half-way and comes again is counted once.
    count(measure for before, after, _ in changes if after for measure in measures_of(before, after))
    logger.debug("Events are published", extra={"events": len(told)})


def _changes(records: Records) -> Iterator[Change]:
    for record in records:
        images = record["dynamodb"]
        try:
            yield Change(job_in(images.get("OldImage")), job_in(images.get("NewImage")), "NewImage" in images)
        except (KeyError, TypeError, ValueError) as error:  # a row that Darkroom has not written
            _put_aside(record, error)


def _put_aside(record: Mapping[str, Any], error: Exception) -> None:
    """Note a change that no attempt can tell of: which row it was, not what is in it."""
    cause = f"{type(error).__name__}: {error}"
    logger.error("A row cannot be read; its change is told to nobody", extra={"reason": cause})
    count_one(Name.EVENTS_FAILED)
    note = {
        "keys": record["dynamodb"].get("Keys"),
        "sequenceNumber": record["dynamodb"].get("SequenceNumber"),
        "cause": f"The row cannot be read: {cause}",
    }
    queues.send_note(config.text(config.Variable.EVENT_FAILURES_URL), note)


def _told(changes: list[Change]) -> Iterator[tuple[Job, dict[str, Any]]]:
    for before, after, _ in changes:
        if after is not None and (event := event_between(before, after)):
            yield after, event


def _deleted(changes: list[Change]) -> Iterator[Job]:
    """Jobs as they were when their owner deleted them: the note took the place of the row."""
    return (change.before for change in changes if change.before and change.is_there and change.after is None)
