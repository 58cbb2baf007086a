"""The connection by which events are pushed: one for all jobs that a client follows, on a thread of its own.

It is made when somebody follows a job, made again when it is lost, and given up when nobody follows any more. What it
loses, `following` asks for: so nothing here is ever an error to anybody.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from darkroom.addresses import is_loopback
from darkroom.documents import Members
from darkroom.errors import DarkroomError, NotFoundError, SignInError
from darkroom.events import JobEvent

MAX_JOBS = 100
"""Of one subscription; who follows more is not pushed the rest."""
HEARTBEAT_SECONDS = 240.0
"""API Gateway closes what is silent for ten minutes."""
ANSWER_SECONDS = 10.0
"""For the answer to a subscription."""
CONNECT_SECONDS = 10.0
GLANCE_SECONDS = 0.1
"""Between looks at who has begun to follow."""
LONGEST_PAUSE_SECONDS = 30.0


class LineLostError(Exception):
    """The connection could not be made, or is no more."""


class Socket(Protocol):
    """A WebSocket. `send` and `receive` raise LineLostError."""

    def send(self, text: str) -> None:
        """Send a message."""

    def receive(self, seconds: float) -> str | None:
        """Return the next message; None when there was none for so long."""

    def close(self) -> None:
        """Say goodbye."""


class JobFeed:
    """The events of one job, as they are pushed. See `following.Feed`."""

    def __init__(self, line: "PushLine", job_id: str, last: Callable[[], int]) -> None:
        self.job_id = job_id
        self.last = last
        self.is_live = False
        self._line = line
        self._events: queue.SimpleQueue[JobEvent | None] = queue.SimpleQueue()

    @property
    def is_coming(self) -> bool:
        """Whether it may soon be live."""
        return not self.is_live and self._line.is_coming

    def get(self, seconds: float) -> list[JobEvent]:
        """Wait for events, for so long at most; none when there were none, or the feed has become live or dead."""
        items: list[JobEvent | None] = []
        with suppress(queue.Empty):
            items.append(self._events.get(timeout=seconds))
            while True:
                items.append(self._events.get_nowait())
        return [item for item in items if item is not None]

    def put(self, event: JobEvent) -> None:
        """Hand an event over."""
        self._events.put(event)

    def turn(self, *, live: bool) -> None:
        """Say that the feed is live from now on, or that it is not; wakes up whoever waits."""
        changed, self.is_live = self.is_live != live, live
        if changed or not live:
            self._events.put(None)


class PushLine:
    """The connection of one client. `invite` asks the API where to connect; `connect` does."""

    def __init__(self, invite: Callable[[], str], connect: Callable[[str], Socket]) -> None:
        self._invite = invite
        self._connect = connect
        self._feeds: dict[int, JobFeed] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._changed = threading.Event()
        self._failures = 0
        self._refused = False

    @property
    def is_coming(self) -> bool:
        """Whether the connection is being made for the first time since it was good, or may never have failed."""
        return not (self._refused or self._failures or self._closed.is_set())

    @contextmanager
    def feed(self, job_id: str, last: Callable[[], int]) -> Iterator[JobFeed]:
        """Have a job's events pushed for the length of the block; `last` tells which event is known."""
        feed = JobFeed(self, job_id, last)
        with self._lock:
            self._feeds[id(feed)] = feed
            self._changed.set()
            if self._thread is None and not self._refused and not self._closed.is_set():
                self._failures = 0
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        try:
            yield feed
        finally:
            with self._lock:
                del self._feeds[id(feed)]

    def close(self) -> None:
        """Give the connection up for good. Does not wait."""
        self._closed.set()

    def _work(self) -> None:
        while not self._is_done():
            try:
                self._hold_a_conversation()
            except (NotFoundError, SignInError, ImportError):
                # An older Darkroom, nobody who could be let in, or no library to connect with.
                self._refused = True
            except (DarkroomError, LineLostError):
                self._failures += 1
            for feed in self._followed():
                feed.turn(live=False)
            if self._failures:
                self._closed.wait(min(LONGEST_PAUSE_SECONDS, 0.25 * 2.0**self._failures))

    def _is_done(self) -> bool:
        with self._lock:
            if self._feeds and not self._refused and not self._closed.is_set():
                return False
            self._thread = None
            return True

    def _hold_a_conversation(self) -> None:
        socket = self._connect(self._invite())
        try:
            _Conversation(socket, self._followed, self._changed, self._heard).go_on_while(self._is_wanted)
        finally:
            with suppress(LineLostError):
                socket.close()

    def _is_wanted(self) -> bool:
        return bool(self._feeds) and not self._closed.is_set()

    def _heard(self) -> None:
        self._failures = 0

    def _followed(self) -> list[JobFeed]:
        with self._lock:
            return list(self._feeds.values())


