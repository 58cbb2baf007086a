"""What happens to which job: made up front, and a pure function of seed and number of jobs.

Every kind draws by a chance of its own, so that leaving out kinds changes nothing about the others. When things happen
to each other differs from run to run all the same: processes take the time that they take.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import Any, Final

from lambdas.stages.catalogue import DEFAULT_ANALYSES, ORDINARY
from laptop.chaos.kinds import BY_NAME, KINDS
from laptop.chaos.pictures import BROKEN, MISSING, PHOTOGRAPH, PICTURES

HANG_STAGE: Final = "codes"
"""The one that hangs; its function is given little time, so that hanging costs little."""
HANG_SECONDS: Final = 15.0
LONGEST_PAUSE: Final = 8.0
"""For so long, in seconds, something may be stored after everybody has given up on it."""
FOR_EVER: Final = 1_000_000
BLOCK: Final = 8
"""Jobs that are submitted in one go, for what can only happen to several at once."""
STARTERS: Final = ("start_execution", "bury_message", "reconcile", "api", "redrive_job")
"""The functions that start executions."""
SETTLERS: Final = ("settle_ended", "reconcile", "start_execution")
"""The functions that send dead letters; the state machine sends its own without one."""
STAGE_NAMES: Final = tuple(stage.name for stage in ORDINARY)
POISONS: Final = (
    "not JSON, from nobody",
    "no owner",
    "an id that is a path",
    "an owner that is no text",
    "no version",
    "a version of the future",
    "a huge body",
    "a list where an object should be",
    "fields of the wrong types",
    "not JSON, from somebody",
)
OWNED_POISONS: Final = POISONS[6:]
"""Those that say whose they are: their jobs fail, where of the others there is only a letter."""
THROTTLED: Final = (
    *("StartExecution", "Inspect", "Palette", "Codes", "Report"),
    *("SettleFailed", "CleanUp", "SettleEnded", "ApiCalls"),
)

DYING: Final = frozenset(
    {"kill-before-work", "kill-mid-work", "kill-after-work", "kill-after-write"}
    | {"late-writer", "hang", "out-of-memory"}
)
"""The state machine runs a stage that died once more, and only once: so no more than one of these for a stage."""
UNKNOWN: Final = frozenset({"unknown-error", "access-denied"})
"""Twice more for these: so no more than one of them, too."""
FAILING: Final = (
    "fails-for-ever",
    "dies-for-ever",
    "object-deleted",
    "object-replaced",
    "execution-aborted",
    "event-lost",
    "deadline",
)
"""What a job may fail of: no more than one of these for a job."""


class Moment(StrEnum):
    """In a job's life."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class FunctionFault:
    """What the fault layer does when a function comes to a job. Places are stages, or the modules of handlers."""

    id: str
    kind: str
    job: str
    places: tuple[str, ...]
    times: int = 1
    seconds: float | None = None
    service: str | None = None
    """Of a call of AWS: only of this one."""
    when: str | None = None
    """`before` or `after` the call; either, if None."""
    because: str = ""
    """The kind that it belongs to, where that is another one."""

    def to_document(self) -> dict[str, Any]:
        """Lay it out for the fault layer."""
        return {name: value for name, value in vars(self).items() if name != "because"}


