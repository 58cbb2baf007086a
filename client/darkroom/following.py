"""Following the events of a job: pushed if they can be, asked for with a held answer if not; none twice, none left out.

What is pushed may get lost, so it is only the faster way: after a gap, a silence or a lost connection the log is asked.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from darkroom.events import InOrder, JobEvent
from darkroom.surroundings import Surroundings

HOLD_SECONDS = 20
"""As long as the API holds an answer."""
SILENCE_SECONDS = 15.0
"""After so long without a word, the log is asked whether there was really nothing to say."""
PATIENCE_SECONDS = 3.0
"""For a connection that is being made."""
IDLE_ROUND_SECONDS = 1.0
"""A round that brought no news takes at least this long, whether or not the API has held its answer."""


class Feed(Protocol):
    """Where the events of one job are pushed to."""

    @property
    def is_live(self) -> bool:
        """Whether all that happens is pushed, and what has happened before was."""

    @property
    def is_coming(self) -> bool:
        """Whether it may soon be live."""

    def get(self, seconds: float) -> list[JobEvent]:
        """Wait for events, for so long at most; none when there were none, or the feed has become live or dead."""


class NoFeed:
    """For those who are pushed nothing."""

    is_live = False
    is_coming = False

    def get(self, seconds: float) -> list[JobEvent]:  # noqa: ARG002 - as every feed
        """Return at once, with nothing."""
        return []


Read = Callable[[int, int], Sequence[JobEvent]]
"""Asks the log for all events after a number, with an answer that may be held for some seconds until there is one."""


def follow(
    order: InOrder,
    *,
    feed: Feed,
    read: Read,
    surroundings: Surroundings,
    is_over: Callable[[int], bool],
) -> Iterator[JobEvent]:
    """Yield the events of a job from where `order` stands to the job's end.

    After a round without any, `is_over` says whether the job has ended with the event of this number; it may raise.
    """
    while True:
        latest: JobEvent | None = None
        for latest in _news(order, feed, read, surroundings):
            yield latest
        if latest is None and is_over(order.last):
            return
        # A job that has ended may have been redriven since: then its log goes on.
        while latest and latest.status.is_end:
            more = order.read(read(order.last, 0))
            if not more:
                return
            yield from more
            latest = more[-1]


def _news(order: InOrder, feed: Feed, read: Read, surroundings: Surroundings) -> Iterator[JobEvent]:
    """Yield what a round brings. What was pushed is given out before the log is asked: asking may fail."""
    if feed.is_live or feed.is_coming:
        was_live = feed.is_live
        pushed = order.pushed(feed.get(SILENCE_SECONDS if was_live else PATIENCE_SECONDS))
        yield from pushed
        if pushed and not order.has_gap:
            return
        if feed.is_live and not was_live:
            return
        yield from order.read(read(order.last, 0))
        return
    began = surroundings.now()
    read_now = order.read(read(order.last, HOLD_SECONDS))
    yield from read_now
    if not read_now:
        surroundings.sleep(max(0.0, IDLE_ROUND_SECONDS - (surroundings.now() - began)))
