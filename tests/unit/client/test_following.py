"""Following events by a channel that loses, repeats and reorders, comes and goes: each arrives once, and in order."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from darkroom.errors import ConnectionLostError
from darkroom.events import InOrder, JobEvent
from darkroom.following import IDLE_ROUND_SECONDS, NoFeed, follow
from darkroom.models import Job
from darkroom.surroundings import Surroundings
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.client.event_documents import event, story
from tests.unit.client.fake_darkroom import FakeDarkroom, FakeJob


@dataclass
class World:
    """A job that goes on with every look at it, its log, and a channel as `steps` say: one for each wait."""

    events: Sequence[JobEvent]
    steps: list[tuple[str, int]]
    happened: int = 0
    delivered: int = 0
    live: bool = False
    coming: bool = True
    reads: list[int] = field(default_factory=list)
    slept: float = 0.0

    @property
    def is_live(self) -> bool:
        return self.live

    @property
    def is_coming(self) -> bool:
        return self.coming and not self.live

    def get(self, seconds: float) -> list[JobEvent]:
        what, count = self.steps.pop(0) if self.steps else ("lost", 1)
        new = self._go_on(count)
        if what == "connect":
            # As the channel does: it is live when what was missed has been sent.
            self.live = True
            return list(self.events[: self.happened])
        if what == "die":
            self.live = self.coming = False
        return {
            "push": new,
            "twice": [*new, *new],
            "backwards": list(reversed(new)),
            "again": list(self.events[: self.happened]),
            "partly": new[1:],
        }.get(what, [])

    def read(self, seq: int, wait: int) -> list[JobEvent]:
        self.reads.append(seq)
        if not self.live and self.steps and self.steps[0][0] == "connect":
            self.coming = True
        if wait or not self.coming:
            self._go_on(1)
        return list(self.events[seq : self.happened])

    def is_over(self, last: int) -> bool:
        return last == len(self.events)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def _go_on(self, count: int) -> list[JobEvent]:
        before, self.happened = self.happened, min(len(self.events), self.happened + count)
        return list(self.events[before : self.happened])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["push", "twice", "backwards", "again", "partly", "lost", "connect", "die"]),
        st.integers(min_value=0, max_value=4),
    ),
    max_size=30,
)


@given(length=st.integers(min_value=1, max_value=30), steps=STEPS, known=st.integers(min_value=0, max_value=5))
def test_follow_gives_each_event_once_and_in_order_whatever_the_channel_does(
    length: int, steps: list[tuple[str, int]], known: int
) -> None:
    world = World(story(length), steps)
    after = min(known, length - 1)

    surroundings = Surroundings(transport=httpx.MockTransport(lambda _: httpx.Response(500)), sleep=world.sleep)
    seen = list(follow(InOrder(after), feed=world, read=world.read, surroundings=surroundings, is_over=world.is_over))

    assert [event.seq for event in seen] == list(range(after + 1, length + 1))


def _never(last: int) -> bool:
    return False


def test_follow_while_all_is_pushed_asks_the_log_at_the_end_only() -> None:
    world = World(story(5), [("connect", 1), ("push", 2), ("push", 2)])

    seen = list(follow(InOrder(0), feed=world, read=world.read, surroundings=Surroundings(), is_over=world.is_over))

    assert [event.seq for event in seen] == [1, 2, 3, 4, 5]
    assert world.reads == [5]


def test_follow_without_a_channel_asks_and_paces_itself() -> None:
    answers = [[], story(1)[:0], story(3)[:2], story(3)[2:], []]
    slept: list[float] = []
    surroundings = Surroundings(sleep=slept.append, now=lambda: 0.0)

    seen = list(
        follow(
            InOrder(0), feed=NoFeed(), read=lambda seq, wait: answers.pop(0), surroundings=surroundings, is_over=_never
        )
    )

    assert [event.seq for event in seen] == [1, 2, 3]
    assert slept == [IDLE_ROUND_SECONDS] * 2


def test_follow_goes_on_after_an_end_that_was_redriven() -> None:
    log = [event(1), event(2, status="FAILED"), event(3, status="QUEUED"), event(4, status="SUCCEEDED")]
    answers = [log[:2], log[2:], []]

    seen = list(
        follow(
            InOrder(0),
            feed=NoFeed(),
            read=lambda seq, wait: answers.pop(0),
            surroundings=Surroundings(),
            is_over=_never,
        )
    )

    assert [event.seq for event in seen] == [1, 2, 3, 4]


@given(order=st.permutations(range(1, 8)))
def test_in_order_gives_out_what_was_pushed_when_its_turn_has_come(order: list[int]) -> None:
    events = InOrder(0)

    given_out = [found.seq for seq in order for found in events.pushed([event(seq)])]

    assert given_out == list(range(1, 8))
    assert not events.has_gap


def test_in_order_does_not_wait_for_what_the_log_has_lost() -> None:
    events = InOrder(0)
    events.pushed([event(5)])

    assert [found.seq for found in events.read([event(1), event(3), event(4)])] == [1, 3, 4, 5]


def test_event_applied_to_a_job_shows_the_job_after_it() -> None:
    fake = FakeDarkroom()
    job = Job.parse(FakeJob("job-1", {"imageId": "i"}, fake.now).document(fake.now))
    stage = {"stage": "palette", "status": "FAILED", "progress": 40, "tries": 2, "startedAt": "2026-11-24T10:00:00Z"}
    error = {"class": "StageTimeout", "message": "Too slow.", "stage": "palette"}

    after = event(9, status="FAILED", progress=40, stages=[stage], error=error).applied_to(job)

    assert (after.status.value, after.progress, after.seq) == ("FAILED", 40, 9)
    assert {entry.stage: entry.status.value for entry in after.timeline}["palette"] == "FAILED"
    assert after.error is not None
    assert after.error.error_class == "StageTimeout"
    assert event(10, status="QUEUED").applied_to(after).error is None
    assert len(after.timeline) == len(job.timeline)


@given(pushed=st.lists(st.integers(1, 6), unique=True, min_size=1))
def test_what_was_pushed_is_not_lost_with_a_log_that_cannot_be_asked(pushed: list[int]) -> None:
    log = story(6)
    told: list[JobEvent] = []
    order = InOrder(0)
    world = World(log, [], live=True)
    world.get = lambda _: [log[seq - 1] for seq in pushed]  # type: ignore[method-assign]
    asked: list[int] = []

    def read(seq: int, _wait: int) -> list[JobEvent]:
        asked.append(seq)
        if len(asked) == 1:
            raise ConnectionLostError("The network is down.")
        return list(log[seq:])

    for _ in range(2):
        with suppress(ConnectionLostError):
            told.extend(
                follow(order, feed=world, read=read, surroundings=Surroundings(), is_over=lambda last: last == len(log))
            )
    assert told == list(log)
