"""Asking again while the emulator is away, or a function has no capacity: both are done to everybody."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from botocore import exceptions
from botocore.exceptions import ClientError
from darkroom.errors import ConnectionLostError, ServerError, StorageError, TooManyRequestsError

PATIENCE_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.3
_FIRST_SERVER_STATUS: Final = 500
_TOO_MANY: Final = 429
_AWAY: Final = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    ConnectionLostError,
    ServerError,
    StorageError,
    TooManyRequestsError,
)

Answer = TypeVar("Answer")


def persist(ask: Callable[[], Answer]) -> Answer:
    """Ask until there is an answer. What is asked has to be harmless to repeat."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (*_AWAY, ClientError) as error:
            if time.monotonic() > deadline or not _passes(error):
                raise
        time.sleep(_PAUSE_SECONDS)


def _passes(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return True
    status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
    return status == _TOO_MANY or status >= _FIRST_SERVER_STATUS
