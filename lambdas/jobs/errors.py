"""The ways in which a job can go wrong: the names that the state machine's Retry and Catch match on.

    JobError
    ├── TransientError        worth trying again: throttled, network, a 5xx of a service
    ├── StageTimeout          the stage ran out of its time; tried once more
    ├── InvalidInput          the job itself cannot be done; never tried again
    │   ├── InvalidImage      the bytes are no image that can be analysed
    │   ├── ImageNotFound     nothing was uploaded under the image's id
    │   └── InvalidJob        the submission breaks a rule of the API
    ├── ArtefactLost          what an earlier stage made is gone or was replaced; a redrive makes it again
    ├── DeadlineExceeded      the job was not done in the time that its owner gave it; never tried again
    ├── TooManyJobs           its owner had as many unfinished jobs as an owner may; a redrive helps when some are done
    ├── StartFailed           the execution could not be started, however often the queue delivered the message
    ├── JobCancelled          the owner no longer wants it; never tried again, leads to CleanUp
    ├── JobSuperseded         this attempt is over, by another attempt or by an end; never tried again
    └── UnexpectedError       everything else; tried a little, then dead-lettered

Step Functions compares names exactly, without regard to inheritance: a contract test holds these classes and the state
machine together. Messages are sentences for the owner of the job: what is wrong and what to do about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """One thing that is wrong with a request: where, and what would be right."""

    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class JobError(Exception):
    """Any of them; never raised itself."""

    redrive_can_help: ClassVar[bool] = False


class TransientError(JobError):
    """A throttle, a lost connection or a 5xx: the same call is likely to work later."""

    redrive_can_help = True


class StageTimeout(JobError):  # noqa: N818 - the name is part of the state machine's vocabulary, beside States.Timeout
    """The stage did not finish in its time."""

    redrive_can_help = True


class InvalidInput(JobError):  # noqa: N818 - a family; its members are what is raised
    """The job cannot be done as it was asked for; never raised itself."""


class InvalidImage(InvalidInput):
    """The uploaded bytes are not an image that can be analysed."""


class ImageNotFound(InvalidInput):
    """There is no upload under the image's id; uploading it and redriving helps."""

    redrive_can_help = True


class InvalidJob(InvalidInput):
    """The submission breaks rules of the API that the gateway did not see; `broken` says which, where known."""

    def __init__(self, message: str, broken: Sequence[BrokenRule] = ()) -> None:
        super().__init__(message)
        self.broken = tuple(broken)


class ArtefactLost(JobError):  # noqa: N818 - an outcome
    """A file that an earlier stage has stored is not there any more, or is not what was stored."""

    redrive_can_help = True


class DeadlineExceeded(JobError):  # noqa: N818 - an outcome
    """The job was not done within its deadline; a redrive has as long again."""

    redrive_can_help = True


class TooManyJobs(JobError):  # noqa: N818 - an outcome
    """The owner had as many unfinished jobs as an owner may have; the job can be redriven when some are done."""

    redrive_can_help = True


class StartFailed(JobError):  # noqa: N818 - an outcome
    """The job was accepted and its execution could not be started."""

    redrive_can_help = True


class JobCancelled(JobError):  # noqa: N818 - an outcome
    """The owner has cancelled the job."""


class JobSuperseded(JobError):  # noqa: N818 - an outcome
    """Another attempt, or an end, has taken the place of this attempt: it must not write any more."""


class UnexpectedError(JobError):
    """A fault in Darkroom itself, or one that it does not know yet."""

    redrive_can_help = True


def redrive_can_help(error_class: str) -> bool:
    """Tell whether a new attempt may succeed where one has died of `error_class`.

    Names that are not ours (`States.Timeout`, `Lambda.Unknown`, ...) are faults of the machinery, where it may.
    """
    by_name = {cls.__name__: cls for cls in _members(JobError)}
    return by_name[error_class].redrive_can_help if error_class in by_name else True


def is_known(error_class: str) -> bool:
    """Tell whether a class of errors is one of ours."""
    return error_class in {cls.__name__ for cls in _members(JobError)}


def _members(cls: type[JobError]) -> list[type[JobError]]:
    return [cls, *(member for sub in cls.__subclasses__() for member in _members(sub))]
