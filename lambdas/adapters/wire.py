"""One request over the network and its answer, on connections that are kept. Knows nothing of AWS.

`transmit` is the only place of Darkroom's functions where bytes leave the process: tests and
`make chaos` take its place.
"""

import select
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from lambdas.adapters.http_connection import BadAnswerError, Connection

CONNECT_TIMEOUT_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked. The address is complete and percent-encoded; `read_timeout` is of a pause in the answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    read_timeout: float


@dataclass(frozen=True, kw_only=True)
class Response:
    """What was answered, whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_good(self) -> bool:
        """Tell whether what was asked has been done."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class UnreachedError(Exception):
    """There was no answer, or only part of one: what was asked may have been done, or not."""


_idle: Final[dict[tuple[str, str], Connection]] = {}
"""One connection to each place that nobody uses at the moment."""


def transmit(request: Request) -> Response:
    """Send a request and read the whole answer. Raises UnreachedError."""
    parts = urlsplit(request.url)
    place = parts.scheme, parts.netloc
    connection = _idle.pop(place, None)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        if connection is not None and _is_dropped(connection):
            connection.close()
            connection = None
        connection = connection or Connection(parts, CONNECT_TIMEOUT_SECONDS)
        status, headers, body = connection.exchange(
            request.method, target, request.headers, request.body, request.read_timeout
        )
    # ValueError: an address or a header that is none.
    except (OSError, BadAnswerError, ValueError) as error:
        if connection is not None:
            connection.close()
        raise UnreachedError(type(error).__name__) from error
    if connection.is_open:
        _idle[place] = connection
    return Response(status=status, headers=headers, body=body)


def _is_dropped(connection: Connection) -> bool:
    """Tell whether the other side has closed it meanwhile: there is something to read where nothing was asked."""
    return bool(select.select([connection.sock], [], [], 0)[0])
