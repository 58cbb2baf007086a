"""Which stages have anything to do for a job: told when it is submitted, or by its image where only that can tell.

What is not wanted is SKIPPED in the row, so that it is not invoked, or returns at once.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lambdas import config
from lambdas.jobs.model import Job, StageRecord
from lambdas.jobs.status import STAGE_CLOSED, StageStatus
from lambdas.stages.catalogue import BY_NAME, LARGE_PIXELS, STAGES, Stage, Unasked

if TYPE_CHECKING:  # stages start without it
    from lambdas.jobs.submission import Submission

NEEDS_AWS: Final = (
    "It needs Amazon Rekognition, a service of AWS, and the setting `labels` of this deployment is off: on a laptop, "
    "because nothing there can stand in for it."
)
NOT_LARGE: Final = "The image has fewer than 50 megapixels, and `analyses` does not name it."


def plan(submission: "Submission") -> dict[str, StageRecord]:
    """What a new job remembers of each stage: that it is still to be done, or that it is skipped, and why."""
    return {stage.name: _planned(stage, submission) for stage in STAGES}


def _planned(stage: Stage, submission: "Submission") -> StageRecord:
    if not _may_be_wanted(stage, submission):
        return StageRecord(weight=stage.weight, status=StageStatus.SKIPPED)
    if stage.asks_rekognition and not config.flag(config.Variable.LABELS):
        return StageRecord(weight=stage.weight, status=StageStatus.SKIPPED, reason=NEEDS_AWS)
    return StageRecord(weight=stage.weight)


def _may_be_wanted(stage: Stage, submission: "Submission") -> bool:
    if not stage.optional or stage.name in submission.analyses:
        return True
    return stage.unasked is Unasked.RUN_IF_LARGE and not submission.names_analyses


def needless(job: Job, facts: Mapping[str, Any]) -> dict[str, str]:
    """Name the stages that, by what inspect has found out, this image does not need, each with the reason.

    A stage that is open although nobody has named it waits for this: it is for large images.
    """
    if int(facts.get("width", 0)) * int(facts.get("height", 0)) >= LARGE_PIXELS:
        return {}
    return {
        name: NOT_LARGE
        for name, record in job.stages.items()
        if _is_for_large_images(name) and name not in job.analyses and record.status not in STAGE_CLOSED
    }


def _is_for_large_images(name: str) -> bool:
    return name in BY_NAME and BY_NAME[name].unasked is Unasked.RUN_IF_LARGE


def has_extras(job: Job) -> bool:
    """Tell whether a stage that few jobs want is still to be done for this one."""
    return any(
        name in BY_NAME and BY_NAME[name].is_extra and record.status not in STAGE_CLOSED
        for name, record in job.stages.items()
    )
