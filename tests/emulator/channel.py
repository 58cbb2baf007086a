"""The WebSocket channel without a client that would mend anything: connect, say, hear."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from darkroom.push import Socket, connect

SILENCE_SECONDS = 3.0
"""After so long without a message, there is none."""


@contextmanager
def connected(ticket: Mapping[str, Any]) -> Iterator[Socket]:
    """Connect with a ticket, as `POST /tickets` has given it."""
    socket = connect(f"{ticket['url']}?ticket={ticket['ticket']}")
    try:
        yield socket
    finally:
        socket.close()


def subscribe(socket: Socket, **asked: Any) -> None:
    """Ask to be told of jobs."""
    socket.send(json.dumps({"action": "subscribe", **asked}))


def heard(socket: Socket) -> list[dict[str, Any]]:
    """Hear all that is said, until nothing is."""
    messages = []
    while text := socket.receive(SILENCE_SECONDS):
        messages.append(json.loads(text))
    return messages
