"""Reads the job table's stream: writes each change of a job down as an event, and tells watchers and the bus of it.

Knows of changes after they have happened: whatever fails here, no job waits for it. The stream gives a batch again
until it is dealt with, so everything here may be repeated.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas import config
from lambdas.adapters import event_bus
from lambdas.adapters.event_log import EventLog
from lambdas.adapters.row_writes import job_in
from lambdas.handlers.job_events import event_between
from lambdas.handlers.logs import about_nobody, logger
from lambdas.handlers.pushing import push
from lambdas.jobs.model import Job

Records = list[Mapping[str, Any]]


def handler(event: dict[str, Any], _context: Any) -> None:
    """Deal with one batch of the stream. Raises TransientError: then it comes again."""
    about_nobody()
    told = list(_changes(event["Records"]))
    log = EventLog(config.text(config.Variable.EVENT_TABLE))
    log.append((job.owner, job.expires_at, change) for job, change in told)
    push((job.owner, change) for job, change in told)
    event_bus.publish(config.text(config.Variable.EVENT_BUS_NAME), [change for _, change in told])
    for job in _deleted(event["Records"]):
        log.forget(job.owner, job.job_id, job.version)
    logger.debug("Events are published", extra={"events": len(told)})


def _changes(records: Records) -> Iterator[tuple[Job, dict[str, Any]]]:
    for record in records:
        images = record["dynamodb"]
        after = job_in(images.get("NewImage"))
        # A row that expires, or a note of an early cancel or of a deletion, is no change of a job.
        if after is not None and (change := event_between(job_in(images.get("OldImage")), after)):
            yield after, change


def _deleted(records: Records) -> Iterator[Job]:
    """Jobs as they were when their owner deleted them: the note took the place of the row."""
    for record in records:
        images = record["dynamodb"]
        before = job_in(images.get("OldImage"))
        if before is not None and "NewImage" in images and job_in(images["NewImage"]) is None:
            yield before
