"""What can go wrong, as exceptions whose messages say what to do about it.

    DarkroomError
    ├── ProblemError              the API refused, and said why in a problem document (`error.problem`)
    │   ├── BadRequestError       400, 413, 415, 422: the request breaks a rule
    │   ├── ForbiddenError        403: signed in, but not allowed
    │   ├── NotFoundError         404: none of your jobs has this id
    │   ├── ConflictError         409: the job's status does not allow it
    │   ├── TooManyRequestsError  429: still too many after all tries
    │   └── ServerError           5xx: still failing after all tries
    ├── SignInError
    │   ├── NotSignedInError      no sign-in, or one that has ended
    │   └── SignInRefusedError    wrong password, unknown user, a challenge that cannot be answered or not any more
    │       └── AnswerRefusedError  a new password or a code that the user pool does not like: try another
    ├── ConnectionLostError       no answer after all tries
    ├── UnexpectedAnswerError     an answer that is not Darkroom's
    ├── EventsMissingError        a job is over, and the events that led there are not to be had
    ├── StorageError              the image store refused an upload or a download
    │   └── TooLargeError         the image is larger than Darkroom takes
    ├── ProfileError              no profile, or one that cannot be used
    ├── LocalFileError            a file on this machine cannot be read or written
    ├── AwsError                  of the operators' commands, which speak to AWS
    │   ├── AwsSetupError         no boto3, no credentials, no such queue or function, or not allowed to
    │   ├── AwsUnreachableError   no connection after all tries
    │   └── AwsFailureError       AWS, or a function of Darkroom's on it, failed at one thing
    ├── LetterNotFoundError       no dead letter answers to this id
    ├── LogsNotFoundError         no line of the logs is about this job
    ├── NotAsExpectedError        a check of `darkroom.smoke` found something else than it should
    └── InvalidArgumentError      refused before anything was sent

A job that fails is no exception here: it is a `Job` with the status FAILED and an `error`.
"""

from darkroom.problem import Problem


class DarkroomError(Exception):
    """Any of them; never raised itself."""


class ProblemError(DarkroomError):
    """The API answered with a problem document."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.sentence())
        self.problem = problem
        self.retry_after = retry_after
        """Seconds after which the API says to look again."""


class BadRequestError(ProblemError):
    """The request breaks a rule of the API; nothing was enqueued."""


class ForbiddenError(ProblemError):
    """The signed-in user may not do this."""


class NotFoundError(ProblemError):
    """None of the user's jobs has this id."""


class ConflictError(ProblemError):
    """The job's status does not allow it."""


class TooManyRequestsError(ProblemError):
    """The API asks to slow down, and went on asking."""


class ServerError(ProblemError):
    """A fault of Darkroom's own; repeating the call is safe."""


class SignInError(DarkroomError):
    """Something about who you are; never raised itself."""


class NotSignedInError(SignInError):
    """There is no sign-in to use, or it has ended."""


class SignInRefusedError(SignInError):
    """The user pool did not let the user in."""


class AnswerRefusedError(SignInRefusedError):
    """The user pool did not like an answer to what it asks for besides the password, and takes another."""


class ConnectionLostError(DarkroomError):
    """No answer arrived, however often it was tried."""


class UnexpectedAnswerError(DarkroomError):
    """Something answered that does not speak Darkroom's language: a proxy, another service, a newer version."""


class EventsMissingError(DarkroomError):
    """A job is over, and the events that led there are not to be had; the job itself says how it has ended."""


class StorageError(DarkroomError):
    """The image store refused."""


class TooLargeError(StorageError):
    """The image is larger than Darkroom takes."""


class ProfileError(DarkroomError):
    """There is no profile, or it cannot be used."""


class LocalFileError(DarkroomError):
    """A file on this machine cannot be read or written."""


class AwsError(DarkroomError):
    """Something between an operator's command and AWS; never raised itself."""


class AwsSetupError(AwsError):
    """Nothing of the kind will work before the operator has put something right."""


class AwsUnreachableError(AwsError):
    """No connection came about, however often it was tried."""


class AwsFailureError(AwsError):
    """AWS was reached and failed at one thing; another may well work."""


class LetterNotFoundError(DarkroomError):
    """No dead letter answers to an id, or none that can be seen at the moment."""


class LogsNotFoundError(DarkroomError):
    """No line of the logs is about a job, in the time that was searched."""


class NotAsExpectedError(DarkroomError):
    """Something works otherwise than it should; the message says what was found."""


class InvalidArgumentError(DarkroomError, ValueError):
    """A value that cannot be right; nothing was sent."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: TooManyRequestsError,
}
_FIRST_SERVER_STATUS = 500


def problem_error(problem: Problem, retry_after: float | None = None) -> ProblemError:
    """Choose the exception that a problem is raised as."""
    if problem.status >= _FIRST_SERVER_STATUS:
        return ServerError(problem, retry_after)
    return _BY_STATUS.get(problem.status, BadRequestError)(problem, retry_after)
