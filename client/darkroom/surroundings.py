"""What the client takes from around it: the network, the clock, sleep and chance. Tests put their own in place."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from darkroom import aws
from darkroom.push import Socket, connect

CONNECT_SECONDS = 5.0
READ_SECONDS = 35.0
"""Longer than the API can hold an answer: API Gateway gives up after 29 s."""


def _client_version() -> str:
    try:
        return version("darkroom")
    except PackageNotFoundError:  # run from a source folder that was never installed
        return "0"


VERSION = _client_version()


def _full_jitter(longest: float) -> float:
    return random.uniform(0, longest)  # noqa: S311 - spreads tries over time; nothing secret


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The edges of the client. `transport` None is the real network."""

    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[float], float] = _full_jitter
    connect: Callable[[str], Socket] = connect
    """Connects a WebSocket."""
    aws_client: Callable[..., Any] = aws.client
    """Called as `aws.client` is; by operators' commands only."""

    def http(self) -> httpx.Client:
        """Make an HTTP client that follows no redirect and carries no credentials of its own."""
        direct = {} if self.transport else {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
        return httpx.Client(
            transport=self.transport,
            mounts=direct,  # what runs on this machine is not reached through a proxy
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"User-Agent": f"darkroom-client/{VERSION}"},
            follow_redirects=False,
        )
