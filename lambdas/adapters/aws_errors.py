"""Turns what AWS says went wrong into Darkroom's words, so that the state machine can tell what to try again."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from botocore import exceptions
from botocore.exceptions import ClientError

from lambdas.jobs.errors import TransientError

# The codes by which the services called here say "later"; the SDK's own retry knows them under the same names.
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


# The last: the connection broke while the body was read.
UNREACHED: Final = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)


def code_of(error: ClientError) -> str:
    """Name the error as the service does."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def is_transient(error: ClientError) -> bool:
    """Tell whether the same call is likely to work later."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return code_of(error) in TRANSIENT_CODES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise TransientError for what is worth trying again; let everything else through as it is."""
    try:
        yield
    except ClientError as error:
        if not is_transient(error):
            raise
        raise TransientError(f"{doing}: AWS answered {code_of(error)}.") from error
    except UNREACHED as error:
        raise TransientError(f"{doing}: AWS could not be reached ({type(error).__name__}).") from error
