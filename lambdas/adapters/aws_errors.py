"""Turns what AWS says went wrong into Darkroom's words, so that the state machine can tell what to try again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from lambdas.adapters.wire import Response, UnreachedError
from lambdas.jobs.errors import TransientError

# The codes by which the services called here say "later"; AWS's SDKs try again by the same names.
TRANSIENT_CODES: Final = frozenset(
    {
        "ExecutionLimitExceeded",
        "InternalError",
        "InternalServerError",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
CLOCK_CODES: Final = frozenset({"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"})
"""What may mean that the clock is off: the signature has its time in it."""


class ClientError(Exception):
    """AWS has answered that it will not do it. `answer` is the whole error where it is JSON."""

    def __init__(self, code: str, message: str, response: Response, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.response = response
        self.answer = answer


def code_of(error: ClientError) -> str:
    """Name the error as the service does."""
    return error.code


def is_transient(error: ClientError) -> bool:
    """Tell whether the same call is likely to work later."""
    return error.code in TRANSIENT_CODES or error.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise TransientError for what is worth trying again; let everything else through as it is."""
    try:
        yield
    except ClientError as error:
        if not is_transient(error):
            raise
        raise TransientError(f"{doing}: AWS answered {error.code}.") from error
    except UnreachedError as error:
        raise TransientError(f"{doing}: AWS could not be reached ({error}).") from error
