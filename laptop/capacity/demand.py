"""What one ordinary job asks of each limit, and how long its stages take: from counts and the last run of the bench."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from lambdas.adapters.keys import WATCH_SHARDS
from lambdas.handlers.costing import ACCEPTING_MS, PUBLISHING_MS
from lambdas.jobs.prices import Charge
from lambdas.stages.catalogue import BY_NAME, LAST, MAKES_WORKING_COPY, ORDINARY
from laptop.bench.designs import DARKROOM, GB_OF_A_PROCESSOR, WAITING_MS
from laptop.bench.page import RECORD
from laptop.capacity.quotas import Limit

BATCH: Final = 10
"""Messages that a starter takes at once, at most."""
CALLS_A_JOB: Final = 2
"""One that submits it and one that is held until its end."""
MOVES_IN_DUE_INDEX: Final = 2
"""A job is put into the index of what is due, and taken out."""
_REFERENCE: Final = 16
"""Megapixels of the point that tells how dear the stages behind the first are: theirs does not depend on the image."""


@dataclass(frozen=True)
class Demand:
    """Of one job. `stages` are seconds of each stage's function, `phases` which stages run side by side."""

    megapixels: float
    stages: Mapping[str, float]
    starter_seconds: float = ACCEPTING_MS / 1000
    publisher_seconds: float = DARKROOM[Charge.BUS_EVENTS] * PUBLISHING_MS / 1000

    @property
    def phases(self) -> tuple[tuple[str, ...], ...]:
        """Stages, in the order in which they run; those in one phase at once."""
        between = tuple(name for name in self.stages if name not in (MAKES_WORKING_COPY.name, LAST.name))
        return ((MAKES_WORKING_COPY.name,), between, (LAST.name,))

    @property
    def seconds(self) -> float:
        """From the start of its execution to its end, when it waits for nothing."""
        return sum(max(self.stages[name] for name in phase) for phase in self.phases)

    @property
    def function_seconds(self) -> float:
        """Of all its functions: what it takes of Lambda's room. The call that watches it is one of them."""
        return sum(self.stages.values()) + self.starter_seconds + self.publisher_seconds + self.seconds

    @property
    def of(self) -> Mapping[Limit, float]:
        """How much a job takes of each limit: of a rate its number, of what is limited at once its seconds."""
        slowest = max(self.stages.values())
        return {
            Limit.GATEWAY: CALLS_A_JOB,
            Limit.SUBMISSIONS: 1,
            Limit.STARTERS: self.starter_seconds,
            Limit.STARTS: 1,
            Limit.TRANSITIONS: DARKROOM[Charge.TRANSITIONS],
            Limit.EXECUTIONS: self.seconds,
            Limit.CONCURRENCY: self.function_seconds,
            # Of its busiest function, as many environments as calls that overlap; in steady work none is new.
            Limit.SCALING: slowest,
            Limit.TABLE_WRITES: DARKROOM[Charge.TABLE_WRITES] - DARKROOM[Charge.BUS_EVENTS],
            Limit.PARTITION: MOVES_IN_DUE_INDEX / len(WATCH_SHARDS),
            Limit.BUS_EVENTS: DARKROOM[Charge.BUS_EVENTS],
        }


def demand(megapixels: float) -> Demand:
    """Work out what a job of an image of this size takes. Raises ValueError when the size is not positive."""
    if megapixels <= 0:
        raise ValueError(f"An image has more than {megapixels:g} megapixels. Give MEGAPIXELS= a positive number.")
    record = json.loads(RECORD.read_text())
    shares = {stage.name: _share(record, stage.name) for stage in ORDINARY}
    reference = _between(record, _REFERENCE, "stagesMs")
    processor_ms = {name: reference * share / sum(shares.values()) for name, share in shares.items()}
    processor_ms[MAKES_WORKING_COPY.name] = _between(record, megapixels, "decodeMs") * shares[MAKES_WORKING_COPY.name]
    return Demand(megapixels, {name: _seconds(name, spent) for name, spent in processor_ms.items()})


def _share(record: Mapping[str, Any], stage: str) -> float:
    """Processor time of a stage in decodes, as the bench has found it."""
    return next(float(found["value"]) for found in record["findings"] if found["name"] == f"of that, {stage}")


def _seconds(stage: str, processor_ms: float) -> float:
    processors = min(1.0, BY_NAME[stage].memory_mb / 1024 / GB_OF_A_PROCESSOR)
    return (processor_ms / processors + WAITING_MS) / 1000


def _between(record: Mapping[str, Any], megapixels: float, name: str) -> float:
    """Read the bench's series at a size, on the line between two points or on from the last two."""
    points = [(point["megapixels"], point[name]) for point in record["megapixelsSeries"]]
    below, above = next((pair for pair in pairwise(points) if megapixels <= pair[1][0]), (points[-2], points[-1]))
    slope = (above[1] - below[1]) / (above[0] - below[0])
    return float(max(points[0][1] / 2, below[1] + slope * (megapixels - below[0])))
