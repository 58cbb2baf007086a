"""A redrive by an operator who has a dead letter in hand; owners ask for theirs by the job."""

from enum import StrEnum

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


def redrive_letter(table: JobTable, letter: Attempt) -> tuple[Outcome, Job | None, str]:
    """Start a new attempt at the job whose attempt the letter names; return what became of it, the job, and words."""
    job = table.get(letter.owner, letter.job_id)
    if job is None:
        return Outcome.NOT_FOUND, None, "There is no such job any more."
    if job.attempt != letter.number or job.status is not Status.FAILED:
        return Outcome.MOVED_ON, job, f"The job is {job.status} at attempt {job.attempt}."
    try:
        queued = redrive(table, job)
    except CannotRedriveError as refused:
        return Outcome.REFUSED, refused.job, str(refused)
    return Outcome.REDRIVEN, queued, f"The job is {queued.status} at attempt {queued.attempt}."
