"""When the reconciler looks at a job: every job that is not over for good is on its list, with the time it is due."""

from typing import Final

from lambdas import config
from lambdas.jobs.times import later, now
from lambdas.stages.catalogue import STAGES

MARGIN_SECONDS: Final = 30
LATE_WRITERS_SECONDS: Final = max(stage.timeout_seconds for stage in STAGES) + MARGIN_SECONDS
"""Step Functions stops no function that is at work: for so long after a cancel, one may still store something."""


def next_look(deadline_at: str | None) -> str:
    """Say when a job that is under way is looked at: when it may have stood still for too long, or is to be over."""
    patient = later(config.integer(config.Variable.PATIENCE_SECONDS))
    return deadline_at if deadline_at is not None and now() < deadline_at < patient else patient


def after_failure() -> str:
    """Say when a dead letter that is still owed is to be sent by the reconciler."""
    return later(config.integer(config.Variable.PATIENCE_SECONDS))


def after_late_writers() -> str:
    """Say when nobody can store anything any more for a job that is cancelled now."""
    return later(LATE_WRITERS_SECONDS)