class _Conversation:
    """One connection, from its first subscription to its end."""

    def __init__(
        self,
        socket: Socket,
        followed: Callable[[], list[JobFeed]],
        changed: threading.Event,
        heard: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._followed = followed
        self._changed = changed
        self._heard = heard
        self._asked_at: float | None = None
        """When the subscription was sent that has no answer yet."""
        self._sent_at = 0.0
        changed.set()

    def go_on_while(self, wanted: Callable[[], bool]) -> None:
        """Subscribe and listen. Raises LineLostError."""
        while wanted():
            self._subscribe_if_due()
            text = self._socket.receive(GLANCE_SECONDS)
            if text is not None:
                self._take(_read(text))

    def _subscribe_if_due(self) -> None:
        present = time.monotonic()
        if self._asked_at is not None:
            if present - self._asked_at > ANSWER_SECONDS:
                raise LineLostError
            return
        if self._changed.is_set() or present - self._sent_at > HEARTBEAT_SECONDS:
            self._changed.clear()
            feeds = self._followed()[:MAX_JOBS]
            self._socket.send(json.dumps({"action": "subscribe", "jobs": _known(feeds)}))
            self._asked_at = self._sent_at = present

    def _take(self, message: Mapping[str, Any]) -> None:
        self._heard()
        if message.get("type") == "events":
            for event in map(JobEvent.parse, Members(message, "message").list("events")):
                for feed in self._followed():
                    if feed.job_id == event.job_id:
                        feed.put(event)
        elif message.get("type") == "subscribed":
            self._asked_at = None
            jobs = Members(message, "message").object("jobs")
            for feed in self._followed():
                if feed.job_id in jobs:
                    feed.turn(live=True)
        elif message.get("type") == "refused":
            raise LineLostError


def _read(text: str) -> Mapping[str, Any]:
    """Read a message. Raises LineLostError for what nobody of Darkroom's would send."""
    try:
        message = json.loads(text)
    except ValueError as error:
        raise LineLostError from error
    # A message of the gateway's own, such as that something has gone wrong, has no type.
    return message if isinstance(message, dict) else {}


def _known(feeds: list[JobFeed]) -> dict[str, int]:
    """What is known of each job: the least, where several follow it."""
    known: dict[str, int] = {}
    for feed in feeds:
        known[feed.job_id] = min(feed.last(), known.get(feed.job_id, feed.last()))
    return known


def connect(url: str) -> Socket:
    """Connect over the network. Raises LineLostError."""
    return _WebSocket(url)


class _WebSocket:
    """A connection of the library `websockets`, whose import is left to those who watch."""

    def __init__(self, url: str) -> None:
        from websockets.exceptions import WebSocketException  # noqa: PLC0415
        from websockets.sync.client import connect as open_socket  # noqa: PLC0415

        self._errors = (OSError, WebSocketException)
        # What runs on this machine is not reached through a proxy.
        proxy: Literal[True] | None = None if is_loopback(urlsplit(url).hostname or "") else True
        try:
            # Used as the library wants it: as a context, here of as long as the object lives.
            self._context = open_socket(url, open_timeout=CONNECT_SECONDS, close_timeout=1, proxy=proxy)
            self._socket = self._context.__enter__()
        except self._errors as error:
            raise LineLostError from error

    def send(self, text: str) -> None:
        """Send a message."""
        try:
            self._socket.send(text)
        except self._errors as error:
            raise LineLostError from error

    def receive(self, seconds: float) -> str | None:
        """Return the next message; None when there was none for so long."""
        try:
            return str(self._socket.recv(timeout=seconds, decode=True))
        except TimeoutError:
            return None
        except self._errors as error:
            raise LineLostError from error

    def close(self) -> None:
        """Say goodbye."""
        try:
            self._context.__exit__(None, None, None)
        except self._errors as error:
            raise LineLostError from error
