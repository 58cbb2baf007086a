"""The WebSocket API: where watchers connect, and how they are told something."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from lambdas.adapters.aws_errors import ClientError, translated
from lambdas.adapters.calling import Endpoint, call

READ_TIMEOUT_SECONDS: Final = 3.0
FRAME_BYTES: Final = 30_000
"""API Gateway counts every 32 KB as a message, and takes no frame that is larger."""


class ConnectionGoneError(Exception):
    """The watcher has left."""


class PushChannel:
    """The channel below one address, such as `https://ID.execute-api.REGION.amazonaws.com/STAGE`."""

    def __init__(self, url: str) -> None:
        """On the laptop, names below the endpoint do not resolve: there, the channel is below a path of it."""
        parts = urlsplit(url)
        given = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
        api_id = (parts.hostname or "").partition(".")[0]
        self._url = f"{given}/_aws/execute-api/{api_id}{parts.path}" if given else url

    @property
    def address(self) -> str:
        """Where watchers connect."""
        return self._url.replace("http", "ws", 1)

    def send(self, connection_id: str, message: Mapping[str, Any]) -> None:
        """Tell a watcher something. Raises ConnectionGoneError, and TransientError when the channel is out of reach."""
        endpoint = Endpoint(signing_name="execute-api", url=self._url, read_timeout=READ_TIMEOUT_SECONDS)
        url = f"{self._url}/@connections/{quote(connection_id, safe='')}"
        try:
            with translated("Telling the watcher"):
                call(endpoint, "POST", url, {"content-type": "application/json"}, json.dumps(message).encode())
        except ClientError as error:
            if error.response.status != HTTPStatus.GONE:
                raise
            raise ConnectionGoneError from error


def in_frames(events: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Divide events, in their order, into lists that fit into one message each."""
    frame: list[Mapping[str, Any]] = []
    size = 0
    for event in events:
        length = len(json.dumps(event))
        if frame and size + length > FRAME_BYTES:
            yield frame
            frame, size = [], 0
        frame.append(event)
        size += length
    if frame:
        yield frame
