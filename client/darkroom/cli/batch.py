"""Carrying several jobs to their ends side by side, on threads that never keep the command from ending.

Losing a thread loses nothing: a job that was accepted goes on without us.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from darkroom.cli.items import Item, Step
from darkroom.client import Client
from darkroom.errors import DarkroomError
from darkroom.events import JobEvent
from darkroom.models import JobStatus

UPLOADS_AT_ONCE = 4
WATCHED_AT_ONCE = 16
_GLANCE_SECONDS = 0.2
"""Waiting in short stretches lets Ctrl-C through on every platform."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is asked of every job of a batch."""

    analyses: Sequence[str] | None = None
    options: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None


class Progress(Protocol):
    """Shows how the items stand, while it is entered."""

    def changed(self, item: Item) -> None:
        """Take note that an item stands otherwise than before. Called by several threads."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop showing."""


class Crew:
    """A few daemon threads that do what they are given, in order. (A ThreadPoolExecutor's would outlive Ctrl-C.)"""

    def __init__(self, size: int) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._size = size
        self._started = 0
        self._lock = threading.Lock()

    def give(self, work: Callable[[], None]) -> None:
        """Have some work done."""
        self._work.put(work)
        with self._lock:
            if self._started < self._size:
                self._started += 1
                threading.Thread(target=self._toil, daemon=True).start()

    def _toil(self) -> None:
        while True:
            self._work.get()()


class Batch:
    """Some items, each of which is submitted, watched, or both."""

    def __init__(
        self,
        client: Client,
        items: Sequence[Item],
        progress: Progress,
        tell: Callable[[JobEvent], None] | None = None,
    ) -> None:
        """`tell` is called with every event of the jobs, by several threads; without it, jobs are only watched."""
        self._client = client
        self._items = items
        self._progress = progress
        self._tell = tell
        self._uploaders = Crew(UPLOADS_AT_ONCE)
        self._watchers = Crew(WATCHED_AT_ONCE)
        self._detached = threading.Event()

    def submit(self, wishes: Wishes, *, follow: bool) -> bool:
        """Upload and submit each item that has a file, and follow it to its end. False when Ctrl-C came first."""
        return self._run(lambda item: self._uploaders.give(partial(self._begin, item, wishes, follow)))

    def follow(self) -> bool:
        """Follow each item that has a job id to its end. False when Ctrl-C came first."""
        return self._run(lambda item: self._watchers.give(partial(self._follow, item)))

    def _run(self, start: Callable[[Item], None]) -> bool:
        try:
            with self._progress:
                for item in self._items:
                    start(item)
                for item in self._items:
                    _wait(item)
        except KeyboardInterrupt:
            self._detached.set()
            self._client.close()
            return False
        return True

    def _begin(self, item: Item, wishes: Wishes, follow: bool) -> None:
        with self._settling(item, last=not follow):
            assert item.path is not None  # noqa: S101 - for the type checker: `submit` is for items with a file
            self._step(item, Step.UPLOADING)
            image_id = self._client.upload(item.path)
            item.job_id = self._client.new_job_id()
            self._step(item, Step.SUBMITTING)
            item.accepted = self._client.submit(
                image_id, job_id=item.job_id, analyses=wishes.analyses, options=wishes.options, tags=wishes.tags
            )
            self._step(item, Step.SUBMITTED)
        if follow and not item.settled.is_set():
            self._watchers.give(partial(self._follow, item))

    def _follow(self, item: Item) -> None:
        with self._settling(item, last=True):
            assert item.job_id is not None  # noqa: S101 - for the type checker: `follow` is for items with a job
            if self._tell:
                for event in self._client.events(item.job_id):
                    self._tell_of(event)
            for job in self._client.watch(item.job_id):
                item.job = job
                self._note(item)
            if item.job and item.job.status is JobStatus.SUCCEEDED and not self._tell:
                item.report = self._client.result(item.job_id)

    def _tell_of(self, event: JobEvent) -> None:
        if self._tell and not self._detached.is_set():
            self._tell(event)

    def _step(self, item: Item, step: Step) -> None:
        item.step = step
        self._note(item)

    def _note(self, item: Item) -> None:
        if not self._detached.is_set():
            self._progress.changed(item)

    @contextmanager
    def _settling(self, item: Item, *, last: bool) -> Iterator[None]:
        """Turn what goes wrong into the item's outcome, so that others go on; `last` is the end of the item's way.

        After Ctrl-C nothing counts: what goes wrong then does so because the client was closed.
        """
        error: DarkroomError | None = None
        crash: BaseException | None = None
        try:
            yield
        except DarkroomError as caught:
            error = caught
        except BaseException as caught:  # noqa: BLE001 - raised again where it can be seen: in the main thread
            crash = caught
        if (last or error or crash) and not self._detached.is_set():
            item.error, item.crash = error, crash
            self._note(item)
            item.settled.set()


def _wait(item: Item) -> None:
    while not item.settled.wait(_GLANCE_SECONDS):
        pass
    if item.crash is not None:
        raise item.crash
