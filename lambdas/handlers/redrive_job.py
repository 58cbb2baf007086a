"""A redrive asked for by an operator who has a dead letter in hand; owners ask through the API.

Invoked directly, by whoever may invoke it: its rights are the operators' rights.
"""

from enum import StrEnum
from typing import Any

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.handlers.redriving import CannotRedriveError, redrive
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import Status


class Outcome(StrEnum):
    """What became of the request."""

    REDRIVEN = "REDRIVEN"
    """The job is at its next attempt, by this request or an earlier one."""
    MOVED_ON = "MOVED_ON"
    """The job is past the attempt that the letter is about: the letter is out of date."""
    REFUSED = "REFUSED"
    NOT_FOUND = "NOT_FOUND"
    """The job's row has expired."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Redrive one job; `event` has the `owner`, `jobId` and `attempt` of its dead letter. Raises KeyError without."""
    letter = Attempt.from_payload(event)
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    job = table.get(letter.owner, letter.job_id)
    if job is None:
        return _answer(Outcome.NOT_FOUND, None, "There is no such job any more.")
    if job.attempt != letter.number or job.status is not Status.FAILED:
        return _answer(Outcome.MOVED_ON, job, f"The job is {job.status} at attempt {job.attempt}.")
    try:
        queued = redrive(table, job)
    except CannotRedriveError as refused:
        return _answer(Outcome.REFUSED, refused.job, str(refused))
    return _answer(Outcome.REDRIVEN, queued, f"The job is {queued.status} at attempt {queued.attempt}.")


def _answer(outcome: Outcome, job: Job | None, detail: str) -> dict[str, Any]:
    return {
        "outcome": outcome.value,
        "status": job.status.value if job else None,
        "attempt": job.attempt if job else None,
        "detail": detail,
    }
