"""The first row of a job: what its message becomes when it can be done, and when it cannot."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lambdas import config
from lambdas.handlers.costing import cost_of, row_bytes
from lambdas.handlers.job_message import JobMessage
from lambdas.handlers.watching import after_failure, next_look
from lambdas.jobs.cost import Cost
from lambdas.jobs.deadline import deadline_after
from lambdas.jobs.model import Failure, Job, OwedLetter, StageRecord
from lambdas.jobs.prices import Charge, write_units
from lambdas.jobs.status import Status
from lambdas.jobs.submission import Submission
from lambdas.jobs.times import epoch_seconds, now

SECONDS_PER_DAY: Final = 24 * 60 * 60
NOTHING_ASKED: Final = Submission(image_id="", analyses=(), options={}, tags={})
"""Stands for a submission that could not be read."""


def queued_job(message: JobMessage, submission: Submission, stages: Mapping[str, StageRecord]) -> Job:
    """A job that waits to be started; `stages` are what is planned for it."""
    deadline_at = deadline_after(message.sent_at, submission.options)
    return _job(
        message,
        submission,
        status=Status.QUEUED,
        stages=stages,
        deadline_at=deadline_at,
        due_at=next_look(deadline_at),
    )


def failed_job(message: JobMessage, failure: Failure) -> Job:
    """A job that never can be: its owner was told that it is accepted, so it is there to say why not."""
    job = _job(
        message,
        NOTHING_ASKED,
        status=Status.FAILED,
        stages={},
        error=failure,
        owed_letter=OwedLetter(),
        due_at=after_failure(),
        finished_at=now(),
    )
    return replace(job, cost=_cost_of_new(job))


def refused_job(job: Job, failure: Failure) -> Job:
    """A job that was not begun, although it could be: all of it is there for a redrive."""
    return replace(
        job,
        status=Status.FAILED,
        error=failure,
        owed_letter=OwedLetter(),
        due_at=after_failure(),
        finished_at=now(),
        cost=_cost_of_new(job),
    )


def _cost_of_new(job: Job) -> Cost:
    """Price a job that is over when it is written down: no more than a letter comes after that."""
    letter = {Charge.QUEUE_REQUESTS: 1, Charge.TABLE_WRITES: write_units(row_bytes(job))}
    return cost_of(replace(job, version=0), ending=letter)


def lifetime_seconds() -> int:
    """How long rows are kept."""
    return config.integer(config.Variable.RETENTION_DAYS) * SECONDS_PER_DAY


def _job(message: JobMessage, submission: Submission, **fields: Any) -> Job:
    return Job(
        owner=message.attempt.owner,
        job_id=message.attempt.job_id,
        attempt=message.attempt.number,
        image_id=submission.image_id,
        analyses=list(submission.analyses),
        options=submission.options,
        tags=submission.tags,
        created_at=message.sent_at,
        updated_at=now(),
        expires_at=epoch_seconds(message.sent_at) + lifetime_seconds(),
        trace=message.trace,
        **fields,
    )
