"""One request over the network and its answer, on connections that are kept. Knows HTTP, and nothing of AWS.

`transmit` is the only place of Darkroom's functions where bytes leave the process: tests and
`make chaos` take its place.
"""

import http.client
import os
import select
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

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


_idle: Final[dict[tuple[str, str], http.client.HTTPConnection]] = {}
"""One connection to each place that nobody uses at the moment."""


def transmit(request: Request) -> Response:
    """Send a request and read the whole answer. Raises UnreachedError."""
    parts = urlsplit(request.url)
    place = parts.scheme, parts.netloc
    connection = _idle.pop(place, None)
    try:
        if connection is None or _is_dropped(connection):
            connection = _connect(*place)
        response = _exchange(connection, request, parts.path + (f"?{parts.query}" if parts.query else ""))
    # ValueError: an answer with a status or length that is none.
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection is not None:
            connection.close()
        raise UnreachedError(type(error).__name__) from error
    if connection.sock is not None:
        _idle[place] = connection
    return response


def _exchange(connection: http.client.HTTPConnection, request: Request, target: str) -> Response:
    if connection.sock is not None:
        connection.sock.settimeout(request.read_timeout)
    connection.request(request.method, target or "/", body=request.body or None, headers=dict(request.headers))
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Response(status=answer.status, headers=headers, body=answer.read())


def _connect(scheme: str, host: str) -> http.client.HTTPConnection:
    connection: http.client.HTTPConnection
    if scheme == "https":
        connection = http.client.HTTPSConnection(host, timeout=CONNECT_TIMEOUT_SECONDS, context=_tls())
    else:
        connection = http.client.HTTPConnection(host, timeout=CONNECT_TIMEOUT_SECONDS)
    connection.connect()
    return connection


@cache
def _tls() -> ssl.SSLContext:
    """Trust what the system trusts, or the file that `AWS_CA_BUNDLE` names, as AWS's own tools do."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)


def _is_dropped(connection: http.client.HTTPConnection) -> bool:
    """Tell whether the other side has closed it meanwhile: there is something to read where nothing was asked."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