@dataclass(frozen=True, kw_only=True)
class Act:
    """What the driver does to a job, so long after a moment of its life."""

    kind: str
    moment: Moment
    after: float
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """One job: what is submitted, and what happens to it from outside."""

    index: int
    job_id: str
    picture: str
    analyses: tuple[str, ...]
    callers: int = 1
    deadline: int | None = None
    block: str | None = None
    """The kind that happens to a whole block of jobs at once."""
    acts: tuple[Act, ...] = ()
    faults: tuple[FunctionFault, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Poison:
    """A message that no job can be made of, sent when so many jobs are submitted, alone or among good ones."""

    after_jobs: int
    job_id: str
    what: str
    alone: bool
    faults: tuple[FunctionFault, ...] = ()

    @property
    def is_owned(self) -> bool:
        """Whether it says whose it is."""
        return self.what in OWNED_POISONS


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happens to everything at once, when so many jobs are submitted."""

    kind: str
    after_jobs: int
    seconds: float = 0.0
    function: str | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that happens in one run."""

    seed: int
    kinds: frozenset[str]
    jobs: tuple[JobPlan, ...]
    poisons: tuple[Poison, ...]
    events: tuple[Event, ...]

    @property
    def function_faults(self) -> Iterator[FunctionFault]:
        """What happens inside functions."""
        for job in self.jobs:
            yield from job.faults
        for poison in self.poisons:
            yield from poison.faults

    def to_json(self) -> str:
        """Write what the fault layer reads."""
        return json.dumps({"seed": self.seed, "faults": [fault.to_document() for fault in self.function_faults]})


def make(seed: int, jobs: int, kinds: Collection[str] = ()) -> Plan:
    """Make the plan; of some kinds only, when they are named. Raises ValueError for a kind that does not exist."""
    if unknown := sorted(set(kinds) - BY_NAME.keys()):
        raise ValueError(f"There is no fault {', '.join(unknown)}; there are {', '.join(BY_NAME)}.")
    full = _Draft(seed, jobs).plan()
    return _only(full, _with_what_they_need(kinds)) if kinds else full


def _with_what_they_need(kinds: Collection[str]) -> frozenset[str]:
    return frozenset(kinds).union(*(BY_NAME[kind].needs for kind in kinds))


def _only(plan: Plan, kinds: frozenset[str]) -> Plan:
    def faults(planned: Iterable[FunctionFault]) -> tuple[FunctionFault, ...]:
        return tuple(fault for fault in planned if (fault.because or fault.kind) in kinds)

    jobs = (
        replace(
            job,
            callers=job.callers if "repeated-submit" in kinds else 1,
            deadline=job.deadline if "deadline" in kinds else None,
            block=job.block if job.block in kinds else None,
            acts=tuple(act for act in job.acts if act.kind in kinds),
            faults=faults(job.faults),
        )
        for job in plan.jobs
    )
    poisons = (replace(poison, faults=faults(poison.faults)) for poison in plan.poisons if "poison-message" in kinds)
    events = (event for event in plan.events if event.kind in kinds)
    return Plan(plan.seed, kinds, tuple(jobs), tuple(poisons), tuple(events))


@dataclass
class _JobDraft:
    """A job that is being planned."""

    job_id: str
    callers: int = 1
    deadline: int | None = None
    block: str | None = None
    acts: list[Act] = field(default_factory=list)
    faults: list[FunctionFault] = field(default_factory=list)
    failing: str | None = None

    def has(self, family: Collection[str], place: str) -> bool:
        return any(fault.kind in family and place in fault.places for fault in self.faults)


class _Draft:
    """Deals the faults out to the jobs, kind by kind."""

    def __init__(self, seed: int, jobs: int) -> None:
        self._seed = seed
        self._jobs = [_JobDraft(f"chaos-{seed}-{index:04d}") for index in range(jobs)]
        self._poisons: list[Poison] = []
        self._events: list[Event] = []
        self._ids = 0

    def plan(self) -> Plan:
        """Plan everything, in an order in which later kinds can look at earlier ones."""
        self._deal_blocks()
        self._deal_failures()
        self._deal_acts()
        self._deal_stage_faults()
        self._deal_call_faults()
        self._deal_poisons()
        self._deal_letter_faults()
        self._deal_events()
        jobs = tuple(self._finished(index, job) for index, job in enumerate(self._jobs))
        kinds = frozenset(kind.name for kind in KINDS)
        return Plan(self._seed, kinds, jobs, tuple(self._poisons), tuple(self._events))

    def _chance(self, subject: str) -> Random:
        return Random(f"{self._seed}/{subject}")  # noqa: S311 - to be repeated, not to be secret

    def _planned(self, kind: str) -> int:
        return BY_NAME[kind].planned(len(self._jobs))

    def _draw(self, kind: str, pool: Sequence[_JobDraft], count: int | None = None) -> list[_JobDraft]:
        """Choose jobs for a kind, as many as are planned or there are."""
        wanted = self._planned(kind) if count is None else count
        return self._chance(kind).sample(pool, min(wanted, len(pool)))

    def _deal_blocks(self) -> None:
        """Give whole blocks to what happens to several jobs at once."""
        free = list(range(0, len(self._jobs) - BLOCK + 1, BLOCK)) or [0]
        chance = self._chance("blocks")
        chance.shuffle(free)
        for kind in ("execution-timed-out", "queue-unread"):
            left = self._planned(kind)
            while left > 0 and free:
                start = free.pop()
                block = self._jobs[start : start + min(left, BLOCK)]
                left -= len(block)
                for job in block:
                    job.block = kind
                    job.failing = kind if BY_NAME[kind].fails_as else None
                    if kind == "execution-timed-out":
                        self._add(job, "pause", ("inspect",), seconds=LONGEST_PAUSE, because=kind)

    def _deal_failures(self) -> None:
        for kind in FAILING:
            for job in self._draw(kind, [job for job in self._jobs if job.failing is None]):
                job.failing = kind
                getattr(self, "_fail_by_" + kind.replace("-", "_"))(job, self._chance(f"{kind}/{job.job_id}"))

    def _fail_by_fails_for_ever(self, job: _JobDraft, chance: Random) -> None:
        self._add(job, "fails-for-ever", (chance.choice(STAGE_NAMES),), times=FOR_EVER)

    def _fail_by_dies_for_ever(self, job: _JobDraft, chance: Random) -> None:
        self._add(job, "dies-for-ever", (chance.choice(STAGE_NAMES),), times=FOR_EVER)

    def _fail_by_object_deleted(self, job: _JobDraft, _chance: Random) -> None:
        self._add(job, "object-deleted", ("inspect",))

    def _fail_by_object_replaced(self, job: _JobDraft, _chance: Random) -> None:
        self._add(job, "object-replaced", ("inspect",))

    def _fail_by_execution_aborted(self, job: _JobDraft, chance: Random) -> None:
        job.acts.append(Act(kind="execution-aborted", moment=Moment.RUNNING, after=chance.uniform(0, 1.0)))
        if chance.random() < 0.5:  # noqa: PLR2004 - a half
            # Frozen in each of two attempts: the first one's writer wakes up while the second one is at the same stage.
            seconds = round(chance.uniform(3, 5), 1)
            self._add(job, "pause", ("inspect",), times=2, seconds=seconds, because="execution-aborted")

    def _fail_by_event_lost(self, job: _JobDraft, chance: Random) -> None:
        job.acts.append(Act(kind="event-lost", moment=Moment.RUNNING, after=chance.uniform(0, 0.5)))

    def _fail_by_deadline(self, job: _JobDraft, chance: Random) -> None:
        job.deadline = 3600 if chance.random() < 0.25 else chance.choice((1, 1, 2, 3))  # noqa: PLR2004 - a quarter

    def _deal_acts(self) -> None:
        failing = [job for job in self._jobs if job.failing]
        for job in self._draw("cancel", self._jobs):
            chance = self._chance(f"cancel/{job.job_id}")
            moment = chance.choice((Moment.SUBMITTED, Moment.RUNNING, Moment.RUNNING, Moment.RUNNING, Moment.ENDED))
            # At once, the job may not have a row yet.
            after = chance.choice((0.0, chance.uniform(0, 3)))
            self._act(job, "cancel", moment, after, times=chance.choice((1, 1, 2)))
        for job in failing:
            chance = self._chance(f"redrive/{job.job_id}")
            for _ in range(chance.choice((0, 1, 1, 2))):
                self._act(job, "redrive", Moment.FAILED, chance.uniform(0, 2), times=chance.choice((1, 1, 2)))
        for job in self._draw("redrive", [job for job in self._jobs if not job.failing], self._planned("redrive") // 2):
            chance = self._chance(f"redrive/{job.job_id}")
            self._act(job, "redrive", chance.choice((Moment.RUNNING, Moment.ENDED)), chance.uniform(0, 1))
        for job in self._draw("cancel-with-redrive", failing):
            self._act(job, "cancel-with-redrive", Moment.FAILED, self._chance(f"both/{job.job_id}").uniform(0, 1))
        for job in self._draw("event-replayed", failing):
            after = self._chance(f"replay/{job.job_id}").uniform(0, 4)
            self._act(job, "event-replayed", Moment.FAILED, after, times=2)
        for job in self._draw("duplicate-message", self._jobs):
            chance = self._chance(f"duplicate/{job.job_id}")
            self._act(job, "duplicate-message", Moment.SUBMITTED, chance.uniform(0, 0.3), times=chance.randint(1, 3))
        for job in self._draw("delayed-message", self._jobs):
            chance = self._chance(f"delayed/{job.job_id}")
            self._act(job, "delayed-message", chance.choice((Moment.SUBMITTED, Moment.ENDED)), chance.uniform(3, 30))
        for job in self._draw("repeated-submit", self._jobs):
            job.callers = 12

    def _act(self, job: _JobDraft, kind: str, moment: Moment, after: float, times: int = 1) -> None:
        job.acts.append(Act(kind=kind, moment=moment, after=round(after, 2), times=times))

    def _deal_stage_faults(self) -> None:
        quiet = [job for job in self._jobs if job.failing is None]
        for kind in ("kill-before-work", "kill-mid-work", "kill-after-work", "kill-after-write"):
            self._deal(kind, quiet, DYING)
        for kind, family in (("late-writer", DYING), ("out-of-memory", DYING), ("unknown-error", UNKNOWN)):
            self._deal(kind, quiet, family)
        for job in self._draw("hang", [job for job in quiet if not job.has(DYING, HANG_STAGE)]):
            self._add(job, "hang", (HANG_STAGE,), seconds=HANG_SECONDS)
        self._deal("pause", quiet, {"pause"})
        self._deal("transient", quiet, {"transient"})
        self._deal("access-denied", quiet, UNKNOWN)
        for kind, place in (("kill-before-work", "settle_failed"), ("kill-after-write", "settle_failed")):
            failing = [job for job in self._jobs if job.failing in {"fails-for-ever", "object-deleted"}]
            for job in self._draw(f"{kind}-settling", failing, len(failing) // 4):
                if not job.has(DYING, place):
                    self._add(job, kind, (place,))
        for kind in ("kill-before-work", "kill-after-write"):
            cancelled = [job for job in self._jobs if any(act.kind == "cancel" for act in job.acts)]
            for job in self._draw(f"{kind}-cleaning", cancelled, len(cancelled) // 4):
                if not job.has(DYING, "clean_up"):
                    self._add(job, kind, ("clean_up",))

    def _deal(self, kind: str, pool: Sequence[_JobDraft], family: Collection[str]) -> None:
        """Deal a kind that happens in one stage, which has none of its family yet."""
        for job in self._draw(kind, pool):
            chance = self._chance(f"{kind}/{job.job_id}")
            places = [place for place in STAGE_NAMES if not job.has(family, place)]
            times = chance.randint(1, 4) if kind == "transient" else 1
            seconds = round(chance.uniform(1, 4), 1) if kind in {"pause", "late-writer"} else None
            self._add(job, kind, (chance.choice(places),), times=times, seconds=seconds)

    def _deal_call_faults(self) -> None:
        for kind in ("throttled-dynamodb", "throttled-s3", "clock-skew"):
            for job in self._draw(kind, self._jobs):
                chance = self._chance(f"{kind}/{job.job_id}")
                places = STAGE_NAMES if kind != "throttled-dynamodb" else (*STAGE_NAMES, "start_execution", "api")
                seconds = chance.choice((-1, 1)) * chance.uniform(5, 120) if kind == "clock-skew" else None
                self._add(job, kind, (chance.choice(places),), times=chance.randint(1, 6), seconds=seconds)
        for job in self._draw("reply-lost", self._jobs):
            chance = self._chance(f"reply-lost/{job.job_id}")
            service = chance.choice(("dynamodb", "dynamodb", "start"))
            places = STARTERS if service == "start" else (chance.choice((*STAGE_NAMES, "start_execution", "api")),)
            self._add(job, "reply-lost", places, times=chance.randint(1, 3), service=service)
        for kind in ("throttled-start", "crash-between-row-and-start", "crash-after-start"):
            for job in self._draw(kind, self._jobs):
                times = self._chance(f"{kind}/{job.job_id}").randint(1, 4) if kind == "throttled-start" else 1
                self._add(job, kind, STARTERS, times=times)
        looked_at = [job for job in self._jobs if {"cancel", "event-lost"} & {act.kind for act in job.acts}]
        for job in self._draw("reconciler-dies", looked_at):
            when = self._chance(f"reconciler-dies/{job.job_id}").choice(("before", "after"))
            self._add(job, "reconciler-dies", ("reconcile",), when=when)

    def _deal_poisons(self) -> None:
        count = self._planned("poison-message")
        chance = self._chance("poison-message")
        for index, after_jobs in enumerate(self._moments(count, chance)):
            # Each in turn, from anywhere in the list: short runs are to see all of them, too, one seed after another.
            what = POISONS[(index + self._seed) % len(POISONS)]
            job_id = f"chaos-{self._seed}-p{index:03d}"
            alone = chance.random() < 0.5  # noqa: PLR2004 - a half
            self._poisons.append(Poison(after_jobs=after_jobs, job_id=job_id, what=what, alone=alone))

    def _deal_letter_faults(self) -> None:
        """Let letters be lost that functions send; those of the state machine go no such way."""
        told = [job for job in self._jobs if job.failing in {"execution-aborted", "event-lost", "execution-timed-out"}]
        owned = [poison for poison in self._poisons if poison.is_owned]
        for kind in ("throttled-sqs", "letter-not-sent"):
            for job in self._draw(kind, told, self._planned(kind)):
                times = self._chance(f"{kind}/{job.job_id}").randint(1, 2)
                self._add(job, kind, SETTLERS, times=times)
            for poison in owned[: len(owned) // 2]:
                fault = self._fault(poison.job_id, kind, SETTLERS)
                position = self._poisons.index(poison)
                self._poisons[position] = replace(poison, faults=(*poison.faults, fault))
                owned[owned.index(poison)] = self._poisons[position]

    def _deal_events(self) -> None:
        for kind in ("function-throttled", "two-reconcilers", "emulator-restarted"):
            chance = self._chance(kind)
            for after_jobs in self._moments(self._planned(kind), chance):
                function = chance.choice(THROTTLED) if kind == "function-throttled" else None
                seconds = round(chance.uniform(2, 4), 1)
                self._events.append(Event(kind=kind, after_jobs=after_jobs, seconds=seconds, function=function))

    def _moments(self, count: int, chance: Random) -> list[int]:
        """Spread so many moments over the run, each at a number of jobs that are submitted by then."""
        step = len(self._jobs) / count
        return [min(len(self._jobs), math.floor(step * (index + chance.random())) + 1) for index in range(count)]

    def _add(self, job: _JobDraft, kind: str, places: tuple[str, ...], **details: Any) -> None:
        job.faults.append(self._fault(job.job_id, kind, places, **details))

    def _fault(self, job_id: str, kind: str, places: tuple[str, ...], **details: Any) -> FunctionFault:
        self._ids += 1
        return FunctionFault(id=f"{self._ids:04d}-{kind}", kind=kind, job=job_id, places=places, **details)

    def _finished(self, index: int, job: _JobDraft) -> JobPlan:
        chance = self._chance(f"job/{job.job_id}")
        needed = {place for fault in job.faults for place in fault.places}
        chosen = tuple(name for name in DEFAULT_ANALYSES if name in needed or chance.random() < 0.5)  # noqa: PLR2004 - a half
        # Photographs take their time; most pictures are small.
        usual = chance.choices(tuple(PICTURES), [0.05 if name == PHOTOGRAPH else 0.19 for name in PICTURES])[0]
        # A few can only fail, with nothing done to them: what is true of them has to be true among faults as well.
        picture = chance.choices((usual, BROKEN, MISSING), (0.96, 0.025, 0.015))[0] if not job.faults else usual
        return JobPlan(
            index=index,
            job_id=job.job_id,
            picture=picture,
            analyses=chosen if chosen and chance.random() < 0.3 else DEFAULT_ANALYSES,  # noqa: PLR2004 - a third
            callers=job.callers,
            deadline=job.deadline,
            block=job.block,
            acts=tuple(job.acts),
            faults=tuple(job.faults),
        )
