"""The connection by which events are pushed: what it says, what it hears, and what it does when it is lost."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from darkroom.errors import ConnectionLostError, NotFoundError
from darkroom.problem import Problem
from darkroom.push import JobFeed, LineLostError, PushLine

from tests.unit.client.event_documents import document

PATIENCE = 10.0
"""For a thread that has something to do at once."""


class Wire:
    """A WebSocket in memory: what is sent waits in `sent`, and what is put into `said` is received."""

    def __init__(self) -> None:
        self.sent: queue.Queue[dict[str, object]] = queue.Queue()
        self.said: queue.Queue[str | None] = queue.Queue()
        self.closed = threading.Event()

    def send(self, text: str) -> None:
        self.sent.put(json.loads(text))

    def receive(self, seconds: float) -> str | None:
        try:
            text = self.said.get(timeout=seconds)
        except queue.Empty:
            return None
        if text is None:
            raise LineLostError
        return text

    def close(self) -> None:
        self.closed.set()

    def subscription(self) -> object:
        return self.sent.get(timeout=PATIENCE)

    def confirm(self, **jobs: int) -> None:
        self.said.put(json.dumps({"type": "subscribed", "all": False, "jobs": jobs}))

    def push(self, *seqs: int, job_id: str = "a") -> None:
        self.said.put(json.dumps({"type": "events", "events": [document(seq, job_id=job_id) for seq in seqs]}))

    def cut(self) -> None:
        self.said.put(None)


@pytest.fixture
def wires() -> Iterator["queue.Queue[Wire]"]:
    return queue.Queue()


@pytest.fixture
def line(wires: "queue.Queue[Wire]") -> Iterator[PushLine]:
    line = PushLine(lambda: "wss://push.test/v1?ticket=t", _connecting(wires))
    yield line
    line.close()


def _connecting(wires: "queue.Queue[Wire]") -> Callable[[str], Wire]:
    def connect(url: str) -> Wire:
        wire = Wire()
        wires.put(wire)
        return wire

    return connect


def test_feed_is_live_when_the_subscription_is_confirmed_and_gets_what_is_pushed(
    line: PushLine, wires: "queue.Queue[Wire]"
) -> None:
    with line.feed("a", lambda: 7) as feed:
        assert feed.is_coming
        wire = wires.get(timeout=PATIENCE)
        assert wire.subscription() == {"action": "subscribe", "jobs": {"a": 7}}
        wire.push(8)
        wire.confirm(a=8)
        wire.push(9, 10)
        assert _collected(feed, 3) == [8, 9, 10]
        assert feed.is_live
    assert wire.closed.wait(PATIENCE)


def test_second_feed_has_its_subscription_and_gets_its_own_events(line: PushLine, wires: "queue.Queue[Wire]") -> None:
    with line.feed("a", lambda: 1) as one:
        wire = wires.get(timeout=PATIENCE)
        wire.subscription()
        wire.confirm(a=1)
        with line.feed("b", lambda: 2) as other:
            assert wire.subscription() == {"action": "subscribe", "jobs": {"a": 1, "b": 2}}
            wire.push(3, job_id="b")
            wire.push(2, job_id="a")
            assert (_collected(one, 1), _collected(other, 1)) == ([2], [3])


def test_several_feeds_of_one_job_ask_from_where_the_slowest_is(line: PushLine, wires: "queue.Queue[Wire]") -> None:
    with line.feed("a", lambda: 9), line.feed("a", lambda: 4):
        wire = wires.get(timeout=PATIENCE)
        subscription = wire.subscription()
        if subscription != {"action": "subscribe", "jobs": {"a": 4}}:  # the first was faster
            wire.confirm(a=9)
            subscription = wire.subscription()
        assert subscription == {"action": "subscribe", "jobs": {"a": 4}}


@pytest.mark.parametrize("end", ["cut", "no JSON", '{"type": "refused", "reason": "no"}', '{"type": "events"'])
def test_lost_connection_makes_feeds_dead_and_is_made_again_from_where_they_are(
    line: PushLine, wires: "queue.Queue[Wire]", end: str
) -> None:
    last = [0]
    with line.feed("a", lambda: last[0]) as feed:
        wire = wires.get(timeout=PATIENCE)
        wire.subscription()
        wire.confirm(a=0)
        assert _wait(feed, lambda: feed.is_live)
        last[0] = 5
        wire.said.put(None if end == "cut" else end)
        assert _wait(feed, lambda: not feed.is_live)
        assert not feed.is_coming
        again = wires.get(timeout=PATIENCE)
        assert again.subscription() == {"action": "subscribe", "jobs": {"a": 5}}
        again.confirm(a=5)
        assert _wait(feed, lambda: feed.is_live)


def test_connection_that_cannot_be_made_is_tried_again(wires: "queue.Queue[Wire]") -> None:
    failures = [LineLostError(), ConnectionLostError("gone"), LineLostError()]

    def connect(url: str) -> Wire:
        if failures:
            raise failures.pop()
        return _connecting(wires)(url)

    line = PushLine(lambda: "wss://push.test", connect)
    with line.feed("a", lambda: 0) as feed:
        assert _wait(feed, lambda: not feed.is_coming)
        assert wires.get(timeout=PATIENCE).subscription()
    line.close()


def test_darkroom_without_a_push_channel_is_not_asked_again() -> None:
    asked = []

    def invite() -> str:
        asked.append(1)
        raise NotFoundError(Problem.parse(None, 404))

    line = PushLine(invite, _connecting(queue.Queue()))
    for _ in range(2):
        with line.feed("a", lambda: 0) as feed:
            assert _wait(feed, lambda: not feed.is_coming)
    assert asked == [1]


def _collected(feed: JobFeed, count: int) -> list[int]:
    seqs: list[int] = []
    with _patience() as is_left:
        while len(seqs) < count and is_left():
            seqs += [event.seq for event in feed.get(0.5)]
    return seqs


def _wait(feed: JobFeed, condition: Callable[[], bool]) -> bool:
    with _patience() as is_left:
        while not condition() and is_left():
            feed.get(0.05)
    return condition()


@contextmanager
def _patience() -> Iterator[Callable[[], bool]]:
    over = threading.Event()
    timer = threading.Timer(PATIENCE, over.set)
    timer.start()
    yield lambda: not over.is_set()
    timer.cancel()
