"""What a job costs by two designs, Darkroom's and the naive one: how much of what, by the size of the image.

The naive design is what comes to mind first: a function behind the gateway starts a Standard workflow; each stage
stands between states that ask whether it may run and note that it is done; each decodes the original and works on all
its pixels (`laptop/bench/naive.py`); progress is written at each quarter of a stage; the client asks once a second.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdas.config import FUNCTION_MEMORY_MB
from lambdas.jobs.cost import Usage, total, usd_of
from lambdas.jobs.prices import Charge, gb_seconds, read_units, write_units
from lambdas.stages.catalogue import ORDINARY

GB_OF_A_PROCESSOR: Final = 1769 / 1024
"""A function with this much memory has one processor for itself; one with less has its share, and takes longer by as
much: what a second of its processor costs is the same. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
WAITING_MS: Final = 30
"""Of a stage, for its requests: five, about. Estimated."""
BETWEEN_SECONDS: Final = 1.0
"""Of a job that nobody's processor works for: queue, states, starts of functions. Estimated."""
ROW_KB: Final = 4.0
"""Of a row in the middle of its life: Darkroom's grows from 2 to 6 KB."""
LOOKS_A_SECOND: Final = 4
"""Reads of the row while an answer is held back."""
PROGRESS_WRITES: Final = 4
NAIVE_TRANSITIONS: Final = 5 * len(ORDINARY) + 1 + 3
"""Four states around each stage (running?, cancelled?, choose, done), the Parallel state, and three to end it."""
STAGES: Final = len(ORDINARY)

DARKROOM: Final[Usage] = {
    Charge.TRANSITIONS: STAGES + 2,
    Charge.INVOCATIONS: STAGES + 1 + 13,
    Charge.TABLE_WRITES: 70,
    Charge.TABLE_READS: 14.5,
    Charge.OBJECT_WRITES: 4,
    Charge.OBJECT_READS: 6,
    Charge.API_REQUESTS: 1,
    Charge.FAIR_QUEUE_REQUESTS: 3,
    Charge.BUS_EVENTS: 13,
}
"""Of an ordinary job, but for its functions' time: as a job itself tells it. A test holds it against one."""
ACCEPTING_AND_EVENTS_MS: Final = 50 + 13 * 30


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Of one job: what runs it, and what it takes to watch it to its end."""

    work: Usage
    watching: Usage

    @property
    def usd(self) -> float:
        """Both, in USD."""
        return usd_of(self.work) + usd_of(self.watching)

    @property
    def usage(self) -> Mapping[Charge, float]:
        """Both, by what is charged."""
        return total([self.work, self.watching])


def darkroom(processor_ms: float) -> Bill:
    """Bill a job whose stages take so much processor time. It is watched by one answer that is held until its end."""
    seconds = BETWEEN_SECONDS + processor_ms / 1000 * GB_OF_A_PROCESSOR / (FUNCTION_MEMORY_MB / 1024)
    waiting = gb_seconds(FUNCTION_MEMORY_MB, ACCEPTING_AND_EVENTS_MS + STAGES * WAITING_MS)
    return Bill(
        work={**DARKROOM, Charge.GB_SECONDS: processor_ms / 1000 * GB_OF_A_PROCESSOR + waiting},
        watching={
            Charge.API_REQUESTS: 1,
            Charge.INVOCATIONS: 1,
            Charge.GB_SECONDS: gb_seconds(FUNCTION_MEMORY_MB, seconds * 1000),
            Charge.TABLE_READS: math.ceil(seconds * LOOKS_A_SECOND) * read_units(ROW_KB * 1024),
        },
    )


def naive(processor_ms: float) -> Bill:
    """Bill the same job by the naive design; its functions have a processor each, and its stages follow one another."""
    seconds = BETWEEN_SECONDS + processor_ms / 1000
    asks = math.ceil(seconds)
    asking = gb_seconds(FUNCTION_MEMORY_MB, WAITING_MS)
    writes = 2 + STAGES * (2 + PROGRESS_WRITES)
    return Bill(
        work={
            Charge.TRANSITIONS: NAIVE_TRANSITIONS,
            Charge.INVOCATIONS: 1 + STAGES,
            Charge.GB_SECONDS: (processor_ms + STAGES * WAITING_MS) / 1000 * GB_OF_A_PROCESSOR + asking,
            Charge.TABLE_WRITES: writes * write_units(ROW_KB * 1024),
            Charge.TABLE_READS: STAGES * read_units(ROW_KB * 1024),
            Charge.OBJECT_WRITES: 3,
            Charge.OBJECT_READS: STAGES,
            Charge.API_REQUESTS: 1,
        },
        watching={
            Charge.API_REQUESTS: asks,
            Charge.INVOCATIONS: asks,
            Charge.GB_SECONDS: asks * asking,
            Charge.TABLE_READS: asks * read_units(ROW_KB * 1024),
        },
    )
