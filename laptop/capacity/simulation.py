"""Jobs on their way, event by event, with a clock of its own: what queues, for how long, and what is throttled.

One seed gives one run. The queue is read as SQS's fair queues are: the owner with the fewest messages being started has
the next turn, so a burst of one owner is not in front of the others. Must not know of anything but limits: no function
is slow or fails here but for want of room.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from laptop.capacity.demand import BATCH, Demand
from laptop.capacity.quotas import Limit, Quota

EVERYBODY: Final = 50
"""Owners among whom the steady rate is spread evenly."""
BURSTER: Final = -1
"""The one owner of the burst."""
THROTTLE_SECONDS: Final = (2.0, 2.0, 60.0)
"""First pause of a throttled state, its growth, and the longest: as the state machine has it, with full jitter."""
RETRIES: Final = 30
SPREAD: Final = 0.25
"""Of a stage's time, either way: images differ."""
SAMPLES: Final = 12
AFTER_THE_BURST: Final = (1, 5, 15, 30, 60, 120, 180, 240)
"""Seconds after a burst at which one looks more closely."""


class Bucket:
    """A rate with something saved up. `take` gives the moment at which so much may be used: in turn."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._level = self._burst
        self._at = 0.0

    def take(self, now: float, count: float = 1.0) -> float:
        """Take, on credit if need be, and say when it is there."""
        if now > self._at:
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
        self._level -= count
        return now if self._level >= 0 else now - self._level / self._rate


@dataclass(slots=True)
class Run:
    """One job."""

    owner: int
    arrived: float
    started: float = -1.0
    phase: int = -1
    open_tasks: int = 0
    throttled: int = 0


@dataclass(frozen=True)
class Sample:
    """A moment: messages in the queue, age of the oldest in seconds, jobs at work, functions at work."""

    at: float
    queued: int
    oldest: float
    running: int
    functions: int


@dataclass
class Outcome:
    """What has happened. Times are seconds; those of jobs are in the order of their ends."""

    arrived: int = 0
    refused: int = 0
    """Submissions that the gateway answered with 429; each came again later."""
    done: int = 0
    failed: int = 0
    """Jobs that were throttled for longer than the state machine has patience."""
    last_end: float = 0.0
    met: dict[Limit, float] = field(default_factory=dict)
    """When something first waited for a limit."""
    times: dict[Limit, int] = field(default_factory=dict)
    """How often something has."""
    throttled: dict[str, int] = field(default_factory=dict)
    """Tries of a stage for which there was no room."""
    most_functions: int = 0
    most_queued: int = 0
    oldest: float = 0.0
    """The longest that a message has waited."""
    waits: dict[str, list[float]] = field(default_factory=lambda: {"everybody": [], "burster": []})
    """From acceptance to start."""
    turned_away: dict[str, list[float]] = field(default_factory=lambda: {"everybody": [], "burster": []})
    """From the first submission to the one that was accepted, of those that the gateway had refused."""
    wholes: list[float] = field(default_factory=list)
    """From acceptance to the end."""
    job_seconds: float = 0.0
    """Integral of the number of jobs in the system over time."""
    samples: list[Sample] = field(default_factory=list)

    @property
    def first_met(self) -> Limit | None:
        """The limit that something waited for first; None when nothing did."""
        return min(self.met, key=lambda limit: self.met[limit]) if self.met else None


class Simulation:
    """Jobs come at a rate for some seconds, and a burst at once in the middle; it ends when all are over."""

    def __init__(
        self,
        demand: Demand,
        quotas: Sequence[Quota],
        *,
        rate: float,
        seconds: float,
        burst: int = 0,
        seed: int = 1,
        rooms: Mapping[str, int] | None = None,
        is_fair: bool = True,
    ) -> None:
        """`rooms` are how many functions of a stage may be at work at once, where that is less than all may."""
        values = {quota.limit: quota for quota in quotas}
        self._demand = demand
        self._rate, self._seconds, self._burst = rate, seconds, burst
        self._is_fair = is_fair
        self._random = random.Random(seed)  # noqa: S311 - a seed for a model, no secret
        self._starters = int(values[Limit.STARTERS].value)
        self._room = int(values[Limit.CONCURRENCY].value)
        self._rooms = dict(rooms or {})
        self._buckets = {
            limit: Bucket(values[limit].value, values[limit].burst)
            for limit in (Limit.SUBMISSIONS, Limit.STARTS, Limit.TRANSITIONS)
        }
        self._queues: dict[int, deque[Run]] = {}
        self._turns: deque[int] = deque()
        self._queued = 0
        self._busy_starters = 0
        self._functions = 0
        self._by_stage: dict[str, int] = dict.fromkeys(demand.stages, 0)
        self._running = 0
        self._in_system = 0
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._counter = 0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Run it to the end."""
        self._at(self._random.expovariate(self._rate), self._arrive)
        if self._burst:
            self._at(self._seconds / 2, self._burst_in)
        closely = {self._seconds / 2 + after for after in AFTER_THE_BURST if self._burst}
        for moment in closely | {self._seconds * index / SAMPLES for index in range(1, SAMPLES + 1)}:
            self._at(moment, self._sample)
        while self._events:
            moment, _, act, arguments = heapq.heappop(self._events)
            self.outcome.job_seconds += self._in_system * (moment - self._now)
            self._now = moment
            act(*arguments)
        return self.outcome

    def _at(self, moment: float, act: Callable[..., None], *arguments: object) -> None:
        self._counter += 1
        heapq.heappush(self._events, (moment, self._counter, act, arguments))

    def _meets(self, limit: Limit) -> None:
        self.outcome.met.setdefault(limit, self._now)
        self.outcome.times[limit] = self.outcome.times.get(limit, 0) + 1

    def _arrive(self) -> None:
        self.outcome.arrived += 1
        self._submit(self._random.randrange(EVERYBODY))
        following = self._now + self._random.expovariate(self._rate)
        if following < self._seconds:
            self._at(following, self._arrive)

    def _burst_in(self) -> None:
        """Submit the burst; who is refused comes again as the gateway lets it."""
        for _ in range(self._burst):
            self.outcome.arrived += 1
            self._submit(BURSTER)

    def _submit(self, owner: int) -> None:
        allowed = self._buckets[Limit.SUBMISSIONS].take(self._now)
        if allowed > self._now:
            self._meets(Limit.SUBMISSIONS)
            self.outcome.refused += 1
            self.outcome.turned_away[_kind(owner)].append(allowed - self._now)
            self._at(allowed, self._accept, owner)
        else:
            self._accept(owner)

    def _accept(self, owner: int) -> None:
        self._in_system += 1
        self._queued += 1
        self.outcome.most_queued = max(self.outcome.most_queued, self._queued)
        turn = owner if self._is_fair else 0
        if not self._queues.get(turn):
            self._queues[turn] = deque()
            self._turns.append(turn)
        self._queues[turn].append(Run(owner=owner, arrived=self._now))
        self._poll()

    def _poll(self) -> None:
        while self._queued and self._busy_starters < self._starters:
            self._busy_starters += 1
            batch = [self._next_message() for _ in range(min(BATCH, self._queued))]
            ready = self._now
            for _ in batch:
                ready = max(ready, self._buckets[Limit.STARTS].take(self._now))
            if ready > self._now:
                self._meets(Limit.STARTS)
            self._at(ready + self._demand.starter_seconds * len(batch), self._started, batch)
        if self._queued:
            self._meets(Limit.STARTERS)

    def _next_message(self) -> Run:
        turn = self._turns.popleft()
        job = self._queues[turn].popleft()
        if self._queues[turn]:
            self._turns.append(turn)
        self._queued -= 1
        return job

    def _started(self, batch: list[Run]) -> None:
        self._busy_starters -= 1
        for job in batch:
            job.started = self._now
            waited = self._now - job.arrived
            self.outcome.waits[_kind(job.owner)].append(waited)
            self.outcome.oldest = max(self.outcome.oldest, waited)
            self._running += 1
            self._next_phase(job)
        self._poll()

    def _next_phase(self, job: Run) -> None:
        job.phase += 1
        if job.phase == len(self._demand.phases):
            self._end(job, is_done=True)
            return
        stages = self._demand.phases[job.phase]
        job.open_tasks = len(stages)
        # Two more states than stages in all: the Parallel state before the middle phase and the choice behind it.
        states = len(stages) + (2 if len(stages) > 1 else 0)
        ready = self._buckets[Limit.TRANSITIONS].take(self._now, states)
        if ready > self._now:
            self._meets(Limit.TRANSITIONS)
        for stage in stages:
            if ready > self._now:
                self._at(ready, self._try, job, stage, 0)
            else:
                self._try(job, stage, 0)

    def _try(self, job: Run, stage: str, retries: int) -> None:
        if self._functions >= self._room or self._by_stage[stage] >= self._rooms.get(stage, self._room):
            self._meets(Limit.CONCURRENCY)
            self.outcome.throttled[stage] = self.outcome.throttled.get(stage, 0) + 1
            job.throttled += 1
            if retries == RETRIES:
                job.phase = len(self._demand.phases)
                self._leave(job, is_done=False)
                return
            first, growth, longest = THROTTLE_SECONDS
            pause = self._random.uniform(0, min(longest, first * growth**retries))
            ready = max(self._now + pause, self._buckets[Limit.TRANSITIONS].take(self._now))
            self._at(ready, self._try, job, stage, retries + 1)
            return
        self._functions += 1
        self._by_stage[stage] += 1
        self.outcome.most_functions = max(self.outcome.most_functions, self._functions)
        time = self._demand.stages[stage] * self._random.uniform(1 - SPREAD, 1 + SPREAD)
        self._at(self._now + time, self._finished, job, stage)

    def _finished(self, job: Run, stage: str) -> None:
        self._functions -= 1
        self._by_stage[stage] -= 1
        self._leave(job, is_done=True)

    def _leave(self, job: Run, *, is_done: bool) -> None:
        """One task of the phase is over; the last one takes the job on, or ends it when one has given up."""
        job.open_tasks -= 1
        if job.open_tasks:
            return
        if job.phase >= len(self._demand.phases) or not is_done:
            self._end(job, is_done=False)
        else:
            self._next_phase(job)

    def _end(self, job: Run, *, is_done: bool) -> None:
        self._running -= 1
        self._in_system -= 1
        self.outcome.done += is_done
        self.outcome.failed += not is_done
        self.outcome.last_end = self._now
        self.outcome.wholes.append(self._now - job.arrived)

    def _sample(self) -> None:
        oldest = min((queue[0].arrived for queue in self._queues.values() if queue), default=self._now)
        self.outcome.samples.append(Sample(self._now, self._queued, self._now - oldest, self._running, self._functions))


def _kind(owner: int) -> str:
    return "burster" if owner == BURSTER else "everybody"
