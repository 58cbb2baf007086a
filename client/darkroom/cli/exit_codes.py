"""What the command's exit code says, in one place: the help text and the documentation read it from here."""

from collections.abc import Iterable
from enum import IntEnum

from darkroom.errors import (
    AwsSetupError,
    BadRequestError,
    ConflictError,
    DarkroomError,
    ForbiddenError,
    InvalidArgumentError,
    LetterNotFoundError,
    LocalFileError,
    LogsNotFoundError,
    NotFoundError,
    ProfileError,
    SignInError,
    TooLargeError,
)
from darkroom.models import JobStatus


class ExitCode(IntEnum):
    """Exit codes of `darkroom`. `status` and `list` only look: how a job has ended does not change theirs."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> "ExitCode":
        """Give a member its words."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    SUCCEEDED = 0, "all succeeded"
    JOB_FAILED = 1, "a job failed, a dead letter was not dealt with, or a check of `smoke` failed"
    USAGE = 2, "the command, a file or the profile is not right"
    NOT_SIGNED_IN = 3, "not signed in: run `darkroom login`"
    NOT_FOUND = 4, "none of your jobs, no dead letter and no line of the logs has this id"
    TROUBLE = 5, "Darkroom cannot be reached, or has trouble of its own"
    CONFLICT = 6, "the job's status does not allow it"
    JOB_CANCELLED = 7, "a job was cancelled"
    DETACHED = 130, "detached by Ctrl-C: the jobs go on"


_BY_ERROR: tuple[tuple[type[DarkroomError], ExitCode], ...] = (
    (SignInError, ExitCode.NOT_SIGNED_IN),
    (ForbiddenError, ExitCode.NOT_SIGNED_IN),
    (NotFoundError, ExitCode.NOT_FOUND),
    (LetterNotFoundError, ExitCode.NOT_FOUND),
    (LogsNotFoundError, ExitCode.NOT_FOUND),
    (ConflictError, ExitCode.CONFLICT),
    (BadRequestError, ExitCode.USAGE),
    (InvalidArgumentError, ExitCode.USAGE),
    (LocalFileError, ExitCode.USAGE),
    (ProfileError, ExitCode.USAGE),
    (AwsSetupError, ExitCode.USAGE),
    (TooLargeError, ExitCode.USAGE),
)
_BY_STATUS = {JobStatus.FAILED: ExitCode.JOB_FAILED, JobStatus.CANCELLED: ExitCode.JOB_CANCELLED}

_WORST_FIRST = (
    ExitCode.DETACHED,
    ExitCode.NOT_SIGNED_IN,
    ExitCode.TROUBLE,
    ExitCode.USAGE,
    ExitCode.NOT_FOUND,
    ExitCode.CONFLICT,
    ExitCode.JOB_FAILED,
    ExitCode.JOB_CANCELLED,
    ExitCode.SUCCEEDED,
)


def of_error(error: DarkroomError) -> ExitCode:
    """Choose the code that an error ends the command with."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.TROUBLE)


def of_end(status: JobStatus) -> ExitCode:
    """Choose the code for how a job has ended."""
    return _BY_STATUS.get(status, ExitCode.SUCCEEDED)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Fold the codes of several jobs into one: what kept us from knowing an end outranks a bad end."""
    return min(codes, key=_WORST_FIRST.index, default=ExitCode.SUCCEEDED)


def in_words() -> str:
    """Write the codes as a sentence for people."""
    return "; ".join(f"{code.value} {code.meaning}" for code in ExitCode)
