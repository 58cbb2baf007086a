"""Reads the job table's stream: writes each change of a job down as an event, and tells the bus of it.

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
from lambdas.handlers.logs import logger
from lambdas.jobs.model import Job


def handler(event: dict[str, Any], _context: Any) -> None:
    """Deal with one batch of the stream. Raises TransientError: then it comes again."""
    told = [(job, change) for job, change in _changes(event["Records"])]
    if not told:
        return
    EventLog(config.text(config.Variable.EVENT_TABLE)).append(
        (job.owner, job.expires_at, change) for job, change in told
    )
    event_bus.publish(config.text(config.Variable.EVENT_BUS_NAME), [change for _, change in told])
    logger.info("Events are published", extra={"events": len(told)})


def _changes(records: list[Mapping[str, Any]]) -> Iterator[tuple[Job, dict[str, Any]]]:
    for record in records:
        images = record["dynamodb"]
        after = job_in(images.get("NewImage"))
        # A row that expires, or a note of an early cancel, is no change of a job.
        if after is not None and (change := event_between(job_in(images.get("OldImage")), after)):
            yield after, change
