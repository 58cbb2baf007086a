"""What went wrong, in words for the owner: made of what Step Functions knows of a failed state.

A cause comes from a function as JSON with its error's message, from anything else as text of the machinery. Only
messages of Darkroom's own errors are written for owners; everything else is told by its class, and its text is for
operators.
"""

import json
from collections.abc import Collection
from typing import Final

from lambdas.jobs import errors
from lambdas.jobs.errors import DeadlineExceeded
from lambdas.jobs.model import BEFORE_THE_FIRST_STAGE, BETWEEN_STAGES, Failure, Job

MAX_MESSAGE: Final = 1_000
MAX_CAUSE: Final = 2_000
"""How much of the machinery's text a dead letter carries, in characters."""
OURS: Final = frozenset(name for name in vars(errors) if isinstance(getattr(errors, name), type))
OUT_OF_TIME: Final = "The stage {stage} did not finish in its time, although it was tried again."
DIED: Final = "The stage {stage} died while it worked, most likely for want of memory."
NOT_RUN: Final = "The stage {stage} could not be run ({error_class}). This is a fault of Darkroom and not of the image."
WORDS: Final = {
    "States.Timeout": OUT_OF_TIME,
    "Sandbox.Timedout": OUT_OF_TIME,
    "Lambda.Unknown": DIED,
    "Runtime.ExitError": DIED,
    "Runtime.OutOfMemory": DIED,
}


TOO_LATE: Final = "The job was not done within its deadline, {deadline}. Redrive it to give it as long again."

ENDS_UNSEEN: Final = {
    "ABORTED": ("ExecutionAborted", "Somebody stopped the work on this job. Redrive it if it is still wanted."),
    "TIMED_OUT": ("ExecutionTimedOut", "The work on this job took longer than any job may."),
    "FAILED": ("ExecutionFailed", "The work on this job failed in a way that Darkroom could not handle."),
    "SUCCEEDED": ("ExecutionEndedEarly", "The work on this job ended before it was done. This is a fault of Darkroom."),
}
"""By the execution's status: the error's class, where the execution names none, and the words."""


def explain(error_class: str, cause: str, *, stage: str, stages: Collection[str]) -> Failure:
    """Tell which stage failed and why.

    A parallel state passes its branch's cause on with the stage's name and a colon before it: `palette: ...`.
    """
    name, colon, rest = cause.partition(": ")
    if colon and name in stages:
        stage, cause = name, rest
    message = _own_message(cause) if error_class in OURS else None
    words = message or WORDS.get(error_class, NOT_RUN).format(stage=stage, error_class=error_class)
    return Failure(error_class=error_class, message=words[:MAX_MESSAGE], stage=stage)


def explain_end(
    status: str, error_class: str | None, cause: str | None, *, stage: str, stages: Collection[str]
) -> Failure:
    """Tell why an execution has ended without settling its job; `status` is its own, such as ABORTED.

    One that could not settle its job by itself ends with what had failed before that.
    """
    if error_class in OURS or error_class in WORDS:
        return explain(str(error_class), cause or "", stage=stage, stages=stages)
    ended_as, words = ENDS_UNSEEN[status]
    return Failure(error_class=error_class or ended_as, message=words, stage=stage)


def too_late(job: Job) -> Failure:
    """Say that a job's deadline is over."""
    return Failure(
        error_class=DeadlineExceeded.__name__,
        message=TOO_LATE.format(deadline=job.deadline_at),
        stage=BEFORE_THE_FIRST_STAGE if job.started_at is None else BETWEEN_STAGES,
    )


def _own_message(cause: str) -> str | None:
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, TypeError, KeyError):
        return None
    return message if isinstance(message, str) and message else None
